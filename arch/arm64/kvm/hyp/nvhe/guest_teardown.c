// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of a VM: one __pkvm_start_teardown_vm(), then __pkvm_reclaim_dying_guest() until
 * a protected guest owns nothing, then __pkvm_finalize_teardown_vm() until it does not
 * return -EAGAIN. The last of these goes on to __pkvm_teardown_vm() in pkvm.c.
 *
 * R5: however the host mixes these calls, nothing that is still in use comes back to it.
 * R6: each call is bounded, so that the host can serve interrupts between them.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/gfp.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>

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

	if (!pvm_clear_guards(hyp_vm) || reclaim_tables(hyp_vm, mc, PKVM_TEARDOWN_MAX_PAGES))
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
