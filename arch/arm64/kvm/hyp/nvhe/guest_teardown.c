// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a VM. The host makes three kinds of calls, in this order:
 *
 *  1. __pkvm_start_teardown_vm(), once: no vCPU runs any more.
 *  2. __pkvm_reclaim_dying_guest(), for the whole IPA space of a protected guest: the
 *     host gets its memory back. For what it shares, with a non-protected guest or in
 *     windows, it is __pkvm_host_unshare_guest_all(), see guest_np_range.c.
 *  3. __pkvm_finalize_teardown_vm(), until it does not return -EAGAIN: the host gets
 *     back what the hypervisor had for the VM: guards, page tables, vCPUs, and at last
 *     the VM itself, by __pkvm_teardown_vm() in pkvm.c.
 *
 * R1: host state, host stage-2 and guest stage-2 of a page change under both locks,
 *     taken in the order of enum pkvm_component_id.
 * R3: what the guest had kept private is zeroed and cleaned to the point of coherency
 *     before the host gets it.
 * R5: however the host mixes these calls, nothing that is still in use comes back to it.
 * R6: each call is bounded, so that the host can serve interrupts between them.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/gfp.h>
#include <nvhe/ghost.h>
#include <nvhe/guest_guard.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_sve.h>
#include <nvhe/guest_teardown.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>
#include <nvhe/s2_pte.h>
#include <nvhe/vcpu_load.h>
#include <nvhe/vm_table.h>

/**
 * __pkvm_start_teardown_vm() - End the life of a VM
 * @handle: the VM.
 *
 * From here on no vCPU of it can be loaded or created. Its TLB entries are gone
 * on all CPUs when this returns.
 *
 * Return: 0; -ENOENT for an unknown handle; -EBUSY while a vCPU is loaded, or
 * for a moment while another CPU takes a page of the VM; -EINVAL if the VM is
 * dying already.
 */
int __pkvm_start_teardown_vm(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *hyp_vm;
	int ret = 0;

	hyp_spin_lock(&vm_table_lock);
	hyp_vm = get_vm_by_handle(handle);
	if (!hyp_vm) {
		ret = -ENOENT;
	} else if (hyp_vm->state.is_dying) {
		ret = -EINVAL;
	} else if (hyp_page_count(hyp_vm)) {
		ret = -EBUSY;
	} else {
		WRITE_ONCE(hyp_vm->state.is_dying, true);
		pkvm_forget_loaded(handle);
		__kvm_tlb_flush_vmid(&hyp_vm->kvm.arch.mmu);
	}
	hyp_spin_unlock(&vm_table_lock);

	return ret;
}

/*
 * Clear leaves, and the tables that hold nothing any more. No TLB invalidation:
 * the teardown began with one of the whole VMID, and no vCPU was loaded since.
 */
static int reclaim_visitor(const struct kvm_pgtable_visit_ctx *ctx,
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
		ghost_reclaim_poisoned(vm, ctx->addr);
		vm->state.nr_granules--;
	} else if (!kvm_pte_valid(ctx->old)) {
		/* Empty, or a guard: that holds no page, and clear_guards() removes it. */
		return 0;
	} else if (guest_pte_is_borrowed(ctx->old)) {
		/* A window's: for __pkvm_host_unshare_guest_all(). */
		return 0;
	} else if (guest_pte_state(ctx->old) == PKVM_PAGE_OWNED) {
		pvm_zero_granule(phys);
		WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
		ghost_reclaim_dying(vm, phys, ctx->addr);
		vm->state.nr_granules--;
		vm->state.nr_private--;
	} else {
		WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
		hyp_phys_to_page(phys)->host_holds = false;
		ghost_reclaim_dying(vm, phys, ctx->addr);
		vm->state.nr_granules--;
		vm->state.nr_shared--;
	}

	s2_clear_visited(ctx);

	return 0;
}

