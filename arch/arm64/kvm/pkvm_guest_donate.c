// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: donation. The host pins the page on which a guest has faulted,
 * charges it to RLIMIT_MEMLOCK and donates it. It does the same for the pages around it
 * that the VMM has populated already, with one look at the page tables, one charge and one
 * hypercall for all of them. Only the page that the guest needs is faulted in. The host does
 * not take the mmap_lock for writing.
 *
 * If the pages around cannot be donated, the fault does not fail: the host donates the one
 * page alone.
 */

#include <linux/capability.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/private_pages.h>
#include <linux/sched/signal.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

#include "pkvm_guest.h"
#include "trace_pkvm.h"

static bool fault_around = true;
module_param_named(pkvm_fault_around, fault_around, bool, 0644);
MODULE_PARM_DESC(pkvm_fault_around,
		 "Donate the populated pages around the one that a protected VM faults on, too");

/*
 * Pages at consecutive IPAs, among them the page that the guest needs, in a range that is
 * aligned to PKVM_DONATE_MAX_GRANULES. It holds no page of which the host knows that it cannot
 * be donated.
 */
struct run {
	gfn_t first;
	unsigned int nr;
	struct page *pages[PKVM_DONATE_MAX_GRANULES];
};

/*
 * Charge pages that the host is about to donate. They count as pinned memory: apart from the
 * memory that the VMM locks by mlock(), and without its mmap_lock.
 */
static int charge_pages(struct kvm *kvm, unsigned int nr)
{
	s64 limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 pinned = atomic64_read(&kvm->mm->pinned_vm);

	do {
		if (pinned + nr > limit && !capable(CAP_IPC_LOCK))
			return -ENOMEM;
	} while (!atomic64_try_cmpxchg(&kvm->mm->pinned_vm, &pinned, pinned + nr));

	return 0;
}

/**
 * pkvm_guest_uncharge() - Uncharge pages that a guest does not have any more
 * @kvm: the VM.
 * @nr: how many pages, each of which pkvm_guest_donate() has charged.
 */
void pkvm_guest_uncharge(struct kvm *kvm, unsigned long nr)
{
	atomic64_sub(nr, &kvm->mm->pinned_vm);
}

static int record_run(struct kvm *kvm, const struct run *run)
{
	struct xarray *granules = &kvm->arch.pkvm.guest.granules;
	unsigned int i;
	int ret;

	for (i = 0; i < run->nr; i++) {
		ret = xa_err(xa_store(granules, run->first + i, run->pages[i],
				      GFP_KERNEL_ACCOUNT));
		if (ret)
			break;
	}
	if (i == run->nr)
		return 0;

	while (i--)
		xa_erase(granules, run->first + i);

	return ret;
}

/* Undo what pin_run(), charge_pages() and record_run() did, from the @nr-th page on. */
static void drop_run(struct kvm *kvm, struct run *run, unsigned int nr)
{
	unsigned int i;

	for (i = nr; i < run->nr; i++) {
		xa_erase(&kvm->arch.pkvm.guest.granules, run->first + i);
		pkvm_guest_unclaim_page(page_to_pfn(run->pages[i]));
	}

	unpin_user_pages(run->pages + nr, run->nr - nr);
	pkvm_guest_uncharge(kvm, run->nr - nr);
}

/*
 * Donate a run. If EL2 refuses a page, drop that page and those behind it. Returns 0 if the page
 * at @gfn was donated.
 */
