// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: the host's kernel has accessed a private page of a guest
 * without the check of pkvm_guest_pin.c (R9), at an instruction without a fixup. The kernel
 * cannot give up the access, and an oops would harm the host, not the guest. So the host
 * reclaims the page from the guest by force, and repeats the access.
 *
 * R3: the hypervisor zeroes the page first.
 */

#include <linux/kvm_host.h>
#include <linux/uaccess.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

#include "pkvm_guest.h"
#include "trace_pkvm.h"

/**
 * pkvm_guest_resolve_abort() - Let an access of the kernel succeed after all
 * @addr: the virtual address that it faulted on, translated by the current
 *	  stage-1 tables.
 *
 * May be called from any context that can take an abort.
 *
 * Return: true if the access may be tried again, false if the memory is not a
 * guest's.
 */
bool pkvm_guest_resolve_abort(unsigned long addr)
{
	unsigned long flags;
	u64 par, pfn;
	int ret;

	local_irq_save(flags);
	/* The kernel may run without the current tables of user space. */
	if (is_ttbr0_addr(addr))
		uaccess_ttbr0_enable();
	asm volatile("at s1e1r, %0" :: "r" (addr));
	isb();
	par = read_sysreg_par();
	if (is_ttbr0_addr(addr))
		uaccess_ttbr0_disable();
	local_irq_restore(flags);

	/* The stage-1 tables changed, or lie in the memory that is missing. */
	if (par & SYS_PAR_EL1_F)
		return false;

	pfn = PHYS_PFN(par & SYS_PAR_EL1_PA);
	ret = kvm_call_hyp_nvhe(__pkvm_host_force_reclaim, pfn);
	trace_pkvm_page_forced(pfn, ret);
	if (!ret) {
		atomic64_inc(&pkvm_guest_totals.pages_forced);
		pkvm_guest_unclaim_page(pfn);
	}

	return !ret || ret == -EAGAIN;
}
