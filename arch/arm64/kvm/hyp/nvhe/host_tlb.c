// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB invalidation for pages that the host loses, of all pages of a call: by ranges, not
 * one by one. The host's stage-2 is an identity map, so pages that lie side by side in
 * memory are one range.
 *
 * R2: the new owner has none of the pages before host_tlb_finish().
 */

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/host_tlb.h>
#include <nvhe/mem_protect.h>

/* Above this many runs, invalidate the host's whole VMID instead. */
#define MAX_RUNS	8

static void flush_run(const struct host_tlb_run *run)
{
	unsigned long nr_pages = (run->end - run->start) >> PAGE_SHIFT;

	if (nr_pages == 1)
		__kvm_tlb_flush_vmid_ipa(&host_mmu.arch.mmu, run->start,
					 KVM_PGTABLE_LAST_LEVEL);
	else if (nr_pages)
		__kvm_tlb_flush_vmid_range(&host_mmu.arch.mmu, run->start, nr_pages);
}

/**
 * host_tlb_add_page() - Have a page invalidated by the end of the call
 * @run: the pages so far.
 * @phys: the page, whose entry of the last level in the host's stage-2 was valid. The
 *	  host's lock is held until host_tlb_finish().
 *
 * A host's pages that were allocated one after the other often lie in front of each other.
 */
void host_tlb_add_page(struct host_tlb_run *run, u64 phys)
{
	if (phys == run->end) {
		run->end += PAGE_SIZE;
	} else if (phys + PAGE_SIZE == run->start) {
		run->start -= PAGE_SIZE;
	} else {
		if (run->nr < MAX_RUNS)
			flush_run(run);
		run->nr++;
		run->start = phys;
		run->end = phys + PAGE_SIZE;
	}
}

/**
 * host_tlb_finish() - Invalidate what is left
 * @run: the pages of the call.
 *
 * No CPU has a TLB entry of the host for any of them afterwards.
 */
void host_tlb_finish(const struct host_tlb_run *run)
{
	if (run->nr > MAX_RUNS)
		__kvm_tlb_flush_vmid(&host_mmu.arch.mmu);
	else
		flush_run(run);
}
