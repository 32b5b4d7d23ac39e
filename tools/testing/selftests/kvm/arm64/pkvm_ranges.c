// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_SHARE and MEM_UNSHARE of ranges: how many pages a call does, and that it reports exactly that
 * number.
 *
 * R2: the host can access exactly the pages that a call reports as shared. R6: a call does up to
 * PVM_RANGE_MAX pages. R7: a call ends before the first page in the wrong state, and a call that
 * fails changes nothing. Calls on one page are in pkvm_mem_share.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET		0x5ec2e75ec2e75ec2UL
#define PAGE		((uint64_t)getpagesize())
#define PAGES		640UL
#define NEXT_PAGES	16UL
#define TIMEOUT		120

/* Two more slots: one right behind the first, the other without neighbours. */
#define NEXT_IPA	(PVM_DATA_IPA + PAGES * PAGE)
#define NEXT_SLOT	PVM_FREE_SLOT
#define OTHER_SLOT	(PVM_FREE_SLOT + 1)

FIXTURE(ranges) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	uint8_t *mem;
	uint8_t *next;
	uint8_t *other;
};

FIXTURE_SETUP(ranges)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	self->mem = self->vm.data;
	self->next = mmap(NULL, 2 * NEXT_PAGES * PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, self->next);
	self->other = self->next + NEXT_PAGES * PAGE;
	ASSERT_EQ(0, pvm_set_slot(&self->vm, NEXT_SLOT, 0, NEXT_IPA, NEXT_PAGES * PAGE,
				  self->next));
}

FIXTURE_TEARDOWN(ranges)
{
	pvm_free(&self->vm);
	munmap(self->next, 2 * NEXT_PAGES * PAGE);
}

/* Have the guest store a secret at the start of each page, for which the host donates the pages. */
static int take(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t pages)
{
	return pvm_command(vcpu, PVM_FILL, ipa, SECRET, pages, PAGE);
}

static uint64_t count_reachable(uint8_t *mem, uint64_t pages)
{
	uint64_t reachable = 0;

	for (uint64_t i = 0; i < pages; i++)
		reachable += !pvm_probe(mem + i * PAGE, PVM_READ);
	return reachable;
}

/* Of the guest's @pages pages, exactly @nr from @first on are shared. All have their secret. */
static void expect_shared(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			  uint64_t ipa, uint8_t *mem, uint64_t pages, uint64_t first, uint64_t nr)
{
	uint64_t value = 0;

	for (uint64_t i = 0; i < pages; i++) {
		bool shared = i - first < nr;
		uint64_t *word = (uint64_t *)(mem + i * PAGE);

		ASSERT_EQ(shared ? 0 : SEGV_ACCERR, pvm_probe(word, PVM_READ)) {
			TH_LOG("page %lu", i);
		}
		if (shared)
			EXPECT_EQ(SECRET, READ_ONCE(*word));
	}
	/* The guest reads the pages at the borders of the shared range. */
	for (uint64_t i = 0; i < pages; i++) {
		if (i && i != first && i != first + nr && i + 1 != first && i + 1 != first + nr &&
		    i + 1 != pages)
			continue;
		ASSERT_EQ(0, pvm_load(vcpu, ipa + i * PAGE, &value));
		EXPECT_EQ(SECRET, value);
	}
	EXPECT_EQ(nr * PAGE, pvm_kvm_stat(vcpu->vm->fd, "protected_bytes_shared"));
}

/* Make a call that must do @done pages of the range; 0: that EL2 must refuse. */
static void expect_done(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			uint32_t function, uint64_t ipa, uint64_t granules, uint64_t done)
{
	EXPECT_EQ(done ? HVC_SUCCESS : HVC_INVALID_PARAMETER,
		  pvm_hvc(vcpu, function, ipa, granules, 0));
	EXPECT_EQ(done, vcpu->results[1]);
	EXPECT_EQ(0, vcpu->results[2]);
	EXPECT_EQ(0, vcpu->results[3]);
}

/*
 * R6: a length of 0 means 1. A call shares at most PVM_RANGE_MAX, and takes at most
 * PVM_UNSHARE_MAX back. The rest does not change.
 */
TEST_F_TIMEOUT(ranges, counts, TIMEOUT)
{
	static const struct {
		uint64_t granules;
		uint64_t done;
	} counts[] = {
		{ 0, 1 }, { 1, 1 }, { 2, 2 }, { 255, 255 }, { 256, 256 }, { 257, 256 },
		{ 511, 256 }, { 512, 256 }, { 513, 256 }, { 1UL << 32, 256 },
		{ 1UL << 52, 256 }, { 1UL << 63, 256 }, { ~0UL, 256 },
	};
	const uint64_t first = 3;

	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, PAGES));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		uint64_t ipa = PVM_DATA_IPA + first * PAGE;
		uint64_t back;

		expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa, counts[i].granules,
			    counts[i].done);
		expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, PAGES, first,
			      counts[i].done);
		back = counts[i].done < PVM_UNSHARE_MAX ? counts[i].done : PVM_UNSHARE_MAX;
		expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, ipa, counts[i].granules, back);
		expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, PAGES, first + back,
			      counts[i].done - back);
		ASSERT_LE(0, pvm_range(self->vcpu, HVC_MEM_UNSHARE, ipa + back * PAGE,
				       counts[i].done - back));
	}
}

