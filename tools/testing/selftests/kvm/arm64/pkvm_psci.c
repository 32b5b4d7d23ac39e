// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI of a protected VM with eight vCPUs.
 *
 * Rules: exactly one CPU_ON starts a vCPU, at the caller's entry point and with its context, and
 * the host learns neither. After SYSTEM_OFF no vCPU of the VM runs any more, whatever the host
 * does. R5: EL2 answers calls in any order and at any time.
 *
 * The host runs one vCPU at a time here, except in tests of races.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"
#include "stress.h"

#define VCPUS			8
#define STEPS			150
#define RACES			60
#define TIMEOUT			120

/* Values that the host can only see if EL2 leaks them. */
#define SECRET_ENTRY		0x5ec2e70000UL
#define SECRET_CONTEXT		0x6ead0be000UL

FIXTURE(psci) {
	struct pvm vm;
	struct pvm_vcpu *vcpus;
	uint64_t random;
};

static void on_alarm(int signal)
{
}

/* KVM_RUN of a vCPU that is off waits. A repeated signal ends it. */
FIXTURE_SETUP(psci)
{
	const struct itimerval tick = { .it_interval.tv_usec = 20000, .it_value.tv_usec = 20000 };
	const struct sigaction action = { .sa_handler = on_alarm };
	struct timespec now;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, VCPUS,
				VCPUS * getpagesize()));
	self->vcpus = self->vm.vcpus;
	clock_gettime(CLOCK_MONOTONIC, &now);
	self->random = now.tv_nsec;
	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, setitimer(ITIMER_REAL, &tick, NULL));
}

FIXTURE_TEARDOWN(psci)
{
	pvm_free(&self->vm);
}

/* Make a hypercall on a vCPU that is on. Signals may interrupt KVM_RUN meanwhile. */
static int64_t call(struct pvm_vcpu *vcpu, uint32_t function, uint64_t x1, uint64_t x2,
		    uint64_t x3)
{
	int err = pvm_command_to_end(vcpu, PVM_HVC, function, x1, x2, x3);

	if (err)
		printf("# vCPU %u: hypercall %#x: %s\n", vcpu->index, function, strerror(-err));
	return err ? PVM_HVC_LOST : (int64_t)vcpu->results[0];
}

static int64_t cpu_on(struct pvm_vcpu *caller, struct pvm_vcpu *target)
{
	return call(caller, HVC_PSCI_CPU_ON, target->index, PVM_CODE_IPA, target->channel);
}

static int64_t affinity(struct pvm_vcpu *caller, uint64_t target)
{
	return call(caller, HVC_PSCI_AFFINITY_INFO, target, 0, 0);
}

/* Have a vCPU turn itself off. Return whether another sees it off within bounded time. */
static bool cpu_off(struct pvm_vcpu *vcpu, struct pvm_vcpu *observer)
{
	int err = pvm_command(vcpu, PVM_HVC, HVC_PSCI_CPU_OFF, 0, 0, 0);

	for (int i = 0; i < 100 && err == -EINTR; i++) {
		if (affinity(observer, vcpu->index) == PSCI_0_2_AFFINITY_LEVEL_OFF)
			return true;
		err = pvm_run(vcpu);
	}
	printf("# vCPU %u returned from CPU_OFF: %d\n", vcpu->index, err);
	return false;
}

/* Check that the vCPU runs the code at its entry point, with its own channel as context. */
static bool works(struct pvm_vcpu *vcpu)
{
	uint64_t ipa = PVM_DATA_IPA + vcpu->index * getpagesize();
	int err = pvm_command_to_end(vcpu, PVM_STORE, ipa, vcpu->channel, 0, 0);
	uint64_t value = 0;

	if (!err)
		err = pvm_command_to_end(vcpu, PVM_LOAD, ipa, 0, 0, 0);
	value = vcpu->results[0];
	if (err || value != vcpu->channel)
		printf("# vCPU %u: %d, %#lx\n", vcpu->index, err, value);
	return !err && value == vcpu->channel;
}

TEST_F(psci, version_and_features)
{
	static const uint32_t there[] = {
		HVC_PSCI_VERSION, HVC_PSCI_CPU_OFF, HVC_PSCI_CPU_ON, HVC_PSCI_AFFINITY_INFO,
		HVC_PSCI_SYSTEM_OFF, HVC_PSCI_SYSTEM_RESET, HVC_PSCI_FEATURES,
	};

	EXPECT_LE(0x10001, call(self->vcpus, HVC_PSCI_VERSION, 0, 0, 0));
	for (size_t i = 0; i < ARRAY_SIZE(there); i++)
		EXPECT_EQ(PSCI_RET_SUCCESS, call(self->vcpus, HVC_PSCI_FEATURES, there[i], 0, 0));
	EXPECT_EQ(PSCI_RET_NOT_SUPPORTED, call(self->vcpus, HVC_PSCI_FEATURES, 0x8400001f, 0, 0));
	EXPECT_EQ(PSCI_RET_NOT_SUPPORTED, call(self->vcpus, 0x8400001f, 0, 0, 0));
}

