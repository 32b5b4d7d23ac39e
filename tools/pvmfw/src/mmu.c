// SPDX-License-Identifier: GPL-2.0-only
/*
 * The live page tables and the data cache (mmu.h).
 *
 * Rule: the TLB never holds two entries for one address. The static map of entry.S and the
 * firmware's page tables map the same addresses by blocks of different size, so each has
 * its own ASID and no entry is global.
 */
#include <string.h>

#include "mmu.h"
#include "pgtable_hw.h"

/* log2 of the 4-byte words in the smallest line of any data cache. */
#define CTR_DMINLINE(ctr) ((ctr) >> 16 & 0xf)

void mmu_sync(void)
{
	asm volatile("dsb ishst\n\tisb" ::: "memory");
}

void mmu_flush(void)
{
	asm volatile("dsb ishst\n\t"
		     "tlbi vmalle1\n\t"
		     "dsb nsh\n\t"
		     "isb"
		     ::: "memory");
}

void mmu_copy(u64 addr, const void *from, u64 size)
{
	memcpy((void *)addr, from, size);
}

void mmu_clean(u64 addr, u64 size)
{
	u64 ctr, line, at;

	asm volatile("mrs %0, ctr_el0" : "=r" (ctr));
	line = (u64)4 << CTR_DMINLINE(ctr);
	for (at = align_down(addr, line); at < addr + size; at += line)
		asm volatile("dc civac, %0" :: "r" (at) : "memory");
	asm volatile("dsb sy" ::: "memory");
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
