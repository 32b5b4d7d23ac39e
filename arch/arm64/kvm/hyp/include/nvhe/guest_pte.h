/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entries for a guest's pages: those in its own stage-2, and those in the host's.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_PTE_H__
#define __ARM64_KVM_NVHE_GUEST_PTE_H__

#include <asm/kvm_pgtable.h>

#include <nvhe/mem_protect.h>

/*
 * The annotation in the host's entry for a page that went to a guest: beside the
 * owner, PKVM_ID_GUEST, the index of the VM and the granule of its IPA space.
 */
#define HOST_PTE_GUEST_IDX_MASK	GENMASK(23, 16)
#define HOST_PTE_GUEST_GFN_MASK	GENMASK(63, 24)

/* A guest's entry for an IPA whose page the host reclaimed by force: it takes no other page. */
#define GUEST_PTE_POISONED	((kvm_pte_t)BIT(11))

/* The owner field of a guest's annotated entries, and the entry of a guard. */
#define GUEST_OWNER_MMIO_GUARD	1
#define GUEST_PTE_GUARD		FIELD_PREP(KVM_INVALID_PTE_OWNER_MASK, GUEST_OWNER_MMIO_GUARD)

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

/**
 * guest_pte_is_guard() - Is this a guard?
 * @pte: a guest's entry.
 *
 * Return: true if so.
 */
static inline bool guest_pte_is_guard(kvm_pte_t pte)
{
	return !kvm_pte_valid(pte) &&
	       FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, pte) == GUEST_OWNER_MMIO_GUARD;
}

/**
 * guest_pte_is_borrowed() - Is this a page that the host shares with the guest?
 * @pte: a guest's entry that leads to no table.
 *
 * All pages of a non-protected guest are; of a protected one those of windows.
 *
 * Return: true if so.
 */
static inline bool guest_pte_is_borrowed(kvm_pte_t pte)
{
	return guest_pte_state(pte) == PKVM_PAGE_SHARED_BORROWED;
}

#endif /* __ARM64_KVM_NVHE_GUEST_PTE_H__ */
