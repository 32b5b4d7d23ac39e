// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: nobody in the host uses a page while it is private (R9). The
 * memory management calls this file after it took a reference to a page, and before it uses
 * the contents. And a page becomes private only while nobody has a reference to it except
 * those who are known not to use the contents.
 *
 * The host has two marks for each page:
 *
 * guest	A protected guest has the page, or is about to get it. Set before the
 *		references are counted and the page is donated. Cleared once the host owns the
 *		page again.
 * held		A guest shares the page, and EL2 does not let the guest take it back until
 *		the host agrees. Set when somebody in the host takes the first reference
 *		after the guest has shared the page. Set only together with "guest".
 *
 * A guest shares a page and takes it back by calls to EL2 alone, unless the page is held: a
 * MEM_UNSHARE call for a held page exits to the host, and waits until the last reference
 * is gone.
 *
 * Each of two sides first writes, then has a full barrier, then reads. The side that wants to
 * make a page private changes the marks, and then counts the references. The side that wants
 * to use the page takes a reference, and then looks at the marks. So at least one of the two
 * sees what the other has written.
 */

#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/pagewalk.h>
#include <linux/private_pages.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/xarray.h>

#include <asm/kvm_asm.h>
#include <asm/virt.h>

#include "pkvm_guest.h"

/* Whether there may be private pages at all. */
DEFINE_STATIC_KEY_FALSE(pkvm_private_memory);

/* How many consecutive pages have their marks in one struct marks, which fills one page. */
#define MARKS_SHIFT	(PAGE_SHIFT + 2)
#define MARKS_PAGES	BIT(MARKS_SHIFT)

struct marks {
	unsigned long guest[BITS_TO_LONGS(MARKS_PAGES)];
	unsigned long held[BITS_TO_LONGS(MARKS_PAGES)];
};

/* Indexed by pfn >> MARKS_SHIFT. Allocated when a guest first gets one of the pages; kept. */
static DEFINE_XARRAY(all_marks);

/*
 * Taken for each change of "held", so that the mark and what EL2 knows of it change together.
 * Taken with page-table locks held. Interrupts are off while it is held.
 */
static DEFINE_RAW_SPINLOCK(held_lock);

static struct marks *find_marks(unsigned long pfn)
{
	return xa_load(&all_marks, pfn >> MARKS_SHIFT);
}

static unsigned long mark_of(unsigned long pfn)
{
	return pfn & (MARKS_PAGES - 1);
}

static struct marks *make_marks(unsigned long pfn)
{
	struct marks *marks = find_marks(pfn), *other;

	BUILD_BUG_ON(sizeof(*marks) != PAGE_SIZE);

	if (marks)
		return marks;

	marks = kzalloc(sizeof(*marks), GFP_KERNEL);
	if (!marks)
		return NULL;

	other = xa_cmpxchg(&all_marks, pfn >> MARKS_SHIFT, NULL, marks, GFP_KERNEL);
	if (!other)
		return marks;

	kfree(marks);

	return xa_is_err(other) ? NULL : other;
}

/* Have EL2 refuse to unshare a page. Returns false if the guest does not share the page. */
static bool hold_page(struct marks *marks, unsigned long pfn)
{
	unsigned long flags;
	bool held;

	raw_spin_lock_irqsave(&held_lock, flags);
	held = test_bit(mark_of(pfn), marks->held);
	if (!held && !kvm_call_hyp_nvhe(__pkvm_host_hold_page, pfn)) {
		set_bit(mark_of(pfn), marks->held);
		held = true;
	}
	raw_spin_unlock_irqrestore(&held_lock, flags);

	return held;
}

/**
 * pkvm_pages_accessible() - Check how many pages' contents the host may use
 * @page: the first page. The caller has a reference to its folio.
 * @nr: how many pages, all of that folio.
 *
 * If a guest shares such a page, it cannot take the page back while the caller keeps its
 * reference. May be called with page-table locks held, and with interrupts off.
 *
 * Return: how many pages, from the first on, the host may use; if less than @nr, the next
 * page is private.
 */
