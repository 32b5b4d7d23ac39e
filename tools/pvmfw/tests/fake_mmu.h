/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests see of the maintenance of TLB and caches.
 */
#ifndef PVMFW_FAKE_MMU_H
#define PVMFW_FAKE_MMU_H

#include "fake_trace.h"
#include "types.h"

/**
 * struct fake_mmu - What was asked for.
 * @syncs: calls of mmu_sync()
 * @flushes: calls of mmu_flush()
 * @cleaned_count: entries of @cleaned in use
 * @cleaned: what was cleaned, in order
 */
struct fake_mmu {
	u64 syncs;
	u64 flushes;
	unsigned int cleaned_count;
	struct fake_range cleaned[16];
};

/** The one MMU; the test zeroes it. */
extern struct fake_mmu fake_mmu;

#endif
