// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual counter of the generic timer, which needs no setup.
 */
#include "counter.h"

u64 counter_read(void)
{
	u64 ticks;

	asm volatile("isb\n\tmrs %0, cntvct_el0" : "=r" (ticks) :: "memory");
	return ticks;
}

u64 counter_hz(void)
{
	u64 hz;

	asm volatile("mrs %0, cntfrq_el0" : "=r" (hz));
	return hz;
}
