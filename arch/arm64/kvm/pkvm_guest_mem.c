// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: memory. When a guest faults on an IPA without a page, the host
 * pins and donates a page there, see pkvm_guest_donate.c. When the VM is destroyed, EL2
 * returns the pages, and only then does the host unpin them.
 *
 * R6: the host gets the pages back in steps, and can schedule between two steps.
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

/* How long a vCPU waits while somebody else in the host uses a page, in jiffies. */
#define PAGE_WAIT	HZ

/**
 * pkvm_guest_vm_created() - Set up and count a VM that has just been created at EL2
 * @kvm: the VM, protected or not, with its handle.
 * @pgd: the memory that the host donated for the PGD.
 * @pgd_size: its size in bytes.
 * @vm_size: how many bytes the host donated for the state of the VM.
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
 * Check whether the guest has a page at @gfn. Returns 0 if not, -EEXIST if so, -EFAULT if the
 * host took the page by force.
 *
 * If the host has recorded a page, but the guest does not have it any more, the guest has
 * relinquished the page. The host then unpins and uncharges it, and notes that @gfn stays
 * empty until the guest touches it again. Caller holds kvm->arch.pkvm.guest.lock.
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
	/* The guest has a page, perhaps one that was donated around another fault. */
	if (ret == -EEXIST)
		return ret;

	if (ret && ret != -EPERM) {
		trace_pkvm_donation_failed(kvm->arch.pkvm.handle, gfn, ret);
		return -EFAULT;
	}

	/* This replaces an entry, so it needs no memory. */
	xa_store(&kvm->arch.pkvm.guest.granules, gfn, xa_mk_value(0), GFP_NOWAIT);
	trace_pkvm_page_relinquished(kvm->arch.pkvm.handle, gfn, page_to_pfn(page), 1);
	pkvm_guest_unclaim_page(page_to_pfn(page));
	unpin_user_pages_dirty_lock(&page, 1, true);
	pkvm_guest_uncharge(kvm, 1);
	atomic64_inc(&pkvm_guest_totals.pages_relinquished);

	return 0;
}

/**
 * pkvm_guest_relinquished() - Unpin and uncharge a page that a protected guest relinquished
 * @vcpu: the vCPU that relinquished the page, loaded.
 * @gfn: the IPA of the page, in granules.
 *
 * The host owns the page already, and its contents are zero. If another vCPU has touched @gfn
 * since, that vCPU's fault has already unpinned the page, and the guest has a new one.
 */
void pkvm_guest_relinquished(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	guard(mutex)(&vcpu->kvm->arch.pkvm.guest.lock);

	check_guest_page(vcpu, gfn);
}

/*
 * Donate a page to the guest at @gfn unless the guest has one there. Only one vCPU does so at a
 * time: else one could take another one's pin for a reference of somebody in the host.
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

/*
 * Wait until somebody else may have dropped their reference to a page. @nth counts the waits
 * for it. Returns 0 if the caller should try again, or an error.
 */
static int wait_for_page(unsigned long end, unsigned int nth)
{
	if (signal_pending(current))
		return -EINTR;

	if (time_after(jiffies, end))
		return -EBUSY;

	/* CPUs hold references to pages that they have yet to put on an LRU list. */
	if (nth == 1)
		lru_add_drain_all();
	else
		usleep_range(50, 200);

	return 0;
}

/**
 * pkvm_guest_mem_abort() - Donate the page on which a protected guest has faulted
 * @vcpu: the vCPU that faulted, loaded.
 * @ipa: the IPA. With pkvm_fault_around, the host also donates the pages around it that the
 *	 VMM has populated: at most PKVM_DONATE_MAX_GRANULES pages in all, within a range that is
 *	 aligned to this number.
 * @memslot: the slot that @ipa lies in. Caller holds kvm->srcu.
 *
 * Sleeps.
 *
 * Return: 0 if the guest has the page now, also if another vCPU was faster; -ENOMEM if memory
 * or RLIMIT_MEMLOCK does not suffice; -EINTR or -EAGAIN if the caller has to handle a signal;
 * -EBUSY if somebody else in the host uses the page and still does so after a second; -EFAULT
 * if there is no page that can be donated, or if the host took the guest's page at @ipa by
 * force.
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
 * pkvm_guest_mem_release() - Let a guest take back pages that the host holds
 * @vcpu: the vCPU that takes them back, loaded.
 * @gfn: the IPA of the first page, in granules. The function waits until nobody uses this page.
 * @nr: how many pages. Those after the first are released up to one that is in use.
 *
 * Sleeps.
 *
 * Return: 0; -EINTR if the caller has to handle a signal; -EBUSY if somebody in the host uses
 * the first page and still does so after a second.
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

/*
 * Collect recorded pages at consecutive gfns, starting with the first page at or above *@gfn.
 * Sets *@gfn to the gfn of that page. Returns how many pages.
 */
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
 * pkvm_guest_teardown() - Tear a VM down at EL2, and get back all of its memory
 * @kvm: a VM that has a handle, protected or not; no vCPU of it will run again.
 *
 * Sleeps. A page that EL2 does not return stays pinned, as the host must not reuse it.
 *
 * Return: 0, or the error of the step that failed.
 */
int pkvm_guest_teardown(struct kvm *kvm)
{
	struct kvm_hyp_memcache *mc = &kvm->arch.pkvm.teardown_mc;
	pkvm_handle_t handle = kvm->arch.pkvm.handle;
	unsigned long nr_pages = 0, nr_shared;
	int ret;

	/* A CPU that takes a page of the VM by force has a reference to the VM for a moment. */
	do {
		ret = kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, handle);
		cond_resched();
	} while (ret == -EBUSY);
	if (ret)
		return ret;

	kvm->arch.pkvm.guest.nr_vcpus = 0;

	/* Read this first: the pages that EL2 returns do not count as shared any more. */
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
