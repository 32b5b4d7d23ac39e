// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's TLB invalidations for stage-2 page tables, as functions that KUnit can stub. Built
 * only with CONFIG_KUNIT; see asm/kvm_pgtable_tlb.h for what they are otherwise.
 */
#include <kunit/static_stub.h>
#include <kunit/visibility.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable_tlb.h>

void kvm_pgtable_tlbi_vmid(struct kvm_s2_mmu *mmu)
{
	KUNIT_STATIC_STUB_REDIRECT(kvm_pgtable_tlbi_vmid, mmu);
	kvm_call_hyp(__kvm_tlb_flush_vmid, mmu);
}
EXPORT_SYMBOL_IF_KUNIT(kvm_pgtable_tlbi_vmid);

void kvm_pgtable_tlbi_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	KUNIT_STATIC_STUB_REDIRECT(kvm_pgtable_tlbi_ipa, mmu, ipa, level);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa, mmu, ipa, level);
}
EXPORT_SYMBOL_IF_KUNIT(kvm_pgtable_tlbi_ipa);

void kvm_pgtable_tlbi_ipa_nsh(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	KUNIT_STATIC_STUB_REDIRECT(kvm_pgtable_tlbi_ipa_nsh, mmu, ipa, level);
	kvm_call_hyp(__kvm_tlb_flush_vmid_ipa_nsh, mmu, ipa, level);
}
EXPORT_SYMBOL_IF_KUNIT(kvm_pgtable_tlbi_ipa_nsh);

void kvm_pgtable_tlbi_range(struct kvm_s2_mmu *mmu, phys_addr_t start, unsigned long pages)
{
	KUNIT_STATIC_STUB_REDIRECT(kvm_pgtable_tlbi_range, mmu, start, pages);
	kvm_call_hyp(__kvm_tlb_flush_vmid_range, mmu, start, pages);
}
EXPORT_SYMBOL_IF_KUNIT(kvm_pgtable_tlbi_range);