static uint64_t calls_for(uint64_t granules, uint64_t most)
{
	return (granules + most - 1) / most;
}

/* A caller that repeats the call for the rest shares the whole range. */
TEST_F_TIMEOUT(ranges, one_call_after_the_other, TIMEOUT)
{
	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, PAGES));
	for (uint64_t granules = 511; granules <= 513; granules++) {
		EXPECT_EQ(calls_for(granules, PVM_RANGE_MAX),
			  pvm_range(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA + PAGE, granules));
		expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, PAGES, 1, granules);
		EXPECT_EQ(calls_for(granules, PVM_UNSHARE_MAX),
			  pvm_range(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA + PAGE, granules));
		expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, PAGES, 0, 0);
	}
}

/* If the first page is missing, the host donates it and the missing pages that follow. */
TEST_F(ranges, pages_that_are_missing)
{
	long donated;

	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA + 2 * PAGE, 2));
	donated = pvm_stat("pages_donated");
	*(uint64_t *)self->mem = 0x405e;
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 8, 8);
	EXPECT_EQ(donated + 6, pvm_stat("pages_donated"));
	EXPECT_EQ(0x405e, READ_ONCE(*(uint64_t *)self->mem));
	EXPECT_EQ(SECRET, READ_ONCE(*(uint64_t *)(self->mem + 2 * PAGE)));
	EXPECT_EQ(8 * PAGE, pvm_kvm_stat(self->vm.fd, "protected_bytes_shared"));
	EXPECT_EQ(1, pvm_kvm_stat(self->vcpu->fd, "protected_exits_page"));

	/* The call ends at the end of the slots. */
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, NEXT_IPA - 2 * PAGE, 64,
		    2 + NEXT_PAGES);
}

/* A call exits only for its first page, and ends before another page that is missing. */
TEST_F(ranges, pages_that_are_missing_later)
{
	long donated;

	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, 2));
	donated = pvm_stat("pages_donated");
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 8, 2);
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, 2, 0, 2);

	/* EL2 refuses to unshare missing pages, and requests none from the host. */
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA + 2 * PAGE, 4, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, 8, 2);
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, 2, 0, 0);
}

/* A call ends before a page that the host cannot donate; if it is the first, KVM_RUN fails. */
TEST_F(ranges, pages_that_the_host_lacks)
{
	const uint64_t gap = 5;

	ASSERT_EQ(0, mprotect(self->mem + gap * PAGE, PAGE, PROT_NONE));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 16, gap);
	EXPECT_EQ(gap * PAGE, pvm_kvm_stat(self->vm.fd, "protected_bytes_shared"));
	EXPECT_EQ(-EFAULT, pvm_command(self->vcpu, PVM_HVC, HVC_MEM_SHARE,
				       PVM_DATA_IPA + gap * PAGE, 4, 0));
	ASSERT_EQ(0, mprotect(self->mem + gap * PAGE, PAGE, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(HVC_SUCCESS, self->vcpu->results[0]);
	EXPECT_EQ(4, self->vcpu->results[1]);
}

/* R7: EL2 does not share a shared page again, nor unshare a private page. */
TEST_F(ranges, pages_in_the_wrong_state)
{
	const uint64_t ipa = PVM_DATA_IPA;

	ASSERT_EQ(0, take(self->vcpu, ipa, 16));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa + 5 * PAGE, 1, 1);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa, 16, 5);
	expect_shared(_metadata, self->vcpu, ipa, self->mem, 16, 0, 6);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa + 5 * PAGE, 8, 0);
	expect_shared(_metadata, self->vcpu, ipa, self->mem, 16, 0, 6);

	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, ipa + 6 * PAGE, 8, 0);
	expect_shared(_metadata, self->vcpu, ipa, self->mem, 16, 0, 6);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, ipa + 2 * PAGE, 14, 4);
	expect_shared(_metadata, self->vcpu, ipa, self->mem, 16, 0, 2);
}

