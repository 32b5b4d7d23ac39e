// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: donation. A page that a guest faults on is pinned,
 * charged to RLIMIT_MEMLOCK and donated, and so are the pages around it that the VMM
 * has populated already: by one look at the page tables, one charge and one call to
 * the hypervisor. No page is faulted in but the one that the guest needs, and the
 * mmap_lock is not taken for writing.
 *
 * What stands against donating a page around is no reason to fail: then the one is
 * donated alone.
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
 * Pages that stand side by side in the IPA space, aligned around the one that the guest
 * needs, as far as nothing is known to stand against donating them.
 */
struct run {
	gfn_t first;
	unsigned int nr;
	struct page *pages[PKVM_DONATE_MAX_GRANULES];
};

/*
 * Charge pages that a guest is about to have. They are pinned memory, counted apart from
 * what the VMM locks by mlock(), and without its mmap_lock.
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
 * pkvm_guest_uncharge() - Uncharge pages that a guest has no more
 * @kvm: the VM.
 * @nr: how many, each of which pkvm_guest_donate() charged.
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
 * Donate a run, as far as the hypervisor takes it: the pages behind the first that it
 * refuses are dropped. 0 with @gfn among what was donated.
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
	 * The host may still be writing to the disk what was there before. It
	 * would read on when the page is the guest's.
	 */
	folio_wait_writeback(page_folio(*page));

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

/* The place of a run around @gfn: within the slot, outside of the firmware, and empty. */
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

/* Pin what is populated of the @nr pages below @hva, to the last of @pages. Returns how many. */
static unsigned int pin_below(unsigned long hva, unsigned int nr, struct page **pages)
{
	unsigned int done;
	int ret;

	if (!nr)
		return 0;

	ret = pin_user_pages_fast_only(hva - nr * PAGE_SIZE, nr, PIN_FLAGS, pages);
	if (ret == nr)
		return nr;

	/* There is a hole, so from the other end up to there. */
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
 * Pin what the VMM has populated of a run: the page at @gfn, and those beside it up to the
 * first that is missing on each side. False, with nothing pinned, if it is @gfn's.
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

/* Whether all pages of a run may be donated, and none has to be waited for. */
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

/* Charge, record, claim and donate what is pinned. It is unpinned if that fails. */
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

/* Give the guest the page at @gfn and what is populated around it. False if it has no page. */
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
 * pkvm_guest_donate() - Donate the page that a guest needs, and what is populated around it
 * @vcpu: the vCPU that needs it, loaded.
 * @gfn: where; nothing is recorded for it, but maybe that the guest gave a page back.
 * @memslot: the slot that @gfn lies in. Caller holds kvm->srcu and the lock of struct
 *	     pkvm_guest_vm.
 *
 * Sleeps. The pages around are up to PKVM_DONATE_MAX_GRANULES with the one, aligned to as
 * many, and none with pkvm_fault_around off.
 *
 * Return: 0 with the page donated; or what pkvm_guest_mem_abort() says of it.
 */
int pkvm_guest_donate(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot)
{
	if (READ_ONCE(fault_around) && give_around(vcpu, gfn, memslot))
		return 0;

	return give_alone(vcpu, gfn, memslot);
}
