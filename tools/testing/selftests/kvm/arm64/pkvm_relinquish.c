// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_RELINQUISH: a running guest returns a page to the host.
 *
 * R1: after the call the host owns the page, and no CPU can access it through the guest's tables.
 * R3: the page is zeroed. R7: EL2 refuses the call for any page that the guest does not own, and
 * changes nothing. The host unpins and uncharges the page, and the guest's next access there gets a
 * fresh page.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET		0x5ec2e75ec2e75ec2UL
#define PAGE		((uint64_t)getpagesize())
#define WORDS		(PAGE / sizeof(uint64_t))
#define PAGES		64UL
#define NOBODY		65534
#define TIMEOUT		120

FIXTURE(relinquish) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	uint64_t *mem;
};

FIXTURE_SETUP(relinquish)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	self->mem = (uint64_t *)self->vm.data;
}

FIXTURE_TEARDOWN(relinquish)
{
	pvm_free(&self->vm);
}

/* Have the guest write to every word of some pages. */
static int take(struct pvm_vcpu *vcpu, uint64_t first, uint64_t pages)
{
	return pvm_command(vcpu, PVM_FILL, PVM_DATA_IPA + first * PAGE, SECRET, pages * WORDS,
			   sizeof(uint64_t));
}

static uint64_t *page_of(uint64_t *mem, uint64_t page)
{
	return mem + page * WORDS;
}

static bool is_zero(const uint64_t *words)
{
	for (uint64_t i = 0; i < WORDS; i++) {
		if (READ_ONCE(words[i]))
			return false;
	}
	return true;
}

static uint64_t vm_pages(const struct pvm *vm, const char *name)
{
	return pvm_kvm_stat(vm->fd, name) / PAGE;
}

/* R3: all of the page is zero, and its neighbours have not changed. */
TEST_F(relinquish, zeroed)
{
	uint64_t value;

	ASSERT_EQ(0, take(self->vcpu, 0, 3));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + PAGE));
	EXPECT_EQ(0, self->vcpu->results[1]);
	EXPECT_EQ(0, self->vcpu->results[2]);
	EXPECT_EQ(0, self->vcpu->results[3]);

	ASSERT_EQ(0, pvm_probe(page_of(self->mem, 1), PVM_WRITE));
	EXPECT_TRUE(is_zero(page_of(self->mem, 1)));
	for (uint64_t page = 0; page < 3; page += 2) {
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(page_of(self->mem, page), PVM_READ));
		for (uint64_t at = 0; at < PAGE; at += PAGE - 8) {
			ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + page * PAGE + at, &value));
			EXPECT_EQ(SECRET, value);
		}
	}
	EXPECT_EQ(1, vm_pages(&self->vm, "protected_bytes_relinquished"));
	EXPECT_EQ(3, vm_pages(&self->vm, "protected_bytes_private"));
}

/* The guest's next access gets a page with the contents that the host wrote. */
TEST_F(relinquish, fresh_page_later)
{
	long donated, relinquished;
	uint64_t value;

	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	donated = pvm_stat("pages_donated");
	relinquished = pvm_stat("pages_relinquished");
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(relinquished + 1, pvm_stat("pages_relinquished"));
	EXPECT_EQ(donated, pvm_stat("pages_donated"));

	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(donated + 1, pvm_stat("pages_donated"));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));

	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	WRITE_ONCE(*self->mem, 0x405e);
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0x405e, value);
}

/* The host can drop the page and map another in its place. */
TEST_F(relinquish, host_drops_page)
{
	uint64_t value;

	ASSERT_EQ(0, take(self->vcpu, 0, 2));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, madvise(self->mem, PAGE, MADV_DONTNEED));
	WRITE_ONCE(*self->mem, 0x405e);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0x405e, value);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + PAGE, &value));
	EXPECT_EQ(SECRET, value);
}

/* The page is not pinned: the kernel can only seal a file against writes without pinned pages. */
TEST_F(relinquish, unpinned)
{
	const uint64_t ipa = PVM_DATA_IPA + PAGES * PAGE;
	void *mem;
	int fd;

	fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, 2 * PAGE));
	mem = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, ipa, 2 * PAGE, mem));
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, ipa, SECRET, 2, PAGE));
	ASSERT_EQ(0, munmap(mem, 2 * PAGE));

	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, ipa));
	EXPECT_EQ(-1, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	EXPECT_EQ(EBUSY, errno);
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, ipa + PAGE));
	EXPECT_EQ(0, fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	close(fd);
}

TEST_F(relinquish, refuses_shared_page)
{
	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(SECRET, READ_ONCE(*self->mem));

	/* The guest can relinquish the page after it unshares it. */
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_TRUE(is_zero(self->mem));
}

/* EL2 refuses a page that is not there, and does not request it from the host. */
TEST_F(relinquish, refuses_missing_page)
{
	long donated;

	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	donated = pvm_stat("pages_donated");
	WRITE_ONCE(*self->mem, 0x405e);
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0x405e, READ_ONCE(*self->mem));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA + PAGE));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA + PAGES * PAGE));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_CHANNEL_IPA));
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	EXPECT_EQ(1, vm_pages(&self->vm, "protected_bytes_relinquished"));
}

