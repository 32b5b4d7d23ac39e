// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that a protected guest shares and cannot take back for the time being,
 * because the host uses them by references that it has to wait for: a device reads
 * or writes them, or they lie in a pipe. The hypervisor cannot see that; the host says
 * when it begins and when it has ended.
 *
 * R4: what the host says here decides when a guest gets a page back, not who can
 * reach the page.
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
 * __pkvm_host_hold_page() - Keep a page shared that a guest shares with the host
 * @pfn: the page, host physical.
 *
 * Until __pkvm_host_release_page(), or the end of the guest, its MEM_UNSHARE of the
 * page leaves for the host instead. Takes the lock of the host.
 *
 * Return: 0, also if the page is held already; -EINVAL if @pfn is no memory; -EPERM
 * if no guest shares the page.
 */
int __pkvm_host_hold_page(u64 pfn)
{
	return set_held(pfn, true);
}

/**
 * __pkvm_host_release_page() - Let a guest take a page back again
 * @pfn: the page, host physical.
 *
 * Takes the lock of the host.
 *
 * Return: 0, also if the page is not held; -EINVAL if @pfn is no memory; -EPERM if no
 * guest shares the page.
 */
int __pkvm_host_release_page(u64 pfn)
{
	return set_held(pfn, false);
}
