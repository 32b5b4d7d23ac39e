// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory (memory.h).
 *
 * The VMM cannot access private pages of a protected guest: a load or store raises SIGSEGV, a
 * system call returns -EFAULT. The guest shares and unshares pages at any time, so a check
 * before an access does not help. Each access therefore runs under a guard that turns the
 * signal into -EFAULT.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "memory.h"
#include "stats.h"

#define HUGE_PAGE_SIZE	0x200000UL

/* Where this thread continues after a fault in [start, end). */
struct landing {
	sigjmp_buf env;
	uintptr_t start;
	uintptr_t end;
};

/* The handler runs in the thread that faulted, so signal fences are enough. */
static __thread struct landing *current_landing;

static void guest_fault(int signal, siginfo_t *info, void *context)
{
	struct landing *landing = current_landing;
	const struct sigaction fatal = { .sa_handler = SIG_DFL };
	uintptr_t address = (uintptr_t)info->si_addr;

	(void)context;
	if (landing && address >= landing->start && address < landing->end)
		siglongjmp(landing->env, 1);

	/* A bug of the VMM: the access is repeated, and the signal kills the process. */
	sigaction(signal, &fatal, NULL);
}

int guest_memory_guard(void)
{
	/*
	 * With SA_NODEFER the signal mask does not change, so siglongjmp() need not restore it
	 * by a system call.
	 */
	struct sigaction action = {
		.sa_sigaction = guest_fault,
		.sa_flags = SA_SIGINFO | SA_NODEFER,
	};

	if (sigaction(SIGSEGV, &action, NULL) || sigaction(SIGBUS, &action, NULL))
		return -errno;
	return 0;
}

