// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a protected vCPU. R4: before the first run user space can set pc and x0..x3 of vCPU
 * 0, which the boot protocol needs, and write a core register's current value back on any vCPU. KVM
 * refuses all other writes with EPERM, and all writes after the first run.
 */
#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "processor.h"
#include "pvm.h"

#define REG_X(n)	ARM64_CORE_REG(regs.regs[n])
#define REG_PC		ARM64_CORE_REG(regs.pc)
#define REG_SP		ARM64_CORE_REG(regs.sp)
#define REG_PSTATE	ARM64_CORE_REG(regs.pstate)

FIXTURE(regs) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_SETUP(regs)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, getpagesize()));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(regs)
{
	pvm_free(&self->vm);
}

TEST_F(regs, boot_registers)
{
	const uint64_t ids[] = { REG_PC, REG_X(0), REG_X(1), REG_X(2), REG_X(3) };

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		uint64_t value = 0;

		EXPECT_EQ(0, pvm_set_reg(self->vcpu, ids[i], 0x1000 + i));
		EXPECT_EQ(0, pvm_get_reg(self->vcpu, ids[i], &value));
		EXPECT_EQ(0x1000 + i, value);
	}
}

/* The guest starts with the registers that the VMM set: at its code, with its channel in x0. */
TEST_F(regs, guest_starts_with_them)
{
	/* Start the guest in another slot with the same code. */
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, 0xa0000000, self->vm.code_size,
				  self->vm.code));
	ASSERT_EQ(0, pvm_set_reg(self->vcpu, REG_PC, 0xa0000000));
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
	/* The guest owns the page with the code there, so it cannot be at PVM_CODE_IPA too. */
	EXPECT_EQ(-EFAULT, pvm_store(self->vcpu, PVM_CODE_IPA, 1));
}

TEST_F(regs, other_registers_refused)
{
	const uint64_t ids[] = {
		REG_X(4), REG_X(29), REG_X(30), REG_SP,
		ARM64_CORE_REG(sp_el1), ARM64_CORE_REG(elr_el1), ARM64_CORE_REG(spsr[0]),
		KVM_ARM64_SYS_REG(SYS_SCTLR_EL1), KVM_ARM64_SYS_REG(SYS_VBAR_EL1),
		KVM_ARM64_SYS_REG(SYS_TTBR0_EL1), KVM_ARM64_SYS_REG(SYS_MPIDR_EL1),
		KVM_ARM64_SYS_REG(SYS_ID_AA64PFR0_EL1),
		KVM_REG_ARM_PSCI_VERSION, KVM_REG_ARM_TIMER_CNT,
	};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(-EPERM, pvm_set_reg(self->vcpu, ids[i], 0x1230)) {
			TH_LOG("register %#lx", (unsigned long)ids[i]);
		}
	}
}

/* KVM accepts a write of the register's current value, which VMMs do. */
TEST_F(regs, unchanged)
{
	const uint64_t ids[] = {
		REG_PC, REG_X(0), REG_X(1), REG_X(3), REG_X(4), REG_X(30), REG_SP, REG_PSTATE,
		ARM64_CORE_REG(sp_el1), ARM64_CORE_REG(elr_el1), ARM64_CORE_REG(spsr[0]),
	};

	for (int vcpu = 0; vcpu < 2; vcpu++) {
		for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
			uint64_t value, after;

			ASSERT_EQ(0, pvm_get_reg(&self->vm.vcpus[vcpu], ids[i], &value));
			EXPECT_EQ(0, pvm_set_reg(&self->vm.vcpus[vcpu], ids[i], value)) {
				TH_LOG("register %#lx of vCPU %d", (unsigned long)ids[i], vcpu);
			}
			ASSERT_EQ(0, pvm_get_reg(&self->vm.vcpus[vcpu], ids[i], &after));
			EXPECT_EQ(value, after);
		}
	}
	/* The guest starts with the registers that the setup wrote. */
	EXPECT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
}

