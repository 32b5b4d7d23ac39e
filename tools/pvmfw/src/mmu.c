// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live page tables. The two maps differ in the size of their entries; they
 * run under ASIDs of their own and none of their entries is global, so that the
 * TLB never holds two entries for one address.
 */
#include "mmu.h"
#include "pgtable_hw.h"

void mmu_sync(void)
{
	asm volatile("dsb ishst\n\tisb" ::: "memory");
}

void mmu_switch(const struct pgtable *pt)
{
	u64 ttbr = (uintptr_t)pt->root | HW_BITS(1, TTBR_ASID_SHIFT);

	mmu_sync();
	asm volatile("msr ttbr0_el1, %0\n\t"
		     "isb\n\t"
		     "tlbi vmalle1\n\t"
		     "dsb nsh\n\t"
		     "isb"
		     :: "r" (ttbr) : "memory");
}
