// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's half of the state of a page, kept in the vmemmap. Its stage-2 holds mappings,
 * and annotations for what is not the host's.
 *
 * R1: it changes under the host's lock alone, together with the other half.
 */

#include <linux/overflow.h>

#include <asm/kvm_mmu.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/page_state.h>

/**
 * host_check_allowed_memory() - Does memory have a page state?
 * @start: where it begins, in bytes.
 * @size: bytes, both of them whole pages.
 *
 * The vmemmap is backed for nothing else.
 *
 * Return: 0 if it lies in one memblock region that the host maps; -EPERM if the host does
 * not map it; -EINVAL if it is no memory, or not of one region.
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
 * @addr: the first one, in bytes.
 * @size: bytes.
 * @state: what it has to be. The host's lock is held.
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
 * host_check_shared_page_range() - Check that pages are shared with someone who can give them back
 * @addr: the first one, in bytes.
 * @size: bytes. The host's lock is held.
 *
 * Return: 0 if the host shares all of them, none with a guest; -EPERM if not; or the error of
 * host_check_allowed_memory().
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
 * @addr: the first one, in bytes.
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
 * hyp_check_pin_count() - Check that pages can be pinned once more
 * @start: the first one, as the hypervisor has it mapped.
 * @end: behind the last one.
 *
 * Nothing keeps a host from having the same page pinned again and again.
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
 * hyp_page_reset() - Forget what a pool kept of a page that enters or leaves it
 * @page: the page. It is the hypervisor's, and its host state says so still.
 */
void hyp_page_reset(struct hyp_page *page)
{
	page->refcount = 0;
	page->order = 0;
}
