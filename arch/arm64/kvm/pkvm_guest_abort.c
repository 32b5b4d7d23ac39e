// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: the host's own kernel touched memory that it
 * gave away. It may be in no position to give up the access (a page is copied
 * for fork(), written to a file, dumped), and an oops would punish the wrong
 * one: the page is taken back from the guest by force, and the access goes on.
 *
 * R3: the hypervisor zeroes the page first.
 */

#include <linux/hash.h>
#include <linux/jiffies.h>
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
	/* The kernel may have user space's tables out of sight. */
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
	if (!ret)
		atomic64_inc(&pkvm_guest_totals.pages_forced);

	return !ret || ret == -EAGAIN;
}

/*
 * An access with faults disabled that fails is most often made again with faults
 * enabled, and then ends with an error. Some callers only see to it that the page
 * is mapped, as it is, and would try for ever (futex). These are told by their
 * tries: so many of one task at one address, each within a second of the last and
 * none with faults enabled between them.
 */
#define NOFAULT_MAX_TRIES	8
#define NOFAULT_SLOT_BITS	6

struct nofault_slot {
	struct task_struct *task;
	unsigned long addr;
	unsigned long when;
	unsigned int tries;
};

/* By task. Two that share a slot, or a race for it, make a task try more often. */
static struct nofault_slot nofault_slots[BIT(NOFAULT_SLOT_BITS)];

static struct nofault_slot *this_nofault_slot(void)
{
	return &nofault_slots[hash_ptr(current, NOFAULT_SLOT_BITS)];
}

/**
 * pkvm_guest_refused_access() - Note that an access of the kernel ends with an error
 *
 * It was made with faults enabled, to user memory that the host gave away.
 */
void pkvm_guest_refused_access(void)
{
	struct nofault_slot *slot = this_nofault_slot();

	if (READ_ONCE(slot->task) == current)
		WRITE_ONCE(slot->task, NULL);
}

/**
 * pkvm_guest_resolve_nofault() - See to an access to user memory with faults disabled
 * @addr: the user address of memory that the host gave away.
 *
 * The page may have become private while the host was about to use it: that is an
 * error of the access, and no reason to take the page from its guest.
 *
 * May be called from any context that can take an abort.
 *
 * Return: true if the access may be tried again, false if it shall fail.
 */
bool pkvm_guest_resolve_nofault(unsigned long addr)
{
	struct nofault_slot *slot = this_nofault_slot();
	unsigned long now = jiffies;

	if (READ_ONCE(slot->task) != current || READ_ONCE(slot->addr) != addr ||
	    time_after(now, READ_ONCE(slot->when) + HZ)) {
		WRITE_ONCE(slot->task, current);
		WRITE_ONCE(slot->addr, addr);
		WRITE_ONCE(slot->tries, 0);
	}
	WRITE_ONCE(slot->when, now);

	if (READ_ONCE(slot->tries) < NOFAULT_MAX_TRIES) {
		WRITE_ONCE(slot->tries, slot->tries + 1);
		return false;
	}

	WRITE_ONCE(slot->task, NULL);

	return pkvm_guest_resolve_abort(addr);
}
