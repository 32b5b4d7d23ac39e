// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory of a protected guest that comes back without the guest's doing: all of
 * it when the guest dies, and a page of a live one that the host's own kernel
 * cannot help touching.
 *
 * R1: host state, host stage-2 and guest stage-2 of a page change under both
 *     locks, taken in the order of enum pkvm_component_id.
 * R3: what the guest had kept private is zeroed and cleaned to the point of
 *     coherency before the host gets it.
 * R6: a call takes a bounded number of pages.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_mem.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>

/*
 * Clear leaves, and the tables that hold nothing any more. No TLB invalidation:
 * the teardown began with one of the whole VMID, and no vCPU was loaded since.
 */
static int guest_reclaim_visitor(const struct kvm_pgtable_visit_ctx *ctx,
				 enum kvm_pgtable_walk_flags visit)
{
	struct pkvm_hyp_vm *vm = ctx->arg;
	phys_addr_t phys = kvm_pte_to_phys(ctx->old);
	void *table;

	if (visit == KVM_PGTABLE_WALK_TABLE_POST) {
		table = s2_unlink_empty(ctx);
		if (table)
			ctx->mm_ops->put_page(table);
		return 0;
	}

	if (ctx->old == GUEST_PTE_POISONED) {
		/* Nothing but the entry is left of it. */
		vm->state.nr_granules--;
	} else if (!kvm_pte_valid(ctx->old)) {
		/* Empty, or a guard: that holds no page, and has its own time. */
		return 0;
	} else if (guest_pte_state(ctx->old) == PKVM_PAGE_OWNED) {
		pvm_zero_granule(phys);
		WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
		vm->state.nr_granules--;
		vm->state.nr_private--;
	} else {
		WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
		hyp_phys_to_page(phys)->host_holds = false;
		vm->state.nr_granules--;
		vm->state.nr_shared--;
	}

	s2_clear_visited(ctx);

	return 0;
}

static int guest_reclaim_range(struct pkvm_hyp_vm *vm, u64 ipa, u64 size)
{
	struct kvm_pgtable_walker walker = {
		.cb	= guest_reclaim_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF | KVM_PGTABLE_WALK_TABLE_POST,
		.arg	= vm,
	};

	return kvm_pgtable_walk(&vm->pgt, ipa, size, &walker);
}

/**
 * __pkvm_reclaim_dying_guest() - Give pages of a dying guest back to the host
 * @handle: the VM, whose teardown has begun.
 * @gfn: the first granule of its IPA space to look at.
 * @nr_granules: how many, at most PKVM_RECLAIM_MAX_GRANULES.
 *
 * Guest: OWNED => NOPAGE, zeroed;    Host: NOPAGE => OWNED
 * Guest: SHARED_OWNED => NOPAGE;     Host: SHARED_BORROWED => OWNED
 *
 * Granules without a page are passed over. Takes the locks of host and guest.
 *
 * Return: 0 with every page of the range back; -ENOENT for an unknown handle;
 * -EPERM if the VM is not dying, or not protected; -EINVAL for a bad count or a @gfn out of
 * range; -ERANGE for a range beyond the guest's IPA space.
 */
int __pkvm_reclaim_dying_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules)
{
	u64 ipa = hyp_pfn_to_phys(gfn);
	struct pkvm_hyp_vm *vm;
	int ret;

	if (!nr_granules || nr_granules > PKVM_RECLAIM_MAX_GRANULES ||
	    hyp_phys_to_pfn(ipa) != gfn || ipa + nr_granules * PAGE_SIZE < ipa)
		return -EINVAL;

	vm = pkvm_get_hyp_vm(handle);
	if (!vm)
		return -ENOENT;

	ret = -EPERM;
	if (!READ_ONCE(vm->state.is_dying) || !vm->kvm.arch.pkvm.enabled)
		goto put;

	host_lock_component();
	guest_lock_component(vm);
	ret = guest_reclaim_range(vm, ipa, nr_granules * PAGE_SIZE);
	pvm_show_memory(vm);
	guest_unlock_component(vm);
	host_unlock_component();

put:
	pkvm_put_hyp_vm(vm);

	return ret;
}

/* The guest that a page of the host went to, and where it has it, from its annotation. */
static int host_find_guest(u64 phys, pkvm_handle_t *handle, u64 *ipa)
{
	struct s2_pte entry;
	int ret;

	host_lock_component();
	ret = host_check_page_state_range(phys, PAGE_SIZE, PKVM_NOPAGE);
	if (!ret)
		ret = s2_find_pte(&host_mmu.pgt, phys, &entry);
	host_unlock_component();

	if (ret)
		return ret;

	if (FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, entry.pte) != PKVM_ID_GUEST)
		return -EPERM;

	*handle = FIELD_GET(HOST_PTE_GUEST_IDX_MASK, entry.pte) + PKVM_HANDLE_OFFSET;
	*ipa = hyp_pfn_to_phys(FIELD_GET(HOST_PTE_GUEST_GFN_MASK, entry.pte));

	return 0;
}

static int force_reclaim_locked(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	struct s2_pte entry;
	int ret;

	ret = s2_find_pte(&vm->pgt, ipa, &entry);
	if (ret)
		return ret;

	if (guest_pte_state(entry.pte) != PKVM_PAGE_OWNED || kvm_pte_to_phys(entry.pte) != phys)
		return -EAGAIN;

	s2_set_pte(&vm->pgt, &entry, GUEST_PTE_POISONED);
	__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, entry.level);

	pvm_zero_granule(phys);
	WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
	vm->state.nr_private--;
	pvm_show_memory(vm);

	return 0;
}

/**
 * __pkvm_host_force_reclaim() - Take one page back from a guest that lives
 * @pfn: the page, host physical.
 *
 * Guest: OWNED => POISONED, zeroed
 * Host:  NOPAGE => OWNED
 *
 * The guest loses what it had there, and its next access ends in an error for
 * the VMM: it never sees another page, or zeros, in place of its own.
 *
 * Return: 0; -EINVAL if @pfn is no memory; -EPERM if no guest has it for itself
 * alone; -EAGAIN if that changed meanwhile, and the access that led here may
 * work.
 */
int __pkvm_host_force_reclaim(u64 pfn)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	struct pkvm_hyp_vm *vm;
	pkvm_handle_t handle;
	u64 ipa;
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn)
		return -EINVAL;

	ret = host_find_guest(phys, &handle, &ipa);
	if (ret)
		return ret;

	vm = pkvm_get_hyp_vm(handle);
	if (!vm)
		return -EAGAIN;

	host_lock_component();
	guest_lock_component(vm);
	ret = force_reclaim_locked(vm, phys, ipa);
	guest_unlock_component(vm);
	host_unlock_component();

	pkvm_put_hyp_vm(vm);

	return ret;
}
