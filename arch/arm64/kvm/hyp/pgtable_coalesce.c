// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frees stage-2 tables in which no entry is counted (kvm_pgtable_mm_ops::pte_is_counted):
 * all that they map can be rebuilt on demand, by a block where one fits.
 *
 * The refcount of a table page is one for the entry that points to it, and one for each
 * counted entry in it. An entry for a table is counted, so a table without counted entries
 * has no tables below it. The callers have exclusive access to the page table.
 */

#include <kunit/visibility.h>
#include <linux/limits.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_coalesce.h>

/**
 * stage2_nothing_counts() - Check whether a table can be freed when a walk leaves it
 * @ctx: the visitor's context for an entry of the table, after that was changed.
 * @pgt: the page table.
 *
 * Return: whether no entry of the table is counted, and @pgt frees such tables.
 */
bool stage2_nothing_counts(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_pgtable *pgt)
{
	return (pgt->flags & KVM_PGTABLE_S2_COALESCE) && ctx->mm_ops->page_count(ctx->ptep) == 1;
}

/**
 * stage2_update_count() - Update a table's refcount when an entry is replaced in place
 * @ctx: the visitor's context, whose @old is the old value of the entry.
 * @new: the new value; zero only if the old one is.
 */
void stage2_update_count(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t new)
{
	bool (*counts)(kvm_pte_t pte, s8 level) = ctx->mm_ops->pte_is_counted;

	if (!counts || counts(new, ctx->level) == counts(ctx->old, ctx->level))
		return;

	if (counts(new, ctx->level))
		ctx->mm_ops->get_page(ctx->ptep);
	else
		ctx->mm_ops->put_page(ctx->ptep);
}

static void *child_of(const struct kvm_pgtable_visit_ctx *ctx)
{
	return ctx->mm_ops->phys_to_virt(kvm_pte_to_phys(ctx->old));
}

static bool table_counts(const struct kvm_pgtable_visit_ctx *ctx)
{
	return ctx->mm_ops->page_count(child_of(ctx)) > 1;
}

/**
 * stage2_coalesce_table() - Free a table if none of its entries is counted
 * @ctx: the visitor's context for the entry that points to it.
 * @mmu: the MMU with the VMID for which all that the table mapped is invalidated in the TLBs.
 *
 * Return: 0, also if an entry is counted; -EAGAIN if another walk has locked the entry.
 */
int stage2_coalesce_table(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_s2_mmu *mmu)
{
	if (table_counts(ctx))
		return 0;

	if (!stage2_try_break_pte(ctx, mmu))
		return -EAGAIN;

	stage2_make_pte(ctx, 0);
	ctx->mm_ops->put_page(child_of(ctx));

	return 0;
}

struct coalesce_data {
	struct kvm_s2_mmu	*mmu;
	unsigned int		max;
	unsigned int		nr;
};

static int coalesce_walker(const struct kvm_pgtable_visit_ctx *ctx,
			   enum kvm_pgtable_walk_flags visit)
{
	struct coalesce_data *data = ctx->arg;

	if (data->nr == data->max)
		return -ENOSPC;

	if (table_counts(ctx))
		return 0;

	data->nr++;
	return stage2_coalesce_table(ctx, data->mmu);
}

/**
 * kvm_pgtable_stage2_coalesce() - Free the tables of a range in which no entry is counted
 * @pgt:	Page-table structure initialised by kvm_pgtable_stage2_init*().
 * @addr:	Intermediate physical address from which to look.
 * @size:	Size of the range.
 * @max:	The most tables to free.
 *
 * A table is freed as a whole, with what it maps outside of the range: all of it can
 * be rebuilt on demand. The caller must have exclusive access to the page-table.
 *
 * Return: The number of tables that were freed; 0 if the range is invalid.
 */
unsigned int kvm_pgtable_stage2_coalesce(struct kvm_pgtable *pgt, u64 addr, u64 size,
					 unsigned int max)
{
	struct coalesce_data data = {
		.mmu	= pgt->mmu,
		.max	= max,
	};
	struct kvm_pgtable_walker walker = {
		.cb	= coalesce_walker,
		.flags	= KVM_PGTABLE_WALK_TABLE_PRE | KVM_PGTABLE_WALK_TABLE_POST,
		.arg	= &data,
	};

	kvm_pgtable_walk(pgt, addr, size, &walker);

	return data.nr;
}
EXPORT_SYMBOL_IF_KUNIT(kvm_pgtable_stage2_coalesce);
