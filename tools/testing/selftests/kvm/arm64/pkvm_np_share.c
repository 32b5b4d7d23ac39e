// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of non-protected VMs. On a protected host EL2 owns their stage-2 too, and the host shares
 * pages with them. The host's memory management may do anything to such a page without an effect on
 * the guest. The tests pass on a plain host as well, which shows that they expect the right things.
 *
 * R2: the host cannot share a protected guest's page with another VM, nor donate a page that it
 * shares. R5: KVM_RUN fails then.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

/* Debian 12's C library does not define it. */
#define SECRET		0x5ec2e75ec2e75ec2UL
#define BLOCK		SZ_2M
#define DATA_SIZE	(2 * BLOCK)
#define PAGES		16
#define ALIAS_IPA	(PVM_DATA_IPA + 4 * BLOCK)
#define SWAP		"/dev/zram0"
#define SWAP_SIZE	SZ_64M
#define KSM		"/sys/kernel/mm/ksm/"

/* The value that the guest, or the test, writes to page @i. */
static uint64_t pattern(unsigned int i)
{
	return 0x9e3779b97f4a7c15UL * (i + 1);
}

/* Check that the host has back all pages that it shared, and all metadata. */
static bool all_back(void)
{
	return pvm_stat("np_pages_shared") == pvm_stat("np_pages_unshared") &&
	       pvm_stat("metadata_pages_donated") == pvm_stat("metadata_pages_returned");
}

/* A VM with DATA_SIZE of anonymous memory at PVM_DATA_IPA, aligned for blocks. */
FIXTURE(np_share) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	void *area;
	uint8_t *mem;
};

static uint8_t *map_area(void **area, int flags)
{
	*area = mmap(NULL, DATA_SIZE + BLOCK, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (*area == MAP_FAILED)
		return NULL;
	return (uint8_t *)(((uintptr_t)*area + BLOCK - 1) & ~(BLOCK - 1UL));
}

FIXTURE_SETUP(np_share)
{
	self->page = getpagesize();
	self->mem = map_area(&self->area, MAP_PRIVATE | MAP_ANONYMOUS);
	ASSERT_NE(NULL, self->mem);
	ASSERT_EQ(0, madvise(self->mem, DATA_SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, pvm_create(&self->vm, 0, 2, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, DATA_SIZE, self->mem));
	self->vcpu = &self->vm.vcpus[0];
}

/* Rule: after the death of a VM, the host has back all pages that it shared. */
FIXTURE_TEARDOWN(np_share)
{
	pvm_free(&self->vm);
	munmap(self->area, DATA_SIZE + BLOCK);
	if (pvm_host_is_protected())
		EXPECT_TRUE(all_back());
}

static uint64_t ipa_of(unsigned int i)
{
	return PVM_DATA_IPA + (uint64_t)i * getpagesize();
}

static uint64_t *word_of(uint8_t *mem, unsigned int i)
{
	return (uint64_t *)(mem + (size_t)i * getpagesize());
}

/* The guest writes its pattern to the first pages. */
static void guest_fill(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
		       unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++)
		ASSERT_EQ(0, pvm_store(vcpu, ipa_of(i), pattern(i)));
}

/* Guest and host read the pattern in the first pages. */
static void expect_filled(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			  uint8_t *mem, unsigned int nr)
{
	uint64_t value;

	for (unsigned int i = 0; i < nr; i++) {
		EXPECT_EQ(0, pvm_load(vcpu, ipa_of(i), &value));
		EXPECT_EQ(pattern(i), value);
		EXPECT_EQ(pattern(i), READ_ONCE(*word_of(mem, i)));
	}
}

/* Expect the guest's access to exit as MMIO, which the test does not complete with a value. */
static void expect_mmio(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			uint64_t command, uint64_t ipa)
{
	EXPECT_EQ(-EPROTO, pvm_command(vcpu, command, ipa, 0xdead, 0, 0));
	EXPECT_EQ(KVM_EXIT_MMIO, vcpu->run->exit_reason);
	EXPECT_EQ(ipa, vcpu->run->mmio.phys_addr);
	EXPECT_EQ(command == PVM_STORE, vcpu->run->mmio.is_write);
	/* Run the rest of the command. */
	EXPECT_EQ(0, pvm_run(vcpu));
}

/* Rule: guest and host read what the other writes. */
TEST_F(np_share, both_access_page)
{
	guest_fill(_metadata, self->vcpu, PAGES);
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	WRITE_ONCE(*word_of(self->mem, 3), 42);
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_LOAD, ipa_of(3), 0, 0, 0));
	EXPECT_EQ(42, self->vcpu->results[0]);
}

