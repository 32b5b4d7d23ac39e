// SPDX-License-Identifier: GPL-2.0-only
/*
 * EL2 has to handle some states that no test can bring about, because they need a CPU or a
 * kernel that is not available. In debug builds a test can tell EL2 to assume such a state, by
 * a hypercall. No such call gives the host access to anything.
 *
 * One call, PKVM_DEBUG_SPOIL_PAGE, makes a page's state wrong instead, to show that the
 * ghost finds the error.
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
 * __pkvm_debug() - Make EL2 assume a state, for a test
 * @op: which one, enum pkvm_debug_op.
 * @arg: the argument of @op, see there.
 *
 * PKVM_DEBUG_SPOIL_PAGE takes the host's lock.
 *
 * Return: 0; -EINVAL for an unknown @op; for PKVM_DEBUG_SPOIL_PAGE the error of
 * __host_check_page_state_range(), if the host does not own the page alone.
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
 * debug_host_uses_sme() - Check whether a test said that the host uses SME on this CPU
 *
 * In Linux 6.12 ARM64_SME depends on BROKEN, so no kernel that can be tested has it. A
 * vendor's kernel may.
 *
 * Return: true if the last PKVM_DEBUG_HOST_SME call on this CPU had an argument other than 0.
 */
bool debug_host_uses_sme(void)
{
	return *this_cpu_ptr(&host_uses_sme);
}
