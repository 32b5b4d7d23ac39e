// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creation of protected VMs: the type of KVM_CREATE_VM, and KVM_CAP_ARM_PROTECTED_VM.
 *
 * Rule: KVM creates a protected VM only on a host that was booted with kvm-arm.mode=protected. On
 * other hosts the same calls fail with EINVAL. The test reads the kind of the host from its command
 * line, independently of KVM.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define TYPE_PROTECTED		KVM_VM_TYPE_ARM_PROTECTED
#define CAP_PROTECTED		KVM_CAP_ARM_PROTECTED_VM
#define FLAGS_SET_FW_IPA	KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA
#define FLAGS_INFO		KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO

static int create_and_close(unsigned long type)
{
	int fd = pvm_create_vm_fd(type);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static int enable_cap(int vm, uint32_t flags, uint64_t arg0, uint64_t arg1, uint64_t arg2,
		      uint64_t arg3)
{
	struct kvm_enable_cap cap = {
		.cap = CAP_PROTECTED,
		.flags = flags,
		.args = { arg0, arg1, arg2, arg3 },
	};

	return ioctl(vm, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

/* The numbers that VMMs for the Android common kernels use. */
TEST(uapi_numbers)
{
	EXPECT_EQ(0x80000000, KVM_VM_TYPE_ARM_PROTECTED);
	EXPECT_EQ(0xffbadab1, KVM_CAP_ARM_PROTECTED_VM);
	EXPECT_EQ(0, KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA);
	EXPECT_EQ(1, KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO);
	EXPECT_EQ(64, sizeof(struct kvm_protected_vm_info));
}

/* The numbers that guests for the Android common kernels use. */
TEST(guest_numbers)
{
	EXPECT_EQ(0x8600ff01, HVC_CALL_UID);
	EXPECT_EQ(0x86000000, HVC_FEATURES);
	EXPECT_EQ(0xc6000002, HVC_HYP_MEMINFO);
	EXPECT_EQ(0xc6000003, HVC_MEM_SHARE);
	EXPECT_EQ(0xc6000004, HVC_MEM_UNSHARE);
	EXPECT_EQ(0xc6000005, HVC_GUARD_INFO);
	EXPECT_EQ(0xc6000006, HVC_GUARD_ENROLL);
	EXPECT_EQ(0xc6000007, HVC_GUARD_MAP);
	EXPECT_EQ(0xc6000008, HVC_GUARD_UNMAP);
	EXPECT_EQ(0xc6000009, HVC_MEM_RELINQUISH);
	EXPECT_EQ(0xc600000a, HVC_RGUARD_MAP);
	EXPECT_EQ(0xc600000b, HVC_RGUARD_UNMAP);
	EXPECT_EQ(0xffd, PKVM_GUEST_FEATURES);
}

TEST(protected_type)
{
	EXPECT_EQ(pvm_host_is_protected() ? 0 : -EINVAL, create_and_close(TYPE_PROTECTED));
}

/* crosvm passes the IPA size in the type. */
TEST(protected_type_with_ipa_size)
{
	EXPECT_EQ(pvm_host_is_protected() ? 0 : -EINVAL, create_and_close(TYPE_PROTECTED | 40));
}

TEST(np_type)
{
	EXPECT_EQ(0, create_and_close(0));
}

/* KVM refuses unknown bits, alone and together with the protected bit. */
TEST(unknown_type_bits)
{
	for (int bit = 8; bit < 64; bit++) {
		if (bit == 31)
			continue;
		EXPECT_EQ(-EINVAL, create_and_close(1UL << bit)) {
			TH_LOG("type bit %d", bit);
		}
		EXPECT_EQ(-EINVAL, create_and_close(1UL << bit | TYPE_PROTECTED)) {
			TH_LOG("type bit %d and the protected bit", bit);
		}
	}
}

TEST(capability)
{
	int protected = pvm_host_is_protected();
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, protected ? TYPE_PROTECTED : 0, 0, 0));
	EXPECT_EQ(protected, ioctl(vm.kvm_fd, KVM_CHECK_EXTENSION, CAP_PROTECTED));
	EXPECT_EQ(protected, ioctl(vm.fd, KVM_CHECK_EXTENSION, CAP_PROTECTED));
	pvm_free(&vm);

	ASSERT_EQ(0, pvm_create(&vm, 0, 0, 0));
	EXPECT_EQ(0, ioctl(vm.fd, KVM_CHECK_EXTENSION, CAP_PROTECTED));
	pvm_free(&vm);
}

/* A protected VM reports no capability that it lacks; a VM on a plain host reports them all. */
TEST(no_missing_capability)
{
	int protected = pvm_host_is_protected();
	struct pvm vm;

	ASSERT_EQ(0, pvm_create(&vm, protected ? TYPE_PROTECTED : 0, 0, 0));
	EXPECT_EQ(!protected, ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM));
	if (protected)
		EXPECT_EQ(0, ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_MTE));
	EXPECT_LT(0, ioctl(vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ONE_REG));
	pvm_free(&vm);
}