unsigned long pkvm_pages_accessible(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page), done = 0, bit, end;
	struct marks *marks;

	/*
	 * Between taking the reference and looking at the marks. Pairs with the barriers in
	 * claim_in_folio() and pkvm_guest_release_page().
	 */
	smp_mb();

	while (done < nr) {
		marks = find_marks(pfn + done);
		bit = mark_of(pfn + done);
		end = min(bit + nr - done, MARKS_PAGES);
		if (marks)
			end = find_next_bit(marks->guest, end, bit);
		done += end - bit;
		if (done == nr || !marks || end == MARKS_PAGES)
			continue;

		if (!test_bit(end, marks->held) && !hold_page(marks, pfn + done))
			break;
		done++;
	}

	return done;
}

/**
 * pkvm_address_accessible() - Check whether the host may use the page at a user address
 * @vma: the area that the address is in; its mmap_lock is held.
 * @address: the address.
 *
 * For callers whose access has failed although a page is mapped: without this check they would
 * retry for ever.
 *
 * Return: false if a private page is mapped there.
 */
bool pkvm_address_accessible(struct vm_area_struct *vma, unsigned long address)
{
	struct folio_walk fw;
	bool accessible;

	if (!folio_walk_start(&fw, vma, address & PAGE_MASK, 0))
		return true;

	/* The mapping's reference to the folio stays while the page-table lock is held. */
	accessible = pkvm_pages_accessible(fw.page, 1);
	folio_walk_end(&fw, vma);

	return accessible;
}

/**
 * pkvm_copy_accessible_page() - Copy a page if the host may use its contents
 * @to: the copy; zeroed if the host may not use the contents.
 * @from: the page. The caller need not have a reference of its own, but holds a lock under which
 *	  the page is mapped or isolated, so that it is not reused meanwhile.
 *
 * When a VMM forks, its child thus finds zeroes in place of the contents of private pages.
 */
void pkvm_copy_accessible_page(struct page *to, struct page *from)
{
	struct folio *folio = page_folio(from);

	/* A folio without references is being freed or moved, so no guest has its pages. */
	if (!folio_try_get(folio)) {
		copy_page(page_address(to), page_address(from));
		return;
	}

	if (pkvm_pages_accessible(from, 1))
		copy_page(page_address(to), page_address(from));
	else
		clear_page(page_address(to));

	folio_put(folio);
}

/*
 * Count the pages of a folio that guests have, for each of which the host has pinned the folio
 * once. A folio is aligned to its size, so all of its marks are in one struct marks.
 */
static unsigned int count_guest_pages(struct folio *folio)
{
	unsigned long nr = folio_nr_pages(folio), first = mark_of(folio_pfn(folio));
	struct marks *marks = find_marks(folio_pfn(folio));

	BUILD_BUG_ON(MAX_PAGE_ORDER > MARKS_SHIFT);

	if (nr < BITS_PER_LONG)
		return hweight_long(bitmap_read(marks->guest, first, nr));

	return bitmap_weight(marks->guest + BIT_WORD(first), nr);
}

/*
 * Check whether somebody who may use a folio's contents has a reference to it, that is, a
 * reference which is not of the page cache, of a mapping, of an LRU list, or a guest's pin.
 * The caller has locked the folio. So nobody but fork() can add a mapping, and for fork()
 * the number of mappings is read a second time.
 */
static bool folio_is_used(struct folio *folio)
{
	int expected, mapped;

	if (folio_test_large(folio)) {
		expected = count_guest_pages(folio);
		if (atomic_read(&folio->_pincount) != expected)
			return true;
	} else {
		expected = GUP_PIN_COUNTING_BIAS;
	}

	mapped = folio_mapcount(folio);
	expected += folio_expected_ref_count(folio);
	/* The folio is being added to an LRU list or removed from one. */
	expected += !folio_test_lru(folio);

	return folio_ref_count(folio) != expected || folio_mapcount(folio) != mapped;
}

static void unclaim_pages(struct page **pages, unsigned int nr)
{
	while (nr--)
		pkvm_guest_unclaim_page(page_to_pfn(pages[nr]));
}

