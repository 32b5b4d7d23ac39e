// SPDX-License-Identifier: GPL-2.0-only
/*
 * Entries of a stage-2 by hand: what every fault and most calls of a guest do to
 * one granule or to a run of them, without a visitor and callbacks. Whole ranges
 * of unknown shape are kvm_pgtable_walk()'s.
 *
 * All of it is done under the lock of the stage-2. TLB maintenance is the
 * caller's, for a run at once.
 */

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_check.h>

#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>

static u64 s2_index(u64 addr, s8 level)
{
	return (addr >> kvm_granule_shift(level)) % PTRS_PER_PTE;
}

/**
 * s2_find_pte() - Find the entry that maps an address, or could
 * @pgt: a stage-2, whose lock is held until @entry has served its purpose.
 * @addr: the address in its input space.
 * @entry: what is found, valid or not.
 *
 * Return: 0; -ERANGE if @addr lies beyond the input space; -EINVAL if the stage-2
 * has been torn down.
 */
int s2_find_pte(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry)
{
	s8 level = pgt->start_level;
	kvm_pte_t *table = (kvm_pte_t *)pgt->pgd;
	/* The tables of the first level may be several, one behind the other. */
	u64 idx = addr >> kvm_granule_shift(level);

	if (addr >= BIT(pgt->ia_bits))
		return -ERANGE;

	if (!table)
		return -EINVAL;

	entry->addr = addr;
	for (;;) {
		entry->ptep = &table[idx];
		entry->pte = READ_ONCE(*entry->ptep);
		entry->level = level;

		if (level == KVM_PGTABLE_LAST_LEVEL ||
		    (entry->pte & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return 0;

		table = pgt->mm_ops->phys_to_virt(kvm_pte_to_phys(entry->pte));
		level++;
		idx = s2_index(addr, level);
	}
}

/**
 * s2_near_pte() - Find an entry that may be near the last one
 * @pgt: as for s2_find_pte(); its lock was not dropped since the last entry was found.
 * @addr: the address in its input space.
 * @entry: the last entry, zero before the first; becomes the one for @addr.
 *
 * No walk if both are in the same table of the last level.
 *
 * Return: as s2_find_pte().
 */
int s2_near_pte(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry)
{
	u64 table = ~(kvm_granule_size(KVM_PGTABLE_LAST_LEVEL - 1) - 1);

	if (!entry->ptep || entry->level != KVM_PGTABLE_LAST_LEVEL || (addr ^ entry->addr) & table)
		return s2_find_pte(pgt, addr, entry);

	entry->ptep += (s64)(addr - entry->addr) >> kvm_granule_shift(KVM_PGTABLE_LAST_LEVEL);
	entry->pte = READ_ONCE(*entry->ptep);
	entry->addr = addr;

	return 0;
}

/* What a visitor that comes to an entry is told of it. */
static struct kvm_pgtable_visit_ctx s2_visit(struct kvm_pgtable *pgt, const struct s2_pte *entry)
{
	return (struct kvm_pgtable_visit_ctx) {
		.ptep	= entry->ptep,
		.old	= entry->pte,
		.mm_ops	= pgt->mm_ops,
		.addr	= entry->addr,
		.level	= entry->level,
	};
}

/*
 * Whether an entry holds a reference on its table. In a guest's table every entry that
 * is not zero does. In the host's, the default mappings do not; this file writes no
 * valid entry of the host's that is not a default mapping, so "valid" answers the
 * question there without computing the default. Debug builds check that.
 */
static bool s2_counts(struct kvm_pgtable *pgt, kvm_pte_t pte, s8 level)
{
	bool counts = kvm_pte_valid(pte) ? !pgt->mm_ops->pte_is_counted : pte;

	if (IS_ENABLED(CONFIG_NVHE_EL2_DEBUG) && pgt->mm_ops->pte_is_counted)
		WARN_ON(counts != pgt->mm_ops->pte_is_counted(pte, level));

	return counts;
}

/**
 * s2_set_pte() - Change an entry
 * @pgt: the stage-2.
 * @entry: the entry as it was found; is brought up to date.
 * @pte: what it shall be.
 *
 * Keeps the count of the table, which stays even if nothing counts in it any more. It
 * changes under the lock of the stage-2 alone, so the pool's is not needed. A valid
 * entry that becomes another valid one is for the caller to break first, unless
 * permissions, the access flag or software bits are all that changes.
 */
void s2_set_pte(struct kvm_pgtable *pgt, struct s2_pte *entry, kvm_pte_t pte)
{
	bool counted = s2_counts(pgt, entry->pte, entry->level);
	bool counts = s2_counts(pgt, pte, entry->level);
	struct kvm_pgtable_visit_ctx ctx = s2_visit(pgt, entry);

	if (counts && !counted)
		hyp_page_ref_inc(hyp_virt_to_page(entry->ptep));

	pgtable_check_write(&ctx, pte);
	entry->pte = pte;
	WRITE_ONCE(*entry->ptep, pte);

	if (counted && !counts)
		hyp_page_ref_dec(hyp_virt_to_page(entry->ptep));
}

/**
 * s2_clear_visited() - Make an entry empty that a walk has come to
 * @ctx: the visit, of an entry that counts.
 *
 * What TLBs have of it, and the table that it may lead to, are the caller's.
 */
void s2_clear_visited(const struct kvm_pgtable_visit_ctx *ctx)
{
	pgtable_check_write(ctx, 0);
	WRITE_ONCE(*ctx->ptep, 0);
	ctx->mm_ops->put_page(ctx->ptep);
}

/**
 * s2_unlink_empty() - Unlink a table that a walk has left, if nothing counts in it
 * @ctx: the visit, of the table's entry.
 *
 * Return: the table, which TLBs may walk until they are invalidated, and which is the
 * caller's to put then; NULL if it stays.
 */
void *s2_unlink_empty(const struct kvm_pgtable_visit_ctx *ctx)
{
	void *table = ctx->mm_ops->phys_to_virt(kvm_pte_to_phys(ctx->old));

	if (ctx->mm_ops->page_count(table) != 1)
		return NULL;

	s2_clear_visited(ctx);

	return table;
}

/**
 * s2_push_down() - Put a table in place of an invalid entry
 * @pgt: the stage-2.
 * @addr: an address that the entry covers.
 * @entry: the entry, above the last level; becomes the one of the table for @addr.
 * @mc: the memcache that pays for the table.
 *
 * All entries of the table say what the entry said. No TLB has anything of it.
 *
 * Return: 0; -ENOMEM, with nothing changed, if @mc is empty.
 */
int s2_push_down(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry, void *mc)
{
	struct kvm_pgtable_visit_ctx ctx = s2_visit(pgt, entry);
	struct kvm_pgtable_mm_ops *mm_ops = pgt->mm_ops;
	kvm_pte_t *table = mm_ops->zalloc_page(mc);
	unsigned int i;
	kvm_pte_t pte;

	if (!table)
		return -ENOMEM;

	if (!entry->pte)
		mm_ops->get_page(entry->ptep);

	for (i = 0; entry->pte && i < PTRS_PER_PTE; i++) {
		table[i] = entry->pte;
		mm_ops->get_page(&table[i]);
	}

	pte = kvm_phys_to_pte(mm_ops->virt_to_phys(table)) | PMD_TYPE_TABLE;
	pgtable_check_write(&ctx, pte);
	/* The walker must not see the table before its entries. */
	smp_store_release(entry->ptep, pte);

	entry->level++;
	entry->addr = addr;
	entry->ptep = &table[s2_index(addr, entry->level)];

	return 0;
}
