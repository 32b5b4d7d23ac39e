// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tables of the host's stage-2: which entries hold a reference on their table, and when
 * a table is freed.
 *
 * The host's stage-2 is an identity map that is built by faults. Default mappings can be
 * rebuilt at any time, so a table with nothing else in it is not needed: when the last page
 * that had another owner returns to the host, the table is freed, and the host's next access
 * maps the largest block that fits. The walks that do so are in pgtable.c; the functions
 * here answer their questions about the host's page table.
 *
 * R6: tables that map only MMIO are recycled in bounded steps.
 * R7: annotating a page never fails for want of a table: host_s2_pgtable_pages() makes the
 *     pool large enough.
 *
 * In the worst case no two neighbouring pages of memory are in the same state, so that
 * every table that covers memory exists. At each level below the pgd a region lies in one
 * table more than its size asks for if it crosses a border. __hyp_pgtable_max_pages()
 * counts five levels, at least two of which, the pgd's and what is above it, need no
 * tables of their own: these pages make up for the last two levels. There is a third level
 * below the pgd only where that is at level 0, with 4K pages. To have one more table there
 * a region has to cross a border of 512 GiB; at most HYP_MEMBLOCK_REGIONS do so, and the
 * tables of 1 GiB of MMIO, which give way on demand, are four times as many.
 */

#include <asm/kvm_pkvm.h>
#include <asm/kvm_pkvm_host_s2.h>

#include <nvhe/host_stage2.h>
#include <nvhe/mem_protect.h>

/* The most tables that one step of recycling takes from MMIO. */
#define RECYCLE_MAX_TABLES	16

#ifdef CONFIG_PKVM_STAGE2_DEBUG
bool host_stage2_keep_tables;
#endif

/**
 * host_stage2_flags() - Choose whether tables of the host's stage-2 are freed again
 *
 * Return: flags for __kvm_pgtable_stage2_init(), beside KVM_HOST_S2_FLAGS.
 */
enum kvm_pgtable_stage2_flags host_stage2_flags(void)
{
	return host_stage2_keep_tables ? 0 : KVM_PGTABLE_S2_COALESCE;
}

/**
 * host_stage2_pte_is_counted() - Check whether an entry holds a reference on its table
 * @pte: the entry.
 * @level: the level of its table.
 *
 * Return: see pkvm_host_s2_counts().
 */
bool host_stage2_pte_is_counted(kvm_pte_t pte, s8 level)
{
	return pkvm_host_s2_counts(pte, level, addr_is_memory);
}

/**
 * host_stage2_recycle() - Free some of the tables that map only MMIO
 *
 * The pool has a page for every table that memory may need, but not for all of the MMIO
 * space, which uses the pages that are left. MMIO whose table is freed is mapped again on
 * demand. The host's lock is held.
 *
 * Return: true if enough tables were freed to map one page of memory; if false, it is no
 * use for a caller that needs a page to try again.
 */
bool host_stage2_recycle(void)
{
	unsigned int nr;

	hyp_assert_lock_held(&host_mmu.lock);
	nr = pkvm_host_s2_recycle(&host_mmu.pgt, hyp_memory, hyp_memblock_nr,
				  RECYCLE_MAX_TABLES);

	return nr >= KVM_PGTABLE_LAST_LEVEL - host_mmu.pgt.start_level;
}
