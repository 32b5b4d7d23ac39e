/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected guests: statistics for user space, in KVM's binary statistics and in the VM's
 * debugfs folder. The hypervisor writes them to the host's struct kvm and struct kvm_vcpu,
 * and never reads them there.
 *
 * Part of asm/kvm_pkvm_vm.h; the descriptors are in pkvm_vm_stats.h and pkvm_vcpu_stats.h.
 */
#ifndef __ARM64_KVM_PKVM_STATS_H__
#define __ARM64_KVM_PKVM_STATS_H__

#include <linux/types.h>

/**
 * struct pkvm_vm_stat - How much of a protected VM's IPA space is in which state.
 * @bytes_private:	Memory that only the guest can access.
 * @bytes_shared:	Memory that the guest shares with the host.
 * @bytes_guarded:	IPA space that the guest guards as MMIO, without windows.
 * @bytes_window:	IPA space that the guest guards and where the host shares memory.
 * @bytes_relinquished: Memory that the guest has relinquished so far.
 */
struct pkvm_vm_stat {
	u64 bytes_private;
	u64 bytes_shared;
	u64 bytes_guarded;
	u64 bytes_window;
	u64 bytes_relinquished;
};

/**
 * struct pkvm_vcpu_stat - The calls and exits of a protected vCPU.
 * @pages_shared:	Pages that its MEM_SHARE calls shared.
 * @pages_unshared:	Pages that its MEM_UNSHARE calls took back.
 * @calls_info:		Calls that ask for information: CALL_UID, FEATURES, HYP_MEMINFO,
 *			MMIO_GUARD_INFO, and SMCCC's own.
 * @calls_share:	MEM_SHARE.
 * @calls_unshare:	MEM_UNSHARE.
 * @calls_relinquish:	MEM_RELINQUISH.
 * @calls_guard:	MMIO_GUARD_{ENROLL,MAP,UNMAP}, MMIO_RGUARD_{MAP,UNMAP}.
 * @calls_psci:		PSCI.
 * @calls_unknown:	Any other call. Each call is counted when it is answered, also with an
 *			error.
 * @exits_interrupt:	Exits for an interrupt of the host.
 * @exits_wfx:		Exits for WFI and WFE.
 * @exits_fault:	Exits for an access where the guest has no page.
 * @exits_mmio:		Exits for an access to MMIO.
 * @exits_page:		Exits for a call that needs a page, or one that the host still uses.
 * @exits_tables:	Exits for a call that needs pages for tables.
 * @exits_psci:		Exits for a PSCI call for which the host has something to do.
 * @exits_relinquish:	Exits for a page that the guest has relinquished.
 * @exits_sgi:		Exits for a software-generated interrupt.
 */
struct pkvm_vcpu_stat {
	u64 pages_shared;
	u64 pages_unshared;
	u64 calls_info;
	u64 calls_share;
	u64 calls_unshare;
	u64 calls_relinquish;
	u64 calls_guard;
	u64 calls_psci;
	u64 calls_unknown;
	u64 exits_interrupt;
	u64 exits_wfx;
	u64 exits_fault;
	u64 exits_mmio;
	u64 exits_page;
	u64 exits_tables;
	u64 exits_psci;
	u64 exits_relinquish;
	u64 exits_sgi;
};

#define PKVM_STATS_DESC(scope, stat, type, unit, base)					\
{											\
	STATS_DESC_COMMON(KVM_STATS_TYPE_##type, KVM_STATS_UNIT_##unit,			\
			  KVM_STATS_BASE_##base, 0, 1, 0),				\
	.offset = offsetof(struct kvm_##scope##_stat, protected.stat),			\
	.name = "protected_" #stat,							\
}

#define PKVM_VM_BYTES(stat, type)	PKVM_STATS_DESC(vm, stat, type, BYTES, POW2)
#define PKVM_VCPU_COUNTER(stat)		PKVM_STATS_DESC(vcpu, stat, CUMULATIVE, NONE, POW10)

#endif /* __ARM64_KVM_PKVM_STATS_H__ */
