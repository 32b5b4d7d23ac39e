// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypercalls of a protected guest that change nothing, and those that do not exist.
 *
 * Firmware and the guest's Linux rely on these numbers and answers: drivers/virt/coco/pkvm-guest
 * probes with CALL_UID, FEATURES and HYP_MEMINFO. R5: EL2 answers any value in x0, and the guest
 * goes on.
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

FIXTURE(hvc) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_SETUP(hvc)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(hvc)
{
	pvm_free(&self->vm);
}

TEST_F(hvc, smccc_version)
{
	EXPECT_EQ(0x10001, pvm_hvc(self->vcpu, HVC_SMCCC_VERSION, 0, 0, 0));
}

TEST_F(hvc, arch_features)
{
	EXPECT_EQ(0, pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, HVC_SMCCC_VERSION, 0, 0));
	EXPECT_EQ(0, pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, HVC_ARCH_FEATURES, 0, 0));
	EXPECT_EQ(HVC_NOT_SUPPORTED,
		  pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, 0x80007ffe, 0, 0));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, HVC_FEATURES, 0, 0));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, ~0UL, 0, 0));
}

/* ARCH_WORKAROUND_1..3: 0 or 1 as in the SMCCC, NOT_SUPPORTED or NOT_REQUIRED. */
TEST_F(hvc, arch_workarounds)
{
	const uint32_t workarounds[] = {
		ARM_SMCCC_ARCH_WORKAROUND_1, ARM_SMCCC_ARCH_WORKAROUND_2,
		ARM_SMCCC_ARCH_WORKAROUND_3,
	};

	for (int i = 0; i < 3; i++) {
		int64_t answer = pvm_hvc(self->vcpu, HVC_ARCH_FEATURES, workarounds[i], 0, 0);

		EXPECT_LE(-2, answer);
		EXPECT_GE(1, answer);
	}
}

TEST_F(hvc, call_uid)
{
	/* 28b46fb6-2ec5-11e9-a9ca-4b564d003a74 in the byte order of SMCCC. */
	EXPECT_EQ(0xb66fb428, pvm_hvc(self->vcpu, HVC_CALL_UID, 0, 0, 0));
	EXPECT_EQ(0xe911c52e, self->vcpu->results[1]);
	EXPECT_EQ(0x564bcaa9, self->vcpu->results[2]);
	EXPECT_EQ(0x743a004d, self->vcpu->results[3]);
}

/* The bitmap has exactly the functions that EL2 implements. */
TEST_F(hvc, features)
{
	uint64_t features = pvm_hvc(self->vcpu, HVC_FEATURES, 0, 0, 0);

	/* FEATURES, and all from HYP_MEMINFO to MMIO_RGUARD_UNMAP. */
	EXPECT_EQ(1UL << 0 | 0x3ffUL << 2, features);
	EXPECT_EQ(0, self->vcpu->results[1]);
	EXPECT_EQ(0, self->vcpu->results[2]);
	EXPECT_EQ(0, self->vcpu->results[3]);

	for (unsigned int number = 1; number < 32; number++) {
		if (features & 1UL << number)
			continue;
		/* As SMC64, and as the SMC32 that PTP would be. */
		EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, 0xc6000000 + number, 0, 0, 0));
		EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, 0x86000000 + number, 0, 0, 0));
	}
}

TEST_F(hvc, meminfo)
{
	EXPECT_EQ(getpagesize(), pvm_hvc(self->vcpu, HVC_HYP_MEMINFO, 0, 0, 0));
	/* Bit 0: the calls take ranges. */
	EXPECT_EQ(1, self->vcpu->results[1]);
	EXPECT_EQ(0, self->vcpu->results[2]);
	EXPECT_EQ(0, self->vcpu->results[3]);
}

TEST_F(hvc, meminfo_reserved_arguments)
{
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_HYP_MEMINFO, 1, 0, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_HYP_MEMINFO, 0, 1, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_HYP_MEMINFO, 0, 0, 1));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_HYP_MEMINFO, 1UL << 63, 0, 0));
}

/* A guest cannot make the host's hypercalls, or calls of other owners. */
TEST_F(hvc, unknown_functions)
{
	const uint32_t unknown[] = {
		0, 1, 0xffffffff, 0x7fffffff,
		0x80000002, 0x81000000, 0x82000000, 0x83000000, 0x85000000, 0x85000020,
		0x8600ff03, 0x8600007f, 0x86001000, 0xc600ff01, 0xc6000000, 0xc600003f,
		0xc6000001, 0xc6000100, 0x06000003, 0x46000003, 0xb2000000, 0xbf00ff01,
		0x84000060, 0xc4000070,
	};

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, unknown[i], 0, 0, 0)) {
			TH_LOG("function %#x", unknown[i]);
		}
	}
}

/* EL2 implements PSCI 1.0 or later, and refuses unknown functions. */
TEST_F(hvc, psci)
{
	EXPECT_LE(0x10000, pvm_hvc(self->vcpu, HVC_PSCI_VERSION, 0, 0, 0));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(self->vcpu, 0x8400001f, 0, 0, 0));
}

TEST_F(hvc, psci_off)
{
	EXPECT_EQ(-ESHUTDOWN, pvm_command(self->vcpu, PVM_HVC, HVC_PSCI_SYSTEM_OFF, 0, 0, 0));
	EXPECT_EQ(KVM_SYSTEM_EVENT_SHUTDOWN, self->vcpu->event);
}

TEST_F(hvc, psci_reset)
{
	EXPECT_EQ(-ESHUTDOWN, pvm_command(self->vcpu, PVM_HVC, HVC_PSCI_SYSTEM_RESET, 0, 0, 0));
	EXPECT_EQ(KVM_SYSTEM_EVENT_RESET, self->vcpu->event);
}

TEST_HARNESS_MAIN
