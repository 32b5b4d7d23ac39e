// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host can hold a page that a protected guest shares: the guest then cannot take the
 * page back. The host does so while it has references to the page whose end it must wait
 * for, because a device reads or writes the page, or the page is in a pipe. EL2 cannot see
 * these references, so the host says when they begin and when they have ended.
 *
 * R4: what the host says here decides when the guest gets a page back, but not who can
 * access the page.
 */

#include <linux/kvm_host.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_hold.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>

static int set_held(u64 pfn, bool held)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn)
		return -EINVAL;

	host_lock_component();
	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_SHARED_BORROWED);
	if (!ret)
		hyp_phys_to_page(phys)->host_holds = held;
	ghost_host_hold(phys, held, ret);
	host_unlock_component();

	return ret;
}

/**
 * __pkvm_host_hold_page() - Keep a guest from taking back a page that it shares
 * @pfn: page frame number of the page.
 *
 * Until __pkvm_host_release_page(), or the end of the guest, a MEM_UNSHARE of the page makes
 * the vCPU exit to the host instead. Takes the host's lock.
 *
 * Return: 0, also if the host holds the page already; -EINVAL if @pfn is no memory; -EPERM
 * if no guest shares the page.
 */
int __pkvm_host_hold_page(u64 pfn)
{
	return set_held(pfn, true);
}

/**
 * __pkvm_host_release_page() - Let a guest take a page back again
 * @pfn: page frame number of the page.
 *
 * Takes the host's lock.
 *
 * Return: 0, also if the host does not hold the page; -EINVAL if @pfn is no memory; -EPERM
 * if no guest shares the page.
 */
int __pkvm_host_release_page(u64 pfn)
{
	return set_held(pfn, false);
}