/* KVM refuses register ids of another width, and unknown ids. */
TEST_F(regs, odd_ids_refused)
{
	EXPECT_NE(0, pvm_set_reg(self->vcpu, (REG_PC & ~KVM_REG_SIZE_MASK) | KVM_REG_SIZE_U32, 0));
	EXPECT_NE(0, pvm_set_reg(self->vcpu, REG_X(0) + 1, 0));
	EXPECT_NE(0, pvm_set_reg(self->vcpu, 0, 0));
	EXPECT_NE(0, pvm_set_reg(self->vcpu, UINT64_MAX, 0));
	/* The guest still starts with the registers that the setup wrote. */
	EXPECT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
}

TEST_F(regs, bad_pointer)
{
	struct kvm_one_reg reg = { .id = REG_PC, .addr = 1UL << 63 };

	EXPECT_EQ(-1, ioctl(self->vcpu->fd, KVM_SET_ONE_REG, &reg));
	EXPECT_EQ(EFAULT, errno);
	reg.id = REG_PSTATE;
	EXPECT_EQ(-1, ioctl(self->vcpu->fd, KVM_SET_ONE_REG, &reg));
}

/* crosvm sets PSTATE on every vCPU, to the reset value. */
TEST_F(regs, pstate)
{
	for (int i = 0; i < 2; i++) {
		uint64_t value;

		ASSERT_EQ(0, pvm_get_reg(&self->vm.vcpus[i], REG_PSTATE, &value));
		/* EL1h with all of DAIF masked. */
		EXPECT_EQ(0x3c5, value);
		EXPECT_EQ(0, pvm_set_reg(&self->vm.vcpus[i], REG_PSTATE, value));
		EXPECT_EQ(-EPERM, pvm_set_reg(&self->vm.vcpus[i], REG_PSTATE, value & ~0x80UL));
		EXPECT_EQ(-EPERM, pvm_set_reg(&self->vm.vcpus[i], REG_PSTATE, 0));
		ASSERT_EQ(0, pvm_get_reg(&self->vm.vcpus[i], REG_PSTATE, &value));
		EXPECT_EQ(0x3c5, value);
	}
}

/* The guest sets the start of other vCPUs, by CPU_ON, so KVM refuses it from the VMM. */
TEST_F(regs, secondary_refused)
{
	struct pvm_vcpu *second = &self->vm.vcpus[1];

	EXPECT_EQ(-EPERM, pvm_set_reg(second, REG_PC, PVM_CODE_IPA));
	for (int n = 0; n < 4; n++)
		EXPECT_EQ(-EPERM, pvm_set_reg(second, REG_X(n), 1));
}

TEST_F(regs, nothing_after_the_first_run)
{
	const uint64_t ids[] = {
		REG_PC, REG_X(0), REG_X(3), REG_X(4), REG_SP, REG_PSTATE,
		KVM_ARM64_SYS_REG(SYS_SCTLR_EL1), KVM_ARM64_SYS_REG(SYS_MPIDR_EL1),
		KVM_REG_ARM_PSCI_VERSION,
	};
	uint64_t value, pstate;

	ASSERT_EQ(0, pvm_get_reg(self->vcpu, REG_PSTATE, &pstate));
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		value = 0x600d;
		EXPECT_EQ(-EPERM, pvm_get_reg(self->vcpu, ids[i], &value)) {
			TH_LOG("register %#lx", (unsigned long)ids[i]);
		}
		EXPECT_EQ(0x600d, value);
		EXPECT_EQ(-EPERM, pvm_set_reg(self->vcpu, ids[i], 0));
	}
	EXPECT_EQ(-EPERM, pvm_set_reg(self->vcpu, REG_PSTATE, pstate));

	/* The guest goes on. */
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(1, value);
}

/* KVM refuses a counter offset: the physical counter of a protected VM has none. */
TEST_F(regs, counter_offset)
{
	struct kvm_arm_counter_offset offset = { .counter_offset = 1 << 20 };
	uint64_t value;

	EXPECT_EQ(0, ioctl(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_COUNTER_OFFSET));
	EXPECT_EQ(-1, ioctl(self->vm.fd, KVM_ARM_SET_COUNTER_OFFSET, &offset));
	EXPECT_EQ(EPERM, errno);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
}

TEST_HARNESS_MAIN
