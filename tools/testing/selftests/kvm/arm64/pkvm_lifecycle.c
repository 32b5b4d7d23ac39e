// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of protected VMs, from creation to death, many times.
 *
 * Rule: however a VM ends, by close() of its descriptors or by SIGKILL at any moment, the host gets
 * every page back. It reclaims as many pages as it donated, metadata too, and its free memory does
 * not shrink with the number of VMs.
 *
 * An argument sets how many VMs the two longest tests create.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define PAGES		128
#define TIMEOUT		230

/*
 * The number of VMs in a round. A page that each VM loses is missing after every round. What the
 * host's slabs and the rest of the host take is not: in at least one of the rounds, the host loses
 * well below one page of free memory for each VM.
 */
static int many = 100;
#define LOST_PAGES(vms)	((vms) * 2 / 5)
#define ROUNDS		4

struct totals {
	long created;
	long destroyed;
	long donated;
	long reclaimed;
	long metadata_donated;
	long metadata_returned;
};

static struct totals read_totals(void)
{
	return (struct totals) {
		.created = pvm_stat("vms_created"),
		.destroyed = pvm_stat("vms_destroyed"),
		.donated = pvm_stat("pages_donated"),
		.reclaimed = pvm_pages_returned(),
		.metadata_donated = pvm_stat("metadata_pages_donated"),
		.metadata_returned = pvm_stat("metadata_pages_returned"),
	};
}

/* Read the totals when all VMs are dead. The VM of a killed process dies with its last thread. */
static struct totals settled_totals(void)
{
	struct totals now = read_totals();

	for (int i = 0; i < 1000 && now.created != now.destroyed; i++) {
		usleep(10000);
		now = read_totals();
	}
	return now;
}

static void expect_all_returned(struct __test_metadata *const _metadata)
{
	struct totals now = settled_totals();

	/* pvm_stat() returns -1 for a total that does not exist. */
	EXPECT_LE(0, now.created);
	EXPECT_EQ(now.created, now.destroyed);
	EXPECT_EQ(now.donated, now.reclaimed);
	EXPECT_EQ(now.metadata_donated, now.metadata_returned);
}

/* Have the guest write to its memory, share some of it, and unshare a part of that. */
static int use_vm(struct pvm *vm)
{
	struct pvm_vcpu *vcpu = &vm->vcpus[0];
	size_t page = getpagesize();
	int err;

	err = pvm_command(vcpu, PVM_FILL, PVM_DATA_IPA, 1, PAGES / 2, page);
	if (!err)
		err = pvm_command(vcpu, PVM_HVC_SWEEP, HVC_MEM_SHARE,
				  PVM_DATA_IPA + PAGES / 4 * page, PAGES / 2, page);
	if (!err)
		err = pvm_command(vcpu, PVM_HVC_SWEEP, HVC_MEM_UNSHARE,
				  PVM_DATA_IPA + PAGES / 4 * page, PAGES / 8, page);
	return err;
}

static int vm_life(void)
{
	struct pvm vm;
	int err = pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * getpagesize());

	if (err)
		return err;
	err = use_vm(&vm);
	pvm_free(&vm);
	return err;
}

FIXTURE(life) {
};

FIXTURE_SETUP(life)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
}

FIXTURE_TEARDOWN(life)
{
}

/* VMs that end before or soon after the first run. */
TEST_F(life, never_used)
{
	struct totals before = settled_totals();
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 0, 0));
	pvm_free(&vm);
	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, PVM_MAX_VCPUS, 4096));
	pvm_free(&vm);
	/* KVM creates a VM at EL2 only at its first run. */
	EXPECT_EQ(before.donated, settled_totals().donated);
	expect_all_returned(_metadata);
}

TEST_F(life, one_of_its_vcpus_ran)
{
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, PVM_MAX_VCPUS, 4096));
	ASSERT_EQ(0, pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 1));
	pvm_free(&vm);
	expect_all_returned(_metadata);
}

