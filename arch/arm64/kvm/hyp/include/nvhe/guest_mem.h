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

/*
 * The most granules that a guest's call on a range does, or entries that it looks
 * at, with interrupts off (R6).
 */
#define PVM_RANGE_MAX	256

/**
 * guest_pte_state() - The guest's half of the state of a page
 * @pte: the guest's entry for it, whose software bits hold the state.
 *
 * Return: the state; PKVM_NOPAGE for any entry that is not valid.
 */
static inline enum pkvm_page_state guest_pte_state(kvm_pte_t pte)
{
	return kvm_pte_valid(pte) ? FIELD_GET(PKVM_PAGE_STATE_PROT_MASK, pte) : PKVM_NOPAGE;
}

/* Tell the host what is where, for its statistics. Under the guest's lock. */
static inline void pvm_show_memory(struct pkvm_hyp_vm *vm)
{
	struct pkvm_vm_stat *stat = &vm->host_kvm->stat.protected;

	stat->bytes_private = vm->state.nr_private << PAGE_SHIFT;
	stat->bytes_shared = vm->state.nr_shared << PAGE_SHIFT;
	stat->bytes_guarded = vm->state.nr_guarded << PAGE_SHIFT;
	stat->bytes_relinquished = vm->state.nr_relinquished << PAGE_SHIFT;
}

bool guest_pte_is_guard(kvm_pte_t pte);

kvm_pte_t host_guest_pte(struct pkvm_hyp_vm *vm, u64 ipa);
int host_annotate_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);
void pvm_clean_granule(phys_addr_t phys);
void pvm_zero_granule(phys_addr_t phys);

int __pkvm_host_donate_guest(u64 pfn, u64 gfn, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_check_place(u64 gfn, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_relinquish_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);

int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			    u64 *nr_shared);
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			      u64 *nr_unshared);

int __pkvm_host_hold_page(u64 pfn);
int __pkvm_host_release_page(u64 pfn);

int __pkvm_reclaim_dying_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);
int __pkvm_host_force_reclaim(u64 pfn);

#endif /* __ARM64_KVM_NVHE_GUEST_MEM_H__ */