/* A call continues across the border of two adjacent slots. */
TEST_F(ranges, across_slots)
{
	const uint64_t ipa = NEXT_IPA - 4 * PAGE;

	ASSERT_EQ(0, take(self->vcpu, ipa, 8));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa, 8, 8);
	EXPECT_EQ(4, count_reachable(self->mem + (PAGES - 4) * PAGE, 4));
	for (uint64_t i = 0; i < 4; i++)
		EXPECT_EQ(SECRET, READ_ONCE(*(uint64_t *)(self->next + i * PAGE)));
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, ipa, 8, 8);
	EXPECT_EQ(0, count_reachable(self->mem + (PAGES - 4) * PAGE, 4));
	EXPECT_EQ(0, count_reachable(self->next, 4));
}

/* Calls on the first and the last page of a slot end at the IPAs without memory around it. */
TEST_F(ranges, ends_of_a_slot)
{
	const uint64_t last = NEXT_IPA + (NEXT_PAGES - 1) * PAGE;

	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, 4));
	ASSERT_EQ(0, take(self->vcpu, NEXT_IPA, NEXT_PAGES));

	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA - PAGE, 4, 0);
	expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, 4, 0, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 1, 1);
	expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, 4, 0, 1);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, 4, 1);

	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, last, 4, 1);
	expect_shared(_metadata, self->vcpu, NEXT_IPA, self->next, NEXT_PAGES, NEXT_PAGES - 1, 1);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, last + PAGE, 4, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, last, 1UL << 52, 1);
	expect_shared(_metadata, self->vcpu, NEXT_IPA, self->next, NEXT_PAGES, 0, 0);
}

/* A range does not wrap around at the end of the IPA space. */
TEST_F(ranges, ends_of_the_ipa_space)
{
	/* The ends for this machine type, for KVM and for EL2. */
	const uint64_t vm_end = 1UL << 40;
	uint64_t ipa = vm_end - NEXT_PAGES * PAGE;
	uint64_t end;

	end = 1UL << ioctl(self->vm.kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	ASSERT_LE(vm_end, end);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, OTHER_SLOT, 0, ipa, NEXT_PAGES * PAGE, self->other));
	ASSERT_EQ(0, take(self->vcpu, ipa, NEXT_PAGES));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, vm_end - PAGE, 1UL << 52, 1);
	expect_shared(_metadata, self->vcpu, ipa, self->other, NEXT_PAGES, NEXT_PAGES - 1, 1);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, vm_end - PAGE, ~0UL, 1);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, end - PAGE, 2, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, end, 1, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, end - PAGE, 1UL << 52, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, -PAGE, 2, 0);
	expect_shared(_metadata, self->vcpu, ipa, self->other, NEXT_PAGES, 0, 0);
}

/* A range can start at IPA 0. */
TEST_F(ranges, first_page_of_the_ipa_space)
{
	ASSERT_EQ(0, pvm_set_slot(&self->vm, OTHER_SLOT, 0, 0, 4 * PAGE, self->other));
	ASSERT_EQ(0, take(self->vcpu, 0, 4));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, 0, 8, 4);
	expect_shared(_metadata, self->vcpu, 0, self->other, 4, 0, 4);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, 0, 1, 1);
	expect_shared(_metadata, self->vcpu, 0, self->other, 4, 1, 3);
}

/* R1: a call ends before a guard and does not change it. */
TEST_F(ranges, across_a_guard)
{
	const uint64_t ipa = PVM_DATA_IPA, guard = ipa + 4 * PAGE;

	ASSERT_EQ(0, take(self->vcpu, ipa, 4));
	ASSERT_EQ(0, take(self->vcpu, guard + PAGE, 4));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, guard, 0, 0));

	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, ipa, 9, 4);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, guard, 5, 0);
	expect_shared(_metadata, self->vcpu, ipa, self->mem, 4, 0, 4);
	EXPECT_EQ(0, count_reachable(self->mem + 5 * PAGE, 4));
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, guard, 5, 0);
	expect_done(_metadata, self->vcpu, HVC_MEM_UNSHARE, ipa, 9, 4);
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, guard, 0, 0));
}

TEST_F(ranges, bad_arguments)
{
	static const struct {
		uint64_t offset;
		uint64_t reserved;
	} bad[] = {
		{ 1, 0 }, { 8, 0 }, { 0x800, 0 }, { 0xfff, 0 }, { 1UL << 48, 0 }, { 1UL << 63, 0 },
		{ 0, 1 }, { 0, 1UL << 63 },
	};
	const uint32_t calls[] = { HVC_MEM_SHARE, HVC_MEM_UNSHARE };

	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, 8));
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, 4, 4);
	for (size_t i = 0; i < 2 * ARRAY_SIZE(bad); i++) {
		for (uint64_t page = 0; page < 8; page += 4) {
			EXPECT_EQ(HVC_INVALID_PARAMETER,
				  pvm_hvc(self->vcpu, calls[i % 2],
					  PVM_DATA_IPA + page * PAGE + bad[i / 2].offset, 4,
					  bad[i / 2].reserved));
			EXPECT_EQ(0, self->vcpu->results[1]);
		}
	}
	expect_shared(_metadata, self->vcpu, PVM_DATA_IPA, self->mem, 8, 0, 4);
}

