// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's calls on a range of a non-protected VM: unshare the pages that
 * guest_np_share.c shared, write-protect them, or look at their access flags. The calls that
 * unshare also do so with the pages of windows of protected VMs, see guest_window.c.
 *
 * R4: a call acts on a handle.
 * R6: a call visits the entries of at most one table, and returns how far it got. The
 *     caller goes on from there.
 */

#include <linux/kvm_host.h>
#include <linux/limits.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_np.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_np_range.h>
#include <nvhe/guest_np_share.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_window.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>
#include <nvhe/vm_table.h>

/*
 * A range of a guest's IPA space, from @ipa to @end. One call visits the first @size bytes of
 * the range, which are in one table.
 */
struct np_range {
	struct pkvm_hyp_vm *vm;
	u64 ipa;
	u64 end;
	u64 size;
};

/*
 * Check the range, and take a reference to the VM: its teardown cannot begin before
 * np_range_end().
 */
static int np_range_begin(struct np_range *range, pkvm_handle_t handle, u64 gfn,
			  u64 nr_granules)
{
	u64 end = gfn + nr_granules;

	range->ipa = hyp_pfn_to_phys(gfn);
	range->end = hyp_pfn_to_phys(end);
	if (end <= gfn || hyp_phys_to_pfn(range->ipa) != gfn ||
	    hyp_phys_to_pfn(range->end) != end)
		return -EINVAL;

	range->size = min(range->end, ALIGN_DOWN(range->ipa, NP_BLOCK_SIZE) + NP_BLOCK_SIZE) -
		      range->ipa;

	range->vm = pkvm_get_hyp_vm(handle);
	if (!range->vm)
		return -ENOENT;

	if (range->end > BIT(range->vm->pgt.ia_bits)) {
		pkvm_put_hyp_vm(range->vm);
		return -ERANGE;
	}

	return 0;
}

static void np_range_end(struct np_range *range)
{
	pkvm_put_hyp_vm(range->vm);
}

/* How many granules of the range are done, if all of them before @next are. */
static s64 np_range_done(struct np_range *range, u64 next)
{
	return (min(next, range->end) - range->ipa) >> PAGE_SHIFT;
}

/*
 * The first pages that are shared in a range: one block, or pages whose IPAs are contiguous and
 * whose physical addresses are, too, upwards or downwards: one pfn and one count describe them.
 */
struct np_run {
	/* The first of its entries, and its IPA. */
	struct s2_pte entry;
	u64 ipa;
	u64 size;
	/* The lowest physical address. */
	u64 phys;

	/* The host shares nothing in the range before this IPA. */
	u64 next;
};

/* Count the pages of a run; @max are in the range, from the run's first entry on. */
static unsigned int np_run_length(struct np_run *run, unsigned int max)
{
	const kvm_pte_t *ptep = run->entry.ptep;
	kvm_pte_t pte = run->entry.pte;
	u64 step = PAGE_SIZE, next = run->phys;
	unsigned int nr;

	for (nr = 1; nr < max; nr++) {
		kvm_pte_t other = READ_ONCE(ptep[nr]);
		u64 phys = kvm_pte_to_phys(other);

		if (nr == 1 && phys == next - PAGE_SIZE)
			step = -PAGE_SIZE;

		next += step;
		if (phys != next || !guest_pte_is_borrowed(other) ||
		    (other ^ pte) & KVM_PTE_LEAF_ATTR_LO_S2_MEMATTR)
			break;
	}

	if (step != PAGE_SIZE)
		run->phys -= (nr - 1) * PAGE_SIZE;

	return nr;
}

/* Find the first run. Its size is 0 if nothing is shared before its @next. */
static int np_range_find_run(struct np_range *range, struct np_run *run)
{
	u64 size, end = range->ipa + range->size;
	struct s2_pte *entry = &run->entry;
	int ret;

	run->size = 0;
	ret = s2_find_pte(&range->vm->pgt, range->ipa, entry);
	if (ret)
		return ret;

	size = kvm_granule_size(entry->level);
	run->ipa = ALIGN_DOWN(range->ipa, size);
	run->next = run->ipa + size;
	if (entry->level == KVM_PGTABLE_LAST_LEVEL) {
		/* All of the range is in this table. */
		for (; !guest_pte_is_borrowed(entry->pte) && run->next < end; run->next += size)
			entry->pte = READ_ONCE(*++entry->ptep);
		run->ipa = run->next - size;
		entry->addr = run->ipa;
	}

	if (!guest_pte_is_borrowed(entry->pte))
		return 0;

	run->phys = kvm_pte_to_phys(entry->pte);
	run->size = size;
	if (entry->level == KVM_PGTABLE_LAST_LEVEL)
		run->size *= np_run_length(run, min((end - run->ipa) >> PAGE_SHIFT,
						    PKVM_UNSHARE_MAX_GRANULES));
	run->next = run->ipa + run->size;

	return 0;
}