/* On any host, a non-protected VM refuses KVM_CAP_ARM_PROTECTED_VM. */
TEST(np_vm_takes_no_flags)
{
	struct kvm_protected_vm_info info;
	int fd = pvm_create_vm_fd(0);

	ASSERT_LE(0, fd);
	EXPECT_EQ(-EINVAL, enable_cap(fd, FLAGS_INFO, (uintptr_t)&info, 0, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(fd, FLAGS_SET_FW_IPA, 0x7fc00000, 0, 0, 0));
	close(fd);
}

/* The flags of a protected VM; on a plain host they all fail with EINVAL. */
FIXTURE(cap) {
	int fd;
	int protected;
	struct kvm_protected_vm_info info;
};

FIXTURE_SETUP(cap)
{
	self->protected = pvm_host_is_protected();
	self->fd = pvm_create_vm_fd(self->protected ? TYPE_PROTECTED : 0);
	ASSERT_LE(0, self->fd);
	memset(&self->info, 0xa5, sizeof(self->info));
}

FIXTURE_TEARDOWN(cap)
{
	close(self->fd);
}

/* The boot loader left no firmware: its size is 0, and so are the reserved fields. */
TEST_F(cap, info)
{
	const struct kvm_protected_vm_info zero = { 0 };

	ASSERT_EQ(self->protected ? 0 : -EINVAL,
		  enable_cap(self->fd, FLAGS_INFO, (uintptr_t)&self->info, 0, 0, 0));
	if (!self->protected)
		return;
	EXPECT_EQ(0, memcmp(&zero, &self->info, sizeof(zero)));
}

TEST_F(cap, info_to_a_bad_pointer)
{
	int expected = self->protected ? -EFAULT : -EINVAL;

	EXPECT_EQ(expected, enable_cap(self->fd, FLAGS_INFO, 0, 0, 0, 0));
	EXPECT_EQ(expected, enable_cap(self->fd, FLAGS_INFO, 1UL << 63, 0, 0, 0));
}

/* Without a firmware, a VMM cannot set its IPA. */
TEST_F(cap, no_firmware_to_place)
{
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_SET_FW_IPA, 0x7fc00000, 0, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_SET_FW_IPA, 0, 0, 0, 0));
}

TEST_F(cap, reserved_arguments)
{
	uint64_t info = (uintptr_t)&self->info;

	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO, info, 1, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO, info, 0, 1, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO, info, 0, 0, 1));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO, info, 1UL << 63, 0, 0));
	/* The refused call wrote nothing. */
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5UL, self->info.firmware_size);
}

TEST_F(cap, unknown_flags)
{
	uint64_t info = (uintptr_t)&self->info;

	EXPECT_EQ(-EINVAL, enable_cap(self->fd, 2, info, 0, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO | 2, info, 0, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, FLAGS_INFO | 1U << 31, info, 0, 0, 0));
	EXPECT_EQ(-EINVAL, enable_cap(self->fd, UINT32_MAX, info, 0, 0, 0));
	EXPECT_EQ(0xa5a5a5a5a5a5a5a5UL, self->info.firmware_size);
}

/* A non-protected VM runs on any host, and the host can access all of its memory. */
TEST(np_vm_runs)
{
	struct pvm vm, other;
	uint64_t value;

	ASSERT_EQ(0, pvm_create(&vm, 0, 1, getpagesize()));
	ASSERT_EQ(0, pvm_create(&other, pvm_host_is_protected() ? TYPE_PROTECTED : 0, 1,
				getpagesize()));
	ASSERT_EQ(0, pvm_store(&vm.vcpus[0], PVM_DATA_IPA, 0x77));
	ASSERT_EQ(0, pvm_store(&other.vcpus[0], PVM_DATA_IPA, 0x88));
	EXPECT_EQ(0, pvm_probe(vm.data, PVM_READ));
	EXPECT_EQ(0x77, vm.data[0]);
	EXPECT_EQ(0, pvm_load(&other.vcpus[0], PVM_DATA_IPA, &value));
	EXPECT_EQ(0x88, value);

	/* The sharing calls are only for protected guests. */
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_share(&vm.vcpus[0], PVM_DATA_IPA));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_unshare(&vm.vcpus[0], PVM_DATA_IPA));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(&vm.vcpus[0], HVC_HYP_MEMINFO, 0, 0, 0));
	pvm_free(&other);
	pvm_free(&vm);
}

TEST_HARNESS_MAIN
