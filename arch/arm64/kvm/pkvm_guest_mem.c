// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: memory. A page that a guest faults on is pinned,
 * charged to RLIMIT_MEMLOCK and donated; when the VM dies the hypervisor hands
 * it back, and only then is it unpinned.
 *
 * R6: pages come home in steps, with the host scheduling between them.
 */

#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include "pkvm_guest.h"

/**
 * pkvm_guest_vm_created() - Count a VM that the hypervisor knows from now on
 * @kvm: the VM, protected or not.
 * @nr_pages: what the hypervisor was given for it.
 */
void pkvm_guest_vm_created(struct kvm *kvm, unsigned long nr_pages)
{
	if (kvm_vm_is_protected(kvm))
		atomic64_inc(&pkvm_guest_totals.vms_created);

	pkvm_guest_metadata_donated(nr_pages);
}

/**
 * pkvm_guest_metadata_donated() - Count pages that the hypervisor was given
 * @nr_pages: how many, for VM and vCPU state or for page tables.
 */
void pkvm_guest_metadata_donated(unsigned long nr_pages)
{
	atomic64_add(nr_pages, &pkvm_guest_totals.metadata_pages_donated);
}

/*
 * Donate @page, or find that the guest has one at @gfn, or had. kvm->arch.pkvm.lock
 * makes the record and the hypervisor's view of it change as one.
 */
static int donate_page(struct kvm_vcpu *vcpu, struct page *page, gfn_t gfn)
{
	struct kvm_hyp_memcache *mc = &vcpu->arch.pkvm_memcache;
	unsigned long nr_pages = mc->nr_pages;
	int ret;

	lockdep_assert_held(&vcpu->kvm->arch.pkvm.lock);

	ret = kvm_call_hyp_nvhe(__pkvm_host_donate_guest, page_to_pfn(page), gfn);
	pkvm_guest_metadata_donated(nr_pages - mc->nr_pages);

	return ret;
}

/* Record and donate a pinned page. -EEXIST if another vCPU was faster. */
static int add_guest_page(struct kvm_vcpu *vcpu, struct page *page, gfn_t gfn)
{
	struct xarray *granules = &vcpu->kvm->arch.pkvm.granules;
	int ret;

	guard(mutex)(&vcpu->kvm->arch.pkvm.lock);

	ret = xa_insert(granules, gfn, page, GFP_KERNEL_ACCOUNT);
	if (ret)
		return ret == -EBUSY ? -EEXIST : ret;

	if (donate_page(vcpu, page, gfn)) {
		xa_erase(granules, gfn);
		return -EFAULT;
	}

	atomic64_inc(&pkvm_guest_totals.pages_donated);

	return 0;
}

/* -EEXIST if the guest has a page at @gfn, -EFAULT if the host took it by force. */
static int check_guest_page(struct kvm_vcpu *vcpu, gfn_t gfn)
{
	struct page *page;

	guard(mutex)(&vcpu->kvm->arch.pkvm.lock);

	page = xa_load(&vcpu->kvm->arch.pkvm.granules, gfn);
	if (!page)
		return 0;

	return donate_page(vcpu, page, gfn) == -EEXIST ? -EEXIST : -EFAULT;
}

/* Pin the page behind @hva for as long as the guest may own it. */
static int pin_guest_page(unsigned long hva, struct page **page)
{
	int ret;

	ret = pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, page);
	if (ret == -EINTR || ret == -EAGAIN || ret == -ENOMEM)
		return ret;

	if (ret != 1)
		return -EFAULT;

	/*
	 * The contents of a file would be at the mercy of the guest, and the
	 * guest's on their way to the disk: anonymous memory and shmem only.
	 */
	if (!folio_test_swapbacked(page_folio(*page))) {
		unpin_user_page(*page);
		return -EFAULT;
	}

	return 0;
}

/**
 * pkvm_guest_mem_abort() - Give a protected guest the page that it needs
 * @vcpu: the vCPU that needs it, loaded.
 * @ipa: where; the page around it is donated.
 * @memslot: the slot that @ipa lies in. Caller holds kvm->srcu.
 *
 * Return: 0 with the page in place, be it that another vCPU was faster; -ENOMEM
 * if memory or RLIMIT_MEMLOCK are short; -EINTR or -EAGAIN if the caller has a
 * signal to see to; -EFAULT if there is no page that could be donated, or there
 * was one and the host took it back by force.
 */
