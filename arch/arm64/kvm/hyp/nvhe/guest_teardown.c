// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a VM. The host makes three kinds of calls, in this order:
 *
 *  1. __pkvm_start_teardown_vm(), once: from then on no vCPU runs.
 *  2. __pkvm_reclaim_dying_guest(), for the whole IPA space of a protected guest: the host
 *     gets back the guest's memory. The host takes back what it shares itself, with a
 *     non-protected guest or in windows, by __pkvm_host_unshare_guest_all(), see
 *     guest_np_range.c.
 *  3. __pkvm_finalize_teardown_vm(), as long as it returns -EAGAIN: EL2 removes the guards,
 *     and the host gets back what EL2 used for the VM: page tables, vCPUs, and at last the
 *     VM itself, by __pkvm_teardown_vm() in pkvm.c.
 *
 * R1: the host's state, the host's stage-2 and the guest's stage-2 of a page change under
 *     both locks, taken in the order of enum pkvm_component_id.
 * R3: EL2 zeroes a page that the guest did not share, and cleans it to the point of
 *     coherency, before the host gets it.
 * R5: in whatever order the host makes these calls, it gets back nothing that is in use.
 * R6: each call is bounded, so that the host can serve interrupts between two calls.
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
 * __pkvm_start_teardown_vm() - Begin the teardown of a VM
 * @handle: the VM.
 *
 * From then on no vCPU of the VM can be loaded or created. When the function returns, no CPU
 * has a TLB entry of the VM. Takes the lock of the VM table.
 *
 * Return: 0; -ENOENT for an unknown handle; -EBUSY while a vCPU is loaded, or for a moment
 * while another CPU works on the VM, for example takes a page of it by force; -EINVAL if the
 * teardown has begun before.
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
 * Return a page to the host and clear its entry; free each table that is empty then. This
 * needs no TLB invalidation: when the teardown began, the whole VMID was invalidated, and
 * no vCPU has been loaded since.
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
		/* The host has the page already: only the entry is left. */
		ghost_reclaim_poisoned(vm, ctx->addr);
		vm->state.nr_granules--;
	} else if (!kvm_pte_valid(ctx->old)) {
		/* The entry is empty, or a guard. clear_guards() removes the guards. */
		return 0;
	} else if (guest_pte_is_borrowed(ctx->old)) {
		/* A page of a window: the host takes it by __pkvm_host_unshare_guest_all(). */
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
 * __pkvm_reclaim_dying_guest() - Return pages of a dying protected guest to the host
 * @handle: the VM, whose teardown has begun.
 * @gfn: the IPA of the first granule, in granules.
 * @nr_granules: how many, at most PKVM_RECLAIM_MAX_GRANULES.
 *
 * Guest: OWNED => NOPAGE, zeroed;    Host: NOPAGE => OWNED
 * Guest: SHARED_OWNED => NOPAGE;     Host: SHARED_BORROWED => OWNED
 *
 * Skips granules where the guest has no page. Takes the locks of host and guest.
 *
 * Return: 0, with every page of the range returned; -ENOENT for an unknown handle; -EPERM if
 * the VM is not dying, or not protected; -EINVAL for a bad count or a @gfn out of range;
 * -ERANGE for a range beyond the guest's IPA space.
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

/* Remove some of the guards. Returns true if none are left. */
static bool clear_guards(struct pkvm_hyp_vm *vm)
{
	u64 end = BIT(vm->pgt.ia_bits);
	int ret;

	/*
	 * Behind the last guard there may still be tables. So a removal that has begun goes on
	 * to the end of the IPA space, even if nr_guarded is 0.
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
 * Return pages for tables to the host, at most @nr_pages. By now the guest's stage-2 is
 * empty, and each table has gone with its last entry: all pages but the PGD are in the
 * pool. Returns how many pages were returned.
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

/* Return one vCPU to the host, or only @nr_pages of its memcache if that has more. */
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

/*
 * Do one step, with the lock of the VM table held. Returns -EAGAIN if there may be another
 * step.
 */
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
 * pkvm_vm_is_gone() - Check whether only the state of a VM and its PGD are left
 * @vm: the VM. The lock of the VM table is held.
 *
 * Return: true if __pkvm_finalize_teardown_vm() has done all of its steps.
 */
bool pkvm_vm_is_gone(struct pkvm_hyp_vm *vm)
{
	return vm->state.is_dying && !vm->state.nr_granules && !vm->nr_vcpus;
}

/**
 * __pkvm_finalize_teardown_vm() - Return to the host what EL2 used for a dead VM
 * @handle: the VM, whose guest owns no memory any more.
 *
 * Puts the pages on the host's teardown_mc, a bounded number in each call. Once this
 * function has returned 0, EL2 may use the handle for another VM. Takes the lock of the VM
 * table, and those that the step needs.
 *
 * Return: 0 when all is done; -EAGAIN if it has to be called again; -ENOENT for an unknown
 * handle; -EPERM if the VM is not dying; -EBUSY while the guest still owns memory, or
 * another CPU works on the VM.
 */
int __pkvm_finalize_teardown_vm(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *hyp_vm;
	int ret;

	hyp_spin_lock(&vm_table_lock);
	hyp_vm = get_vm_by_handle(handle);
	ret = hyp_vm ? finalize_step(hyp_vm) : -ENOENT;
	hyp_spin_unlock(&vm_table_lock);

	/* __pkvm_teardown_vm() looks the VM up again, and checks pkvm_vm_is_gone(). */
	return ret ?: __pkvm_teardown_vm(handle);
}
