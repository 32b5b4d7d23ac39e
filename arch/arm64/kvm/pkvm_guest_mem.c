// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: memory. A page that a guest faults on is donated by
 * pkvm_guest_donate.c; when the VM dies the hypervisor hands it back, and only then
 * is it unpinned.
 *
 * R6: pages come back in steps, with the host scheduling between them.
 */

#include <linux/delay.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/swap.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include "pkvm_guest.h"
#include "trace_pkvm.h"

/* How long a vCPU waits for a page that somebody else uses, in jiffies. */
#define PAGE_WAIT	HZ

/**
 * pkvm_guest_vm_created() - Take note of a VM that the hypervisor knows from now on
 * @kvm: the VM, protected or not, with its handle.
 * @pgd: what the hypervisor was given for its PGD.
 * @pgd_size: bytes of it.
 * @vm_size: bytes that the hypervisor was given for the state of the VM.
 */
void pkvm_guest_vm_created(struct kvm *kvm, void *pgd, size_t pgd_size, size_t vm_size)
{
	unsigned long nr_pages = (vm_size + pgd_size) >> PAGE_SHIFT;

	atomic64_set(&kvm->arch.mmu.vmid.id, pkvm_handle_to_vmid(kvm->arch.pkvm.handle));

	if (kvm_vm_is_protected(kvm))
		atomic64_inc(&pkvm_guest_totals.vms_created);

	pkvm_guest_count_tables(pgd, pgd_size >> PAGE_SHIFT);
	pkvm_guest_metadata_donated(nr_pages);
	trace_pkvm_vm_created(kvm->arch.pkvm.handle, nr_pages);
}

/*
 * See whether the guest has a page at @gfn: 0 if not, -EEXIST if so, -EFAULT if the
 * host took it by force. A page that is recorded but that the guest has no more
 * was relinquished: it is unpinned, and no longer charged, and until the guest touches
 * its place again that is not to have a page. Under kvm->arch.pkvm.guest.lock.
 */
static int check_guest_page(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct kvm *kvm = vcpu->kvm;
	struct page *page;
	int ret;

	page = xa_load(&kvm->arch.pkvm.guest.granules, gfn);
	if (!page || xa_is_value(page))
		return 0;

	ret = kvm_call_hyp_nvhe(__pkvm_guest_check_place, gfn);
	/* It may have come with a page beside it. */
	if (ret == -EEXIST)
		return ret;

	if (ret && ret != -EPERM) {
		trace_pkvm_donation_failed(kvm->arch.pkvm.handle, gfn, ret);
		return -EFAULT;
	}

	/* In place of another entry, which takes no memory. */
	xa_store(&kvm->arch.pkvm.guest.granules, gfn, xa_mk_value(0), GFP_NOWAIT);
	trace_pkvm_page_relinquished(kvm->arch.pkvm.handle, gfn, page_to_pfn(page), 1);
	pkvm_guest_unclaim_page(page_to_pfn(page));
	unpin_user_pages_dirty_lock(&page, 1, true);
	pkvm_guest_uncharge(kvm, 1);
	atomic64_inc(&pkvm_guest_totals.pages_relinquished);

	return 0;
}

/**
 * pkvm_guest_relinquished() - See to a page that a protected guest gave back
 * @vcpu: the vCPU that did, loaded.
 * @gfn: where the guest had it.
 *
 * The page is the host's already, and zero. Another vCPU may have touched @gfn
 * since: then the page that was there is seen to, and the guest has a new one.
 */
void pkvm_guest_relinquished(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	guard(mutex)(&vcpu->kvm->arch.pkvm.guest.lock);

	check_guest_page(vcpu, gfn);
}

/*
 * Give the guest a page at @gfn unless it has one there. All vCPUs do so one after the
 * other: none takes the pin of another one for somebody else's.
 */
static int give_page(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	if (mutex_lock_interruptible(&kvm->arch.pkvm.guest.lock))
		return -EINTR;

	ret = check_guest_page(vcpu, gfn);
	if (ret == -EEXIST)
		ret = 0;
	else if (!ret)
		ret = pkvm_guest_donate(vcpu, gfn, memslot);

	mutex_unlock(&kvm->arch.pkvm.guest.lock);

	return ret;
}

/* Wait for somebody to let go of a page: 0 to look again, for the @nth time, or an error. */
static int wait_for_page(unsigned long end, unsigned int nth)
{
	if (signal_pending(current))
		return -EINTR;

	if (time_after(jiffies, end))
		return -EBUSY;

	/* The CPUs keep references of pages that they are to put on LRU lists. */
	if (nth == 1)
		lru_add_drain_all();
	else
		usleep_range(50, 200);

	return 0;
}

/**
 * pkvm_guest_mem_abort() - Give a protected guest the page that it needs
 * @vcpu: the vCPU that needs it, loaded.
 * @ipa: where; the page around it is donated, and with pkvm_fault_around what the VMM has
 *	 populated beside that: up to PKVM_DONATE_MAX_GRANULES, aligned to as many.
 * @memslot: the slot that @ipa lies in. Caller holds kvm->srcu.
 *
 * Return: 0 with the page in place, be it that another vCPU was faster; -ENOMEM
 * if memory or RLIMIT_MEMLOCK are short; -EINTR or -EAGAIN if the caller has a
 * signal to see to; -EBUSY if somebody else in the host uses the page and did not let
 * go of it for a second; -EFAULT if there is no page that could be donated, or there
 * was one and the host took it back by force.
 */
