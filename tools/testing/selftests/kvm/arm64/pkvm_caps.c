// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM's capabilities, for protected and for non-protected VMs.
 *
 * R8: a capability that KVM_CHECK_EXTENSION reports for a VM works, and KVM refuses the use of any
 * other one with an errno that the manual names. The test tries all capability numbers. The
 * functions that use a capability are in pvm_caps_*.c. The test fails if KVM reports a capability
 * that has no such function, so that somebody writes one.
 */
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_caps.h"

/* A limit above all numbers that the UAPI has. */
#define MAX_CAP		512

static const struct pvm_cap *const lists[] = { pvm_memory_caps, pvm_irq_caps, pvm_vcpu_caps };

static const struct pvm_cap *find(uint32_t nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct pvm_cap *cap = lists[i]; cap->name; cap++)
			if (cap->nr == nr)
				return cap;
	return NULL;
}

FIXTURE(caps) {
	int vm;
};

FIXTURE_VARIANT(caps) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(caps, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(caps, np) { .type = 0 };

FIXTURE_SETUP(caps)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->vm = pvm_create_vm_fd(variant->type);
	ASSERT_LE(0, self->vm);
}

FIXTURE_TEARDOWN(caps)
{
	close(self->vm);
}

static int check_extension(int vm, uint32_t nr)
{
	return ioctl(vm, KVM_CHECK_EXTENSION, (unsigned long)nr);
}

static void expect_used(struct __test_metadata *_metadata, unsigned long type, uint32_t nr,
			int value)
{
	const struct pvm_cap *cap = find(nr);

	ASSERT_NE(NULL, cap) {
		TH_LOG("KVM reports capability %u, for which pvm_caps_*.c has no function", nr);
	}
	pvm_used = cap->name;
	EXPECT_EQ(0, cap->use(type, value)) {
		TH_LOG("KVM reports %s with value %d, but it does not work", cap->name, value);
	}
}

TEST_F(caps, reported_works)
{
	unsigned int used = 0;

	for (uint32_t nr = 0; nr < MAX_CAP; nr++) {
		int value = check_extension(self->vm, nr);

		ASSERT_LE(0, value);
		if (!value)
			continue;
		expect_used(_metadata, variant->type, nr, value);
		used++;
	}
	EXPECT_LT(20, used);

	if (check_extension(self->vm, KVM_CAP_ARM_PROTECTED_VM))
		expect_used(_metadata, variant->type, KVM_CAP_ARM_PROTECTED_VM, 1);
}

TEST_F(caps, not_reported_is_refused)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		for (const struct pvm_cap *cap = lists[i]; cap->name; cap++) {
			if (!cap->refused || check_extension(self->vm, cap->nr))
				continue;
			EXPECT_EQ(cap->refusal, cap->refused(variant->type)) {
				TH_LOG("KVM does not report %s", cap->name);
			}
		}
	}
}

static void expect_not_enabled(struct __test_metadata *_metadata, int vm, uint32_t nr)
{
	struct kvm_enable_cap cap = { .cap = nr };

	EXPECT_EQ(-1, ioctl(vm, KVM_ENABLE_CAP, &cap)) {
		TH_LOG("KVM does not report capability %u, but KVM_ENABLE_CAP takes it", nr);
	}
	EXPECT_EQ(EINVAL, errno) {
		TH_LOG("capability %u", nr);
	}
}

TEST_F(caps, not_reported_is_not_enabled)
{
	for (uint32_t nr = 0; nr < MAX_CAP; nr++) {
		/* KVM reports the chunk size that is set now, which is 0 in a new VM. */
		if (nr == KVM_CAP_ARM_EAGER_SPLIT_CHUNK_SIZE &&
		    variant->type != KVM_VM_TYPE_ARM_PROTECTED)
			continue;
		if (!check_extension(self->vm, nr))
			expect_not_enabled(_metadata, self->vm, nr);
	}
	if (!check_extension(self->vm, KVM_CAP_ARM_PROTECTED_VM))
		expect_not_enabled(_metadata, self->vm, KVM_CAP_ARM_PROTECTED_VM);
}

TEST(no_capability_twice)
{
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (const struct pvm_cap *cap = lists[i]; cap->name; cap++)
			EXPECT_EQ(cap, find(cap->nr));
}

TEST_HARNESS_MAIN