/* Rule: memory without a write is the zero page until the guest writes to it. */
TEST_F(np_share, zero_page)
{
	uint64_t value = 1;

	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(i), &value));
		EXPECT_EQ(0, value);
	}
	guest_fill(_metadata, self->vcpu, PAGES / 2);
	expect_filled(_metadata, self->vcpu, self->mem, PAGES / 2);
	for (unsigned int i = PAGES / 2; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(i), &value));
		EXPECT_EQ(0, value);
		EXPECT_EQ(0, READ_ONCE(*word_of(self->mem, i)));
	}
}

/* Rule: the guest loses the contents of a page that the host drops. */
TEST_F(np_share, dropped)
{
	uint64_t value = 1;

	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, madvise(self->mem, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(0), &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(1), &value));
	EXPECT_EQ(pattern(1), value);
}

/* Rule: the guest cannot write to a page that the host made read-only by mprotect(). */
TEST_F(np_share, mprotect)
{
	uint64_t value;

	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ));
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(0), &value));
	EXPECT_EQ(pattern(0), value);
	EXPECT_EQ(-EFAULT, pvm_store(self->vcpu, ipa_of(0), 1));
	EXPECT_EQ(pattern(0), READ_ONCE(*word_of(self->mem, 0)));
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(1, READ_ONCE(*word_of(self->mem, 0)));
}

static int stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/*
 * Have a vCPU write one word of its memory in a loop until the write fails. It has a CPU for
 * itself, since the host on the same CPU might flush the guest's TLB entries.
 */
static void *write_on(void *vcpu)
{
	if (stay_on_cpu(1))
		return NULL;
	return (void *)(long)pvm_command(vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, ~0UL, 0);
}

static bool becomes(uint64_t *word, uint64_t value)
{
	for (int i = 0; i < 5000 && READ_ONCE(*word) != value; i++)
		usleep(1000);
	return READ_ONCE(*word) == value;
}

