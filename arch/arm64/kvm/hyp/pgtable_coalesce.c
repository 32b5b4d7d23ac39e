// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stage-2 tables that go when nothing in them counts any more: all that they map can be
 * rebuilt on demand, by a block where one fits.
 *
 * The refcount of a table page is one for the entry that points to it, and one for each of
 * its own entries that counts. Tables count, so one in which nothing does has none below
 * it. What is done here is for one who holds the page table alone.
 */

#include <kunit/visibility.h>
#include <linux/limits.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_coalesce.h>

/**
 * stage2_nothing_counts() - Is a table worth a look, once the walk is over?
 * @ctx: a visit of one of its entries, which has been dealt with.
 * @pgt: the page table.
 *
 * Return: whether nothing counts in the table, and such tables are to go.
 */
bool stage2_nothing_counts(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_pgtable *pgt)
{
	return (pgt->flags & KVM_PGTABLE_S2_COALESCE) && ctx->mm_ops->page_count(ctx->ptep) == 1;
}

/**
 * stage2_update_count() - Keep a table's refcount when an entry is replaced in place
 * @ctx: the visit, whose @old is what the entry was.
 * @new: what it is, no more empty than before.
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
 * stage2_coalesce_table() - Take a table away if nothing counts in it
 * @ctx: the visit of the entry that points to it.
 * @mmu: for whom it is invalidated in the TLBs, with all that it mapped.
 *
 * Return: 0, also if something counts; -EAGAIN if another walk has the entry.
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
 * kvm_pgtable_stage2_coalesce() - Take away the tables of a range in which nothing counts
 * @pgt:	Page-table structure initialised by kvm_pgtable_stage2_init*().
 * @addr:	Intermediate physical address from which to look.
 * @size:	Size of the range.
 * @max:	The most tables to take away.
 *
 * A table goes as a whole, with what it maps out of the range: all of it can
 * be rebuilt on demand. The caller must hold the page-table for itself alone.
 *
 * Return: The number of tables that went; 0 if the range is invalid.
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
