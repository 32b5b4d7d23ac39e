// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLB invalidation for the pages that the host loses in a call, by ranges rather than page by
 * page. The host's stage-2 is an identity map, so pages that are contiguous in memory are one
 * range.
 *
 * R2: the new owner gets none of the pages before host_tlb_finish().
 */

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/host_tlb.h>
#include <nvhe/mem_protect.h>

/* If there are more runs, invalidate the host's whole VMID. */
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
 * host_tlb_add_pages() - Add pages whose TLB entries have to be invalidated
 * @run: the pages of the call so far.
 * @phys: physical address of the first page. The entries of all of them in the host's stage-2
 *	  were valid, and of the last level.
 * @nr_pages: how many.
 *
 * The caller holds the host's lock, until host_tlb_finish(). The pages may also precede the run:
 * pages that the host has allocated one after the other often have descending addresses.
 */
void host_tlb_add_pages(struct host_tlb_run *run, u64 phys, unsigned int nr_pages)
{
	u64 size = nr_pages * PAGE_SIZE;

	if (phys == run->end) {
		run->end += size;
	} else if (phys + size == run->start) {
		run->start -= size;
	} else {
		if (run->nr < MAX_RUNS)
			flush_run(run);
		run->nr++;
		run->start = phys;
		run->end = phys + size;
	}
}

/**
 * host_tlb_finish() - Invalidate the TLB entries that are left
 * @run: the pages of the call.
 *
 * Afterwards no CPU has a TLB entry of the host for any page of the call.
 */
void host_tlb_finish(const struct host_tlb_run *run)
{
	if (run->nr > MAX_RUNS)
		__kvm_tlb_flush_vmid(&host_mmu.arch.mmu);
	else
		flush_run(run);
}
