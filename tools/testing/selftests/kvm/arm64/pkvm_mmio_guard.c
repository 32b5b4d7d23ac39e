// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO guard of protected VMs: MMIO_GUARD_INFO, ENROLL, MAP and UNMAP.
 *
 * Rules: once the guest has enrolled, EL2 shows the host the value and size of an access only at a
 * guarded IPA; elsewhere the host learns only that a page is missing. EL2 maps no memory at a
 * guarded IPA and puts no guard on memory (R1). The host gets the tables for guards back (R5).
 */
#include <errno.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

#define PAGE			((uint64_t)getpagesize())
#define DATA_SIZE		(16 * PAGE)

/* An IPA without a slot. */
#define DEVICE_IPA		0x20000000UL

/* ESR_EL1 of an external data abort from EL1. */
#define ESR_EC(esr)		((esr) >> 26 & 0x3f)
#define ESR_FSC(esr)		((esr) & 0x3f)
#define EC_DABT_CUR		0x25
#define FSC_EXTERNAL		0x10

FIXTURE(guard) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_SETUP(guard)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, DATA_SIZE));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(guard)
{
	pvm_free(&self->vm);
}

static int64_t guard_map(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_hvc(vcpu, HVC_GUARD_MAP, ipa, 0, 0);
}

static int64_t guard_unmap(struct pvm_vcpu *vcpu, uint64_t ipa)
{
	return pvm_hvc(vcpu, HVC_GUARD_UNMAP, ipa, 0, 0);
}

/* EL2 injected an external abort for the guest's access, without an MMIO exit to the test. */
#define EXPECT_EXTERNAL_ABORT(ret, vcpu, ipa) do {				\
	int __ret = (ret);							\
	struct pvm_vcpu *__vcpu = (vcpu);					\
										\
	EXPECT_EQ(-EIO, __ret);							\
	EXPECT_EQ(EC_DABT_CUR, ESR_EC(__vcpu->exception.esr));			\
	EXPECT_EQ(FSC_EXTERNAL, ESR_FSC(__vcpu->exception.esr));		\
	EXPECT_EQ(ipa, __vcpu->exception.far);					\
} while (0)

TEST_F(guard, info)
{
	EXPECT_EQ(PAGE, pvm_hvc(self->vcpu, HVC_GUARD_INFO, 0, 0, 0));
	/* Bit 0: the calls on ranges exist. */
	EXPECT_EQ(1, self->vcpu->results[1]);
	EXPECT_EQ(0, self->vcpu->results[2]);
	EXPECT_EQ(0, self->vcpu->results[3]);
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_GUARD_INFO, 1, 0, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_GUARD_INFO, 0, 1, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_hvc(self->vcpu, HVC_GUARD_INFO, 0, 0, 1UL << 63));
}

/* Before ENROLL, an access outside the slots is MMIO. */
TEST_F(guard, not_enrolled)
{
	EXPECT_EQ(-EPROTO, pvm_store(self->vcpu, DEVICE_IPA, 0x1234));
	EXPECT_EQ(DEVICE_IPA, self->vcpu->run->mmio.phys_addr);
	EXPECT_EQ(0x34, self->vcpu->run->mmio.data[0]);
}

TEST_F(guard, unguarded_store_is_hidden)
{
	ASSERT_EQ(0, pvm_enroll(&self->vm));
	memset(self->vcpu->run->mmio.data, 0, 8);
	EXPECT_EXTERNAL_ABORT(pvm_store(self->vcpu, DEVICE_IPA + 0x18, 0x5ec3e7),
			      self->vcpu, DEVICE_IPA + 0x18);
}

TEST_F(guard, unguarded_load_is_refused)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_enroll(&self->vm));
	EXPECT_EXTERNAL_ABORT(pvm_load(self->vcpu, DEVICE_IPA, &value), self->vcpu, DEVICE_IPA);
}

/* A guard covers exactly one page, and UNMAP removes it. */
TEST_F(guard, guarded_page_is_mmio)
{
	ASSERT_EQ(0, pvm_enroll(&self->vm));
	ASSERT_EQ(0, guard_map(self->vcpu, DEVICE_IPA));

	EXPECT_EQ(-EPROTO, pvm_store(self->vcpu, DEVICE_IPA + PAGE - 8, 0x77));
	EXPECT_EQ(DEVICE_IPA + PAGE - 8, self->vcpu->run->mmio.phys_addr);
	EXPECT_EQ(1, self->vcpu->run->mmio.is_write);
	EXPECT_EQ(8, self->vcpu->run->mmio.len);
	EXPECT_EQ(0x77, self->vcpu->run->mmio.data[0]);
	/* The next KVM_RUN completes the store. */
	ASSERT_EQ(0, pvm_run(self->vcpu));

	EXPECT_EXTERNAL_ABORT(pvm_store(self->vcpu, DEVICE_IPA + PAGE, 1),
			      self->vcpu, DEVICE_IPA + PAGE);
	EXPECT_EXTERNAL_ABORT(pvm_store(self->vcpu, DEVICE_IPA - 8, 1),
			      self->vcpu, DEVICE_IPA - 8);

	ASSERT_EQ(0, guard_unmap(self->vcpu, DEVICE_IPA));
	EXPECT_EXTERNAL_ABORT(pvm_store(self->vcpu, DEVICE_IPA, 1), self->vcpu, DEVICE_IPA);
}

