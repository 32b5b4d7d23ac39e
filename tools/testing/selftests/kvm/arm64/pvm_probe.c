// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of the host to guest memory, and the host's counters. See pvm_probe.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest.h"
#include "pvm_probe.h"

static sigjmp_buf faulted;
static int fault_code;
static void *fault_address;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	fault_code = signal == SIGSEGV ? info->si_code : -1;
	fault_address = info->si_addr;
	siglongjmp(faulted, 1);
}

static void make_access(void *address, enum pvm_access access)
{
	unsigned int byte;

	switch (access) {
	case PVM_READ:
		asm volatile("ldrb %w0, [%1]" : "=r" (byte) : "r" (address) : "memory");
		break;
	case PVM_WRITE:
		asm volatile("strb wzr, [%0]" : : "r" (address) : "memory");
		break;
	case PVM_EXEC:
		((void (*)(void))address)();
		break;
	}
}

/**
 * pvm_probe() - Make an access that may fault
 * @address: the address.
 * @access: the kind of access.
 *
 * For one thread at a time, since it installs signal handlers.
 *
 * Return: 0 if the access succeeded; the si_code of a SIGSEGV at @address; else -1.
 */
int pvm_probe(void *address, enum pvm_access access)
{
	const struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
	struct sigaction segv, bus;
	int code = 0;

	sigaction(SIGSEGV, &action, &segv);
	sigaction(SIGBUS, &action, &bus);
	if (sigsetjmp(faulted, 1))
		code = fault_address == address ? fault_code : -1;
	else
		make_access(address, access);
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);

	return code;
}

/**
 * pvm_pfn() - Get the frame number of a page
 * @address: an address in the page, which the process has accessed.
 *
 * Any thread; needs root.
 *
 * Return: the page frame number; 0 if no page is mapped, or the pagemap cannot be read.
 */
uint64_t pvm_pfn(const void *address)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entry = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &entry, sizeof(entry), (uintptr_t)address / getpagesize() * sizeof(entry)) !=
	    sizeof(entry))
		entry = 0;
	close(fd);
	return entry >> 63 ? entry & ((1UL << 55) - 1) : 0;
}

static long find_number(const char *path, const char *format, const char *name)
{
	FILE *file = fopen(path, "re");
	char line[256], key[64];
	long value, found = -1;

	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, format, key, &value) == 2 && !strcmp(key, name))
			found = value;
	}
	fclose(file);
	return found;
}

/**
 * pvm_map_file() - Map a new memfd in place of other memory
 * @memory: the memory, aligned to a page.
 * @size: its size in bytes.
 *
 * Any thread.
 *
 * Return: the memfd's descriptor, or a negative errno.
 */
int pvm_map_file(void *memory, size_t size)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, size) ||
	    mmap(memory, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != memory)
		return -errno;
	return fd;
}

/**
 * pvm_force() - Have the kernel access a page without a check, which reclaims a private page
 * @fd: a memfd.
 * @at: the offset of the page in it, in bytes.
 *
 * fallocate() punches a hole that ends within the page, for which the kernel zeroes a part of the
 * page. The guest loses all of a private page. Any thread.
 *
 * Return: 0 or a negative errno.
 */
int pvm_force(int fd, size_t at)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, sizeof(uint64_t)) ?
	       -errno : 0;
}

/**
 * pvm_stat() - Read a total of the host for protected VMs
 * @name: its name in /sys/kernel/debug/kvm/pkvm_stats.
 *
 * Any thread.
 *
 * Return: the total, or -1 if it does not exist.
 */
long pvm_stat(const char *name)
{
	return find_number("/sys/kernel/debug/kvm/pkvm_stats", "%63s %ld", name);
}

/**
 * pvm_pages_returned() - Count the pages that the host got back from protected VMs, on all paths
 *
 * Any thread.
 *
 * Return: the total, which equals "pages_donated" when no protected VM lives.
 */
long pvm_pages_returned(void)
{
	return pvm_stat("pages_reclaimed_private") + pvm_stat("pages_reclaimed_shared") +
	       pvm_stat("pages_relinquished");
}

/**
 * pvm_kvm_stat() - Read one of KVM's binary statistics
 * @fd: the descriptor of a VM or of a vCPU.
 * @name: the statistic's name.
 *
 * Any thread.
 *
 * Return: its value, or -1 if it does not exist.
 */