static int reclaim_range(struct pkvm_hyp_vm *vm, u64 ipa, u64 size)
{
	struct kvm_pgtable_walker walker = {
		.cb	= reclaim_visitor,
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
	ret = reclaim_range(vm, ipa, nr_granules * PAGE_SIZE);
	pvm_show_memory(vm);
	guest_unlock_component(vm);
	host_unlock_component();

put:
	pkvm_put_hyp_vm(vm);

	return ret;
}

/* Remove some of the guards. Returns whether there are none left. */
static bool clear_guards(struct pkvm_hyp_vm *vm)
{
	u64 end = BIT(vm->pgt.ia_bits);
	int ret;

	/*
	 * Tables can be left behind the last guard. So a removal that has begun goes on
	 * to the end of the IPA space, also when nr_guarded is 0.
	 */
	if (vm->state.guards_cleared == end ||
	    !(vm->state.nr_guarded || vm->state.guards_cleared))
		return true;

	guest_lock_component(vm);
	ret = pvm_remove_guards(vm, &vm->state.guards_cleared, end, PKVM_TEARDOWN_MAX_ENTRIES);
	guest_unlock_component(vm);

	return !ret;
}

/*
 * Hand pages of tables back to the host, at most @nr_pages. The guest's stage-2 is empty
 * by now, and tables went with their last entry: what is not in the pool is the PGD.
 * Returns how many.
 */
static unsigned int reclaim_tables(struct pkvm_hyp_vm *vm, struct kvm_hyp_memcache *mc,
				   unsigned int nr_pages)
{
	unsigned int nr;
	void *addr;

	for (nr = 0; nr < nr_pages; nr++) {
		addr = hyp_alloc_pages(&vm->pool, 0);
		if (!addr)
			break;

		hyp_page_reset(hyp_virt_to_page(addr));
		push_hyp_memcache(mc, addr, hyp_virt_to_phys);
		WARN_ON(__pkvm_hyp_donate_host(hyp_virt_to_pfn(addr), 1));
	}

	return nr;
}

/* Give one vCPU back, or as much of its memcache as @nr_pages allows. */
static void teardown_last_vcpu(struct pkvm_hyp_vm *hyp_vm,
			       struct kvm_hyp_memcache *mc,
			       unsigned int nr_pages)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = hyp_vm->vcpus[hyp_vm->nr_vcpus - 1];
	struct kvm_hyp_memcache *vcpu_mc = &hyp_vcpu->vcpu.arch.pkvm_memcache;
	void *addr;

	for (; vcpu_mc->nr_pages && nr_pages; nr_pages--) {
		addr = pop_hyp_memcache(vcpu_mc, hyp_phys_to_virt);
		teardown_donated_memory(mc, addr, PAGE_SIZE);
	}

	if (vcpu_mc->nr_pages)
		return;

	hyp_vm->vcpus[--hyp_vm->nr_vcpus] = NULL;
	pkvm_vcpu_release_sve(hyp_vcpu, mc);
	hyp_unpin_shared_mem(hyp_vcpu->host_vcpu, hyp_vcpu->host_vcpu + 1);
	teardown_donated_memory(mc, hyp_vcpu, sizeof(*hyp_vcpu));
}

/* One step, with the lock of the table held: -EAGAIN if there may be more. */
static int finalize_step(struct pkvm_hyp_vm *hyp_vm)
{
	struct kvm_hyp_memcache *mc = &hyp_vm->host_kvm->arch.pkvm.teardown_mc;

	if (!hyp_vm->state.is_dying)
		return -EPERM;

	if (hyp_page_count(hyp_vm) || hyp_vm->state.nr_granules)
		return -EBUSY;

	if (!clear_guards(hyp_vm) || reclaim_tables(hyp_vm, mc, PKVM_TEARDOWN_MAX_PAGES))
		return -EAGAIN;

	if (hyp_vm->nr_vcpus) {
		teardown_last_vcpu(hyp_vm, mc, PKVM_TEARDOWN_MAX_PAGES);
		return -EAGAIN;
	}

	return 0;
}

/**
 * pkvm_vm_is_gone() - Has a VM nothing any more but its own state and its PGD?
 * @vm: the VM, with the lock of the table held.
 *
 * Return: whether __pkvm_finalize_teardown_vm() has done what it had to do in steps.
 */
bool pkvm_vm_is_gone(struct pkvm_hyp_vm *vm)
{
	return vm->state.is_dying && !vm->state.nr_granules && !vm->nr_vcpus;
}

/**
 * __pkvm_finalize_teardown_vm() - Give the host back what EL2 had of a dead VM
 * @handle: the VM, whose guest owns nothing any more.
 *
 * Pages come back on the host's teardown_mc, a bounded number in each call. The
 * handle is free to be used again once this returned 0.
 *
 * Return: 0 when all is done; -EAGAIN to be called again; -ENOENT for an
 * unknown handle; -EPERM if the VM is not dying; -EBUSY while the guest still
 * owns memory, or another CPU is at it.
 */
int __pkvm_finalize_teardown_vm(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *hyp_vm;
	int ret;

	hyp_spin_lock(&vm_table_lock);
	hyp_vm = get_vm_by_handle(handle);
	ret = hyp_vm ? finalize_step(hyp_vm) : -ENOENT;
	hyp_spin_unlock(&vm_table_lock);

	/* It looks the VM up again, and whether it is the one that is gone. */
	return ret ?: __pkvm_teardown_vm(handle);
}
