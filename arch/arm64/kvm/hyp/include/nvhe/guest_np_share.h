/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host shares pages with non-protected VMs, see guest_np_share.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__
#define __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__

#include <asm/kvm_pgtable.h>

#include <nvhe/pkvm.h>

/* Blocks of this level can be shared by one entry. */
#define NP_BLOCK_LEVEL		(KVM_PGTABLE_LAST_LEVEL - 1)
#define NP_BLOCK_SIZE		kvm_granule_size(NP_BLOCK_LEVEL)

void np_init_mm_ops(struct kvm_pgtable_mm_ops *mm_ops);

int __pkvm_host_share_guest(u64 pfn, u64 gfn, u64 nr_granules, u64 prot,
			    struct pkvm_hyp_vcpu *vcpu);
int __pkvm_host_relax_perms_guest(u64 gfn, u64 prot, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_host_mkyoung_guest(u64 gfn, struct pkvm_hyp_vcpu *vcpu, u64 *pfn);

#endif /* __ARM64_KVM_NVHE_GUEST_NP_SHARE_H__ */