int pkvm_guest_mem_abort(struct kvm_vcpu *vcpu, phys_addr_t ipa,
			 struct kvm_memory_slot *memslot)
{
	unsigned long end = jiffies + PAGE_WAIT;
	gfn_t gfn = ipa >> PAGE_SHIFT;
	unsigned int nth = 0;
	int ret;

	while ((ret = give_page(vcpu, gfn, memslot)) == -EBUSY) {
		ret = wait_for_page(end, ++nth);
		if (ret)
			break;
	}

	return ret;
}

static int release_page(struct kvm *kvm, gfn_t gfn)
{
	struct page *page;

	guard(mutex)(&kvm->arch.pkvm.guest.lock);

	page = xa_load(&kvm->arch.pkvm.guest.granules, gfn);

	return page && !xa_is_value(page) ? pkvm_guest_release_page(page) : 0;
}

/**
 * pkvm_guest_mem_release() - Let a guest take pages back that the host has used
 * @vcpu: the vCPU that will, loaded.
 * @gfn: the first of them, which is waited for.
 * @nr: how many. The guest takes them back as far as nobody uses them.
 *
 * Return: 0; -EINTR if the caller has a signal to see to; -EBUSY if somebody in the
 * host uses the first one and did not let go of it for a second.
 */
int pkvm_guest_mem_release(struct kvm_vcpu *vcpu, gfn_t gfn, unsigned long nr)
{
	unsigned long end = jiffies + PAGE_WAIT, i;
	unsigned int nth = 0;
	int ret;

	while ((ret = release_page(vcpu->kvm, gfn)) == -EBUSY) {
		ret = wait_for_page(end, ++nth);
		if (ret)
			return ret;
	}

	for (i = 1; i < nr && !release_page(vcpu->kvm, gfn + i); i++)
		cond_resched();

	return 0;
}

/* Collect donated pages of consecutive granules, from the first at or above *@gfn on. */
static unsigned int next_donated_run(struct kvm *kvm, unsigned long *gfn, struct page **pages)
{
	XA_STATE(xas, &kvm->arch.pkvm.guest.granules, *gfn);
	unsigned int nr = 0;
	struct page *page;

	rcu_read_lock();
	xas_for_each(&xas, page, ULONG_MAX) {
		if (xa_is_value(page) && !nr)
			continue;
		if (xa_is_value(page))
			break;

		if (!nr)
			*gfn = xas.xa_index;
		else if (xas.xa_index != *gfn + nr)
			break;

		pages[nr++] = page;
		if (nr == PKVM_RECLAIM_MAX_GRANULES)
			break;
	}
	rcu_read_unlock();

	return nr;
}

static int reclaim_pages(struct kvm *kvm, unsigned long *nr_pages)
{
	struct page *pages[PKVM_RECLAIM_MAX_GRANULES];
	unsigned long gfn = 0;
	unsigned int nr, i;
	int ret;

	while ((nr = next_donated_run(kvm, &gfn, pages))) {
		ret = kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, kvm->arch.pkvm.handle,
					gfn, nr);
		if (ret)
			return ret;

		trace_pkvm_page_reclaimed(kvm->arch.pkvm.handle, gfn, page_to_pfn(pages[0]), nr);
		for (i = 0; i < nr; i++)
			pkvm_guest_unclaim_page(page_to_pfn(pages[i]));
		unpin_user_pages_dirty_lock(pages, nr, true);
		*nr_pages += nr;
		gfn += nr;
		cond_resched();
	}

	return 0;
}

/**
 * pkvm_guest_teardown() - Have the hypervisor forget a VM, and get all of it back
 * @kvm: a VM that has a handle, protected or not; no vCPU of it will run again.
 *
 * Sleeps. Pages that the hypervisor would not give back stay pinned: they are
 * not the host's to reuse.
 *
 * Return: 0, or the error of the step that failed.
 */
int pkvm_guest_teardown(struct kvm *kvm)
{
	struct kvm_hyp_memcache *mc = &kvm->arch.pkvm.teardown_mc;
	pkvm_handle_t handle = kvm->arch.pkvm.handle;
	unsigned long nr_pages = 0, nr_shared;
	int ret;

	/* A CPU that takes a page by force holds on to the VM for a moment. */
	do {
		ret = kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, handle);
		cond_resched();
	} while (ret == -EBUSY);
	if (ret)
		return ret;

	kvm->arch.pkvm.guest.nr_vcpus = 0;

	/* What comes back is not shared any more. */
	nr_shared = kvm->stat.protected.bytes_shared >> PAGE_SHIFT;
	ret = reclaim_pages(kvm, &nr_pages);
	if (nr_pages)
		pkvm_guest_uncharge(kvm, nr_pages);
	if (ret)
		return ret;

	xa_destroy(&kvm->arch.pkvm.guest.granules);
	trace_pkvm_vm_destroyed(handle, nr_pages);
	if (kvm_vm_is_protected(kvm))
		pkvm_guest_count_vm(kvm, nr_pages - nr_shared, nr_shared);

	do {
		ret = kvm_call_hyp_nvhe(__pkvm_finalize_teardown_vm, handle);
		atomic64_add(mc->nr_pages, &pkvm_guest_totals.metadata_pages_returned);
		free_hyp_memcache(mc);
		cond_resched();
	} while (ret == -EAGAIN || ret == -EBUSY);

	return ret;
}