/* Rule: a running vCPU that uses a page cannot access it any more once the host has unmapped it. */
TEST_F(np_share, unmapped_while_running)
{
	pthread_t thread;
	void *ret;

	ASSERT_EQ(0, stay_on_cpu(0));
	for (int round = 0; round < 20; round++) {
		uint64_t *taken = mmap(NULL, self->page, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
				       -1, 0);

		ASSERT_NE(MAP_FAILED, taken);
		ASSERT_EQ(0, pthread_create(&thread, NULL, write_on, self->vcpu));
		ASSERT_TRUE(becomes(word_of(self->mem, 0), SECRET));
		ASSERT_EQ(taken, mremap(self->mem, self->page, self->page,
					MREMAP_MAYMOVE | MREMAP_FIXED, taken));
		WRITE_ONCE(*taken, 0);
		for (int i = 0; i < 2000000; i++) {
			if (READ_ONCE(*taken))
				break;
		}
		EXPECT_EQ(0, READ_ONCE(*taken));

		/* The vCPU stops while the slot has no memory, and continues when it has some. */
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(-EFAULT, (long)ret);
		ASSERT_EQ(self->mem, mmap(self->mem, self->page, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		ASSERT_EQ(0, munmap(taken, self->page));
	}
}

/* Write a header of version 1, as mkswap(8) does, and turn swapping on. */
static int swap_on(void)
{
	long page = getpagesize();
	uint32_t header[3] = { 1, SWAP_SIZE / page - 1, 0 };
	int fd, err = 0;

	err = pvm_write("/sys/block/zram0/disksize", "67108864");
	if (err)
		return err;
	fd = open(SWAP, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pwrite(fd, header, sizeof(header), 1024) != sizeof(header) ||
	    pwrite(fd, "SWAPSPACE2", 10, page - 10) != 10)
		err = -EIO;
	close(fd);
	return err ?: swapon(SWAP, 0) ? -errno : 0;
}

/* Rule: a page that the host swaps out and in keeps what the guest wrote. */
TEST_F(np_share, swapped_out)
{
	bool present = pvm_proc_number("/proc/meminfo", "SwapTotal") > 0;
	long before;

	/* Another test may have turned swapping on and still need it. */
	if (!present)
		ASSERT_EQ(0, swap_on());
	guest_fill(_metadata, self->vcpu, PAGES);
	before = pvm_vmstat("pswpout");
	ASSERT_EQ(0, madvise(self->mem, PAGES * self->page, MADV_PAGEOUT));
	EXPECT_LE(before + PAGES, pvm_vmstat("pswpout"));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, madvise(self->mem, PAGES * self->page, MADV_PAGEOUT));
	if (!present) {
		ASSERT_EQ(0, swapoff(SWAP));
		EXPECT_EQ(0, pvm_write("/sys/block/zram0/reset", "1"));
	}
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: a page that the host migrates keeps its contents, and the guest writes to the new page. */
TEST_F(np_share, compacted)
{
	long before = pvm_vmstat("pgmigrate_success");

	guest_fill(_metadata, self->vcpu, PAGES);
	for (int i = 0; i < 4; i++) {
		ASSERT_EQ(0, pvm_write("/proc/sys/vm/compact_memory", "1"));
		expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	}
	EXPECT_LE(before, pvm_vmstat("pgmigrate_success"));
}

/* Rule: the host can collapse the guest's pages into a huge page, and share it as a block. */
TEST_F(np_share, huge_page_collapsed)
{
	const unsigned int nr = BLOCK / self->page;
	bool protected = pvm_host_is_protected();
	long shared;

	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, madvise(self->mem, DATA_SIZE, MADV_HUGEPAGE));
	ASSERT_EQ(0, madvise(self->mem, BLOCK, MADV_COLLAPSE));
	shared = pvm_stat("np_pages_shared");
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	if (protected)
		EXPECT_EQ(shared + nr, pvm_stat("np_pages_shared"));
	guest_fill(_metadata, self->vcpu, PAGES);
	if (protected)
		EXPECT_EQ(shared + nr, pvm_stat("np_pages_shared"));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: when the host drops a part of a block, the rest keeps what the guest wrote. */
TEST_F(np_share, huge_page_split)
{
	const unsigned int nr = BLOCK / self->page;
	uint64_t value;

	ASSERT_EQ(0, madvise(self->mem, DATA_SIZE, MADV_HUGEPAGE));
	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, pvm_store(self->vcpu, ipa_of(nr - 1), 17));

	ASSERT_EQ(0, mprotect(self->mem + self->page, self->page, PROT_READ));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	ASSERT_EQ(0, mprotect(self->mem + self->page, self->page, PROT_READ | PROT_WRITE));
	ASSERT_EQ(0, madvise(self->mem + (nr - 2) * self->page, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(nr - 2), &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(nr - 1), &value));
	EXPECT_EQ(17, value);
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	ASSERT_EQ(0, munmap(self->mem + nr / 2 * self->page, self->page));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, ipa_of(nr / 2), &value));
}