TEST_F(relinquish, refuses_guard)
{
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, PVM_DATA_IPA, 0, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, PVM_DATA_IPA, 0, 0));
}

/* The guest can put a guard in place of the page, and have memory there again later. */
TEST_F(relinquish, guard_in_its_place)
{
	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, PVM_DATA_IPA, 0, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, PVM_DATA_IPA, 0, 0));
	EXPECT_EQ(0, take(self->vcpu, 0, 1));
}

/* EL2 refuses a page that the host reclaimed by force, and the IPA stays unusable. */
TEST_F(relinquish, refuses_poisoned_page)
{
	int fd = pvm_map_file(self->mem, PAGE);
	uint64_t value;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	ASSERT_EQ(0, pvm_force(fd, 0));
	close(fd);
	EXPECT_TRUE(is_zero(self->mem));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, vm_pages(&self->vm, "protected_bytes_relinquished"));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
}

TEST_F(relinquish, bad_arguments)
{
	static const struct {
		uint64_t offset;
		uint64_t x2;
		uint64_t x3;
	} bad[] = {
		{ 1, 0, 0 }, { 8, 0, 0 }, { 0xfff, 0, 0 }, { 1UL << 48, 0, 0 }, { 1UL << 63, 0, 0 },
		{ 0, 1, 0 }, { 0, 0, 1 }, { 0, 1UL << 63, 0 }, { 0, 0, 1UL << 63 },
	};
	uint64_t value;

	ASSERT_EQ(0, take(self->vcpu, 0, 2));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, HVC_MEM_RELINQUISH, PVM_DATA_IPA + bad[i].offset,
				  bad[i].x2, bad[i].x3));
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
		EXPECT_EQ(SECRET, value);
	}
}

/* R5: many rounds need no more metadata than the first. */
TEST_F_TIMEOUT(relinquish, many_times, TIMEOUT)
{
	long donated, relinquished, metadata = 0;

	ASSERT_EQ(0, take(self->vcpu, 0, 1));
	donated = pvm_stat("pages_donated");
	relinquished = pvm_stat("pages_relinquished");
	for (int i = 0; i < 300; i++) {
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
		ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
		if (i < 2)
			metadata = pvm_stat("metadata_pages_donated");
	}
	EXPECT_EQ(donated + 300, pvm_stat("pages_donated"));
	EXPECT_EQ(relinquished + 300, pvm_stat("pages_relinquished"));
	EXPECT_EQ(metadata, pvm_stat("metadata_pages_donated"));
	EXPECT_EQ(2, vm_pages(&self->vm, "protected_bytes_private"));
	EXPECT_EQ(300, vm_pages(&self->vm, "protected_bytes_relinquished"));
}

/* R3: at the VM's death the host gets the other pages back, and the totals add up. */
TEST_F(relinquish, relinquish_and_die)
{
	ASSERT_EQ(0, take(self->vcpu, 0, PAGES));
	for (uint64_t page = 0; page < PAGES; page += 2)
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + page * PAGE));
	pvm_kill(&self->vm);
	for (uint64_t page = 0; page < PAGES; page++)
		EXPECT_TRUE(is_zero(page_of(self->mem, page)));
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
}

