/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pages of the host in VMs that are not protected, see guest_np_share.c and
 * guest_np_range.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__
#define __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__

#include <asm/kvm_pgtable.h>

#include <nvhe/pkvm.h>

/* The blocks that are shared as a whole. */
#define NP_BLOCK_LEVEL		(KVM_PGTABLE_LAST_LEVEL - 1)
#define NP_BLOCK_SIZE		kvm_granule_size(NP_BLOCK_LEVEL)

/**
 * struct np_unshared_run - What an unshare call took away from a guest.
 * @pfn:	The first page, host physical.
 * @nr_granules: How many, 0 if there was nothing.
 */
struct np_unshared_run {
	u64 pfn;
	u64 nr_granules;
};

void np_init_mm_ops(struct kvm_pgtable_mm_ops *mm_ops);

int __pkvm_host_share_guest(u64 pfn, u64 gfn, u64 nr_granules, u64 prot,
			    struct pkvm_hyp_vcpu *vcpu);
int __pkvm_host_relax_perms_guest(u64 gfn, u64 prot, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_host_mkyoung_guest(u64 gfn, struct pkvm_hyp_vcpu *vcpu, u64 *pfn);

s64 __pkvm_host_unshare_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
			      struct np_unshared_run *taken);
s64 __pkvm_host_unshare_guest_all(pkvm_handle_t handle, u64 gfn, u64 *nr_taken);
s64 __pkvm_host_wrprotect_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);
s64 __pkvm_host_test_clear_young_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
				       bool mkold, bool *young);
int __pkvm_tlb_flush_vmid(pkvm_handle_t handle);

#endif /* __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__ */
