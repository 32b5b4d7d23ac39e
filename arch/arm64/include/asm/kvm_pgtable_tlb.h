/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLB invalidation as the stage-2 page-table code asks for it.
 *
 * kvm_pgtable code runs at EL2 and in the host, where an invalidation is a hypercall that acts on
 * whatever VMID the kvm_s2_mmu holds. A KUnit test runs the same code on tables that no hardware
 * walks and has no VMID to invalidate: it puts a stub in the place of these four functions, which
 * is also how it sees that each invalidation comes before the entry that needs it. Without
 * CONFIG_KUNIT, and at EL2, they are the plain calls.
 */
#ifndef __ARM64_KVM_PGTABLE_TLB_H__
#define __ARM64_KVM_PGTABLE_TLB_H__

#include <linux/kvm_host.h>
#include <asm/kvm_asm.h>

#if IS_ENABLED(CONFIG_KUNIT) && !defined(__KVM_NVHE_HYPERVISOR__)

/**
 * kvm_pgtable_tlbi_vmid() - Invalidate all stage-1 and stage-2 entries of a VMID on all CPUs.
 * @mmu:	Stage-2 MMU that holds the VMID.
 */
void kvm_pgtable_tlbi_vmid(struct kvm_s2_mmu *mmu);

/**
 * kvm_pgtable_tlbi_ipa() - Invalidate the stage-2 entries of one IPA on all CPUs.
 * @mmu:	Stage-2 MMU that holds the VMID.
 * @ipa:	Intermediate physical address, in bytes.
 * @level:	Level of the leaf that held it, or TLBI_TTL_UNKNOWN.
 */
void kvm_pgtable_tlbi_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level);

/**
 * kvm_pgtable_tlbi_ipa_nsh() - Invalidate the stage-2 entries of one IPA on this CPU.
 * @mmu:	Stage-2 MMU that holds the VMID.
 * @ipa:	Intermediate physical address, in bytes.
 * @level:	Level of the leaf that held it, or TLBI_TTL_UNKNOWN.
 */
void kvm_pgtable_tlbi_ipa_nsh(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level);

/**
 * kvm_pgtable_tlbi_range() - Invalidate the stage-2 entries of a range of IPAs on all CPUs.
 * @mmu:	Stage-2 MMU that holds the VMID.
 * @start:	First intermediate physical address, in bytes.
 * @pages:	Length of the range, in pages.
 */
void kvm_pgtable_tlbi_range(struct kvm_s2_mmu *mmu, phys_addr_t start, unsigned long pages);

#else

static inline void kvm_pgtable_tlbi_vmid(struct kvm_s2_mmu *mmu)
{
	kvm_call_hyp(__kvm_tlb_flush_vmid, mmu);
}

static inline void kvm_pgtable_tlbi_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, ipa, level);
}

static inline void kvm_pgtable_tlbi_ipa_nsh(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa_nsh, mmu, ipa, level);
}

static inline void kvm_pgtable_tlbi_range(struct kvm_s2_mmu *mmu, phys_addr_t start,
					  unsigned long pages)
{
	kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, start, pages);
}

#endif
#endif /* __ARM64_KVM_PGTABLE_TLB_H__ */