static int run_on(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* R1: another vCPU, on another CPU, has no TLB entry for the relinquished page. */
TEST_F(relinquish, no_tlb_entry_is_left)
{
	struct pvm_vcpu *other = &self->vm.vcpus[1];
	uint64_t value;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	for (uint64_t round = 1; round < 16; round++) {
		ASSERT_EQ(0, run_on(1));
		ASSERT_EQ(0, pvm_store(other, PVM_DATA_IPA, SECRET));
		ASSERT_EQ(0, run_on(0));
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
		EXPECT_EQ(SECRET, value);
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
		/* The host maps another page in place of the one that the guest had. */
		ASSERT_EQ(self->mem, mmap(self->mem, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
		WRITE_ONCE(*self->mem, round);
		ASSERT_EQ(0, run_on(1));
		ASSERT_EQ(0, pvm_load(other, PVM_DATA_IPA, &value));
		EXPECT_EQ(round, value);
	}
}

/* The work of a vCPU's thread, and its result. */
struct work {
	struct pvm_vcpu *vcpu;
	pthread_barrier_t *start;
	uint64_t command;
	uint64_t args[4];
	int err;
};

static void *do_work(void *arg)
{
	struct work *work = arg;

	pthread_barrier_wait(work->start);
	work->err = pvm_command(work->vcpu, work->command, work->args[0], work->args[1],
				work->args[2], work->args[3]);
	return NULL;
}

/* Run both vCPUs at once. */
static void do_both(struct __test_metadata *const _metadata, struct work *works)
{
	pthread_barrier_t start;
	pthread_t threads[2];

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
	for (int i = 0; i < 2; i++) {
		works[i].start = &start;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, do_work, &works[i]));
	}
	for (int i = 0; i < 2; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		ASSERT_EQ(0, works[i].err);
	}
	pthread_barrier_destroy(&start);
}

/* R1: of two vCPUs that relinquish the same page, exactly one succeeds. */
TEST_F_TIMEOUT(relinquish, both_relinquish, TIMEOUT)
{
	struct pvm_vcpu *vcpus = self->vm.vcpus;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	for (int round = 0; round < 8; round++) {
		struct work works[2] = {
			{ .vcpu = &vcpus[0], .command = PVM_HVC_SWEEP,
			  .args = { HVC_MEM_RELINQUISH, PVM_DATA_IPA, PAGES, PAGE } },
			{ .vcpu = &vcpus[1], .command = PVM_HVC_SWEEP,
			  .args = { HVC_MEM_RELINQUISH, PVM_DATA_IPA, PAGES, PAGE } },
		};

		ASSERT_EQ(0, take(self->vcpu, 0, PAGES));
		do_both(_metadata, works);
		EXPECT_EQ(PAGES, vcpus[0].results[0] + vcpus[1].results[0]);
		EXPECT_EQ(PAGES, vcpus[0].results[1] + vcpus[1].results[1]);
		for (uint64_t page = 0; page < PAGES; page++)
			EXPECT_TRUE(is_zero(page_of(self->mem, page)));
		EXPECT_EQ((round + 1) * PAGES, vm_pages(&self->vm, "protected_bytes_relinquished"));
	}
}

/* R5: one vCPU relinquishes pages that the other accesses. All counts stay exact. */
TEST_F_TIMEOUT(relinquish, relinquish_against_touch, TIMEOUT)
{
	struct pvm_vcpu *vcpus = self->vm.vcpus;
	uint64_t relinquished = 0;
	long donated, returned;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, take(self->vcpu, 0, PAGES));
	donated = pvm_stat("pages_donated");
	returned = pvm_stat("pages_relinquished");
	for (int round = 0; round < 16; round++) {
		struct work works[2] = {
			{ .vcpu = &vcpus[0], .command = PVM_HVC_SWEEP,
			  .args = { HVC_MEM_RELINQUISH, PVM_DATA_IPA, PAGES, PAGE } },
			{ .vcpu = &vcpus[1], .command = PVM_FILL,
			  .args = { PVM_DATA_IPA, SECRET, PAGES, PAGE } },
		};
		uint64_t there = 0;

		do_both(_metadata, works);
		EXPECT_EQ(PAGES, vcpus[0].results[0] + vcpus[0].results[1]);
		relinquished += vcpus[0].results[0];

		for (uint64_t page = 0; page < PAGES; page++)
			there += pvm_probe(page_of(self->mem, page), PVM_READ) == SEGV_ACCERR;
		EXPECT_EQ(there + 1, vm_pages(&self->vm, "protected_bytes_private"));
		EXPECT_EQ(relinquished, vm_pages(&self->vm, "protected_bytes_relinquished"));
		EXPECT_EQ(returned + relinquished, pvm_stat("pages_relinquished"));
		EXPECT_EQ(donated + relinquished + there, PAGES + pvm_stat("pages_donated"));
	}
	/* More relinquishes than pages succeeded, else the two vCPUs did not race. */
	EXPECT_LT(PAGES, relinquished);
}

/* A VM of a process without CAP_IPC_LOCK, to which RLIMIT_MEMLOCK applies. */
FIXTURE(charge) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_SETUP(charge)
{
	const struct rlimit limit = { 8 * PAGE, 8 * PAGE };

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
}

FIXTURE_TEARDOWN(charge)
{
	pvm_free(&self->vm);
}

static uint64_t charged_pages(void)
{
	return pvm_proc_number("/proc/self/status", "VmPin") * 1024 / PAGE;
}

/* KVM uncharges a relinquished page at once, so the guest can get another one. */
TEST_F(charge, uncharged_at_once)
{
	ASSERT_EQ(0, take(self->vcpu, 0, 7));
	EXPECT_EQ(8, charged_pages());
	for (uint64_t page = 0; page < 7; page++) {
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + page * PAGE));
		EXPECT_EQ(7 - page, charged_pages());
	}

	ASSERT_EQ(0, take(self->vcpu, 10, 7));
	EXPECT_EQ(8, charged_pages());
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, PVM_DATA_IPA + 10 * PAGE));
	ASSERT_EQ(0, take(self->vcpu, 20, 1));
	/* One more page exceeds the limit. */
	EXPECT_EQ(-ENOMEM, take(self->vcpu, 21, 1));
	EXPECT_EQ(8, charged_pages());
	pvm_kill(&self->vm);
	EXPECT_EQ(0, charged_pages());
}

/* A refused call uncharges nothing. */
TEST_F(charge, refused_calls_change_nothing)
{
	ASSERT_EQ(0, take(self->vcpu, 0, 2));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, PVM_DATA_IPA + 2 * PAGE));
	EXPECT_EQ(3, charged_pages());
}

TEST_HARNESS_MAIN
