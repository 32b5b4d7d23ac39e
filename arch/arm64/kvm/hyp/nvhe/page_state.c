// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's half of the state of a page, kept in the vmemmap. The host's stage-2 holds
 * only mappings, and annotations for pages that the host does not own.
 *
 * R1: the state changes only under the host's lock, together with the half of the
 *     component that the page is shared with or given to.
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
	u64 end = addr + size;

	hyp_assert_lock_held(&host_mmu.lock);
	for (; addr < end; addr += PAGE_SIZE)
		hyp_phys_to_page(addr)->host_state = state;

	return 0;
}

/**
 * host_share_pages() - Count one more entry of a guest that maps pages of the host
 * @addr: the first one, in bytes.
 * @size: bytes, of pages that the host may share. The host's lock is held.
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
 * host_unshare_pages() - Count one entry less, and own pages that no guest has any more
 * @addr: the first one, in bytes.
 * @size: bytes, of pages that host_share_pages() was called for. The host's lock is held.
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
 * @start: address of the first one in the hypervisor's linear map.
 * @end: the end of the last one.
 *
 * A host can have the same page pinned any number of times, but the count has 16 bits.
 *
 * Return: 0; -EBUSY if the count of one of them would overflow.
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
 * hyp_page_reset() - Clear what a pool keeps of a page, when the page enters or leaves it
 * @page: the page, which the hypervisor owns; its host state does not change.
 */
void hyp_page_reset(struct hyp_page *page)
{
	page->refcount = 0;
	page->order = 0;
}
