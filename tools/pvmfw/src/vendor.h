/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Function ids of the hypervisor's vendor calls (SMCCC 1.1, vendor-specific hypervisor
 * range), for C and assembly.
 */
#ifndef PVMFW_VENDOR_H
#define PVMFW_VENDOR_H

/* The low 32 bits of R0 after a call that the hypervisor does not know. */
#define SMCCC_NOT_SUPPORTED	0xffffffff

#define VENDOR_HYP_CALL_UID	0x8600ff01
#define VENDOR_HYP_FEATURES	0x86000000
#define VENDOR_HYP_MEMINFO	0xc6000002
#define VENDOR_HYP_MEM_SHARE	0xc6000003
#define VENDOR_HYP_MEM_UNSHARE	0xc6000004
#define VENDOR_HYP_GUARD_INFO	0xc6000005
#define VENDOR_HYP_GUARD_ENROLL	0xc6000006
#define VENDOR_HYP_GUARD_MAP	0xc6000007
#define VENDOR_HYP_GUARD_UNMAP	0xc6000008

/*
 * 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, the UID of KVM, as CALL_UID returns it in four
 * little-endian words.
 */
#define KVM_UID_0		0xb66fb428
#define KVM_UID_1		0xe911c52e
#define KVM_UID_2		0x564bcaa9
#define KVM_UID_3		0x743a004d

#endif
