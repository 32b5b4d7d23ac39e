// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be behind a window: huge pages of hugetlbfs, a file on a disk, memory that the host
 * swaps, and memory that it moves.
 *
 * Rule: guest and host see the same memory all the time, whatever the host does to it, and what the
 * guest writes gets to where the memory belongs. R1: the host keeps the memory, so that it can do
 * all of this at any time, and nothing is held once the window is gone. On VMs of both kinds.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/memfd.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"
#include "pvm_window.h"
#include "stress.h"

#define SIZE		(2 * SZ_2M)
#define PAGES		16U
#define TIMEOUT		120

/* An ext4 file system for tests. */
#define DISK		"/dev/vda"
#define MOUNTED		"/tmp/ext4"

#define NR_HUGE		"/proc/sys/vm/nr_hugepages"
/* How much of the host's memory is filled so that it has holes. */
#define HOLES_SIZE	(8UL * SZ_1M)

FIXTURE(memory) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	bool protected;
	int log;
	/* How many pages the host shares with VMs without this one, and without a window. */
	long before;
	long held;
};

FIXTURE_VARIANT(memory) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(memory, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(memory, np) { .type = 0 };

FIXTURE_SETUP(memory)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->protected = variant->type == KVM_VM_TYPE_ARM_PROTECTED;
	self->log = pvm_log_open();
	self->before = pvm_window_held();
	ASSERT_EQ(0, pvm_create(&self->vm, variant->type, 1, 0));
	self->vcpu = &self->vm.vcpus[0];
	if (self->protected) {
		ASSERT_EQ(0, pvm_enroll(&self->vm));
		ASSERT_LT(0, pvm_window_guard(self->vcpu, PVM_WINDOW_IPA, SIZE));
	} else {
		/* The code is shared from the first run on. */
		ASSERT_NE(PVM_HVC_LOST, pvm_hvc(self->vcpu, HVC_SMCCC_VERSION, 0, 0, 0));
	}
	self->held = pvm_window_held();
}

FIXTURE_TEARDOWN(memory)
{
	if (!pvm_host_is_protected())
		return;
	pvm_free(&self->vm);
	EXPECT_EQ(self->before, pvm_window_held());
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
	EXPECT_EQ(0, pvm_stat("pages_forced"));
	EXPECT_FALSE(pvm_log_complains(self->log));
}

/* Have the guest write to each page what the host finds there. */
static void expect_written(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			   uint8_t *mem, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t ipa = PVM_WINDOW_IPA + (uint64_t)i * getpagesize();

		ASSERT_EQ(0, pvm_store(vcpu, ipa, ~pvm_window_pattern(i)));
		EXPECT_EQ(~pvm_window_pattern(i), READ_ONCE(*pvm_window_word(mem, i)));
	}
}

/* Rule: a huge page of hugetlbfs is shared as a whole, and is free as soon as it is unmapped. */
TEST_F(memory, hugetlb)
{
	long nr = SZ_2M / self->page;
	uint64_t value;
	uint8_t *mem;
	int fd;

	if (access(NR_HUGE, W_OK))
		SKIP(return, "the kernel has no hugetlbfs");
	ASSERT_EQ(0, pvm_write(NR_HUGE, "2"));
	ASSERT_EQ(2, pvm_proc_number("/proc/meminfo", "HugePages_Free"));
	fd = memfd_create("huge", MFD_CLOEXEC | MFD_HUGETLB | MFD_HUGE_2MB);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);

	/* The first access is the guest's, to a page that nobody has yet. */
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, mem));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + SZ_2M, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(self->protected ? nr : 0, pvm_window_pages(&self->vm));
	EXPECT_EQ(nr, pvm_window_held() - self->held);
	pvm_window_fill(mem, PAGES);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
	expect_written(_metadata, self->vcpu, mem, PAGES);
	EXPECT_EQ(2 * nr, pvm_window_held() - self->held);

	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, SZ_2M));
	EXPECT_EQ(nr, pvm_window_held() - self->held);
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	EXPECT_EQ(0, value);

	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	EXPECT_EQ(0, pvm_window_held() - self->held);
	ASSERT_EQ(0, munmap(mem, SIZE));
	close(fd);
	EXPECT_EQ(2, pvm_proc_number("/proc/meminfo", "HugePages_Free"));
	ASSERT_EQ(0, pvm_write(NR_HUGE, "0"));
	EXPECT_EQ(0, pvm_proc_number("/proc/meminfo", "HugePages_Total"));
}

/* Read a word from the disk, past the page cache. */
static uint64_t on_disk(int fd, unsigned int page)
{
	static uint64_t buffer[SZ_64K / sizeof(uint64_t)] __aligned(SZ_64K);

	if (pread(fd, buffer, getpagesize(), (off_t)page * getpagesize()) != getpagesize())
		return 0;
	return buffer[0];
}

/*
 * Rule: what the guest writes to a file's page gets to the disk, also what it writes after the page
 * was written back, and the guest sees what is in the file when the page is read again.
 */
