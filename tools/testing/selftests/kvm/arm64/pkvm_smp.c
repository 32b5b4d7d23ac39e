// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs of one protected VM at once.
 *
 * R1, R5, R7: if vCPUs make the same call on a page at once, exactly one call succeeds and EL2
 * refuses the others. If they fault on the same page, the host donates one page. All counts stay
 * exact. All vCPUs sweep the pages at the same time, half of them backwards, so that they meet.
 */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define PAGES		512
#define SECRET		0x5ec2e75ec2e75ec2UL
#define TIMEOUT		120
/* How often a race is repeated in which one vCPU made all successful calls. */
#define MAX_ROUNDS	50

/* The work of a vCPU's thread, and its result. */
struct work {
	struct pvm_vcpu *vcpu;
	pthread_barrier_t *start;
	uint64_t command;
	uint64_t args[4];
	int err;
	uint64_t done;
	uint64_t refused;
};

FIXTURE(smp) {
	struct pvm vm;
	unsigned int vcpus;
	size_t page;
	struct work work[PVM_MAX_VCPUS];
};

FIXTURE_VARIANT(smp) {
	unsigned int vcpus;
};

FIXTURE_VARIANT_ADD(smp, two) { .vcpus = 2 };
FIXTURE_VARIANT_ADD(smp, four) { .vcpus = 4 };

FIXTURE_SETUP(smp)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->vcpus = variant->vcpus;
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, self->vcpus,
				PAGES * self->page));
	for (unsigned int i = 1; i < self->vcpus; i++)
		ASSERT_EQ(0, pvm_cpu_on(&self->vm, i));
	for (unsigned int i = 0; i < self->vcpus; i++)
		self->work[i].vcpu = &self->vm.vcpus[i];
}

FIXTURE_TEARDOWN(smp)
{
	pvm_free(&self->vm);
}

static void *do_work(void *arg)
{
	struct work *work = arg;

	pthread_barrier_wait(work->start);
	work->err = pvm_command(work->vcpu, work->command, work->args[0], work->args[1],
				work->args[2], work->args[3]);
	work->done = work->vcpu->results[0];
	work->refused = work->vcpu->results[1];
	return NULL;
}

/* Run the work of all vCPUs at once, each in a thread. */
static void do_all(struct __test_metadata *const _metadata, struct work *work, unsigned int vcpus)
{
	pthread_t threads[PVM_MAX_VCPUS];
	pthread_barrier_t start;

	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, vcpus));
	for (unsigned int i = 0; i < vcpus; i++) {
		work[i].start = &start;
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, do_work, &work[i]));
	}
	for (unsigned int i = 0; i < vcpus; i++) {
		ASSERT_EQ(0, pthread_join(threads[i], NULL));
		ASSERT_EQ(0, work[i].err);
	}
	pthread_barrier_destroy(&start);
}

static void set_work(struct work *work, uint64_t command, uint64_t arg0, uint64_t arg1,
		     uint64_t arg2, uint64_t arg3)
{
	work->command = command;
	work->args[0] = arg0;
	work->args[1] = arg1;
	work->args[2] = arg2;
	work->args[3] = arg3;
}

static uint64_t sum_done(const struct work *work, unsigned int vcpus)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < vcpus; i++)
		sum += work[i].done;
	return sum;
}

/* Check that more than one vCPU made a successful call, else there was no race. */
static bool raced(const struct work *work, unsigned int vcpus)
{
	unsigned int winners = 0;

	for (unsigned int i = 0; i < vcpus; i++)
		winners += work[i].done != 0;
	return winners > 1;
}

/* Every vCPU makes the call for every page. For each page one call succeeds, the others do not. */
static void sweep(struct __test_metadata *const _metadata, struct work *work, unsigned int vcpus,
		  uint32_t function)
{
	uint64_t page = getpagesize();

	for (unsigned int i = 0; i < vcpus; i++)
		set_work(&work[i], PVM_HVC_SWEEP, function,
			 i & 1 ? PVM_DATA_IPA + (PAGES - 1) * page : PVM_DATA_IPA, PAGES,
			 i & 1 ? -page : page);
	do_all(_metadata, work, vcpus);

	EXPECT_EQ(PAGES, sum_done(work, vcpus));
	for (unsigned int i = 0; i < vcpus; i++)
		EXPECT_EQ(PAGES, work[i].done + work[i].refused);
}

static unsigned int count_reachable(const uint8_t *mem)
{
	unsigned int reachable = 0;

	for (unsigned int i = 0; i < PAGES; i++)
		reachable += !pvm_probe((void *)(mem + i * getpagesize()), PVM_READ);
	return reachable;
}

/* PSCI: each vCPU runs at the entry point of CPU_ON, and a second CPU_ON gets ALREADY_ON. */
TEST_F(smp, cpu_on)
{
	for (unsigned int i = 0; i < self->vcpus; i++)
		set_work(&self->work[i], PVM_STORE, PVM_DATA_IPA + i * self->page, SECRET + i,
			 0, 0);
	do_all(_metadata, self->work, self->vcpus);
	for (unsigned int i = 0; i < self->vcpus; i++) {
		uint64_t value;

		ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], PVM_DATA_IPA + i * self->page, &value));
		EXPECT_EQ(SECRET + i, value);
	}
	/* ALREADY_ON, and INVALID_PARAMETERS for a vCPU that does not exist. */
	EXPECT_EQ(-4, pvm_hvc(&self->vm.vcpus[0], HVC_PSCI_CPU_ON, 1, PVM_CODE_IPA, 0));
	EXPECT_EQ(-2, pvm_hvc(&self->vm.vcpus[0], HVC_PSCI_CPU_ON, 77, PVM_CODE_IPA, 0));
}