TEST_F(psci, bad_targets)
{
	static const uint64_t bad[] = {
		VCPUS, 77, 0x100, 0x10000, 1UL << 32, 0x80000000, 0x80000001, ~0UL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(PSCI_RET_INVALID_PARAMS, call(self->vcpus, HVC_PSCI_CPU_ON, bad[i],
							PVM_CODE_IPA, 0));
		EXPECT_EQ(PSCI_RET_INVALID_PARAMS, affinity(self->vcpus, bad[i])) {
			TH_LOG("affinity %#lx", bad[i]);
		}
	}
	/* The target is the caller; then an affinity level that the call does not know. */
	EXPECT_EQ(PSCI_RET_ALREADY_ON, cpu_on(self->vcpus, self->vcpus));
	EXPECT_EQ(PSCI_RET_INVALID_PARAMS, call(self->vcpus, HVC_PSCI_AFFINITY_INFO, 1, 4, 0));
	for (unsigned int i = 1; i < VCPUS; i++)
		EXPECT_EQ(PSCI_0_2_AFFINITY_LEVEL_OFF, affinity(self->vcpus, i));
}

/* Random vCPUs turn themselves off and others on. Each answer must match the states. */
TEST_F_TIMEOUT(psci, any_order, TIMEOUT)
{
	bool on[VCPUS] = { true };
	unsigned int nr_on = 1;

	printf("# seed %#lx\n", self->random);
	for (int step = 0; step < STEPS; step++) {
		struct pvm_vcpu *target = &self->vcpus[stress_random(&self->random) % VCPUS];
		struct pvm_vcpu *caller;

		do {
			caller = &self->vcpus[stress_random(&self->random) % VCPUS];
		} while (!on[caller->index]);

		if (on[target->index]) {
			EXPECT_EQ(PSCI_RET_ALREADY_ON, cpu_on(caller, target));
			if (target == caller || nr_on == 1)
				continue;
			ASSERT_TRUE(cpu_off(target, caller));
			on[target->index] = false;
			nr_on--;
		} else {
			int64_t again, state;

			ASSERT_EQ(PSCI_RET_SUCCESS, cpu_on(caller, target));
			/* The target may not have run yet, so both answers are right. */
			again = cpu_on(caller, target);
			EXPECT_TRUE(again == PSCI_RET_ALREADY_ON || again == PSCI_RET_ON_PENDING);
			state = affinity(caller, target->index);
			EXPECT_TRUE(state == PSCI_0_2_AFFINITY_LEVEL_ON ||
				    state == PSCI_0_2_AFFINITY_LEVEL_ON_PENDING);
			ASSERT_TRUE(works(target));
			on[target->index] = true;
			nr_on++;
		}
		for (unsigned int i = 0; i < VCPUS; i++)
			ASSERT_EQ(on[i] ? PSCI_0_2_AFFINITY_LEVEL_ON : PSCI_0_2_AFFINITY_LEVEL_OFF,
				  affinity(caller, i));
	}
}

struct racer {
	struct pvm_vcpu *caller;
	struct pvm_vcpu *target;
	pthread_barrier_t *start;
	int64_t ret;
};

static void *race(void *arg)
{
	struct racer *racer = arg;

	pthread_barrier_wait(racer->start);
	racer->ret = cpu_on(racer->caller, racer->target);
	return NULL;
}

/* Two vCPUs start the same vCPU at once: one succeeds, the other gets ALREADY_ON or ON_PENDING. */
TEST_F_TIMEOUT(psci, two_start_one, TIMEOUT)
{
	struct pvm_vcpu *target = &self->vcpus[2];
	unsigned int wins[2] = {};

	ASSERT_EQ(PSCI_RET_SUCCESS, cpu_on(&self->vcpus[0], &self->vcpus[1]));
	ASSERT_TRUE(works(&self->vcpus[1]));
	for (int round = 0; round < RACES; round++) {
		pthread_barrier_t start;
		struct racer racers[2];
		pthread_t threads[2];
		int64_t other;

		ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
		for (int i = 0; i < 2; i++) {
			racers[i] = (struct racer){ &self->vcpus[i], target, &start };
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, race, &racers[i]));
		}
		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
		pthread_barrier_destroy(&start);

		ASSERT_NE(racers[0].ret == PSCI_RET_SUCCESS, racers[1].ret == PSCI_RET_SUCCESS);
		wins[racers[1].ret == PSCI_RET_SUCCESS]++;
		other = racers[racers[0].ret == PSCI_RET_SUCCESS].ret;
		EXPECT_TRUE(other == PSCI_RET_ALREADY_ON || other == PSCI_RET_ON_PENDING);
		ASSERT_TRUE(works(target));
		ASSERT_TRUE(cpu_off(target, &self->vcpus[0]));
	}
	printf("# vCPU 0 succeeded %u times, vCPU 1 %u times\n", wins[0], wins[1]);
}

static bool found(const void *memory, size_t size, uint64_t value)
{
	return memmem(memory, size, &value, sizeof(value));
}