/* After ENROLL the host still donates memory on a fault, and does not see the value stored. */
TEST_F(guard, memory_is_not_mmio)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_enroll(&self->vm));
	memset(self->vcpu->run->mmio.data, 0, 8);
	EXPECT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 0xfeed));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0xfeed, value);
}

TEST_F(guard, guard_twice)
{
	EXPECT_EQ(0, guard_map(self->vcpu, DEVICE_IPA));
	EXPECT_EQ(0, guard_map(self->vcpu, DEVICE_IPA));
	EXPECT_EQ(0, guard_unmap(self->vcpu, DEVICE_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, guard_unmap(self->vcpu, DEVICE_IPA));
}

/* EL2 ignores x2 and x3, as in the ABI of the Android kernels. */
TEST_F(guard, ignored_arguments)
{
	EXPECT_EQ(0, pvm_hvc(self->vcpu, HVC_GUARD_MAP, DEVICE_IPA, 7, 9));
	EXPECT_EQ(0, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, DEVICE_IPA, ~0UL, ~0UL));
}

TEST_F(guard, refused_addresses)
{
	const uint64_t bad[] = { 1, 8, DEVICE_IPA + 1, DEVICE_IPA + PAGE / 2, 1UL << 52,
				 1UL << 63, -PAGE, ~0UL };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(HVC_INVALID_PARAMETER, guard_map(self->vcpu, bad[i])) {
			TH_LOG("map %#lx", bad[i]);
		}
		EXPECT_EQ(HVC_INVALID_PARAMETER, guard_unmap(self->vcpu, bad[i])) {
			TH_LOG("unmap %#lx", bad[i]);
		}
	}
}

/* R1: EL2 refuses a guard on private or shared memory. */
TEST_F(guard, no_guard_on_memory)
{
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 1));
	EXPECT_EQ(HVC_INVALID_PARAMETER, guard_map(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, guard_unmap(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, guard_map(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_unshare(self->vcpu, PVM_DATA_IPA));
}

/* R1: EL2 refuses memory at a guarded IPA, even if a slot is there. */
TEST_F(guard, no_memory_on_guard)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_enroll(&self->vm));
	ASSERT_EQ(0, guard_map(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
}

TEST_F(guard, memory_after_unmap)
{
	uint64_t value;

	ASSERT_EQ(0, guard_map(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, guard_unmap(self->vcpu, PVM_DATA_IPA));
	self->vm.data[0] = 42;
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(42, value);
}

/* Guards and ENROLL apply to the VM, not to the vCPU that made the call. */
TEST_F(guard, every_vcpu)
{
	struct pvm_vcpu *other = &self->vm.vcpus[1];

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, pvm_store(other, PVM_DATA_IPA, 1));
	ASSERT_EQ(0, pvm_enroll(&self->vm));
	EXPECT_EXTERNAL_ABORT(pvm_store(other, DEVICE_IPA, 1), other, DEVICE_IPA);
	ASSERT_EQ(0, guard_map(self->vcpu, DEVICE_IPA));
	EXPECT_EQ(-EPROTO, pvm_store(other, DEVICE_IPA, 1));
}

/*
 * R5, R6: guards far from each other need a table each. The host donates pages for them while the
 * guest waits, and gets them back when the VM dies, with or without guards.
 */
TEST_F(guard, many_tables)
{
	for (unsigned int i = 0; i < 64; i++)
		ASSERT_EQ(0, guard_map(self->vcpu, 0x100000000UL + ((uint64_t)i << 30)));
	for (unsigned int i = 0; i < 64; i++)
		ASSERT_EQ(0, guard_map(self->vcpu, 0x200000000UL + ((uint64_t)i << 21)));
}

/* The guest fills a table with guards, removes them, and repeats that. */
TEST_F(guard, whole_table)
{
	for (unsigned int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 512; i++)
			ASSERT_EQ(0, guard_map(self->vcpu, DEVICE_IPA + i * PAGE));
		for (unsigned int i = 0; i < 512; i++)
			ASSERT_EQ(0, guard_unmap(self->vcpu, DEVICE_IPA + i * PAGE));
	}
}

TEST_HARNESS_MAIN