static void np_pages_unshared(struct pkvm_hyp_vm *vm, u64 phys, u64 size)
{
	if (addr_is_memory(phys))
		host_unshare_pages(phys, size);

	if (vm->kvm.arch.pkvm.enabled)
		pvm_window_count(vm, -(s64)(size >> PAGE_SHIFT));
	else
		vm->state.nr_granules -= size >> PAGE_SHIFT;
}

/*
 * If nothing is shared by the entries of a table any more, unlink the table, and return it to
 * be freed. Otherwise return NULL.
 */
static void *np_unlink_table(struct pkvm_hyp_vm *vm, const struct kvm_pgtable_visit_ctx *ctx)
{
	struct s2_pte entry = {
		.ptep	= ctx->ptep,
		.pte	= ctx->old,
		.addr	= ctx->addr,
		.level	= ctx->level,
	};

	if (vm->kvm.arch.pkvm.enabled)
		return s2_pull_up(&vm->pgt, &entry, GUEST_PTE_GUARD);

	return s2_unlink_empty(ctx);
}

struct np_unshare {
	struct pkvm_hyp_vm *vm;
	u64 next;

	/* The tables that were unlinked: one of each level at most, as the range is in one. */
	void *table[KVM_PGTABLE_LAST_LEVEL - KVM_PGTABLE_FIRST_LEVEL];
	unsigned int nr_tables;
};

/*
 * Unshare the pages of each leaf, and unlink each table that is empty then. In a protected
 * guest's stage-2 a guard takes the place of each leaf, and a table of nothing but guards
 * becomes one larger guard.
 */
static int np_unshare_visitor(const struct kvm_pgtable_visit_ctx *ctx,
			      enum kvm_pgtable_walk_flags visit)
{
	u64 size = kvm_granule_size(ctx->level);
	struct np_unshare *drop = ctx->arg;
	void *table;

	if (visit == KVM_PGTABLE_WALK_TABLE_POST) {
		table = np_unlink_table(drop->vm, ctx);
		if (table)
			drop->table[drop->nr_tables++] = table;
		return 0;
	}

	drop->next = ALIGN_DOWN(ctx->addr, size) + size;
	if (!guest_pte_is_borrowed(ctx->old))
		return 0;

	np_pages_unshared(drop->vm, kvm_pte_to_phys(ctx->old), size);
	if (drop->vm->kvm.arch.pkvm.enabled)
		s2_set_visited(ctx, GUEST_PTE_GUARD);
	else
		s2_clear_visited(ctx);
	ghost_host_unshare_guest(drop->vm, kvm_pte_to_phys(ctx->old), drop->next - size, size);

	return 0;
}

/*
 * Unshare the pages in a range that is in one table at most. The TLBs are invalidated once: for
 * @ipa alone if the range is one entry (@one_pte), else for the whole VMID if anything has
 * changed. The unlinked tables are freed after that, as page-table walks may use them until
 * then.
 *
 * *@next is set to the end of the last entry that was visited.
 */
static int np_unshare(struct pkvm_hyp_vm *vm, u64 ipa, u64 size, bool one_pte, u64 *next)
{
	struct np_unshare drop = { .vm = vm };
	struct kvm_pgtable_walker walker = {
		.cb	= np_unshare_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF | KVM_PGTABLE_WALK_TABLE_POST,
		.arg	= &drop,
	};
	u64 nr_granules = vm->state.nr_granules;
	int ret;

	ret = kvm_pgtable_walk(&vm->pgt, ipa, size, &walker);
	*next = drop.next;

	/* Tables may have been unlinked as well, so the level is not known. */
	if (one_pte)
		__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, TLBI_TTL_UNKNOWN);
	else if (vm->state.nr_granules != nr_granules || drop.nr_tables)
		__kvm_tlb_flush_vmid(&vm->kvm.arch.mmu);

	while (drop.nr_tables)
		vm->mm_ops.put_page(drop.table[--drop.nr_tables]);

	return ret;
}

/* Check whether a table of the last level, with the entry at @ptep, is not needed any more. */
static bool np_table_is_idle(struct pkvm_hyp_vm *vm, kvm_pte_t *ptep)
{
	kvm_pte_t *table = PTR_ALIGN_DOWN(ptep, PAGE_SIZE);

	if (!vm->kvm.arch.pkvm.enabled)
		return vm->mm_ops.page_count(table) == 1;

	/* s2_pull_up() looks at the others. */
	return table[0] == GUEST_PTE_GUARD && table[PTRS_PER_PTE - 1] == GUEST_PTE_GUARD;
}

