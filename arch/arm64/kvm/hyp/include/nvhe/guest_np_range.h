/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's calls on ranges of non-protected VMs, see guest_np_range.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_NP_RANGE_H__
#define __ARM64_KVM_NVHE_GUEST_NP_RANGE_H__

#include <nvhe/pkvm.h>

/**
 * struct np_unshared_run - The pages that a call of the host unshared.
 * @pfn:	Page frame number of the page with the lowest address.
 * @nr_granules: How many pages; 0 if nothing was shared.
 */
struct np_unshared_run {
	u64 pfn;
	u64 nr_granules;
};

s64 __pkvm_host_unshare_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
			      struct np_unshared_run *taken);
s64 __pkvm_host_unshare_guest_all(pkvm_handle_t handle, u64 gfn, u64 *nr_taken);
s64 __pkvm_host_wrprotect_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);
s64 __pkvm_host_test_clear_young_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
				       bool mkold, bool *young);
int __pkvm_tlb_flush_vmid(pkvm_handle_t handle);

#endif /* __ARM64_KVM_NVHE_GUEST_NP_RANGE_H__ */
