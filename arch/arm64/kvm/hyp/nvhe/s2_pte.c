// SPDX-License-Identifier: GPL-2.0-only
/*
 * Finds and changes single entries of a stage-2, without a visitor and callbacks:
 * every fault of a guest, and most of its calls, are about one granule or a few that
 * follow each other. Ranges that may hold tables and blocks of any size are left to
 * kvm_pgtable_walk().
 *
 * The caller holds the lock of the stage-2, and does the TLB maintenance, at once for
 * all entries that it changes.
 */

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_check.h>

#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>

static u64 s2_index(u64 addr, s8 level)
{
	return (addr >> kvm_granule_shift(level)) % PTRS_PER_PTE;
}

static inline int s2_find(struct kvm_pgtable *pgt, u64 addr, s8 last, struct s2_pte *entry)
{
	s8 level = pgt->start_level;
	kvm_pte_t *table = (kvm_pte_t *)pgt->pgd;
	/* The first level may consist of several concatenated tables. */
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

		if (level == last || (entry->pte & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return 0;

		/* What phys_to_virt() of all tables at EL2 is. */
		table = hyp_phys_to_virt(kvm_pte_to_phys(entry->pte));
		level++;
		idx = s2_index(addr, level);
	}
}

/**
 * s2_find_pte() - Find the leaf entry for an address
 * @pgt: a stage-2; the caller holds its lock for as long as it uses @entry.
 * @addr: the address in its input space.
 * @entry: set to the entry, valid or not.
 *
 * Return: 0; -ERANGE if @addr lies beyond the input space; -EINVAL if the stage-2
 * has been torn down.
 */
int s2_find_pte(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry)
{
	return s2_find(pgt, addr, KVM_PGTABLE_LAST_LEVEL, entry);
}

/**
 * s2_find_pte_above() - Find the entry for an address, down to a level
 * @pgt: as for s2_find_pte().
 * @addr: the address in its input space.
 * @level: the last level to look at, not above the first one of @pgt.
 * @entry: set to the entry; at @level, it may lead to a table.
 *
 * Return: as s2_find_pte().
 */
int s2_find_pte_above(struct kvm_pgtable *pgt, u64 addr, s8 level, struct s2_pte *entry)
{
	return s2_find(pgt, addr, level, entry);
}

/**
 * s2_near_pte() - Find the leaf entry for an address, starting from the last one found
 * @pgt: as for s2_find_pte(); its lock was not dropped since the last entry was found.
 * @addr: the address in its input space.
 * @entry: the last entry found, all zero if there is none; set to the one for @addr.
 *
 * If both entries are in the same table of the last level, no walk is needed.
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

/* The context that kvm_pgtable_walk() would pass to a visitor of this entry. */
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
 * is not zero does. In the host's, default mappings do not. This file writes no other
 * valid entries there, so that a valid entry of the host's never does; debug builds
 * check this against pte_is_counted().
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
 * @entry: the entry as it was found; updated.
 * @pte: the new value.
 *
 * Updates the table's reference count, but keeps the table even if no entry in it holds
 * a reference any more. The count changes only under the lock of the stage-2, so the
 * page pool's lock is not needed. Before a valid entry becomes another valid one, the
 * caller makes it invalid and invalidates the TLBs (break-before-make), unless only
 * permissions, the access flag or software bits change.
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

/* In debug builds: check a change of an entry of a run, and which values hold a reference. */
static void check_run(struct kvm_pgtable *pgt, struct s2_pte *entry, kvm_pte_t pte, bool counted,
		      bool counts)
{
	struct kvm_pgtable_visit_ctx ctx;

	if (!IS_ENABLED(CONFIG_NVHE_EL2_DEBUG))
		return;

	entry->pte = READ_ONCE(*entry->ptep);
	WARN_ON(s2_counts(pgt, entry->pte, entry->level) != counted ||
		s2_counts(pgt, pte, entry->level) != counts);
	ctx = s2_visit(pgt, entry);
	pgtable_check_write(&ctx, pte);
}

/**
 * s2_set_run() - Change entries of one table that follow each other
 * @pgt: the stage-2.
 * @first: the first of them, as it was found, at the last level. Not updated.
 * @nr: how many. Either all of them hold a reference on the table, or none does.
 * @step: 1 if they follow by ascending addresses, -1 if by descending ones.
 * @pte: the new value of the first one. It is either valid, as those of the others, or none is.
 * @inc: by how much the value of each one exceeds that of the one before.
 *
 * As s2_set_pte() for each of them.
 */
void s2_set_run(struct kvm_pgtable *pgt, const struct s2_pte *first, unsigned int nr, int step,
		kvm_pte_t pte, kvm_pte_t inc)
{
	bool counted = s2_counts(pgt, first->pte, first->level);
	bool counts = s2_counts(pgt, pte, first->level);
	struct hyp_page *table = hyp_virt_to_page(first->ptep);
	struct s2_pte entry = *first;
	unsigned int i;

	if (counts && !counted) {
		WARN_ON(table->refcount > USHRT_MAX - nr);
		table->refcount += nr;
	}

	for (i = 0; i < nr; i++) {
		check_run(pgt, &entry, pte, counted, counts);
		WRITE_ONCE(*entry.ptep, pte);

		entry.ptep += step;
		entry.addr += step * (s64)PAGE_SIZE;
		pte += inc;
	}

	if (counted && !counts) {
		WARN_ON(table->refcount < nr);
		table->refcount -= nr;
	}
}

/**
 * s2_set_sw_bits() - Change software bits of valid entries that follow each other in one table
 * @pgt: the stage-2.
 * @first: the first of them, as it was found, at the last level. Not updated.
 * @nr: how many.
 * @mask: the bits to change. Hardware ignores them, so that the TLBs need no maintenance.
 * @bits: their new value.
 */
void s2_set_sw_bits(struct kvm_pgtable *pgt, const struct s2_pte *first, unsigned int nr,
		    kvm_pte_t mask, kvm_pte_t bits)
{
	struct s2_pte entry = *first;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		kvm_pte_t pte = (READ_ONCE(*entry.ptep) & ~mask) | bits;

		check_run(pgt, &entry, pte, true, true);
		WRITE_ONCE(*entry.ptep, pte);

		entry.ptep++;
		entry.addr += PAGE_SIZE;
	}
}

