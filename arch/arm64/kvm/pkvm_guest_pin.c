// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: nobody in the host uses a page while it is private
 * (R9). The memory management asks, after it took a reference to a page and before
 * it uses the contents; and a page becomes private only if nobody has a reference
 * but those who are known not to use the contents.
 *
 * Two marks of each page say what the host knows of it:
 *
 * guest	A protected guest has it, or is about to get it. Set before the
 *		references are counted and the page is donated, cleared when the page
 *		is the host's again.
 * held		The guest shares it, and the hypervisor does not let the guest take it
 *		back before the host agrees. Set when the first reference is taken
 *		after the guest shared it; only for pages of a guest.
 *
 * What a guest shares and takes back it settles with the hypervisor alone, unless
 * the page is held: a MEM_UNSHARE of it leaves for the host, and waits until the
 * last reference is gone.
 *
 * Both sides first write and then read, with a full barrier in between. Who wants a
 * page to be private changes the marks, and then counts the references; who wants to
 * use it takes a reference, and then looks at the marks. At least one of the two
 * sees the other.
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

/* The marks of so many consecutive pages: one page of memory. */
#define MARKS_SHIFT	(PAGE_SHIFT + 2)
#define MARKS_PAGES	BIT(MARKS_SHIFT)

struct marks {
	unsigned long guest[BITS_TO_LONGS(MARKS_PAGES)];
	unsigned long held[BITS_TO_LONGS(MARKS_PAGES)];
};

/* By pfn >> MARKS_SHIFT; made when a guest gets the first of its pages, and kept. */
static DEFINE_XARRAY(all_marks);

/*
 * Over each change of "held", whose other half is the hypervisor's. Taken with
 * page-table locks held, and with interrupts off.
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

/* Have the hypervisor keep a shared page from being unshared. False if it is not shared. */
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
 * pkvm_pages_accessible() - May the host use the contents of pages?
 * @page: the first of them. The caller has a reference to its folio.
 * @nr: how many, all of that folio.
 *
 * What a guest shares stays shared for as long as the caller keeps its reference.
 * May be called with page-table locks held, and with interrupts off.
 *
 * Return: how many it may, from the first on; less than @nr if the next one is
 * private.
 */
unsigned long pkvm_pages_accessible(struct page *page, unsigned long nr)
{
	unsigned long pfn = page_to_pfn(page), done = 0, bit, end;
	struct marks *marks;

	/* Between the reference and the marks. Pairs with those who mark a page. */
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
 * pkvm_address_accessible() - May the host use what lies at a user address?
 * @vma: the area that the address is in; its mmap_lock is held.
 * @address: the address.
 *
 * For who found a page mapped after an access failed, and would try again for ever.
 *
 * Return: false if there is a private page.
 */
bool pkvm_address_accessible(struct vm_area_struct *vma, unsigned long address)
{
	struct folio_walk fw;
	bool accessible;

	if (!folio_walk_start(&fw, vma, address & PAGE_MASK, 0))
		return true;

	/* The page-table lock keeps the mapping's reference for us. */
	accessible = pkvm_pages_accessible(fw.page, 1);
	folio_walk_end(&fw, vma);

	return accessible;
}

/**
 * pkvm_copy_accessible_page() - Copy a page if the host may use its contents
 * @to: the copy, zeroed if the host may not.
 * @from: the page, which will stay what it is, though the caller may have no
 *	  reference of its own: it has been mapped, or isolated, under a lock.
 *
 * So the child of a VMM that forks has zeroes in place of what is private.
 */
void pkvm_copy_accessible_page(struct page *to, struct page *from)
{
	struct folio *folio = page_folio(from);

	/* Without a reference it is about to be freed, or to be moved: no guest has it. */
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
 * How many pages of a folio guests have. Each is pinned for that, once. A folio is
 * aligned to its size, and has its marks side by side.
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
 * Whether somebody has a reference to a folio who may use the contents: one that is
 * neither of the page cache nor of a mapping, nor of the LRU lists, nor a guest's. The
 * folio is locked: that keeps off all that would add a mapping but fork(), which the
 * second look at the number of mappings is for.
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
	/* On its way to an LRU list, or off it. */
	expected += !folio_test_lru(folio);

	return folio_ref_count(folio) != expected || folio_mapcount(folio) != mapped;
}

static void unclaim_pages(struct page **pages, unsigned int nr)
{
	while (nr--)
		pkvm_guest_unclaim_page(page_to_pfn(pages[nr]));
}

/* Claim pages of one folio, all or none: its references are counted once for all of them. */
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
		/* It may be shared with the host, and so be pinned, but it has one owner (R1). */
		if (test_and_set_bit(mark_of(page_to_pfn(pages[done])), marks->guest)) {
			ret = -EFAULT;
			break;
		}
	}

	/* Between the marks and the references. Pairs with pkvm_pages_accessible(). */
	smp_mb__after_atomic();
	if (!ret && folio_is_used(folio))
		ret = -EBUSY;
	if (ret)
		unclaim_pages(pages, done);

	folio_unlock(folio);

	return ret;
}

/**
 * pkvm_guest_claim_pages() - See to it that pages can become private
 * @pages: pages that the caller pinned, once each, for a guest.
 * @nr: how many.
 *
 * From here on nobody else can use them. Undone by pkvm_guest_unclaim_page(), for each.
 *
 * Return: 0; or with nothing changed: -ENOMEM; -EFAULT if a guest has one of the pages;
 * -EBUSY if somebody uses one, or another one of its folio: references are counted by
 * folio, and pages of one that do not stand side by side in @pages pass for used.
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
 * pkvm_guest_unclaim_page() - Have a page be used again
 * @pfn: the page, which is the host's.
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
 * @page: the page, of a guest that cannot go away.
 *
 * Return: 0; -EBUSY if somebody uses the page, or another one of its folio.
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
		/* Between the mark and the references. Pairs with pkvm_pages_accessible(). */
		smp_mb__after_atomic();
		used = folio_is_used(folio);
		if (used)
			set_bit(mark_of(pfn), marks->held);
		else
			/* It fails only for what is not shared any more. */
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