static int donate_run(struct kvm_vcpu *vcpu, struct run *run, gfn_t gfn)
{
	struct kvm_hyp_memcache *mc = &vcpu->arch.pkvm_memcache;
	unsigned long nr_tables = mc->nr_pages;
	struct kvm *kvm = vcpu->kvm;
	unsigned int i, nr;
	int ret;

	for (i = 0; i < run->nr; i++)
		vcpu->arch.pkvm.donation[i] = page_to_pfn(run->pages[i]);

	ret = kvm_call_hyp_nvhe(__pkvm_host_donate_guest, run->first, run->nr);
	pkvm_guest_metadata_donated(nr_tables - mc->nr_pages);
	nr = max(ret, 0);
	if (nr < run->nr)
		drop_run(kvm, run, nr);

	if (ret < 0) {
		trace_pkvm_donation_failed(kvm->arch.pkvm.handle, run->first, ret);
		return -EFAULT;
	}

	atomic64_add(nr, &pkvm_guest_totals.pages_donated);
	for (i = 0; i < nr; i++)
		trace_pkvm_page_donated(kvm->arch.pkvm.handle, run->first + i,
					page_to_pfn(run->pages[i]), 1);

	return gfn - run->first < nr ? 0 : -EFAULT;
}

/* Fault in the page at @hva, and pin it for as long as the guest may own it. */
static int pin_guest_page(unsigned long hva, struct page **page)
{
	int ret;

	ret = pin_user_pages_fast(hva, 1, FOLL_WRITE | FOLL_LONGTERM, page);
	if (ret == -EINTR || ret == -EAGAIN || ret == -ENOMEM)
		return ret;

	if (ret != 1)
		return -EFAULT;

	/*
	 * The host may still be writing the page's former contents to the disk, and would go on
	 * reading the page when it is the guest's.
	 */
	folio_wait_writeback(page_folio(*page));

	/*
	 * Anonymous memory and shmem only. Of another file, the guest could change the contents,
	 * and the guest's data could be written to the disk.
	 */
	if (!folio_test_swapbacked(page_folio(*page))) {
		unpin_user_page(*page);
		return -EFAULT;
	}

	return 0;
}

/*
 * Choose the run around @gfn: within the slot, and without other gfns that have an entry in the
 * host's record. A page of the firmware is a run of its own.
 */
static void place_run(struct kvm *kvm, struct run *run, gfn_t gfn,
		      struct kvm_memory_slot *memslot)
{
	gfn_t first = max(ALIGN_DOWN(gfn, PKVM_DONATE_MAX_GRANULES), memslot->base_gfn);
	gfn_t end = min(ALIGN_DOWN(gfn, PKVM_DONATE_MAX_GRANULES) + PKVM_DONATE_MAX_GRANULES,
			memslot->base_gfn + memslot->npages);
	struct xarray *granules = &kvm->arch.pkvm.guest.granules;
	u64 fw_ipa = kvm->arch.pkvm.guest.fw_ipa;
	unsigned long next = gfn + 1;

	if (fw_ipa != PVM_NO_FW) {
		gfn_t fw = fw_ipa >> PAGE_SHIFT;
		gfn_t fw_end = fw + (pkvm_guest_fw_size() >> PAGE_SHIFT);

		if (gfn < fw) {
			end = min(end, fw);
		} else if (gfn >= fw_end) {
			first = max(first, fw_end);
		} else {
			first = gfn;
			end = next;
		}
	}

	if (next < end && xa_find(granules, &next, end - 1, XA_PRESENT))
		end = next;

	for (run->first = gfn; run->first > first; run->first--) {
		if (xa_load(granules, run->first - 1))
			break;
	}
	run->nr = end - run->first;
}

#define PIN_FLAGS	(FOLL_WRITE | FOLL_LONGTERM)

/*
 * Pin the pages that are populated directly below @hva, at most @nr. They become the last
 * elements of @pages, which has @nr. Returns how many were pinned.
 */
static unsigned int pin_below(unsigned long hva, unsigned int nr, struct page **pages)
{
	unsigned int done;
	int ret;

	if (!nr)
		return 0;

	ret = pin_user_pages_fast_only(hva - nr * PAGE_SIZE, nr, PIN_FLAGS, pages);
	if (ret == nr)
		return nr;

	/* A page is missing: pin one by one, from @hva down to the missing page. */
	if (ret > 0)
		unpin_user_pages(pages, ret);
	for (done = 0; done < nr; done++) {
		if (pin_user_pages_fast_only(hva - (done + 1) * PAGE_SIZE, 1, PIN_FLAGS,
					     &pages[nr - done - 1]) != 1)
			break;
	}

	return done;
}