/* A process may close the descriptors in any order. A vCPU's descriptor keeps the VM alive. */
TEST_F(life, vcpu_outlives_vm_descriptor)
{
	struct totals before;
	struct pvm vm;
	uint64_t value;

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 4096));
	ASSERT_EQ(0, pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 7));
	before = read_totals();
	close(vm.fd);
	close(vm.kvm_fd);
	vm.fd = -1;
	vm.kvm_fd = -1;
	EXPECT_EQ(0, pvm_load(&vm.vcpus[0], PVM_DATA_IPA, &value));
	EXPECT_EQ(7, value);
	EXPECT_EQ(before.destroyed, read_totals().destroyed);
	pvm_free(&vm);
	expect_all_returned(_metadata);
}

/* The host gets the pages back even if the process unmapped them before the VM died. */
TEST_F(life, memory_gone_before_vm)
{
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * getpagesize()));
	ASSERT_EQ(0, use_vm(&vm));
	ASSERT_EQ(0, munmap(vm.data, vm.data_size));
	ASSERT_EQ(0, munmap(vm.code, vm.code_size));
	vm.data = NULL;
	vm.code = NULL;
	pvm_free(&vm);
	expect_all_returned(_metadata);
}

/* The totals count exactly what this VM donates, shares, unshares and returns. */
TEST_F(life, counted)
{
	struct totals before = settled_totals(), after;
	long shared = pvm_stat("pages_shared"), unshared = pvm_stat("pages_unshared");
	long kept = pvm_stat("pages_reclaimed_shared");

	ASSERT_EQ(0, vm_life());
	after = settled_totals();
	EXPECT_EQ(1, after.created - before.created);
	EXPECT_EQ(1, after.destroyed - before.destroyed);
	/* The host donated three quarters of the memory, and the code. */
	EXPECT_EQ(PAGES * 3 / 4 + 1, after.donated - before.donated);
	EXPECT_EQ(PAGES * 3 / 4 + 1, after.reclaimed - before.reclaimed);
	EXPECT_EQ(PAGES / 2, pvm_stat("pages_shared") - shared);
	EXPECT_EQ(PAGES / 8, pvm_stat("pages_unshared") - unshared);
	EXPECT_EQ(PAGES / 2 - PAGES / 8, pvm_stat("pages_reclaimed_shared") - kept);
	EXPECT_LT(0, after.metadata_donated - before.metadata_donated);
	expect_all_returned(_metadata);
}

/* 32 VMs live at once, and then all die. */
TEST_F_TIMEOUT(life, many_at_once, TIMEOUT)
{
	struct pvm vms[32];

	for (int i = 0; i < 32; i++) {
		ASSERT_EQ(0, pvm_create(&vms[i], KVM_VM_TYPE_ARM_PROTECTED, 1, 4 * getpagesize()));
		ASSERT_EQ(0, pvm_store(&vms[i].vcpus[0], PVM_DATA_IPA, i));
	}
	/* Each has its own memory at the same IPA. */
	for (int i = 0; i < 32; i++) {
		uint64_t value;

		ASSERT_EQ(0, pvm_load(&vms[i].vcpus[0], PVM_DATA_IPA, &value));
		EXPECT_EQ(i, value);
	}
	/* They die in another order than they were created. */
	for (int i = 0; i < 32; i++)
		pvm_free(&vms[i * 13 % 32]);
	expect_all_returned(_metadata);
}

/* Expect that the host keeps its free memory while @live(@arg) creates VMs, @many in a round. */
static void expect_no_growth(struct __test_metadata *const _metadata, int (*live)(void *arg),
			     void *arg)
{
	long before = pvm_free_pages(), after, lost = 0;

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < many; i++)
			ASSERT_EQ(0, live(arg));
		after = pvm_free_pages();
		ASSERT_LT(0, before);
		ASSERT_LT(0, after);
		lost = before - after;
		before = after;
		TH_LOG("after %d VMs the host has %ld free pages less", many, lost);
		if (lost < LOST_PAGES(many))
			break;
	}
	EXPECT_GT(LOST_PAGES(many), lost);
	expect_all_returned(_metadata);
}