int pkvm_guest_mem_abort(struct kvm_vcpu *vcpu, phys_addr_t ipa,
			 struct kvm_memory_slot *memslot)
{
	struct kvm *kvm = vcpu->kvm;
	gfn_t gfn = ipa >> PAGE_SHIFT;
	struct page *page;
	int ret;

	ret = topup_hyp_memcache(&vcpu->arch.pkvm_memcache,
				 kvm_mmu_cache_min_pages(&kvm->arch.mmu));
	if (ret)
		return ret;

	ret = check_guest_page(vcpu, gfn);
	if (ret)
		return ret == -EEXIST ? 0 : ret;

	ret = account_locked_vm(kvm->mm, 1, true);
	if (ret)
		return ret;

	ret = pin_guest_page(gfn_to_hva_memslot(memslot, gfn), &page);
	if (ret)
		goto err_account;

	ret = add_guest_page(vcpu, page, gfn);
	if (ret)
		goto err_unpin;

	return 0;

err_unpin:
	unpin_user_page(page);
err_account:
	account_locked_vm(kvm->mm, 1, false);
	return ret == -EEXIST ? 0 : ret;
}

/* Collect donated pages of consecutive granules, from the first at or above *@gfn on. */
static unsigned int next_donated_run(struct kvm *kvm, unsigned long *gfn, struct page **pages)
{
	XA_STATE(xas, &kvm->arch.pkvm.granules, *gfn);
	unsigned int nr = 0;
	struct page *page;

	rcu_read_lock();
	xas_for_each(&xas, page, ULONG_MAX) {
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
	unsigned int nr;
	int ret;

	while ((nr = next_donated_run(kvm, &gfn, pages))) {
		ret = kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, kvm->arch.pkvm.handle,
					gfn, nr);
		if (ret)
			return ret;

		unpin_user_pages_dirty_lock(pages, nr, true);
		*nr_pages += nr;
		gfn += nr;
		cond_resched();
	}

	return 0;
}

static void count_guest_calls(struct kvm *kvm, unsigned long nr_pages)
{
	u64 hypercalls = 0, shares = 0, unshares = 0;
	struct kvm_vcpu *vcpu;
	unsigned long i;

	kvm_for_each_vcpu(i, vcpu, kvm) {
		hypercalls += vcpu->arch.pkvm_stats.hypercalls;
		shares += vcpu->arch.pkvm_stats.shares;
		unshares += vcpu->arch.pkvm_stats.unshares;
	}

	atomic64_add(hypercalls, &pkvm_guest_totals.hypercalls);
	atomic64_add(shares, &pkvm_guest_totals.pages_shared);
	atomic64_add(unshares, &pkvm_guest_totals.pages_unshared);
	atomic64_add(shares - unshares, &pkvm_guest_totals.pages_reclaimed_shared);
	atomic64_add(nr_pages - (shares - unshares), &pkvm_guest_totals.pages_reclaimed_private);
	atomic64_inc(&pkvm_guest_totals.vms_destroyed);
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
	unsigned long nr_pages = 0;
	int ret;

	/* A CPU that takes a page by force holds on to the VM for a moment. */
	do {
		ret = kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, handle);
		cond_resched();
	} while (ret == -EBUSY);
	if (ret)
		return ret;

	ret = reclaim_pages(kvm, &nr_pages);
	if (nr_pages)
		account_locked_vm(kvm->mm, nr_pages, false);
	if (ret)
		return ret;

	xa_destroy(&kvm->arch.pkvm.granules);
	if (kvm_vm_is_protected(kvm))
		count_guest_calls(kvm, nr_pages);

	do {
		ret = kvm_call_hyp_nvhe(__pkvm_finalize_teardown_vm, handle);
		atomic64_add(mc->nr_pages, &pkvm_guest_totals.metadata_pages_returned);
		free_hyp_memcache(mc);
		cond_resched();
	} while (ret == -EAGAIN || ret == -EBUSY);

	return ret;
}
