// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO guard: a protected guest decides which of its IPAs are MMIO. Once the guest
 * has enrolled, EL2 shows the host what an access does only where the guest has put a
 * guard. At any other IPA the host learns only that a page is missing.
 *
 * Guards are invalid, annotated leaves in the guest's stage-2, each as large as
 * alignment and range allow.
 *
 * R1: a guarded IPA has no memory: the entry for an IPA is either a guard or a mapping.
 * R6: a call looks at PVM_RANGE_MAX entries at most, and returns how far it got.
 * R7: before a guard is put or split, EL2 counts the pages for tables that this needs. If
 *     the vCPU's memcache has fewer, the call ends there. If it has done nothing yet, EL2
 *     asks the host for the pages, and then repeats the guest's call.
 *
 * TLBs hold no invalid entries. So EL2 invalidates them only when it frees a table whose
 * last guard is removed, whatever the size of the guards.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_guard.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_window.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>
#include <nvhe/s2_pte.h>

/* Filling a table takes about as long as looking at this many entries. */
#define PUSH_DOWN_COST	64

/* To take a page or a block of a window back takes as long as to look at so many more. */
#define WINDOW_PAGE_COST	2
#define WINDOW_BLOCK_COST	64

/* A call for a range of IPAs: how far it is, and how many tables its entry needs. */
struct guard_walk {
	struct pkvm_hyp_vm *vm;
	struct kvm_hyp_memcache *mc;
	struct s2_pte entry;
	u64 ipa;
	u64 end;
	int budget;
	unsigned int nr_tables;
};

static int guard_walk_init(struct guard_walk *walk, struct pkvm_hyp_vcpu *vcpu, u64 ipa,
			   u64 nr_granules)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	u64 limit = BIT(vm->pgt.ia_bits);

	if (ipa >= limit)
		return -ERANGE;

	*walk = (struct guard_walk) {
		.vm	= vm,
		.mc	= &vcpu->vcpu.arch.pkvm_memcache,
		.ipa	= ipa,
		.end	= ipa + min(nr_granules, (limit - ipa) >> PAGE_SHIFT) * PAGE_SIZE,
		.budget	= PVM_RANGE_MAX,
	};

	return 0;
}

static bool fits(const struct guard_walk *walk, s8 level)
{
	u64 size = kvm_granule_size(level);

	return IS_ALIGNED(walk->ipa, size) && walk->end - walk->ipa >= size;
}

/* Go on to the first IPA behind the entry. */
static void guard_walk_step(struct guard_walk *walk)
{
	u64 size = kvm_granule_size(walk->entry.level);

	walk->ipa = min(walk->end, ALIGN_DOWN(walk->ipa, size) + size);
}

/* Call @take for one entry after the other, until the budget is spent or it fails. */
static int guard_walk_range(struct guard_walk *walk, int (*take)(struct guard_walk *walk))
{
	int ret = 0;

	while (walk->ipa < walk->end && walk->budget-- > 0) {
		ret = take(walk);
		if (ret)
			break;
		guard_walk_step(walk);
	}

	return ret;
}

/*
 * R7: the host pays for tables, and the guest alone decides where it has guards. Memory that
 * is far apart needs a table for each page at the last level; guards that are far apart
 * could need as many as the IPA space is large.
 */
static bool has_too_many_tables(const struct guard_walk *walk)
{
	const struct pkvm_vm_state *state = &walk->vm->state;

	return state->nr_tables + walk->nr_tables > state->nr_granules + PVM_MAX_GUARD_TABLES;
}

/* Split the entry until it covers no IPA outside of the range. */
static int guard_walk_descend(struct guard_walk *walk)
{
	s8 level = walk->entry.level;

	while (!fits(walk, level))
		level++;

	walk->nr_tables = level - walk->entry.level;
	if (walk->nr_tables && has_too_many_tables(walk))
		return -ENOSPC;

	if (walk->mc->nr_pages < walk->nr_tables)
		return -ENOMEM;

	while (walk->entry.level < level) {
		if (walk->entry.pte)
			walk->budget -= PUSH_DOWN_COST;
		WARN_ON(s2_push_down(&walk->vm->pgt, walk->ipa, &walk->entry, walk->mc));
	}

	return 0;
}