/*
 * Pin the pages of a run that the VMM has populated: the page at @gfn, and on each side those up
 * to the first that is missing. Returns false, with nothing pinned, if the page at @gfn is
 * missing.
 */
static bool pin_run(struct run *run, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	unsigned long hva = gfn_to_hva_memslot(memslot, gfn);
	unsigned int below = gfn - run->first, nr;
	int above;

	above = pin_user_pages_fast_only(hva, run->nr - below, PIN_FLAGS, run->pages + below);
	if (above <= 0)
		return false;

	nr = pin_below(hva, below, run->pages);
	memmove(run->pages, run->pages + below - nr, (nr + above) * sizeof(*run->pages));
	run->first = gfn - nr;
	run->nr = nr + above;

	return true;
}

/* Check that all pages of a run can be donated, without having to wait for writeback. */
static bool run_is_ready(const struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->nr; i++) {
		struct folio *folio = page_folio(run->pages[i]);

		if (!folio_test_swapbacked(folio) || folio_test_writeback(folio))
			return false;
	}

	return true;
}

/* Charge, claim, record and donate the pages of a run, or unpin them on an error. */
static int give_run(struct kvm_vcpu *vcpu, struct run *run, gfn_t gfn)
{
	struct kvm *kvm = vcpu->kvm;
	int ret;

	ret = topup_hyp_memcache(&vcpu->arch.pkvm_memcache,
				 kvm_mmu_cache_min_pages(&kvm->arch.mmu));
	if (ret)
		goto err_unpin;

	ret = charge_pages(kvm, run->nr);
	if (ret)
		goto err_unpin;

	ret = pkvm_guest_claim_pages(run->pages, run->nr);
	if (ret)
		goto err_uncharge;

	ret = record_run(kvm, run);
	if (ret) {
		drop_run(kvm, run, 0);
		return ret;
	}

	return donate_run(vcpu, run, gfn);

err_uncharge:
	pkvm_guest_uncharge(kvm, run->nr);
err_unpin:
	unpin_user_pages(run->pages, run->nr);

	return ret;
}

/*
 * Donate the page at @gfn and the populated pages around it. Returns false if the guest still
 * has no page at @gfn.
 */
static bool give_around(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	struct run run;

	place_run(vcpu->kvm, &run, gfn, memslot);
	if (run.nr == 1 || !pin_run(&run, gfn, memslot))
		return false;

	if (!run_is_ready(&run)) {
		unpin_user_pages(run.pages, run.nr);
		return false;
	}

	return !give_run(vcpu, &run, gfn);
}

static int give_alone(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	struct run run = { .first = gfn, .nr = 1 };
	int ret;

	ret = pin_guest_page(gfn_to_hva_memslot(memslot, gfn), run.pages);

	return ret ?: give_run(vcpu, &run, gfn);
}

/**
 * pkvm_guest_donate() - Donate the page that a guest needs, and populated pages around it
 * @vcpu: the vCPU that needs the page, loaded.
 * @gfn: the IPA, in granules. The host's record has no page there.
 * @memslot: the slot that @gfn lies in. Caller holds kvm->srcu and the lock of struct
 *	     pkvm_guest_vm.
 *
 * Sleeps. With pkvm_fault_around, donates at most PKVM_DONATE_MAX_GRANULES pages, within a range
 * that is aligned to this number. Without it, donates the one page alone.
 *
 * Return: 0 if the page was donated; else an error as of pkvm_guest_mem_abort().
 */
int pkvm_guest_donate(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	if (READ_ONCE(fault_around) && give_around(vcpu, gfn, memslot))
		return 0;

	return give_alone(vcpu, gfn, memslot);
}