/* Rule: KSM can merge guest pages, and a write to one of them ends that for this page. */
TEST_F(np_share, merged)
{
	long shared = 0;
	uint64_t value;

	for (unsigned int i = 0; i < PAGES; i++)
		ASSERT_EQ(0, pvm_store(self->vcpu, ipa_of(i), pattern(0)));
	ASSERT_EQ(0, madvise(self->mem, PAGES * self->page, MADV_MERGEABLE));
	ASSERT_EQ(0, pvm_write(KSM "sleep_millisecs", "1"));
	ASSERT_EQ(0, pvm_write(KSM "pages_to_scan", "1000"));
	ASSERT_EQ(0, pvm_write(KSM "run", "1"));
	for (int i = 0; i < 500 && shared < PAGES - 1; i++) {
		FILE *file = fopen(KSM "pages_sharing", "re");

		ASSERT_NE(NULL, file);
		ASSERT_EQ(1, fscanf(file, "%ld", &shared));
		fclose(file);
		usleep(10000);
	}
	EXPECT_LE(PAGES - 1, shared);
	ASSERT_EQ(0, pvm_write(KSM "run", "0"));

	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(i), &value));
		EXPECT_EQ(pattern(0), value);
	}
	for (unsigned int i = 1; i < PAGES; i += 2)
		EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(i), i));
	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(i), &value));
		EXPECT_EQ(i % 2 ? i : pattern(0), value);
	}
	ASSERT_EQ(0, pvm_write(KSM "run", "2"));
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_EQ(i % 2 ? i : pattern(0), READ_ONCE(*word_of(self->mem, i)));
	guest_fill(_metadata, self->vcpu, PAGES);
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: the guest can use a page at two IPAs, and at neither once the host drops it. */
TEST_F(np_share, two_slots)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, ALIAS_IPA, DATA_SIZE, self->mem));
	guest_fill(_metadata, self->vcpu, PAGES);
	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ALIAS_IPA + i * self->page, &value));
		EXPECT_EQ(pattern(i), value);
	}
	EXPECT_EQ(0, pvm_store(self->vcpu, ALIAS_IPA, 5));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(5, value);

	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, ALIAS_IPA, 0, self->mem));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(5, value);
	expect_mmio(_metadata, self->vcpu, PVM_LOAD, ALIAS_IPA);
}

/* Rule: two VMs can use a page, and one keeps it when the other dies. */
TEST_F(np_share, two_vms)
{
	int fd = memfd_create("memory", MFD_CLOEXEC);
	struct pvm other;
	uint64_t value;
	uint8_t *mem;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, BLOCK));
	mem = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pvm_create(&other, 0, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&other, PVM_DATA_SLOT, 0, PVM_DATA_IPA, BLOCK, mem));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, ALIAS_IPA, BLOCK, mem));

	for (unsigned int i = 0; i < PAGES; i++)
		ASSERT_EQ(0, pvm_store(self->vcpu, ALIAS_IPA + i * self->page, pattern(i)));
	expect_filled(_metadata, &other.vcpus[0], mem, PAGES);
	EXPECT_EQ(0, pvm_store(&other.vcpus[0], PVM_DATA_IPA, 9));
	EXPECT_EQ(0, pvm_load(self->vcpu, ALIAS_IPA, &value));
	EXPECT_EQ(9, value);

	pvm_free(&other);
	EXPECT_EQ(0, pvm_load(self->vcpu, ALIAS_IPA, &value));
	EXPECT_EQ(9, value);
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLOCK));
	EXPECT_EQ(0, pvm_load(self->vcpu, ALIAS_IPA, &value));
	EXPECT_EQ(0, value);
	munmap(mem, BLOCK);
	close(fd);
}

/* Rule: the guest cannot access pages at the old IPA of a slot that was moved or deleted. */
TEST_F(np_share, move_and_delete_slot)
{
	uint64_t value;

	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, ALIAS_IPA, DATA_SIZE, self->mem));
	expect_mmio(_metadata, self->vcpu, PVM_LOAD, PVM_DATA_IPA);
	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, ALIAS_IPA + i * self->page, &value));
		EXPECT_EQ(pattern(i), value);
	}
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, ALIAS_IPA, 0, self->mem));
	expect_mmio(_metadata, self->vcpu, PVM_LOAD, ALIAS_IPA);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, DATA_SIZE, self->mem));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: the guest can read a read-only slot, and a write exits to the VMM. */
