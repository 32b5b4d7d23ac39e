/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fields of the host's VMs and vCPUs that it needs for VMs of the hypervisor. Part of
 * asm/kvm_host.h.
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
 * The most granules that one __pkvm_host_donate_guest() call donates. Each is cleaned with
 * interrupts off (R6).
 */
#define PKVM_DONATE_MAX_GRANULES	(SZ_64K / PAGE_SIZE)

/**
 * struct pkvm_guest_vm - Of a VM, in struct kvm_protected_vm.
 * @fw_ipa:	Where a protected VM wants its firmware, or PVM_NO_FW.
 * @nr_vcpus:	How many vCPUs the hypervisor knows, the first ones.
 * @setup_lock:	Held while user space sets up a vCPU and while the host registers vCPUs with
 *		the hypervisor, so that a change comes before or is refused. Taken before
 *		config_lock.
 * @granules:	The host's record of what it donated: gfn => pinned page. What the guest
 *		gave back is a value entry, until the guest touches it again.
 * @has_windows: A protected VM: pages have been shared with it, in a window.
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
 * struct pkvm_guest_vcpu - Of a vCPU, in struct kvm_vcpu_arch.
 * @load_error:	The result of the last __pkvm_vcpu_load(), 0 or an errno.
 * @power:	How often the vCPU of a protected VM was turned on, minus how often off, by the
 *		exits that the host has seen so far. Protected by 'mp_state_lock'.
 * @donation:	The pfns of the next __pkvm_host_donate_guest() call, which reads each once.
 *		Protected by the lock of struct pkvm_guest_vm.
 */
struct pkvm_guest_vcpu {
	int	load_error;
	int	power;
	u64	donation[PKVM_DONATE_MAX_GRANULES];
};

#endif /* __ARM64_KVM_PKVM_VM_H__ */
