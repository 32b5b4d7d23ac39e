/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Numbers of protected KVM on arm64 for kernel, hypervisor, guest firmware, VMM and tests:
 * those by which user space calls KVM, and those by which a guest calls the hypervisor by
 * HVC.
 *
 * The names are those of linux/kvm.h and linux/arm-smccc.h. Where linux/arm-smccc.h has one
 * of them, too, the compiler checks that both definitions are equal. Function ids
 * are built by macros that linux/arm-smccc.h has: include it first to use one. For programs
 * outside of the kernel it is in tools/include. Nothing else is needed, and the assembler
 * can read this file.
 *
 * Documentation/virt/kvm/arm/pkvm-host.rst and pkvm-hypercalls.rst say what they mean.
 */
#ifndef _UAPI_LINUX_PKVM_H
#define _UAPI_LINUX_PKVM_H

/* KVM_CREATE_VM: the host has no access to memory and registers of the VM. */
#define KVM_VM_TYPE_ARM_PROTECTED	(1UL << 31)

/* KVM_CHECK_EXTENSION, and KVM_ENABLE_CAP with one of the flags. */
#define KVM_CAP_ARM_PROTECTED_VM			0xffbadab1
#define KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA	0
#define KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO		1

/*
 * KVM_CHECK_EXTENSION: the VM takes memslots with the flag, which can be added and deleted
 * at any time. A protected guest sees their memory where it has put an MMIO guard.
 */
#define KVM_CAP_ARM_STANDALONE_MEM	0xffbadac1
#define KVM_MEM_ARM_STANDALONE		(1UL << 15)

/*
 * The numbers of calls of guests, beside those that linux/arm-smccc.h has for all guests of
 * KVM. The number of a call is also its bit in the bitmap that FEATURES returns.
 */
#define ARM_SMCCC_KVM_FUNC_HYP_MEMINFO		2
#define ARM_SMCCC_KVM_FUNC_MEM_SHARE		3
#define ARM_SMCCC_KVM_FUNC_MEM_UNSHARE		4
#define ARM_SMCCC_KVM_FUNC_MMIO_GUARD_INFO	5
#define ARM_SMCCC_KVM_FUNC_MMIO_GUARD_ENROLL	6
/* MMIO_GUARD_MAP, by the name that linux/arm-smccc.h has for it. */
#define ARM_SMCCC_KVM_FUNC_MMIO_GUARD		7
#define ARM_SMCCC_KVM_FUNC_MMIO_GUARD_UNMAP	8
#define ARM_SMCCC_KVM_FUNC_MEM_RELINQUISH	9
#define ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_MAP	10
#define ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_UNMAP	11

#define ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID			\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_HYP_MEMINFO)

#define ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID			\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MEM_SHARE)

#define ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID			\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MEM_UNSHARE)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID		\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_GUARD_INFO)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID		\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_GUARD_ENROLL)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID			\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_GUARD)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID		\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_GUARD_UNMAP)

#define ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID			\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MEM_RELINQUISH)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID		\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_MAP)

#define ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID		\
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL,				\
			   ARM_SMCCC_SMC_64,				\
			   ARM_SMCCC_OWNER_VENDOR_HYP,			\
			   ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_UNMAP)

/* FEATURES, R0: the bitmap of the calls of a protected guest. */
#define PKVM_GUEST_FEATURES	((1 << ARM_SMCCC_KVM_FUNC_FEATURES) |		\
				 (1 << ARM_SMCCC_KVM_FUNC_HYP_MEMINFO) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MEM_SHARE) |		\
				 (1 << ARM_SMCCC_KVM_FUNC_MEM_UNSHARE) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_GUARD_INFO) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_GUARD_ENROLL) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_GUARD) |		\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_GUARD_UNMAP) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MEM_RELINQUISH) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_MAP) |	\
				 (1 << ARM_SMCCC_KVM_FUNC_MMIO_RGUARD_UNMAP))

/* HYP_MEMINFO and MMIO_GUARD_INFO, R1: there are calls on ranges. */
#define PKVM_INFO_RANGES	(1 << 0)

/* The most granules that one call on a range does. */
#define PKVM_RANGE_MAX		256

#endif /* _UAPI_LINUX_PKVM_H */