/* Claim pages of one folio, all or none, as all of them have one count of references. */
static int claim_in_folio(struct folio *folio, struct page **pages, unsigned int nr)
{
	struct marks *marks = make_marks(folio_pfn(folio));
	unsigned int done;
	int ret = 0;

	if (!marks)
		return -ENOMEM;

	if (!folio_trylock(folio))
		return -EBUSY;

	for (done = 0; done < nr; done++) {
		/* A page that a guest shares can be pinned again, but has one owner (R1). */
		if (test_and_set_bit(mark_of(page_to_pfn(pages[done])), marks->guest)) {
			ret = -EFAULT;
			break;
		}
	}

	/* Between setting the marks and counting. Pairs with pkvm_pages_accessible(). */
	smp_mb__after_atomic();
	if (!ret && folio_is_used(folio))
		ret = -EBUSY;
	if (ret)
		unclaim_pages(pages, done);

	folio_unlock(folio);

	return ret;
}

/**
 * pkvm_guest_claim_pages() - Mark pages as a guest's, if nobody else uses them
 * @pages: pages that the caller has pinned, once each, for a guest.
 * @nr: how many.
 *
 * From then on nobody else in the host can use the pages. To be undone by
 * pkvm_guest_unclaim_page(), for each page.
 *
 * Return: 0; or with nothing changed: -ENOMEM; -EFAULT if a guest already has one of the pages;
 * -EBUSY if somebody uses one of the pages or another page of its folio. References are counted
 * per folio, so pages of one folio that are not next to each other in @pages also give -EBUSY.
 */
int pkvm_guest_claim_pages(struct page **pages, unsigned int nr)
{
	unsigned int done, n;
	struct folio *folio;
	int ret;

	for (done = 0; done < nr; done += n) {
		folio = page_folio(pages[done]);
		for (n = 1; done + n < nr && page_folio(pages[done + n]) == folio; n++)
			;

		ret = claim_in_folio(folio, pages + done, n);
		if (ret) {
			unclaim_pages(pages, done);
			return ret;
		}
	}

	return 0;
}

/**
 * pkvm_guest_unclaim_page() - Let the host use a page again
 * @pfn: page frame number of the page, which the host owns.
 *
 * May be called in any context.
 */
void pkvm_guest_unclaim_page(unsigned long pfn)
{
	struct marks *marks = find_marks(pfn);
	unsigned long flags;

	if (!marks)
		return;

	raw_spin_lock_irqsave(&held_lock, flags);
	clear_bit(mark_of(pfn), marks->held);
	clear_bit(mark_of(pfn), marks->guest);
	raw_spin_unlock_irqrestore(&held_lock, flags);
}

/**
 * pkvm_guest_release_page() - Let a guest take a page back that it shares
 * @page: the page, of a guest that the caller keeps from being destroyed.
 *
 * Return: 0; -EBUSY if somebody in the host uses the page, or another page of its folio.
 */
int pkvm_guest_release_page(struct page *page)
{
	struct folio *folio = page_folio(page);
	unsigned long pfn = page_to_pfn(page);
	struct marks *marks = find_marks(pfn);
	bool used = false;
	unsigned long flags;

	if (!marks)
		return 0;

	if (!folio_trylock(folio))
		return -EBUSY;

	raw_spin_lock_irqsave(&held_lock, flags);
	if (test_and_clear_bit(mark_of(pfn), marks->held)) {
		/* Between clearing the mark and counting. Pairs with pkvm_pages_accessible(). */
		smp_mb__after_atomic();
		used = folio_is_used(folio);
		if (used)
			set_bit(mark_of(pfn), marks->held);
		else
			/* This fails only if the guest does not share the page any more. */
			kvm_call_hyp_nvhe(__pkvm_host_release_page, pfn);
	}
	raw_spin_unlock_irqrestore(&held_lock, flags);

	folio_unlock(folio);

	return used ? -EBUSY : 0;
}

static int __init pkvm_private_memory_init(void)
{
	if (is_protected_kvm_enabled())
		static_branch_enable(&pkvm_private_memory);

	return 0;
}
late_initcall(pkvm_private_memory_init);
