// SPDX-License-Identifier: GPL-2.0-only
/*
 * SVE of protected VMs, on a host that has it.
 *
 * Rule: exits, other vCPUs on the same CPU and the host's use of SVE do not change the SVE
 * registers of a protected vCPU, and the host cannot read them. If the VMM did not enable SVE, its
 * instructions are undefined. The host gets the pages back in which EL2 saves the registers.
 */
#include <asm/hwcap.h>
#include <errno.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "processor.h"
#include "pvm.h"
#include "pvm_probe.h"

#define PATTERN		0x5e5e0123456789abUL
#define ROUNDS		200

/* ESR_EL1.EC of an undefined instruction. */
#define ESR_EC(esr)	((esr) >> 26 & 0x3f)
#define EC_UNKNOWN	0

static const uint32_t SVE = 1U << KVM_ARM_VCPU_SVE;

FIXTURE(sve) {
	long metadata_donated;
	long metadata_returned;
};

FIXTURE_SETUP(sve)
{
	cpu_set_t cpus;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
	if (!(getauxval(AT_HWCAP) & HWCAP_SVE))
		SKIP(return, "the host has no SVE");

	/* Run all vCPUs of a test on one CPU, so that each follows another one there. */
	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(cpus), &cpus));

	self->metadata_donated = pvm_stat("metadata_pages_donated");
	self->metadata_returned = pvm_stat("metadata_pages_returned");
}

FIXTURE_TEARDOWN(sve)
{
	EXPECT_EQ(pvm_stat("metadata_pages_donated") - self->metadata_donated,
		  pvm_stat("metadata_pages_returned") - self->metadata_returned);
}

/* Fill z registers of the host, of 16 bytes or more each. */
static void host_fill(uint64_t value)
{
	asm volatile(".arch_extension sve\n"
		     "dup z0.d, %0\n"
		     "dup z7.d, %0\n"
		     "dup z31.d, %0\n"
		     : : "r" (value) : "v0", "v7", "v31");
}

static void check(struct __test_metadata *_metadata, struct pvm_vcpu *vcpu, uint64_t value,
		  uint64_t length)
{
	ASSERT_EQ(0, pvm_command(vcpu, PVM_SVE_CHECK, value, 0, 0, 0));
	ASSERT_EQ(0, vcpu->results[0]);
	ASSERT_EQ(length, vcpu->results[1]);
}

/* Exits of the guest, and the host's use of SVE meanwhile, do not change the registers. */
TEST_F(sve, kept)
{
	struct pvm_vcpu *vcpu;
	struct pvm vm;
	uint64_t length;

	ASSERT_EQ(0, pvm_create_features(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0, SVE));
	vcpu = &vm.vcpus[0];
	ASSERT_EQ(0, pvm_command(vcpu, PVM_SVE_FILL, PATTERN, 0, 0, 0));
	length = vcpu->results[0];
	EXPECT_LE(16, length);

	for (int i = 0; i < ROUNDS; i++) {
		host_fill(~PATTERN + i);
		check(_metadata, vcpu, PATTERN, length);
	}
	pvm_free(&vm);
}

/* Two protected VMs and a non-protected one on one CPU, each with its own values. */
TEST_F(sve, three_vms)
{
	const unsigned long types[] = { KVM_VM_TYPE_ARM_PROTECTED, KVM_VM_TYPE_ARM_PROTECTED, 0 };
	uint64_t length[ARRAY_SIZE(types)];
	struct pvm vms[ARRAY_SIZE(types)];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		struct pvm_vcpu *vcpu = &vms[i].vcpus[0];

		ASSERT_EQ(0, pvm_create_features(&vms[i], types[i], 1, 0, SVE));
		ASSERT_EQ(0, pvm_command(vcpu, PVM_SVE_FILL, PATTERN * (i + 1), 0, 0, 0));
		length[i] = vcpu->results[0];
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(types); i++)
			check(_metadata, &vms[i].vcpus[0], PATTERN * (i + 1), length[i]);
	}
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		pvm_free(&vms[i]);
}