/**
 * s2_clear_visited() - Clear the entry that a visitor is called for
 * @ctx: the visitor's context; the entry holds a reference on its table.
 *
 * The caller invalidates the TLBs, if they may hold the entry, and frees the table to
 * which it may point.
 */
void s2_clear_visited(const struct kvm_pgtable_visit_ctx *ctx)
{
	pgtable_check_write(ctx, 0);
	WRITE_ONCE(*ctx->ptep, 0);
	ctx->mm_ops->put_page(ctx->ptep);
}

/**
 * s2_set_visited() - Replace an entry that counts with an invalid one that counts
 * @ctx: the context of a visitor, for the entry.
 * @pte: the new entry.
 *
 * The caller invalidates the TLBs.
 */
void s2_set_visited(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t pte)
{
	pgtable_check_write(ctx, pte);
	WRITE_ONCE(*ctx->ptep, pte);
}

/**
 * s2_unlink_empty() - Unlink a table if none of its entries holds a reference on it
 * @ctx: the context of a KVM_PGTABLE_WALK_TABLE_POST visitor, for the table's entry.
 *
 * Return: the table, which CPUs may walk until the caller has invalidated the TLBs and
 * which the caller then puts; NULL if the table stays.
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
 * @entry: the entry, above the last level; set to the table's entry for @addr.
 * @mc: the memcache that the table is taken from.
 *
 * Every entry of the table gets the value of the replaced entry. That one is invalid,
 * so no TLB holds it.
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
	/* A CPU that walks the tables must not see the new table before its entries. */
	smp_store_release(entry->ptep, pte);

	entry->level++;
	entry->addr = addr;
	entry->ptep = &table[s2_index(addr, entry->level)];

	return 0;
}

/**
 * s2_pull_up() - Put an invalid entry in place of a table whose entries all equal it
 * @pgt: the stage-2.
 * @entry: the entry of the table; brought up to date.
 * @pte: what each entry of the table has to be, not zero.
 *
 * Undoes s2_push_down().
 *
 * Return: the table, which CPUs may walk until the caller has invalidated the TLBs and which
 * the caller then puts; NULL, with nothing changed, if an entry of it has another value.
 */
void *s2_pull_up(struct kvm_pgtable *pgt, struct s2_pte *entry, kvm_pte_t pte)
{
	kvm_pte_t *table = pgt->mm_ops->phys_to_virt(kvm_pte_to_phys(entry->pte));
	struct hyp_page *page = hyp_virt_to_page(table);
	unsigned int i;

	for (i = 0; i < PTRS_PER_PTE; i++) {
		if (READ_ONCE(table[i]) != pte)
			return NULL;
	}

	s2_set_pte(pgt, entry, pte);
	/* Drop the references of the table's entries. The caller puts the one of its parent. */
	for (i = 0; i < PTRS_PER_PTE; i++)
		hyp_page_ref_dec(page);

	return table;
}