static int run_on(long cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

/* R2: no CPU of the host keeps a TLB entry for a page that the guest unshared. */
TEST_F_TIMEOUT(ranges, no_tlb_entry_is_left, TIMEOUT)
{
	static const uint64_t counts[] = { 1, 2, 7, 8, 9, 64, 256 };
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	ASSERT_LT(1, cpus);
	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, PVM_RANGE_MAX));
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		ASSERT_EQ(0, run_on(0));
		expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA, counts[i],
			    counts[i]);
		for (long cpu = 0; cpu < cpus; cpu++) {
			ASSERT_EQ(0, run_on(cpu));
			ASSERT_EQ(counts[i], count_reachable(self->mem, PVM_RANGE_MAX));
		}
		ASSERT_EQ(0, run_on(i % cpus));
		ASSERT_LT(0, pvm_range(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA, counts[i]));
		for (long cpu = 0; cpu < cpus; cpu++) {
			ASSERT_EQ(0, run_on(cpu));
			ASSERT_EQ(0, count_reachable(self->mem, PVM_RANGE_MAX));
		}
	}
}

/* R3: after the guest's death all pages are zero, except those that it shared. */
TEST_F_TIMEOUT(ranges, share_and_die, TIMEOUT)
{
	const uint64_t words = PAGES * PAGE / sizeof(uint64_t);
	const uint64_t *mem = (uint64_t *)self->mem;
	uint64_t secrets = 0;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, words,
				 sizeof(uint64_t)));
	ASSERT_EQ(2, pvm_range(self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA + 100 * PAGE, 300));
	ASSERT_EQ(1, pvm_range(self->vcpu, HVC_MEM_UNSHARE, PVM_DATA_IPA + 200 * PAGE, 50));
	pvm_kill(&self->vm);

	for (uint64_t i = 0; i < words; i++) {
		uint64_t page = i * sizeof(uint64_t) / PAGE;
		bool shared = page - 100 < 300 && page - 200 >= 50;

		secrets += READ_ONCE(mem[i]) == SECRET;
		ASSERT_EQ(shared ? SECRET : 0, READ_ONCE(mem[i])) {
			TH_LOG("page %lu", page);
		}
	}
	EXPECT_EQ(250 * PAGE / sizeof(uint64_t), secrets);
}

/* The work of a vCPU's thread, one call for each step of a range, and its result. */
struct work {
	struct pvm_vcpu *vcpu;
	pthread_barrier_t *start;
	uint32_t function;
	uint64_t granules;
	uint64_t done;
	uint64_t refused;
	bool lost;
};

static void *do_work(void *arg)
{
	struct work *work = arg;

	pthread_barrier_wait(work->start);
	for (uint64_t page = 0; page < PVM_RANGE_MAX; page++) {
		int64_t ret = pvm_hvc(work->vcpu, work->function, PVM_DATA_IPA + page * PAGE,
				      work->granules, 0);

		if (ret == HVC_SUCCESS)
			work->done += work->vcpu->results[1];
		else
			work->refused++;
		work->lost |= ret != HVC_SUCCESS && ret != HVC_INVALID_PARAMETER;
	}
	return NULL;
}

/* R1, R7: two vCPUs share or unshare a range at once. Exactly one of them does each page. */
TEST_F_TIMEOUT(ranges, two_vcpus, TIMEOUT)
{
	uint64_t done[2] = {}, refused[2] = {};
	pthread_barrier_t start;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, take(self->vcpu, PVM_DATA_IPA, PAGES));
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
	for (int round = 0; round < 8; round++) {
		struct work works[2] = {
			{ &self->vm.vcpus[0], &start, HVC_MEM_SHARE, 16 },
			{ &self->vm.vcpus[1], &start, HVC_MEM_UNSHARE, 5 },
		};
		pthread_t threads[2];

		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, do_work, &works[i]));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
			ASSERT_FALSE(works[i].lost);
			done[i] += works[i].done;
			refused[i] += works[i].refused;
		}
		ASSERT_EQ(done[0] - done[1], count_reachable(self->mem, PAGES));
		ASSERT_EQ((done[0] - done[1]) * PAGE,
			  pvm_kvm_stat(self->vm.fd, "protected_bytes_shared"));
	}
	/* Both have done some, else their calls did not race. */
	EXPECT_NE(0, done[0]);
	EXPECT_NE(0, done[1]);
	EXPECT_NE(0, refused[1]);
	pthread_barrier_destroy(&start);
}

TEST_HARNESS_MAIN