TEST_F_TIMEOUT(memory, disk, TIMEOUT)
{
	uint64_t value;
	int fd, direct;
	uint8_t *mem;

	ASSERT_TRUE(!mkdir(MOUNTED, 0700) || errno == EEXIST);
	ASSERT_EQ(0, mount(DISK, MOUNTED, "ext4", 0, NULL));
	fd = open(MOUNTED "/window", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	direct = open(MOUNTED "/window", O_RDONLY | O_DIRECT | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, direct);
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, mem));

	for (unsigned int round = 0; round < 3; round++) {
		pvm_window_fill(mem, PAGES);
		EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
		/* The page is clean, and the guest must not be able to make it dirty unseen. */
		ASSERT_EQ(0, fsync(fd));
		expect_written(_metadata, self->vcpu, mem, PAGES);
		ASSERT_EQ(0, fsync(fd));
		for (unsigned int i = 0; i < PAGES; i++)
			EXPECT_EQ(~pvm_window_pattern(i), on_disk(direct, i));

		/* The host gives up the pages, and reads them again for the guest. */
		ASSERT_EQ(0, madvise(mem, PAGES * self->page, MADV_PAGEOUT));
		EXPECT_EQ(0, pvm_window_held() - self->held);
		EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + self->page, &value));
		EXPECT_EQ(~pvm_window_pattern(1), value);
	}

	/* Beyond the end of the file there is nothing, and nothing is in the way of its end. */
	ASSERT_EQ(0, ftruncate(fd, self->page));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_WINDOW_IPA + self->page, &value));
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(0, self->vcpu->results[0]);

	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	EXPECT_EQ(0, pvm_window_held() - self->held);
	ASSERT_EQ(0, munmap(mem, SIZE));
	close(direct);
	close(fd);
	ASSERT_EQ(0, umount(MOUNTED));
}

/* Let the host swap out a window, and the guest swap it in again. */
static void expect_swapped(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			   uint8_t *mem, long held)
{
	for (unsigned int round = 0; round < 3; round++) {
		long out = pvm_vmstat("pswpout"), in = pvm_vmstat("pswpin");

		pvm_window_fill(mem, PAGES);
		EXPECT_EQ(0, pvm_window_check(vcpu, PVM_WINDOW_IPA, PAGES));
		EXPECT_EQ(PAGES, pvm_window_held() - held);
		ASSERT_EQ(0, madvise(mem, PAGES * getpagesize(), MADV_PAGEOUT));
		EXPECT_EQ(0, pvm_window_held() - held);
		EXPECT_LE(PAGES, pvm_vmstat("pswpout") - out);
		EXPECT_EQ(0, pvm_window_check(vcpu, PVM_WINDOW_IPA, PAGES));
		EXPECT_LT(0, pvm_vmstat("pswpin") - in);
		expect_written(_metadata, vcpu, mem, PAGES);
	}
}

/* Rule: the host can swap out what is in a window. What the guest has written is in the swap. */
TEST_F(memory, swapped_anonymous)
{
	uint8_t *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, stress_add_swap());
	ASSERT_EQ(0, madvise(mem, SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, mem));
	expect_swapped(_metadata, self->vcpu, mem, self->held);
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	munmap(mem, SIZE);
}

TEST_F(memory, swapped_shmem)
{
	int fd = memfd_create("window", MFD_CLOEXEC);
	uint8_t *mem;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, stress_add_swap());
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, mem));
	expect_swapped(_metadata, self->vcpu, mem, self->held);
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	munmap(mem, SIZE);
	close(fd);
}

/* How many pages have another frame than before. */
static unsigned int count_moved(uint8_t *mem, unsigned int nr, size_t step, const uint64_t *pfns)
{
	unsigned int moved = 0;

	for (unsigned int i = 0; i < nr; i++)
		moved += pvm_pfn(mem + i * step) != pfns[i];
	return moved;
}

/*
 * Rule: the host moves pages of a window to other frames, and the guest goes on in these. Every
 * second page of much memory goes, so that compaction fills the holes with the pages between.
 */
TEST_F_TIMEOUT(memory, migrated, TIMEOUT)
{
	unsigned int nr = HOLES_SIZE / self->page / 2, moved = 0;
	uint64_t *pfns = calloc(nr, sizeof(*pfns)), value;
	size_t step = 2 * self->page;
	uint8_t *mem = mmap(NULL, HOLES_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	ASSERT_NE(NULL, pfns);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, madvise(mem, HOLES_SIZE, MADV_NOHUGEPAGE));
	memset(mem, 1, HOLES_SIZE);
	for (unsigned int i = 0; i < nr; i++) {
		WRITE_ONCE(*(uint64_t *)(mem + i * step), pvm_window_pattern(i));
		ASSERT_EQ(0, madvise(mem + i * step + self->page, self->page, MADV_DONTNEED));
	}
	if (self->protected)
		ASSERT_LT(0, pvm_window_guard(self->vcpu, PVM_WINDOW_IPA, HOLES_SIZE));
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, HOLES_SIZE, mem));

	for (unsigned int i = 0; i < nr; i++) {
		pfns[i] = pvm_pfn(mem + i * step);
		ASSERT_NE(0, pfns[i]);
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + i * step, &value));
		ASSERT_EQ(pvm_window_pattern(i), value);
	}
	for (unsigned int round = 0; round < 10 && !moved; round++) {
		ASSERT_EQ(0, pvm_write("/proc/sys/vm/compact_memory", "1"));
		moved = count_moved(mem, nr, step, pfns);
	}
	/* Compaction does nothing if memory has few fragments. Huge pages replace all pages. */
	if (!moved) {
		ASSERT_EQ(0, madvise(mem, HOLES_SIZE, MADV_HUGEPAGE));
		ASSERT_EQ(0, madvise(mem, HOLES_SIZE, MADV_COLLAPSE));
		moved = count_moved(mem, nr, step, pfns);
	}
	TH_LOG("%u of %u pages were moved", moved, nr);
	EXPECT_LT(0, moved);
	EXPECT_GE(nr, pvm_window_held() - self->held);

	for (unsigned int i = 0; i < nr; i++) {
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + i * step, &value));
		ASSERT_EQ(pvm_window_pattern(i), value);
		ASSERT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA + i * step, i));
		ASSERT_EQ(i, READ_ONCE(*(uint64_t *)(mem + i * step)));
	}
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	munmap(mem, HOLES_SIZE);
	free(pfns);
}

TEST_HARNESS_MAIN