/* As np_unshare(), for a run of pages. */
static void np_unshare_pages(struct pkvm_hyp_vm *vm, const struct np_run *run)
{
	unsigned int nr = run->size >> PAGE_SHIFT, i;
	u64 next;

	np_pages_unshared(vm, run->phys, run->size);
	for (i = 0; i < nr; i++)
		ghost_host_unshare_guest(vm, kvm_pte_to_phys(run->entry.ptep[i]),
					 run->ipa + i * PAGE_SIZE, PAGE_SIZE);
	s2_set_run(&vm->pgt, &run->entry, nr, 1,
		   vm->kvm.arch.pkvm.enabled ? GUEST_PTE_GUARD : 0, 0);
	if (nr == 1)
		__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, run->ipa, KVM_PGTABLE_LAST_LEVEL);
	else
		__kvm_tlb_flush_vmid(&vm->kvm.arch.mmu);

	/* Nothing is shared in the run any more: this unlinks tables. */
	if (np_table_is_idle(vm, run->entry.ptep))
		WARN_ON(np_unshare(vm, run->ipa, PAGE_SIZE, false, &next));
}

/**
 * __pkvm_host_unshare_guest() - Unshare the first pages in a range of a guest
 * @handle: the VM, which may be dying. For a protected VM: only pages of windows are unshared.
 * @gfn: the IPA where the range begins, in granules.
 * @nr_granules: the length of the range.
 * @taken: set to the pages that were unshared: a block, which may begin before the range or
 *	   end behind it, or up to PKVM_UNSHARE_MAX_GRANULES pages whose IPAs and whose
 *	   physical addresses are contiguous; the latter may descend.
 *
 * Guest: SHARED_BORROWED => NOPAGE; GUARDED if it is protected
 * Host:  SHARED_OWNED    => SHARED_OWNED, count - 1; OWNED if that is 0
 *
 * When the function returns, no CPU has a TLB entry of the guest for the pages. Takes the
 * locks of host and guest.
 *
 * Return: the number of granules from @gfn on where the host shares nothing any more, at least
 * 1; -EINVAL for a range that is empty or wraps; -ENOENT for an unknown handle; -ERANGE if the
 * range goes beyond the IPA space.
 */
s64 __pkvm_host_unshare_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
			      struct np_unshared_run *taken)
{
	struct np_range range;
	struct np_run run;
	u64 next;
	int ret;

	taken->nr_granules = 0;

	ret = np_range_begin(&range, handle, gfn, nr_granules);
	if (ret)
		return ret;

	host_lock_component();
	guest_lock_component(range.vm);
	ret = np_range_find_run(&range, &run);
	if (run.size) {
		if (run.entry.level == KVM_PGTABLE_LAST_LEVEL)
			np_unshare_pages(range.vm, &run);
		else
			WARN_ON(np_unshare(range.vm, run.ipa, run.size, true, &next));
		taken->pfn = hyp_phys_to_pfn(run.phys);
		taken->nr_granules = run.size >> PAGE_SHIFT;
	}
	pvm_show_windows(range.vm);
	guest_unlock_component(range.vm);
	host_unlock_component();

	np_range_end(&range);

	return ret ?: np_range_done(&range, run.next);
}

/**
 * __pkvm_host_unshare_guest_all() - Unshare all pages in a part of a guest's IPA space
 * @handle: the VM, which may be dying. For a protected VM: only pages of windows are unshared.
 * @gfn: the IPA where the call begins, in granules.
 * @nr_taken: set to how many granules were unshared.
 *
 * As __pkvm_host_unshare_guest(), for a host that need not know which pages they are. Unshares
 * all pages in up to PKVM_UNSHARE_MAX_GRANULES granules, with one TLB invalidation. Takes the
 * locks of host and guest.
 *
 * Return: the number of granules from @gfn on where the host shares nothing any more, at least
 * 1; -EINVAL for a @gfn out of range; -ENOENT for an unknown handle; -ERANGE if @gfn lies
 * beyond the IPA space.
 */
s64 __pkvm_host_unshare_guest_all(pkvm_handle_t handle, u64 gfn, u64 *nr_taken)
{
	struct np_range range;
	u64 next;
	int ret;

	*nr_taken = 0;

	ret = np_range_begin(&range, handle, gfn, 1);
	if (ret)
		return ret;

	range.end = BIT(range.vm->pgt.ia_bits);
	range.size = min(range.end, ALIGN_DOWN(range.ipa, NP_BLOCK_SIZE) + NP_BLOCK_SIZE);
	range.size = min(range.size - range.ipa, PKVM_UNSHARE_MAX_GRANULES * PAGE_SIZE);

	host_lock_component();
	guest_lock_component(range.vm);
	*nr_taken = range.vm->state.nr_granules;
	ret = np_unshare(range.vm, range.ipa, range.size, false, &next);
	*nr_taken -= range.vm->state.nr_granules;
	pvm_show_windows(range.vm);
	guest_unlock_component(range.vm);
	host_unlock_component();

	np_range_end(&range);

	return ret ?: np_range_done(&range, next);
}