/* Search the state of a vCPU that the host can read for the entry point and the context. */
static bool host_sees(struct pvm_vcpu *vcpu)
{
	struct kvm_reg_list *list = calloc(1, sizeof(*list) + 1024 * sizeof(uint64_t));
	bool seen = found(vcpu->run, vcpu->vm->run_size, SECRET_ENTRY) ||
		    found(vcpu->run, vcpu->vm->run_size, SECRET_CONTEXT);

	list->n = 1024;
	if (ioctl(vcpu->fd, KVM_GET_REG_LIST, list))
		list->n = 0;
	for (uint64_t i = 0; i < list->n; i++) {
		uint8_t value[2048] = {};
		struct kvm_one_reg reg = { .id = list->reg[i], .addr = (uintptr_t)value };

		if (ioctl(vcpu->fd, KVM_GET_ONE_REG, &reg))
			continue;
		if (found(value, sizeof(value), SECRET_ENTRY) ||
		    found(value, sizeof(value), SECRET_CONTEXT)) {
			printf("# vCPU %u: register %#llx\n", vcpu->index, list->reg[i]);
			seen = true;
		}
	}
	free(list);
	return seen;
}

/* The host cannot read the entry point and the context of a vCPU. */
TEST_F(psci, entry_and_context_are_hidden)
{
	struct pvm_vcpu *target = &self->vcpus[1];
	void *code = mmap(NULL, self->vm.code_size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, code);
	/* The guest owns the first copy of the code by now, so vCPU 1 gets a second one. */
	ASSERT_EQ(0, pvm_copy_code(code, self->vm.code_size));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, SECRET_ENTRY, self->vm.code_size,
				  code));
	/* The guest reads both arguments by MMIO: kvm_run has them until the next command. */
	ASSERT_EQ(PSCI_RET_SUCCESS, call(self->vcpus, HVC_PSCI_CPU_ON, 1, SECRET_ENTRY,
					 SECRET_CONTEXT));
	ASSERT_NE(PSCI_0_2_AFFINITY_LEVEL_OFF, affinity(self->vcpus, 1));
	EXPECT_FALSE(host_sees(self->vcpus));
	EXPECT_FALSE(host_sees(target));

	/* The vCPU starts there: it reads its next command from the channel at its context. */
	target->channel = SECRET_CONTEXT;
	EXPECT_TRUE(works(target));
}

/* An entry point without memory stops that vCPU, and no other. */
TEST_F(psci, entry_without_memory)
{
	static const uint64_t nowhere[] = { 0, PVM_CODE_IPA + 2, 0x7ffff000, ~0UL };

	for (size_t i = 0; i < ARRAY_SIZE(nowhere); i++) {
		struct pvm_vcpu *target = &self->vcpus[i + 1];
		int64_t ret = call(self->vcpus, HVC_PSCI_CPU_ON, i + 1, nowhere[i], 0);
		int err;

		EXPECT_TRUE(ret == PSCI_RET_SUCCESS || ret == PSCI_RET_INVALID_ADDRESS);
		if (ret == PSCI_RET_SUCCESS) {
			err = pvm_run(target);
			EXPECT_NE(0, err);
			EXPECT_NE(-EIO, err);
		}
		EXPECT_TRUE(works(self->vcpus));
	}
}

/* After SYSTEM_OFF no vCPU executes anything, whatever it did before. */
TEST_F(psci, nothing_runs_after_system_off)
{
	uint64_t *shared = (uint64_t *)self->vm.data;

	for (unsigned int i = 1; i < VCPUS; i++) {
		ASSERT_EQ(PSCI_RET_SUCCESS, cpu_on(self->vcpus, &self->vcpus[i]));
		ASSERT_TRUE(works(&self->vcpus[i]));
	}
	ASSERT_EQ(HVC_SUCCESS, call(self->vcpus, HVC_MEM_SHARE, PVM_DATA_IPA, 0, 0));
	WRITE_ONCE(*shared, 0);
	/* vCPU 1 is in the middle of a command. */
	ASSERT_EQ(-EINTR, pvm_command(&self->vcpus[1], PVM_SPIN, 0, 0, 0, 0));

	ASSERT_EQ(-ESHUTDOWN, pvm_command(&self->vcpus[2], PVM_HVC, HVC_PSCI_SYSTEM_OFF, 0, 0, 0));
	EXPECT_EQ(KVM_SYSTEM_EVENT_SHUTDOWN, self->vcpus[2].event);
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct kvm_mp_state runnable = { KVM_MP_STATE_RUNNABLE };

		/* EL2 does not run the vCPU even if the host sets it runnable. */
		ioctl(self->vcpus[i].fd, KVM_SET_MP_STATE, &runnable);
		for (int again = 0; again < 3; again++)
			EXPECT_NE(0, pvm_command(&self->vcpus[i], PVM_STORE, PVM_DATA_IPA,
						 0x0ff + i, 0, 0));
		EXPECT_EQ(0, READ_ONCE(*shared));
	}
}

TEST_HARNESS_MAIN
