/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fields that the host's struct kvm and struct kvm_vcpu have for VMs that the hypervisor runs.
 * Part of asm/kvm_host.h.
 */
#ifndef __ARM64_KVM_PKVM_VM_H__
#define __ARM64_KVM_PKVM_VM_H__

#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <asm/kvm_pkvm_calls.h>
#include <asm/kvm_pkvm_stats.h>

/*
 * The most granules that one __pkvm_host_donate_guest() call donates. EL2 cleans each of them
 * with interrupts off (R6).
 */
#define PKVM_DONATE_MAX_GRANULES	(SZ_64K / PAGE_SIZE)

/**
 * struct pkvm_guest_vm - The host's state of a VM, in struct kvm_protected_vm.
 * @fw_ipa:	The IPA of a protected VM's firmware, or PVM_NO_FW.
 * @nr_vcpus:	How many vCPUs the hypervisor has: the first ones of the VM.
 * @setup_lock:	Held while user space sets up a vCPU and while the host registers vCPUs with
 *		the hypervisor. So a change either comes before the registration or is refused.
 *		Taken before config_lock.
 * @granules:	The host's record of the pages that it has donated: gfn => pinned page. If the
 *		guest has relinquished the page, a value entry until the guest touches the gfn
 *		again.
 * @has_windows: Protected VM: the host may have shared pages with it, in a window.
 * @lock:	Held while this record and the hypervisor's state of the pages change.
 */
struct pkvm_guest_vm {
	u64		fw_ipa;
	unsigned int	nr_vcpus;
	/* vCPUs as user space sets them up, and nr_vcpus */
	struct mutex	setup_lock;
	struct xarray	granules;
	bool		has_windows;
	/* granules */
	struct mutex	lock;
};

/**
 * struct pkvm_guest_vcpu - The host's state of a vCPU, in struct kvm_vcpu_arch.
 * @load_error:	The result of the last __pkvm_vcpu_load(), 0 or an errno.
 * @power:	Of a protected VM's vCPU: how many times it was turned on, minus how many times
 *		it was turned off, by the exits that the host has seen so far. Protected by
 *		'mp_state_lock'.
 * @donation:	The pfns for the next __pkvm_host_donate_guest() call, which reads each once.
 *		Protected by the lock of struct pkvm_guest_vm.
 */
struct pkvm_guest_vcpu {
	int	load_error;
	int	power;
	u64	donation[PKVM_DONATE_MAX_GRANULES];
};

#endif /* __ARM64_KVM_PKVM_VM_H__ */
