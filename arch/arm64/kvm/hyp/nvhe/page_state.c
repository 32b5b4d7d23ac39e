// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's half of the state of a page, which is in the vmemmap. The host's stage-2 has
 * only mappings, and annotations for the pages that the host does not own.
 *
 * R1: the host's half changes only under the host's lock, together with the other half:
 *     that of the component with which the page is shared or to which it is given.
 */

#include <linux/overflow.h>

#include <asm/kvm_mmu.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/page_state.h>

/**
 * host_check_allowed_memory() - Check that a range is memory, which has page states
 * @start: physical address of the range, page aligned.
 * @size: bytes, whole pages.
 *
 * The vmemmap has entries only for such memory.
 *
 * Return: 0 if the range lies in one memblock region which is not no-map; -EPERM if the
 * region is no-map; -EINVAL if the range is not memory, or not in one region.
 */
int host_check_allowed_memory(u64 start, u64 size)
{
	u64 end;

	if (!size || check_add_overflow(start, size, &end))
		return -EINVAL;

	if (size > PAGE_SIZE && !range_is_memory(start, end))
		return -EINVAL;

	if (addr_is_allowed_memory(start))
		return 0;

	return addr_is_memory(start) ? -EPERM : -EINVAL;
}

/**
 * __host_check_page_state_range() - Check the host's state of pages
 * @addr: physical address of the first one.
 * @size: bytes.
 * @state: the state that all of them must have. The host's lock is held.
 *
 * Return: 0 if all of them are in that state; -EPERM if not; or the error of
 * host_check_allowed_memory().
 */
int __host_check_page_state_range(u64 addr, u64 size, enum pkvm_page_state state)
{
	u64 end;
	int ret;

	hyp_assert_lock_held(&host_mmu.lock);

	ret = host_check_allowed_memory(addr, size);
	if (ret)
		return ret;

	for (end = addr + size; addr < end; addr += PAGE_SIZE) {
		if (hyp_phys_to_page(addr)->host_state != state)
			return -EPERM;
	}

	return 0;
}

/**
 * host_check_shared_page_range() - Check that the host shares pages, but not with a guest
 * @addr: physical address of the first one.
 * @size: bytes. The host's lock is held.
 *
 * Return: 0 if the host shares all of them, and none with a guest; -EPERM if not; or the
 * error of host_check_allowed_memory().
 */
int host_check_shared_page_range(u64 addr, u64 size)
{
	u64 end = addr + size;
	int ret;

	ret = __host_check_page_state_range(addr, size, PKVM_PAGE_SHARED_OWNED);
	for (; !ret && addr < end; addr += PAGE_SIZE) {
		if (hyp_phys_to_page(addr)->host_share_guest_count)
			ret = -EPERM;
	}

	return ret;
}

/**
 * __host_set_page_state_range() - Set the host's state of pages
 * @addr: physical address of the first one.
 * @size: bytes, checked by host_check_allowed_memory(). The host's lock is held.
 * @state: the state.
 *
 * Return: 0, which the callers in mem_protect.c pass on.
 */
int __host_set_page_state_range(u64 addr, u64 size, enum pkvm_page_state state)
{
	struct hyp_page *page = hyp_phys_to_page(addr);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);

	hyp_assert_lock_held(&host_mmu.lock);
	for (; page < end; page++)
		page->host_state = state;

	return 0;
}

/**
 * host_share_pages() - Count one more guest's entry for each of some pages of the host
 * @addr: physical address of the first page.
 * @size: bytes, of pages that the host may share. The host's lock is held.
 *
 * Each page's state becomes SHARED_OWNED.
 */
void host_share_pages(u64 addr, u64 size)
{
	struct hyp_page *page = hyp_phys_to_page(addr);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);

	hyp_assert_lock_held(&host_mmu.lock);
	for (; page < end; page++) {
		page->host_state = PKVM_PAGE_SHARED_OWNED;
		page->host_share_guest_count++;
	}
}

/**
 * host_unshare_pages() - Count one guest's entry less for each of some pages of the host
 * @addr: physical address of the first page.
 * @size: bytes, of pages for which host_share_pages() was called. The host's lock is held.
 *
 * A page that no guest maps any more becomes OWNED.
 */
void host_unshare_pages(u64 addr, u64 size)
{
	struct hyp_page *page = hyp_phys_to_page(addr);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);

	hyp_assert_lock_held(&host_mmu.lock);
	for (; page < end; page++) {
		if (!--page->host_share_guest_count)
			page->host_state = PKVM_PAGE_OWNED;
	}
}

/**
 * hyp_check_pin_count() - Check that pages can be pinned once more
 * @start: address of the first page in the hypervisor's linear map.
 * @end: the end of the last page.
 *
 * The host can make EL2 pin the same page any number of times, but the count has 16 bits.
 *
 * Return: 0; -EBUSY if the count of one of the pages would overflow.
 */
int hyp_check_pin_count(u64 start, u64 end)
{
	for (; start < end; start += PAGE_SIZE) {
		if (hyp_page_count((void *)start) == USHRT_MAX)
			return -EBUSY;
	}

	return 0;
}

/**
 * hyp_page_reset() - Clear a pool's fields of a page, when the page enters or leaves the pool
 * @page: the page, which the hypervisor owns. The host's half of its state does not change.
 */
void hyp_page_reset(struct hyp_page *page)
{
	page->refcount = 0;
	page->order = 0;
}
