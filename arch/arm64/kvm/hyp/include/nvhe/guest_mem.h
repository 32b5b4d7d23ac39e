/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest as a component that owns memory, beside host and hypervisor. See
 * guest_mem.c and guest_reclaim.c for the transitions and their rules.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_MEM_H__
#define __ARM64_KVM_NVHE_GUEST_MEM_H__

#include <asm/kvm_pgtable.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>

/*
 * The annotation in the host's entry for a page that went to a guest: beside the
 * owner, PKVM_ID_GUEST, the index of the VM and the granule of its IPA space.
 */
#define HOST_PTE_GUEST_IDX_MASK	GENMASK(23, 16)
#define HOST_PTE_GUEST_GFN_MASK	GENMASK(63, 24)

/* A guest's entry for an IPA whose page the host took by force: it gets no other. */
#define GUEST_PTE_POISONED	((kvm_pte_t)BIT(11))

/* The owner field of a guest's annotated entries. */
#define GUEST_OWNER_MMIO_GUARD	1

/* An entry of a stage-2, as long as its lock is held. */
struct s2_leaf {
	kvm_pte_t *ptep;
	kvm_pte_t pte;
	s8 level;
};

int s2_find_leaf(struct kvm_pgtable *pgt, u64 addr, struct s2_leaf *leaf);
enum pkvm_page_state guest_leaf_state(kvm_pte_t pte);

int __pkvm_host_donate_guest(u64 pfn, u64 gfn, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);

int __pkvm_reclaim_dying_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);
int __pkvm_host_force_reclaim(u64 pfn);

#endif /* __ARM64_KVM_NVHE_GUEST_MEM_H__ */