long pvm_kvm_stat(int fd, const char *name)
{
	struct kvm_stats_header header;
	struct kvm_stats_desc *desc;
	int64_t value = -1;
	size_t size;
	int stats;

	stats = ioctl(fd, KVM_GET_STATS_FD, NULL);
	if (stats < 0)
		return -1;
	if (pread(stats, &header, sizeof(header), 0) != sizeof(header))
		goto out;
	size = sizeof(*desc) + header.name_size;
	desc = malloc(size);
	for (uint32_t i = 0; desc && i < header.num_desc; i++) {
		if (pread(stats, desc, size, header.desc_offset + i * size) != (ssize_t)size)
			break;
		if (strncmp(desc->name, name, header.name_size))
			continue;
		if (pread(stats, &value, sizeof(value), header.data_offset + desc->offset) !=
		    sizeof(value))
			value = -1;
		break;
	}
	free(desc);
out:
	close(stats);
	return value;
}

/**
 * pvm_vmstat() - Read an event count of the host's memory management
 * @name: the event's name in /proc/vmstat.
 *
 * Any thread.
 *
 * Return: the count, or -1 if it does not exist.
 */
long pvm_vmstat(const char *name)
{
	return find_number("/proc/vmstat", "%63s %ld", name);
}

/**
 * pvm_proc_number() - Read a number from a file of lines "NAME: NUMBER ..."
 * @path: the file, such as /proc/meminfo.
 * @name: the name.
 *
 * Any thread.
 *
 * Return: the number, or -1 if it does not exist.
 */
long pvm_proc_number(const char *path, const char *name)
{
	return find_number(path, "%63[^:]: %ld", name);
}

/**
 * pvm_number() - Read the number at the start of a file
 * @path: the file.
 *
 * Any thread.
 *
 * Return: the number, or -1 if it does not exist.
 */
long pvm_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long value = -1;

	if (!file)
		return -1;
	if (fscanf(file, "%ld", &value) != 1)
		value = -1;
	fclose(file);
	return value;
}

/**
 * pvm_write() - Write a text to a file of the kernel by one write()
 * @path: the file, such as one in sysfs.
 * @text: the text.
 *
 * Any thread.
 *
 * Return: 0; or a negative errno, -EIO if the kernel took only a part of it.
 */
int pvm_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t length = strlen(text);
	ssize_t done;
	int err = 0;

	if (fd < 0)
		return -errno;
	done = write(fd, text, length);
	if (done != length)
		err = done < 0 ? -errno : -EIO;
	close(fd);
	return err;
}

/* Add up the lines "count: NUMBER", free pages of each CPU and zone that MemFree does not have. */
static long percpu_pages(void)
{
	FILE *file = fopen("/proc/zoneinfo", "re");
	char line[256];
	long sum = 0, count;

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " count: %ld", &count) == 1)
			sum += count;
	}
	fclose(file);
	return sum;
}

/**
 * pvm_free_pages() - Drop caches and count the host's free pages
 *
 * Takes two seconds, since RCU and workers free memory late. Includes pages on per-CPU lists. Any
 * thread.
 *
 * Return: the number of pages, or -1 if that cannot be read.
 */
long pvm_free_pages(void)
{
	long best = -1;

	for (int i = 0; i < 10; i++) {
		long kib, percpu;

		if (pvm_write("/proc/sys/vm/drop_caches", "3"))
			return -1;
		usleep(200000);
		kib = pvm_proc_number("/proc/meminfo", "MemFree");
		percpu = percpu_pages();
		if (kib < 0 || percpu < 0)
			return -1;
		if (kib * 1024 / getpagesize() + percpu > best)
			best = kib * 1024 / getpagesize() + percpu;
	}
	return best;
}

/**
 * pvm_log_open() - Open the kernel's log at its end
 *
 * Any thread.
 *
 * Return: a descriptor for pvm_log_complains(), or -1 with errno set.
 */
int pvm_log_open(void)
{
	int log = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (log >= 0 && lseek(log, 0, SEEK_END) < 0) {
		close(log);
		log = -1;
	}
	return log;
}

/**
 * pvm_log_complains() - Check the kernel's log for warnings and crashes
 * @log: a descriptor of pvm_log_open().
 *
 * Reads all messages since the last call, and prints warnings, oopses and the like. One thread at a
 * time may use a descriptor.
 *
 * Return: whether there are any, or the log has dropped messages.
 */
bool pvm_log_complains(int log)
{
	static const char * const words[] = {
		"Oops", "BUG", "WARNING", "Internal error", "HYP panic", "Unable to handle",
		"blocked for more than", "Bad page state",
	};
	char record[8192];
	bool found = false;
	ssize_t n;

	while ((n = read(log, record, sizeof(record) - 1)) > 0 || errno == EPIPE) {
		if (n < 0) {
			printf("# the kernel's log has dropped messages\n");
			found = true;
			errno = 0;
			continue;
		}
		record[n] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
			if (!strstr(record, words[i]))
				continue;
			printf("# kernel: %s", record);
			found = true;
			break;
		}
	}
	return found;
}