static int put_guard(struct guard_walk *walk)
{
	int ret;

	ret = s2_near_pte(&walk->vm->pgt, walk->ipa, &walk->entry);
	if (ret)
		return ret;

	/* Not an error: Linux guards on every ioremap(), also what it guards already. */
	if (guest_pte_is_guard(walk->entry.pte) || guest_pte_is_borrowed(walk->entry.pte))
		return 0;

	if (walk->entry.pte)
		return -EPERM;

	ret = guard_walk_descend(walk);
	if (ret)
		return ret;

	s2_set_pte(&walk->vm->pgt, &walk->entry, GUEST_PTE_GUARD);
	ghost_guard(walk->vm, walk->ipa, kvm_granule_size(walk->entry.level), true);
	walk->vm->state.nr_guarded += kvm_granule_size(walk->entry.level) >> PAGE_SHIFT;

	return 0;
}

/**
 * pvm_guard_range() - Put guards on IPAs of a protected guest
 * @vcpu: the vCPU that calls, loaded on this CPU; tables come from its memcache.
 * @ipa: the first IPA, granule aligned.
 * @nr_granules: how many granules, at least 1.
 * @nr_done: set to how many of them are guarded now.
 * @nr_tables: set to how many pages for tables the call needs, if it lacks some.
 *
 * Takes the guest's lock.
 *
 * Return: 0 if at least one granule is guarded; else for the first one: -EPERM if
 * it has memory, or had until the host reclaimed it by force; -ENOSPC if the guest has
 * PVM_MAX_GUARD_TABLES already; -ENOMEM if the memcache has less than @nr_tables pages;
 * -ERANGE if @ipa lies beyond the IPA space.
 */
int pvm_guard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		    unsigned int *nr_tables)
{
	struct guard_walk walk;
	int ret;

	ret = guard_walk_init(&walk, vcpu, ipa, nr_granules);
	if (ret)
		return ret;

	guest_lock_component(walk.vm);
	ret = guard_walk_range(&walk, put_guard);
	guest_unlock_component(walk.vm);

	*nr_done = (walk.ipa - ipa) >> PAGE_SHIFT;
	*nr_tables = walk.nr_tables;

	return *nr_done ? 0 : ret;
}

/* Removal of guards: the IPA that it has come to, and how many more entries it may visit. */
struct guard_removal {
	struct pkvm_hyp_vm *vm;
	u64 ipa;
	int budget;
};

static int guard_removal_visitor(const struct kvm_pgtable_visit_ctx *ctx,
				 enum kvm_pgtable_walk_flags visit)
{
	struct guard_removal *removal = ctx->arg;
	struct pkvm_hyp_vm *vm = removal->vm;
	void *table;

	if (visit == KVM_PGTABLE_WALK_TABLE_POST) {
		table = s2_unlink_empty(ctx);
		if (table) {
			/* All of the VM's TLB entries were invalidated when it began to die. */
			if (!vm->state.is_dying)
				__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ctx->addr,
							 TLBI_TTL_UNKNOWN);
			ctx->mm_ops->put_page(table);
		}
		return 0;
	}

	if (guest_pte_is_guard(ctx->old)) {
		s2_clear_visited(ctx);
		ghost_guard(vm, ALIGN_DOWN(ctx->addr, kvm_granule_size(ctx->level)),
			    kvm_granule_size(ctx->level), false);
		vm->state.nr_guarded -= kvm_granule_size(ctx->level) >> PAGE_SHIFT;
	}

	/*
	 * If the walk stops here, the next one starts at this entry again, not behind
	 * it. So each table is still visited after its last entry, and can be freed then.
	 */
	removal->ipa = ctx->addr;

	return --removal->budget > 0 ? 0 : -EINTR;
}

/**
 * pvm_remove_guards() - Remove the guards in a range, and the tables that are empty then
 * @vm: the VM, its lock held.
 * @ipa: where the range begins, granule aligned; set to where the next call begins.
 * @end: where the range ends.
 * @budget: how many entries to visit at most.
 *
 * Return: 0; -EINTR if the budget did not suffice, to be called again.
 */
int pvm_remove_guards(struct pkvm_hyp_vm *vm, u64 *ipa, u64 end, int budget)
{
	struct guard_removal removal = { .vm = vm, .budget = budget };
	struct kvm_pgtable_walker walker = {
		.cb	= guard_removal_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF | KVM_PGTABLE_WALK_TABLE_POST,
		.arg	= &removal,
	};
	int ret;

	ret = kvm_pgtable_walk(&vm->pgt, *ipa, end - *ipa, &walker);
	*ipa = ret ? removal.ipa : end;

	return ret;
}