TEST_F(np_share, read_only_slot)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, 0, self->mem));
	WRITE_ONCE(*word_of(self->mem, 0), 7);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, KVM_MEM_READONLY, PVM_DATA_IPA,
				  DATA_SIZE, self->mem));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(7, value);
	expect_mmio(_metadata, self->vcpu, PVM_STORE, PVM_DATA_IPA);
	EXPECT_EQ(7, READ_ONCE(*word_of(self->mem, 0)));
}

/* Get the dirty bits of the first 64 pages of the slot. */
static uint64_t dirty_log(struct __test_metadata *const _metadata, struct pvm *vm)
{
	uint64_t bitmap[DATA_SIZE / SZ_4K / 64] = {};
	struct kvm_dirty_log log = { .slot = PVM_DATA_SLOT, .dirty_bitmap = bitmap };

	EXPECT_EQ(0, ioctl(vm->fd, KVM_GET_DIRTY_LOG, &log));
	return bitmap[0];
}

static void clear_dirty_log(struct __test_metadata *const _metadata, struct pvm *vm,
			    uint64_t which)
{
	struct kvm_clear_dirty_log log = {
		.slot = PVM_DATA_SLOT, .num_pages = 64, .dirty_bitmap = &which,
	};

	EXPECT_EQ(0, ioctl(vm->fd, KVM_CLEAR_DIRTY_LOG, &log));
}

static void log_writes(struct __test_metadata *const _metadata, struct pvm *vm, uint8_t *mem)
{
	ASSERT_EQ(0, pvm_set_slot(vm, PVM_DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES, PVM_DATA_IPA,
				  DATA_SIZE, mem));
}

/* Rule: the dirty log has exactly the pages that the guest wrote since the last read. */
TEST_F(np_share, dirty_log)
{
	uint64_t value;

	guest_fill(_metadata, self->vcpu, PAGES);
	log_writes(_metadata, &self->vm, self->mem);
	EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
	EXPECT_EQ(0, pvm_load(self->vcpu, ipa_of(2), &value));
	EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
	for (int i = 0; i < 3; i++) {
		EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(1), pattern(1)));
		EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(4), pattern(4)));
		EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(4), pattern(4)));
		EXPECT_EQ(1 << 1 | 1 << 4, dirty_log(_metadata, &self->vm));
		EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
	}
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, DATA_SIZE, self->mem));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: the dirty log has single pages, also where the host had shared a block. */
TEST_F(np_share, dirty_log_of_a_block)
{
	ASSERT_EQ(0, madvise(self->mem, DATA_SIZE, MADV_HUGEPAGE));
	guest_fill(_metadata, self->vcpu, PAGES);
	log_writes(_metadata, &self->vm, self->mem);
	EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(3), pattern(3)));
	EXPECT_EQ(1 << 3, dirty_log(_metadata, &self->vm));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(4), pattern(4)));
	EXPECT_EQ(1 << 4, dirty_log(_metadata, &self->vm));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
	EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
}

/* Rule: with all bits set at first, the log shows a write after KVM_CLEAR_DIRTY_LOG. */
TEST_F(np_share, clear_dirty_log)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
		.args = { KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE | KVM_DIRTY_LOG_INITIALLY_SET },
	};

	ASSERT_EQ(0, ioctl(self->vm.fd, KVM_ENABLE_CAP, &cap));
	guest_fill(_metadata, self->vcpu, PAGES);
	log_writes(_metadata, &self->vm, self->mem);
	EXPECT_EQ(~0UL, dirty_log(_metadata, &self->vm));
	clear_dirty_log(_metadata, &self->vm, ~0UL);
	EXPECT_EQ(0, dirty_log(_metadata, &self->vm));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(6), pattern(6)));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(7), pattern(7)));
	EXPECT_EQ(1 << 6 | 1 << 7, dirty_log(_metadata, &self->vm));
	clear_dirty_log(_metadata, &self->vm, 1 << 6);
	EXPECT_EQ(1 << 7, dirty_log(_metadata, &self->vm));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa_of(6), pattern(6)));
	EXPECT_EQ(1 << 6 | 1 << 7, dirty_log(_metadata, &self->vm));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: KVM refuses to split blocks eagerly, since EL2 does not support it. */