int guest_memory_init(struct guest_memory *memory, uint64_t base, uint64_t size)
{
	uint8_t *area, *start, *end;

	if (size > SIZE_MAX - HUGE_PAGE_SIZE)
		return -ENOMEM;
	area = mmap(NULL, size + HUGE_PAGE_SIZE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (area == MAP_FAILED)
		return -errno;

	start = area + (-(uintptr_t)area & (HUGE_PAGE_SIZE - 1));
	end = area + size + HUGE_PAGE_SIZE;
	if (start > area)
		munmap(area, start - area);
	if (start + size < end)
		munmap(start + size, end - (start + size));

	/* A kernel without huge pages refuses this; the memory works nevertheless. */
	madvise(start, size, MADV_HUGEPAGE);
	madvise(start, size, MADV_DONTDUMP);

	memory->base = base;
	memory->size = size;
	memory->host = start;
	return 0;
}

void guest_memory_use_small_pages(const struct guest_memory *memory)
{
	/* A kernel without huge pages refuses this, too. */
	madvise(memory->host, memory->size, MADV_NOHUGEPAGE);
}

void guest_memory_destroy(struct guest_memory *memory)
{
	munmap(memory->host, memory->size);
	memory->host = NULL;
	memory->size = 0;
}

bool guest_memory_contains(const struct guest_memory *memory, uint64_t address, uint64_t length)
{
	return address >= memory->base && address - memory->base <= memory->size &&
	       length <= memory->size - (address - memory->base);
}

static uint8_t *host_address(const struct guest_memory *memory, uint64_t address)
{
	return memory->host + (address - memory->base);
}

/*
 * Run @access(@to, @from, @length) under the guard. @guest is @to or @from, whichever is guest
 * memory. The fences keep the compiler from moving the access out of the guard.
 */
static int guarded(void (*access)(void *to, const void *from, size_t length), void *to,
		   const void *from, const void *guest, size_t length)
{
	struct landing landing = {
		.start = (uintptr_t)guest,
		.end = (uintptr_t)guest + length,
	};

	if (sigsetjmp(landing.env, 0)) {
		current_landing = NULL;
		stat_add(STAT_GUEST_ACCESS_FAULTS, 1);
		return -EFAULT;
	}
	current_landing = &landing;
	atomic_signal_fence(memory_order_seq_cst);
	access(to, from, length);
	atomic_signal_fence(memory_order_seq_cst);
	current_landing = NULL;
	return 0;
}

static void copy_bytes(void *to, const void *from, size_t length)
{
	memcpy(to, from, length);
}

/* Not memcpy(), which may copy byte by byte and tear an index. */
static void load16(void *to, const void *from, size_t length)
{
	(void)length;
	*(uint16_t *)to = __atomic_load_n((const uint16_t *)from, __ATOMIC_ACQUIRE);
}

static void store16(void *to, const void *from, size_t length)
{
	(void)length;
	__atomic_store_n((uint16_t *)to, *(const uint16_t *)from, __ATOMIC_RELEASE);
}

int guest_memory_read(const struct guest_memory *memory, uint64_t address, void *buffer,
		      size_t length)
{
	const uint8_t *guest;

	if (!guest_memory_contains(memory, address, length))
		return -ERANGE;
	guest = host_address(memory, address);
	return guarded(copy_bytes, buffer, guest, guest, length);
}

int guest_memory_write(const struct guest_memory *memory, uint64_t address, const void *buffer,
		       size_t length)
{
	uint8_t *guest;

	if (!guest_memory_contains(memory, address, length))
		return -ERANGE;
	guest = host_address(memory, address);
	return guarded(copy_bytes, guest, buffer, guest, length);
}

int guest_memory_load16(const struct guest_memory *memory, uint64_t address, uint16_t *value)
{
	const uint8_t *guest;
	uint16_t word;
	int err;

	if (!guest_memory_contains(memory, address, sizeof(word)) || address % sizeof(word))
		return -ERANGE;
	guest = host_address(memory, address);
	err = guarded(load16, &word, guest, guest, sizeof(word));
	if (!err)
		*value = le16toh(word);
	return err;
}

int guest_memory_store16(const struct guest_memory *memory, uint64_t address, uint16_t value)
{
	uint16_t word = htole16(value);
	uint8_t *guest;

	if (!guest_memory_contains(memory, address, sizeof(word)) || address % sizeof(word))
		return -ERANGE;
	guest = host_address(memory, address);
	return guarded(store16, guest, &word, guest, sizeof(word));
}

static bool is_private(uint8_t *page)
{
	uint8_t byte;

	return guarded(copy_bytes, &byte, page, page, sizeof(byte));
}

/*
 * madvise() also succeeds for private pages. It would only cut them off from the mapping: the
 * guest keeps them, the host frees nothing, and the VMM sees another page if the guest shares them
 * later. So each page is looked at. A guest that takes a page back in between does that to itself.
 */
int64_t guest_memory_discard(const struct guest_memory *memory, uint64_t address,
			     uint64_t length, uint64_t *kept)
{
	const uintptr_t page_size = sysconf(_SC_PAGESIZE);
	uintptr_t next, end, start;
	int64_t done = 0;

	if (!guest_memory_contains(memory, address, length))
		return -ERANGE;
	start = ((uintptr_t)host_address(memory, address) + page_size - 1) & -page_size;
	end = ((uintptr_t)host_address(memory, address) + length) & -page_size;

	for (next = start; next < end; start = next) {
		while (next < end && !is_private((uint8_t *)next))
			next += page_size;
		if (next > start && madvise((void *)start, next - start, MADV_DONTNEED))
			return -errno;
		done += next - start;
		if (next < end) {
			*kept += page_size;
			next += page_size;
		}
	}
	return done;
}

/* Repeats short transfers until all is done or a system call fails. */
static int transfer(const struct guest_memory *memory, int fd, uint64_t offset, uint64_t address,
		    size_t length, bool to_guest)
{
	uint8_t *guest;

	if (!guest_memory_contains(memory, address, length))
		return -ERANGE;
	guest = host_address(memory, address);
	while (length) {
		ssize_t done = to_guest ? pread(fd, guest, length, offset) :
					  pwrite(fd, guest, length, offset);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EFAULT)
			stat_add(STAT_GUEST_ACCESS_FAULTS, 1);
		if (done < 0)
			return -errno;
		if (!done)
			return -EIO;
		guest += done;
		offset += done;
		length -= done;
	}
	return 0;
}

int guest_memory_file_read(const struct guest_memory *memory, int fd, uint64_t offset,
			   uint64_t address, size_t length)
{
	return transfer(memory, fd, offset, address, length, true);
}

int guest_memory_file_write(const struct guest_memory *memory, int fd, uint64_t offset,
			    uint64_t address, size_t length)
{
	return transfer(memory, fd, offset, address, length, false);
}
