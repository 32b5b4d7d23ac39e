// SPDX-License-Identifier: GPL-2.0-only
/*
 * The first run of a VM, while user space creates or changes other vCPUs.
 *
 * At the first run KVM registers all vCPUs with EL2. Rules: the creation of a vCPU at that moment
 * must not break the VM. KVM_ARM_VCPU_INIT and KVM_SET_MP_STATE at that moment must not leave a
 * vCPU on for the host and off for EL2, since its KVM_RUN would fail with EINVAL.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

#define TIMEOUT		120
/* How long each race is repeated, in seconds. */
#define SECONDS		5
/* With more vCPUs their registration with EL2 takes longer. */
#define VCPUS		64
/* The number of vCPUs created during a first run, limited by the guests' channels. */
#define MAX_CREATED	(PVM_MAX_VCPUS - 1)

struct race {
	pthread_barrier_t start;
	pthread_t thread;
	int vm_fd;
	int vcpu_fds[VCPUS];
	struct kvm_vcpu_init init;
	bool stop;
	/* The errno that ended the racing thread's loop, 0 if the test stopped the thread. */
	int error;
	unsigned int calls;
};

FIXTURE(races) {
	struct race race;
	struct pvm vm;
	struct timespec end;
};

FIXTURE_VARIANT(races) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(races, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(races, np) { .type = 0 };

FIXTURE_SETUP(races)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pthread_barrier_init(&self->race.start, NULL, 2));
	ASSERT_EQ(0, clock_gettime(CLOCK_MONOTONIC, &self->end));
	self->end.tv_sec += SECONDS;
}

FIXTURE_TEARDOWN(races)
{
	pthread_barrier_destroy(&self->race.start);
}

static bool is_over(const struct timespec *end)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > end->tv_sec ||
	       (now.tv_sec == end->tv_sec && now.tv_nsec > end->tv_nsec);
}

/* Create the VM with vCPU 0, and what the racing thread needs. */
static int start_race(struct race *race, struct pvm *vm, unsigned long type)
{
	int err = pvm_create(vm, type, 1, getpagesize());

	if (err)
		return err;
	race->vm_fd = vm->fd;
	race->stop = false;
	race->error = 0;
	race->calls = 0;
	if (ioctl(vm->fd, KVM_ARM_PREFERRED_TARGET, &race->init))
		return -errno;
	race->init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2;
	return 0;
}

/* Create vCPUs, without KVM_ARM_VCPU_INIT, until KVM refuses. */
static void *create_vcpus(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(&race->start);
	while (race->calls < MAX_CREATED && !READ_ONCE(race->stop)) {
		int fd = ioctl(race->vm_fd, KVM_CREATE_VCPU, race->calls + 1);

		if (fd < 0) {
			race->error = errno;
			break;
		}
		race->vcpu_fds[race->calls++] = fd;
	}
	return NULL;
}

static void *load_thread(void *arg)
{
	struct pvm_vcpu *vcpu = arg;
	uint64_t value;

	return (void *)(intptr_t)pvm_load(vcpu, PVM_DATA_IPA, &value);
}

/* Run vCPU @index, created during the first run of vCPU 0. Return 0 or a negative errno. */
static int run_created(struct race *race, struct pvm *vm, unsigned int index)
{
	struct pvm_vcpu *vcpu = &vm->vcpus[index];
	struct kvm_vcpu_init init = race->init;
	pthread_t thread;
	void *err;
	int ret;

	*vcpu = (struct pvm_vcpu) {
		.vm = vm,
		.index = index,
		.channel = PVM_CHANNEL_IPA + index * PVM_CHANNEL_SIZE,
		.fd = race->vcpu_fds[index - 1],
		.run = mmap(NULL, vm->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
			    race->vcpu_fds[index - 1], 0),
	};
	vm->nr_vcpus++;
	if (vcpu->run == MAP_FAILED)
		return -ENOMEM;

	init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;
	if (ioctl(vcpu->fd, KVM_ARM_VCPU_INIT, &init)) {
		/* EPERM: KVM has registered the vCPU with EL2, so the guest has to turn it on. */
		return errno == EPERM ? pvm_cpu_on(vm, index) : -errno;
	}
	if (pthread_create(&thread, NULL, load_thread, vcpu))
		return -EAGAIN;
	/* Wait until EL2 knows the vCPU, by the KVM_RUN of its thread. */
	for (int i = 0; i < 1000; i++) {
		ret = pvm_cpu_on(vm, index);
		if (!ret)
			break;
		usleep(1000);
	}
	if (ret) {
		pthread_cancel(thread);
		pthread_join(thread, &err);
		return ret;
	}
	pthread_join(thread, &err);
	return (intptr_t)err;
}

/*
 * The creation of a vCPU during the first run does not affect that run. KVM either refuses the new
 * vCPU, as for a protected VM after its first run, or the new vCPU can run as well.
 */