/*
 * Find the guard at the IPA, and split it if it covers IPAs outside of the range. If the host
 * shares memory there, take that back first.
 */
static int isolate_guard(struct guard_walk *walk)
{
	int ret;

	ret = s2_near_pte(&walk->vm->pgt, walk->ipa, &walk->entry);
	if (ret)
		return ret;

	if (guest_pte_is_borrowed(walk->entry.pte)) {
		walk->budget -= walk->entry.level < KVM_PGTABLE_LAST_LEVEL ? WINDOW_BLOCK_COST :
									     WINDOW_PAGE_COST;
		pvm_window_take(walk->vm, &walk->entry);
	}

	if (!guest_pte_is_guard(walk->entry.pte))
		return -EPERM;

	return guard_walk_descend(walk);
}

/**
 * pvm_unguard_range() - Remove guards from IPAs of a protected guest
 * @vcpu: the vCPU that calls, loaded on this CPU; tables come from its memcache.
 * @ipa: the first IPA, granule aligned.
 * @nr_granules: how many granules, at least 1.
 * @nr_done: set to how many of them are no longer guarded.
 * @nr_tables: set to how many pages for tables the call needs, if it lacks some.
 *
 * Takes the locks of host and guest. A guard that is only partly in the range is split.
 * The host gets back what it shared there, and no CPU has a TLB entry for it.
 *
 * Return: 0 if at least one guard was removed; else for the first granule: -EPERM if
 * it is not guarded; -ENOSPC as for pvm_guard_range(); -ENOMEM if the memcache has less
 * than @nr_tables pages; -ERANGE if @ipa lies beyond the IPA space.
 */
int pvm_unguard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		      unsigned int *nr_tables)
{
	struct guard_walk walk;
	u64 from = ipa;
	int ret;

	ret = guard_walk_init(&walk, vcpu, ipa, nr_granules);
	if (ret)
		return ret;

	/* Of pages of the host the state changes, too. */
	host_lock_component();
	guest_lock_component(walk.vm);
	ret = guard_walk_range(&walk, isolate_guard);

	/* All entries up to walk.ipa are guards, and no more than the budget allowed. */
	if (walk.ipa > from)
		WARN_ON(pvm_remove_guards(walk.vm, &from, walk.ipa, INT_MAX));
	guest_unlock_component(walk.vm);
	host_unlock_component();

	*nr_done = (walk.ipa - ipa) >> PAGE_SHIFT;
	*nr_tables = walk.nr_tables;

	return *nr_done ? 0 : ret;
}

/* Check whether the guest has put a guard at an IPA, also if the host shares a page there now. */
static bool ipa_is_guarded(struct pkvm_hyp_vm *vm, u64 ipa)
{
	struct s2_pte entry;
	bool guarded;

	guest_lock_component(vm);
	guarded = !s2_find_pte(&vm->pgt, ipa, &entry) &&
		  (guest_pte_is_guard(entry.pte) || guest_pte_is_borrowed(entry.pte));
	guest_unlock_component(vm);

	return guarded;
}

/**
 * pvm_ipa_is_mmio() - Check whether the host may see what an access to an IPA does
 * @vm: the VM, whose lock is not held.
 * @ipa: where the access faulted.
 *
 * Return: true if the guest has not enrolled, or has put a guard there.
 */
bool pvm_ipa_is_mmio(struct pkvm_hyp_vm *vm, u64 ipa)
{
	return !READ_ONCE(vm->state.mmio_enrolled) || ipa_is_guarded(vm, ipa);
}

/**
 * pvm_ipa_is_never_code() - Is an instruction fetch from this IPA the guest's mistake?
 * @vm: the VM, whose lock is not held.
 * @ipa: where the fetch faulted.
 *
 * Nothing that the host could do would let the guest execute what is there.
 *
 * Return: true if the guest has enrolled, and put a guard there.
 */
bool pvm_ipa_is_never_code(struct pkvm_hyp_vm *vm, u64 ipa)
{
	return READ_ONCE(vm->state.mmio_enrolled) && ipa_is_guarded(vm, ipa);
}
