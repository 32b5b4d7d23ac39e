// SPDX-License-Identifier: GPL-2.0-only
/*
 * States that the hypervisor has to cope with and that no test could bring about, because
 * no CPU or kernel at hand has what they need. In debug builds a test has the hypervisor
 * take them for true. Nothing here gives the host access to anything.
 * One of them is wrong, for the ghost to find.
 */

#include <linux/cache.h>
#include <linux/percpu.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_pkvm_debug.h>

#include <nvhe/debug_call.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>

unsigned long hyp_private_size __ro_after_init = SZ_1G;

static DEFINE_PER_CPU(bool, host_uses_sme);

static int spoil_page(u64 pfn)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	int ret;

	host_lock_component();
	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_OWNED);
	if (!ret)
		hyp_phys_to_page(phys)->host_state = PKVM_PAGE_SHARED_OWNED;
	host_unlock_component();

	return ret;
}

/**
 * __pkvm_debug() - Take something for true
 * @op: what, enum pkvm_debug_op.
 * @arg: whether, or how much.
 *
 * Return: 0; -EINVAL for an unknown @op; the error of __host_check_page_state_range() for a
 * page that is not the host's alone.
 */
s64 __pkvm_debug(u64 op, u64 arg)
{
	switch (op) {
	case PKVM_DEBUG_HOST_SME:
		*this_cpu_ptr(&host_uses_sme) = arg;
		return 0;
	case PKVM_DEBUG_SPOIL_PAGE:
		return spoil_page(arg);
	default:
		return -EINVAL;
	}
}

/**
 * debug_host_uses_sme() - Whether a test says that the host has SME in use on this CPU
 *
 * 6.12 makes ARM64_SME depend on BROKEN, so no kernel that can be tested has it. A vendor's
 * may.
 *
 * Return: what PKVM_DEBUG_HOST_SME was told last on this CPU.
 */
bool debug_host_uses_sme(void)
{
	return *this_cpu_ptr(&host_uses_sme);
}
