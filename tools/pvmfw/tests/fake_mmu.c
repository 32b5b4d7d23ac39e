// SPDX-License-Identifier: GPL-2.0-only
/*
 * The functions of mmu.h for the unit tests (fake_mmu.h). No hardware walks the page tables;
 * only the tests read them.
 */
#include "fake_mmu.h"
#include "fake_trace.h"
#include "mmu.h"
#include "testing.h"

struct fake_mmu fake_mmu;

void mmu_sync(void)
{
	fake_mmu.syncs++;
}

void mmu_flush(void)
{
	fake_mmu.flushes++;
}

void mmu_copy(u64 addr, const void *from, u64 size)
{
	(void)from;
	(void)size;
	fake_trace(EVENT_COPY, addr);
}

void mmu_clean(u64 addr, u64 size)
{
	fake_trace(EVENT_CLEAN, addr);
	assert_true(fake_mmu.cleaned_count < ARRAY_SIZE(fake_mmu.cleaned));
	fake_mmu.cleaned[fake_mmu.cleaned_count++] = (struct fake_range){ addr, size };
}
