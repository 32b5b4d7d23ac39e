// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt lines of a non-protected vCPU without a GIC in the kernel: HCR_EL2.VI and VF, which
 * user space sets while the vCPU runs.
 *
 * Rule: a line that KVM_IRQ_LINE raises during a run reaches the guest. EL2 runs the vCPU with its
 * own copy of HCR_EL2. It must not write that copy back over a line that was raised meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

/* MSR DAIFCLR, which unmasks IRQs, or FIQs. */
#define UNMASK_IRQ	0xd50342ffU
#define UNMASK_FIQ	0xd50341ffU

/*
 * The time after which the guest spins, in microseconds, and the limit for its interrupt to come,
 * in seconds.
 */
#define BEFORE		50000
#define LIMIT		10
#define ROUNDS		5

FIXTURE(lines) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_VARIANT(lines) {
	uint32_t line;
	uint32_t unmask;
};

FIXTURE_VARIANT_ADD(lines, irq) { .line = KVM_ARM_IRQ_CPU_IRQ, .unmask = UNMASK_IRQ };
FIXTURE_VARIANT_ADD(lines, fiq) { .line = KVM_ARM_IRQ_CPU_FIQ, .unmask = UNMASK_FIQ };

static void wake(int signal)
{
}

FIXTURE_SETUP(lines)
{
	const struct sigaction action = { .sa_handler = wake };

	ASSERT_EQ(0, sigaction(SIGALRM, &action, NULL));
	ASSERT_EQ(0, pvm_create(&self->vm, 0, 1, getpagesize()));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(lines)
{
	pvm_free(&self->vm);
}

struct raise {
	int vm;
	uint32_t line;
};

static int set_line(const struct raise *raise, int level)
{
	struct kvm_irq_level line = {
		.irq = KVM_ARM_IRQ_TYPE_CPU << KVM_ARM_IRQ_TYPE_SHIFT | raise->line,
		.level = level,
	};

	return ioctl(raise->vm, KVM_IRQ_LINE, &line) ? -errno : 0;
}

static void *raise_later(void *data)
{
	usleep(BEFORE);
	return (void *)(intptr_t)set_line(data, 1);
}

TEST_F(lines, raised_while_it_runs)
{
	struct raise raise = { .vm = self->vm.fd, .line = variant->line };

	for (int round = 0; round < ROUNDS; round++) {
		pthread_t thread;
		void *ret;

		ASSERT_EQ(0, pvm_insn(self->vcpu, variant->unmask, 0, 0, 0));
		ASSERT_EQ(0, pthread_create(&thread, NULL, raise_later, &raise));
		alarm(LIMIT);
		/* The guest handles an interrupt as any other exception: it ends the command. */
		EXPECT_EQ(-EIO, pvm_command(self->vcpu, PVM_SPIN, 0, 0, 0, 0));
		alarm(0);
		ASSERT_EQ(0, pthread_join(thread, &ret));
		EXPECT_EQ(NULL, ret);
		ASSERT_EQ(0, set_line(&raise, 0));
	}
}

/* A line that is lowered before the vCPU runs does not interrupt the guest. */
TEST_F(lines, lowered)
{
	struct raise raise = { .vm = self->vm.fd, .line = variant->line };
	uint64_t value;

	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	ASSERT_EQ(0, set_line(&raise, 1));
	ASSERT_EQ(0, set_line(&raise, 0));
	EXPECT_EQ(0, pvm_insn(self->vcpu, variant->unmask, 0, 0, 0));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
}

TEST_HARNESS_MAIN