TEST_F(np_share, eager_split)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE,
		.args = { BLOCK },
	};
	struct pvm vm = { .fd = pvm_create_vm_fd(0), .kvm_fd = -1 };
	int sizes, err;

	ASSERT_LE(0, vm.fd);
	sizes = ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SUPPORTED_BLOCK_SIZES);
	err = ioctl(vm.fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
	if (pvm_host_is_protected()) {
		EXPECT_EQ(0, sizes);
		EXPECT_EQ(-EINVAL, err);
	} else {
		EXPECT_TRUE(sizes & BLOCK);
		EXPECT_EQ(0, err);
	}
	cap.args[0] = 0;
	EXPECT_EQ(0, ioctl(vm.fd, KVM_ENABLE_CAP, &cap));
	pvm_kill(&vm);
}

/* Rule: KVM_ARM_VCPU_INIT keeps the guest's memory. */
TEST_F(np_share, vcpu_init_again)
{
	struct kvm_vcpu_init init;

	guest_fill(_metadata, self->vcpu, PAGES);
	ASSERT_EQ(0, ioctl(self->vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | 1U << KVM_ARM_VCPU_POWER_OFF;
	ASSERT_EQ(0, ioctl(self->vm.vcpus[1].fd, KVM_ARM_VCPU_INIT, &init));
	expect_filled(_metadata, self->vcpu, self->mem, PAGES);
}

/* Rule: two vCPUs that alternate on one CPU see the same memory. */
TEST_F(np_share, two_vcpus)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	for (unsigned int i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, pvm_store(&self->vm.vcpus[i % 2], ipa_of(i), pattern(i)));
		EXPECT_EQ(0, pvm_load(&self->vm.vcpus[1 - i % 2], ipa_of(i), &value));
		EXPECT_EQ(pattern(i), value);
	}
}

/* Rule: no page is still shared with a VM whose VMM was killed. */
TEST_F(np_share, killed)
{
	pid_t child;
	int status;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	pvm_kill(&self->vm);
	ASSERT_TRUE(all_back());
	for (int i = 0; i < 5; i++) {
		child = fork();
		ASSERT_LE(0, child);
		if (!child) {
			struct pvm vm;

			if (pvm_create(&vm, 0, 1, DATA_SIZE) ||
			    pvm_command(&vm.vcpus[0], PVM_FILL, PVM_DATA_IPA, 1, PAGES, self->page))
				_exit(1);
			pvm_command(&vm.vcpus[0], PVM_SPIN, 0, 0, 0, 0);
			_exit(2);
		}
		usleep(200000 + 7000 * i);
		ASSERT_EQ(0, waitpid(child, &status, WNOHANG));
		ASSERT_EQ(0, kill(child, SIGKILL));
		ASSERT_EQ(child, waitpid(child, &status, 0));
	}
	for (int i = 0; i < 100 && !all_back(); i++)
		usleep(10000);
	EXPECT_TRUE(all_back());
}

/* A protected VM beside the fixture's. */
FIXTURE(beside) {
	struct pvm np;
	struct pvm protected;
	size_t page;
	uint8_t *mem;
	size_t size;
};

/* Both VMs have a slot with the same memory, which no guest has accessed yet. */
FIXTURE_SETUP(beside)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->size = PAGES * self->page;
	self->mem = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	ASSERT_EQ(0, pvm_create(&self->np, 0, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->np, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->size,
				  self->mem));
	ASSERT_EQ(0, pvm_create(&self->protected, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->protected, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->size,
				  self->mem));
}