/* vCPUs that fault on the same page at once get one page, and all read its contents. */
TEST_F_TIMEOUT(smp, first_touch_of_the_same_pages, TIMEOUT)
{
	long donated = pvm_stat("pages_donated");
	uint64_t value;

	for (unsigned int i = 0; i < self->vcpus; i++)
		set_work(&self->work[i], PVM_FILL, PVM_DATA_IPA, SECRET, PAGES, self->page);
	do_all(_metadata, self->work, self->vcpus);

	EXPECT_EQ(donated + PAGES, pvm_stat("pages_donated"));
	EXPECT_EQ(0, count_reachable(self->vm.data));
	for (unsigned int i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, pvm_load(&self->vm.vcpus[i % self->vcpus],
				      PVM_DATA_IPA + i * self->page, &value));
		EXPECT_EQ(SECRET, value);
	}
}

TEST_F_TIMEOUT(smp, first_touch_of_different_pages, TIMEOUT)
{
	long donated = pvm_stat("pages_donated");

	/* The pages are interleaved, so the vCPUs need the same tables at the same time. */
	for (unsigned int i = 0; i < self->vcpus; i++)
		set_work(&self->work[i], PVM_FILL, PVM_DATA_IPA + i * self->page, SECRET,
			 PAGES / self->vcpus, self->vcpus * self->page);
	do_all(_metadata, self->work, self->vcpus);
	EXPECT_EQ(donated + PAGES, pvm_stat("pages_donated"));
	EXPECT_EQ(0, count_reachable(self->vm.data));
}

/* For each page exactly one MEM_SHARE and exactly one MEM_UNSHARE succeed. */
TEST_F_TIMEOUT(smp, share_the_same_pages, TIMEOUT)
{
	bool share_raced = false, unshare_raced = false;
	struct work *work = self->work;

	ASSERT_EQ(0, pvm_command(&self->vm.vcpus[0], PVM_FILL, PVM_DATA_IPA, SECRET, PAGES,
				 self->page));
	for (int round = 0; round < MAX_ROUNDS && !(share_raced && unshare_raced); round++) {
		sweep(_metadata, work, self->vcpus, HVC_MEM_SHARE);
		share_raced |= raced(work, self->vcpus);
		ASSERT_EQ(PAGES, count_reachable(self->vm.data));

		sweep(_metadata, work, self->vcpus, HVC_MEM_UNSHARE);
		unshare_raced |= raced(work, self->vcpus);
		ASSERT_EQ(0, count_reachable(self->vm.data));
	}
	EXPECT_TRUE(share_raced);
	EXPECT_TRUE(unshare_raced);
}

/* For each page that the host has to donate first, exactly one MEM_SHARE succeeds. */
TEST_F_TIMEOUT(smp, share_the_same_untouched_pages, TIMEOUT)
{
	long donated = pvm_stat("pages_donated");

	sweep(_metadata, self->work, self->vcpus, HVC_MEM_SHARE);
	EXPECT_EQ(donated + PAGES, pvm_stat("pages_donated"));
	EXPECT_EQ(PAGES, count_reachable(self->vm.data));
}

/* MEM_SHARE races with MEM_UNSHARE: each MEM_UNSHARE that succeeds undoes one MEM_SHARE. */
TEST_F_TIMEOUT(smp, share_against_unshare, TIMEOUT)
{
	struct work *work = self->work;
	long shared = 0;
	bool met = false;

	for (int round = 0; round < MAX_ROUNDS && !met; round++) {
		for (unsigned int i = 0; i < self->vcpus; i++)
			set_work(&work[i], PVM_HVC_SWEEP, i & 1 ? HVC_MEM_UNSHARE : HVC_MEM_SHARE,
				 PVM_DATA_IPA, PAGES, self->page);
		do_all(_metadata, work, self->vcpus);
		for (unsigned int i = 0; i < self->vcpus; i++) {
			EXPECT_EQ(PAGES, work[i].done + work[i].refused);
			shared += i & 1 ? -(long)work[i].done : (long)work[i].done;
			met |= (i & 1) && work[i].done && work[i].refused;
		}
		ASSERT_EQ(shared, count_reachable(self->vm.data));
	}
	EXPECT_TRUE(met);
}

/*
 * R5: a vCPU does not use stale TLB entries of another. Two vCPUs alternate on one CPU of the host
 * and then on others, and each reads what the other wrote last.
 */
TEST_F_TIMEOUT(smp, moved_between_host_cpus, TIMEOUT)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t set;

	for (long round = 0; round < 32; round++) {
		unsigned int writer = round % self->vcpus;
		unsigned int reader = (round + 1) % self->vcpus;
		uint64_t value;

		CPU_ZERO(&set);
		CPU_SET(round / 4 % cpus, &set);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
		ASSERT_EQ(0, pvm_store(&self->vm.vcpus[writer], PVM_DATA_IPA, SECRET + round));
		ASSERT_EQ(0, pvm_load(&self->vm.vcpus[reader], PVM_DATA_IPA, &value));
		EXPECT_EQ(SECRET + round, value);
	}
}

TEST_HARNESS_MAIN