TEST_F_TIMEOUT(races, create, TIMEOUT)
{
	bool is_protected = variant->type == KVM_VM_TYPE_ARM_PROTECTED;
	unsigned int met = 0, refused = 0;

	while (!is_over(&self->end)) {
		uint64_t value;

		ASSERT_EQ(0, start_race(&self->race, &self->vm, variant->type));
		ASSERT_EQ(0, pthread_create(&self->race.thread, NULL, create_vcpus, &self->race));
		pthread_barrier_wait(&self->race.start);
		usleep(met % 32 * 100);
		ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], PVM_DATA_IPA, &value)) {
			TH_LOG("try %u, %u vCPUs created meanwhile", met, self->race.calls);
		}
		WRITE_ONCE(self->race.stop, !is_protected);
		ASSERT_EQ(0, pthread_join(self->race.thread, NULL));
		if (self->race.error) {
			ASSERT_TRUE(is_protected);
			ASSERT_EQ(EBUSY, self->race.error);
			refused++;
		}
		for (unsigned int i = 1; i <= self->race.calls; i++) {
			int err = run_created(&self->race, &self->vm, i);

			ASSERT_EQ(0, err) {
				TH_LOG("try %u, vCPU %u of %u", met, i, self->race.calls);
			}
		}
		pvm_free(&self->vm);
		met++;
	}
	TH_LOG("%u first runs, a vCPU refused in %u of them", met, refused);
}

static int add_vcpus(struct race *race)
{
	for (int i = 0; i < VCPUS; i++) {
		struct kvm_vcpu_init init = race->init;
		int fd = ioctl(race->vm_fd, KVM_CREATE_VCPU, i + 1);

		if (fd < 0)
			return -errno;
		race->vcpu_fds[i] = fd;
		init.features[0] |= 1U << KVM_ARM_VCPU_POWER_OFF;
		if (ioctl(fd, KVM_ARM_VCPU_INIT, &init))
			return -errno;
	}
	return 0;
}

/* Initialise vCPU 1, which KVM turns off long before it has registered the last vCPU. */
static void *init_vcpu(void *arg)
{
	struct race *race = arg;

	pthread_barrier_wait(&race->start);
	while (!READ_ONCE(race->stop) && !race->error) {
		struct kvm_vcpu_init init = race->init;

		if (ioctl(race->vcpu_fds[0], KVM_ARM_VCPU_INIT, &init))
			race->error = errno;
		race->calls++;
	}
	return NULL;
}

static void *set_runnable(void *arg)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct race *race = arg;

	pthread_barrier_wait(&race->start);
	while (!READ_ONCE(race->stop) && !race->error) {
		if (ioctl(race->vcpu_fds[0], KVM_SET_MP_STATE, &state))
			race->error = errno;
		race->calls++;
	}
	return NULL;
}

/* Run vCPU 0 for the first time while @thread runs. Get the resulting power state of vCPU 1. */
static int race_power(struct race *race, struct pvm *vm, unsigned long type,
		      void *(*thread)(void *), uint32_t *power)
{
	struct kvm_mp_state state = { .mp_state = ~0U };
	uint64_t value;
	int err;

	err = start_race(race, vm, type);
	if (err)
		return err;
	err = add_vcpus(race);
	if (err)
		return err;
	if (pthread_create(&race->thread, NULL, thread, race))
		return -EAGAIN;
	pthread_barrier_wait(&race->start);
	err = pvm_load(&vm->vcpus[0], PVM_DATA_IPA, &value);
	WRITE_ONCE(race->stop, true);
	pthread_join(race->thread, NULL);
	if (ioctl(race->vcpu_fds[0], KVM_GET_MP_STATE, &state))
		err = -errno;
	*power = state.mp_state;
	for (int i = 0; i < VCPUS; i++)
		close(race->vcpu_fds[i]);
	pvm_free(vm);
	return err;
}

/* Once EL2 has a protected vCPU, the vCPU is off until the guest turns it on. */
static void check_power(struct __test_metadata *_metadata, struct race *race, struct pvm *vm,
			unsigned long type, const struct timespec *end, void *(*thread)(void *))
{
	unsigned int met = 0;

	while (!is_over(end)) {
		uint32_t power;

		ASSERT_EQ(0, race_power(race, vm, type, thread, &power));
		if (type == KVM_VM_TYPE_ARM_PROTECTED)
			ASSERT_EQ(KVM_MP_STATE_STOPPED, power) {
				TH_LOG("try %u, after %u calls", met, race->calls);
			}
		/* The racing call failed, or was not made again. */
		if (race->error)
			ASSERT_EQ(EPERM, race->error);
		if (type != KVM_VM_TYPE_ARM_PROTECTED)
			ASSERT_EQ(0, race->error);
		met++;
	}
	TH_LOG("%u first runs", met);
}

TEST_F_TIMEOUT(races, init, TIMEOUT)
{
	check_power(_metadata, &self->race, &self->vm, variant->type, &self->end, init_vcpu);
}

TEST_F_TIMEOUT(races, set_mp_state, TIMEOUT)
{
	check_power(_metadata, &self->race, &self->vm, variant->type, &self->end, set_runnable);
}

TEST_HARNESS_MAIN