FIXTURE_TEARDOWN(beside)
{
	pvm_free(&self->np);
	pvm_free(&self->protected);
	munmap(self->mem, self->size);
	EXPECT_TRUE(all_back());
}

/* Rule (R2): a non-protected VM cannot access a protected guest's page. */
TEST_F(beside, private_page)
{
	struct pvm_vcpu *vcpu = &self->np.vcpus[0];
	struct pvm_vcpu *owner = &self->protected.vcpus[0];
	uint64_t value;

	ASSERT_EQ(0, pvm_store(owner, ipa_of(0), pattern(0)));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, ipa_of(0), &value));
	EXPECT_EQ(-EFAULT, pvm_run(vcpu));
	EXPECT_EQ(0, pvm_load(owner, ipa_of(0), &value));
	EXPECT_EQ(pattern(0), value);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));

	/* Rule (R3): after the protected VM's death the host can share the page, now zeroed. */
	pvm_free(&self->protected);
	EXPECT_EQ(0, pvm_run(vcpu));
	EXPECT_EQ(0, vcpu->results[0]);
	EXPECT_EQ(0, pvm_store(vcpu, ipa_of(0), 3));
	EXPECT_EQ(3, READ_ONCE(*word_of(self->mem, 0)));
}

/* Rule (R1): the host cannot share a page that a protected guest shares with it. */
TEST_F(beside, borrowed_page)
{
	struct pvm_vcpu *vcpu = &self->np.vcpus[0];
	struct pvm_vcpu *owner = &self->protected.vcpus[0];
	uint64_t value;

	ASSERT_EQ(0, pvm_store(owner, ipa_of(0), pattern(0)));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(owner, ipa_of(0)));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, ipa_of(0), &value));
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(owner, ipa_of(0)));
	EXPECT_EQ(-EFAULT, pvm_run(vcpu));
	EXPECT_EQ(0, pvm_load(owner, ipa_of(0), &value));
	EXPECT_EQ(pattern(0), value);
}

/* Rule (R1): the host cannot donate a page while it shares it with another VM. */
TEST_F(beside, np_shared_page)
{
	struct pvm_vcpu *vcpu = &self->np.vcpus[0];
	struct pvm_vcpu *owner = &self->protected.vcpus[0];
	uint64_t value;

	ASSERT_EQ(0, pvm_store(vcpu, ipa_of(0), pattern(0)));
	EXPECT_EQ(-EFAULT, pvm_store(owner, ipa_of(0), 1));
	EXPECT_EQ(-EFAULT, pvm_run(owner));
	EXPECT_EQ(0, pvm_load(vcpu, ipa_of(0), &value));
	EXPECT_EQ(pattern(0), value);
	EXPECT_EQ(pattern(0), READ_ONCE(*word_of(self->mem, 0)));

	pvm_free(&self->np);
	EXPECT_EQ(0, pvm_run(owner));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

/* Rule: both kinds of VM run at the same time, each with its own memory. */
TEST_F(beside, side_by_side)
{
	uint64_t value;

	for (unsigned int i = 0; i < PAGES; i++) {
		struct pvm *vm = i % 2 ? &self->protected : &self->np;

		ASSERT_EQ(0, pvm_store(&vm->vcpus[0], ipa_of(i), pattern(i)));
	}
	for (unsigned int i = 0; i < PAGES; i++) {
		struct pvm *vm = i % 2 ? &self->protected : &self->np;

		EXPECT_EQ(0, pvm_load(&vm->vcpus[0], ipa_of(i), &value));
		EXPECT_EQ(pattern(i), value);
		EXPECT_EQ(i % 2 ? SEGV_ACCERR : 0, pvm_probe(self->mem + i * self->page, PVM_READ));
	}
}

TEST_HARNESS_MAIN