/*
 * Begin a call on a range of a live VM, as a dying one may have no stage-2 any more. Takes the
 * guest's lock on success. *@next is set to the end of the part that this call does,
 * range->size to the bytes to walk: 0 if there is no table.
 */
static int np_live_range_begin(struct np_range *range, pkvm_handle_t handle, u64 gfn,
			       u64 nr_granules, u64 *next)
{
	struct s2_pte entry;
	int ret;

	ret = np_range_begin(range, handle, gfn, nr_granules);
	if (ret)
		return ret;

	if (range->vm->kvm.arch.pkvm.enabled || READ_ONCE(range->vm->state.is_dying)) {
		ret = range->vm->kvm.arch.pkvm.enabled ? -EPERM : -ENOENT;
		np_range_end(range);
		return ret;
	}

	guest_lock_component(range->vm);
	WARN_ON(s2_find_pte(&range->vm->pgt, range->ipa, &entry));
	*next = range->ipa + range->size;
	if (!entry.pte && entry.level < KVM_PGTABLE_LAST_LEVEL) {
		*next = ALIGN_DOWN(range->ipa, kvm_granule_size(entry.level)) +
			kvm_granule_size(entry.level);
		range->size = 0;
	}

	return 0;
}

static s64 np_live_range_end(struct np_range *range, u64 next)
{
	guest_unlock_component(range->vm);
	np_range_end(range);

	return np_range_done(range, next);
}

/**
 * __pkvm_host_wrprotect_guest() - Remove the write permission in a range of a guest
 * @handle: the VM, alive and not protected.
 * @gfn: the IPA where the range begins, in granules.
 * @nr_granules: the length of the range.
 *
 * Does not invalidate TLBs, see __pkvm_tlb_flush_vmid(). Takes the guest's lock.
 *
 * Return: how many granules from @gfn on are done, at least 1; -EINVAL for a range that is
 * empty or wraps; -ENOENT for an unknown handle or a dying VM; -EPERM for a protected VM;
 * -ERANGE if the range goes beyond the IPA space.
 */
s64 __pkvm_host_wrprotect_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules)
{
	struct np_range range;
	u64 next;
	int ret;

	ret = np_live_range_begin(&range, handle, gfn, nr_granules, &next);
	if (ret)
		return ret;

	if (range.size)
		WARN_ON(kvm_pgtable_stage2_wrprotect(&range.vm->pgt, range.ipa, range.size));

	return np_live_range_end(&range, next);
}

/**
 * __pkvm_host_test_clear_young_guest() - Test and clear the access flags in a range of a guest
 * @handle: the VM, alive and not protected.
 * @gfn: the IPA where the range begins, in granules.
 * @nr_granules: the length of the range.
 * @mkold: whether to clear the flags.
 * @young: set to whether an access flag was set in the granules that are done.
 *
 * Does not invalidate TLBs, see __pkvm_tlb_flush_vmid(). Takes the guest's lock.
 *
 * Return: as __pkvm_host_wrprotect_guest().
 */
s64 __pkvm_host_test_clear_young_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
				       bool mkold, bool *young)
{
	struct np_range range;
	u64 next;
	int ret;

	*young = false;

	ret = np_live_range_begin(&range, handle, gfn, nr_granules, &next);
	if (ret)
		return ret;

	if (range.size)
		*young = kvm_pgtable_stage2_test_clear_young(&range.vm->pgt, range.ipa,
							     range.size, mkold);

	return np_live_range_end(&range, next);
}

/**
 * __pkvm_tlb_flush_vmid() - Invalidate all TLB entries of a guest, on all CPUs
 * @handle: the VM, not protected.
 *
 * Return: 0; -ENOENT for an unknown handle; -EPERM for a protected VM, for which EL2 alone
 * decides when to invalidate.
 */
int __pkvm_tlb_flush_vmid(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *vm = pkvm_get_hyp_vm(handle);
	int ret = 0;

	if (!vm)
		return -ENOENT;

	if (vm->kvm.arch.pkvm.enabled)
		ret = -EPERM;
	else
		__kvm_tlb_flush_vmid(&vm->kvm.arch.mmu);
	pkvm_put_hyp_vm(vm);

	return ret;
}