static int vm_life_of(void *unused)
{
	return vm_life();
}

TEST_F_TIMEOUT(life, created_and_destroyed, TIMEOUT)
{
	/* The first VMs fill the host's caches. */
	for (int i = 0; i < 20; i++)
		ASSERT_EQ(0, vm_life());
	expect_no_growth(_metadata, vm_life_of, NULL);
}

static void *spin(void *vcpu)
{
	/* This does not return: the test kills the process. */
	pvm_command(vcpu, PVM_SPIN, 0, 0, 0, 0);
	return NULL;
}

/* A VMM that the test kills: it has two vCPUs, one of which spins in the guest. */
static void vmm_process(void)
{
	pthread_t thread;
	struct pvm vm;

	if (pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * getpagesize()))
		_exit(1);
	if (pvm_cpu_on(&vm, 1) || pthread_create(&thread, NULL, spin, &vm.vcpus[1]))
		_exit(2);
	if (use_vm(&vm))
		_exit(3);
	spin(&vm.vcpus[0]);
	_exit(4);
}

/* Start a VMM, and kill it after @usecs microseconds. */
static int kill_vmm(unsigned int usecs)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid)
		vmm_process();
	usleep(usecs);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? 0 : -ECHILD;
}

/* Measure a VMM from its start to the end of its work, in microseconds; 0 if it fails. */
static unsigned int time_to_finish(void)
{
	struct timespec start, end;
	struct pvm vm;
	int err;

	clock_gettime(CLOCK_MONOTONIC, &start);
	err = pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * getpagesize());
	if (err)
		return 0;
	err = use_vm(&vm);
	clock_gettime(CLOCK_MONOTONIC, &end);
	pvm_free(&vm);
	if (err)
		return 0;
	return (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
}

/* VMMs that are killed at random moments, the last of them after up to @span microseconds. */
struct kills {
	unsigned int span;
	unsigned int killed;
	unsigned int finished;
};

/* Kill one more VMM, and wait until its VM is gone. */
static int kill_one(void *arg)
{
	struct kills *kills = arg;
	long unshared = pvm_stat("pages_unshared");
	int err = kill_vmm(rand() % kills->span);

	if (err)
		return err;
	settled_totals();
	kills->killed++;
	kills->finished += pvm_stat("pages_unshared") - unshared == PAGES / 8;
	return 0;
}

/*
 * Kill VMMs before, during and after their work: the delay is from 0 to well above the time that
 * the work takes without the vCPU that spins.
 */
TEST_F_TIMEOUT(life, killed_many_times, TIMEOUT)
{
	struct kills kills = {};
	unsigned int seed;

	ASSERT_EQ(sizeof(seed), getrandom(&seed, sizeof(seed), GRND_INSECURE));
	/* Measure twice, since the first VMM fills caches. */
	ASSERT_NE(0, time_to_finish());
	kills.span = 4 * time_to_finish();
	ASSERT_NE(0, kills.span);
	TH_LOG("seed %u, killed within %u us", seed, kills.span);
	srand(seed);
	for (int i = 0; i < 15; i++)
		ASSERT_EQ(0, kill_one(&kills));
	expect_no_growth(_metadata, kill_one, &kills);

	/*
	 * Kills must have hit all parts of the work. If none finished, then the machine has become
	 * slower since the measurement.
	 */
	for (int i = 0; i < many && !kills.finished; i++) {
		kills.span += kills.span / 16;
		ASSERT_EQ(0, kill_one(&kills));
	}
	TH_LOG("%u VMMs were killed, %u had finished", kills.killed, kills.finished);
	EXPECT_LT(0, kills.finished);
	EXPECT_GT(kills.killed, kills.finished);
}

int main(int argc, char *argv[])
{
	if (argc > 1 && atoi(argv[argc - 1]) > 0)
		many = atoi(argv[--argc]);
	return test_harness_run(argc, argv);
}
