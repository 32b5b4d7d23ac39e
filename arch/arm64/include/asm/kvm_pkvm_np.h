/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-protected VMs on a host in protected mode. The hypervisor owns their stage-2, and the host
 * fills it by sharing pages with the VM. This file has the constants that both use, and the
 * host's functions that replace kvm_pgtable_stage2_*().
 */
#ifndef __ARM64_KVM_PKVM_NP_H__
#define __ARM64_KVM_PKVM_NP_H__

#include <linux/kvm_types.h>
#include <linux/types.h>

#include <asm/kvm_pgtable.h>

/*
 * The most granules that one call of __pkvm_host_unshare_guest() unshares, unless they are one
 * block, and that one of __pkvm_host_unshare_guest_all() visits (R6).
 */
#define PKVM_UNSHARE_MAX_GRANULES	128

#ifndef __KVM_NVHE_HYPERVISOR__

/*
 * In protected mode the hypervisor owns a stage-2, so the host makes hypercalls instead of
 * changing it. The name is as long as the one that it replaces, so that hooks change no
 * other lines.
 */
#define kvm_pgtable_s2_fn(op)	\
	(is_protected_kvm_enabled() ? pkvm_pgtable_stage2_##op : kvm_pgtable_stage2_##op)

int pkvm_pgtable_stage2_init(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu,
			     struct kvm_pgtable_mm_ops *mm_ops);
int pkvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			    enum kvm_pgtable_prot prot, void *mc,
			    enum kvm_pgtable_walk_flags flags);
int pkvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size);
int pkvm_pgtable_stage2_flush(struct kvm_pgtable *pgt, u64 addr, u64 size);
int pkvm_pgtable_stage2_wrprotect(struct kvm_pgtable *pgt, u64 addr, u64 size);
int pkvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot);
bool pkvm_pgtable_stage2_test_clear_young(struct kvm_pgtable *pgt, u64 addr, u64 size, bool mkold);
kvm_pte_t pkvm_pgtable_stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr);
void pkvm_np_unshare_all(struct kvm *kvm);
int pkvm_np_tlb_flush(struct kvm *kvm);

#endif /* !__KVM_NVHE_HYPERVISOR__ */

#endif /* __ARM64_KVM_PKVM_NP_H__ */