/* A vCPU that CPU_ON starts has no register values of another vCPU. */
TEST_F(sve, two_vcpus)
{
	struct pvm vm;
	uint64_t length;

	ASSERT_EQ(0, pvm_create_features(&vm, KVM_VM_TYPE_ARM_PROTECTED, 2, 0, SVE));
	ASSERT_EQ(0, pvm_command(&vm.vcpus[0], PVM_SVE_FILL, PATTERN, 0, 0, 0));
	length = vm.vcpus[0].results[0];
	ASSERT_EQ(0, pvm_cpu_on(&vm, 1));
	ASSERT_EQ(0, pvm_command(&vm.vcpus[1], PVM_SVE_FILL, ~PATTERN, 0, 0, 0));
	for (int i = 0; i < ROUNDS; i++) {
		check(_metadata, &vm.vcpus[0], PATTERN, length);
		check(_metadata, &vm.vcpus[1], ~PATTERN, length);
	}
	pvm_free(&vm);
}

/* A non-protected vCPU can finalize SVE after another vCPU of the VM has run. */
TEST_F(sve, finalized_later)
{
	struct kvm_vcpu_init init;
	int what = KVM_ARM_VCPU_SVE;
	struct pvm_vcpu second = {};
	uint64_t length;
	struct pvm vm;

	ASSERT_EQ(0, pvm_create_features(&vm, 0, 1, 0, SVE));
	second.fd = ioctl(vm.fd, KVM_CREATE_VCPU, 1UL);
	ASSERT_LE(0, second.fd);
	second.vm = &vm;
	second.index = 1;
	second.channel = PVM_CHANNEL_IPA + PVM_CHANNEL_SIZE;
	second.run = mmap(NULL, vm.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, second.fd, 0);
	ASSERT_NE(MAP_FAILED, second.run);
	ASSERT_EQ(0, ioctl(vm.fd, KVM_ARM_PREFERRED_TARGET, &init));
	init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | SVE;
	ASSERT_EQ(0, ioctl(second.fd, KVM_ARM_VCPU_INIT, &init));

	ASSERT_EQ(0, pvm_command(&vm.vcpus[0], PVM_SVE_FILL, PATTERN, 0, 0, 0));
	length = vm.vcpus[0].results[0];

	ASSERT_EQ(0, ioctl(second.fd, KVM_ARM_VCPU_FINALIZE, &what));
	ASSERT_EQ(0, pvm_set_reg(&second, ARM64_CORE_REG(regs.pc), PVM_CODE_IPA));
	ASSERT_EQ(0, pvm_set_reg(&second, ARM64_CORE_REG(regs.regs[0]), second.channel));
	ASSERT_EQ(0, pvm_command(&second, PVM_SVE_FILL, ~PATTERN, 0, 0, 0));
	EXPECT_EQ(length, second.results[0]);
	for (int i = 0; i < ROUNDS; i++) {
		check(_metadata, &vm.vcpus[0], PATTERN, length);
		check(_metadata, &second, ~PATTERN, length);
	}
	munmap(second.run, vm.run_size);
	close(second.fd);
	pvm_free(&vm);
}

/* The host cannot read them once the vCPU has run. */
TEST_F(sve, not_readable)
{
	uint8_t slice[256];
	struct kvm_one_reg reg = {
		.id = KVM_REG_ARM64_SVE_ZREG(0, 0),
		.addr = (uintptr_t)slice,
	};
	struct pvm vm;

	ASSERT_EQ(0, pvm_create_features(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0, SVE));
	ASSERT_EQ(0, pvm_command(&vm.vcpus[0], PVM_SVE_FILL, PATTERN, 0, 0, 0));
	EXPECT_EQ(-1, ioctl(vm.vcpus[0].fd, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(EPERM, errno);
	EXPECT_EQ(-1, ioctl(vm.vcpus[0].fd, KVM_SET_ONE_REG, &reg));
	EXPECT_EQ(EPERM, errno);
	pvm_free(&vm);
}

/* SVE instructions are undefined in a VM without SVE. */
TEST_F(sve, not_asked_for)
{
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	EXPECT_EQ(-EIO, pvm_command(&vm.vcpus[0], PVM_SVE_FILL, PATTERN, 0, 0, 0));
	EXPECT_EQ(EC_UNKNOWN, ESR_EC(vm.vcpus[0].exception.esr));
	pvm_free(&vm);
}

TEST_HARNESS_MAIN
