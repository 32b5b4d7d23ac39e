/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host keeps of a VM and of a vCPU for the sake of the hypervisor. Part of
 * asm/kvm_host.h.
 */
#ifndef __ARM64_KVM_PKVM_VM_H__
#define __ARM64_KVM_PKVM_VM_H__

#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/xarray.h>

#include <asm/kvm_pkvm_calls.h>
#include <asm/kvm_pkvm_stats.h>

/**
 * struct pkvm_guest_vm - Of a VM, in struct kvm_protected_vm.
 * @fw_ipa:	Where a protected VM wants its firmware, or PVM_NO_FW.
 * @nr_vcpus:	How many vCPUs the hypervisor knows, the first ones.
 * @setup_lock:	What user space sets up of vCPUs is either told to the hypervisor or
 *		comes too late. Taken before config_lock.
 * @granules:	The host's record of what it donated: gfn => pinned page.
 * @lock:	Makes this record and what the hypervisor knows change as one.
 */
struct pkvm_guest_vm {
	u64		fw_ipa;
	unsigned int	nr_vcpus;
	/* vCPUs as user space sets them up, and nr_vcpus */
	struct mutex	setup_lock;
	struct xarray	granules;
	/* granules */
	struct mutex	lock;
};

/**
 * struct pkvm_guest_vcpu - Of a vCPU, in struct kvm_vcpu_arch.
 * @load_error:	What the hypervisor said when the vCPU was loaded last, 0 or an errno.
 * @power:	How often the vCPU of a protected VM was turned on, less how often off, as
 *		far as the host has heard. Protected by 'mp_state_lock'.
 */
struct pkvm_guest_vcpu {
	int	load_error;
	int	power;
};

#endif /* __ARM64_KVM_PKVM_VM_H__ */
