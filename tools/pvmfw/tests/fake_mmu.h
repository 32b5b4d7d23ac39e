/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The functions of mmu.h for the unit tests, which record maintenance of TLB and caches.
 */
#ifndef PVMFW_FAKE_MMU_H
#define PVMFW_FAKE_MMU_H

#include "fake_trace.h"
#include "types.h"

/**
 * struct fake_mmu - The record.
 * @syncs: calls of mmu_sync()
 * @flushes: calls of mmu_flush()
 * @cleaned_count: entries of @cleaned in use
 * @cleaned: ranges that were cleaned, in order
 */
struct fake_mmu {
	u64 syncs;
	u64 flushes;
	unsigned int cleaned_count;
	struct fake_range cleaned[16];
};

/** The only record; the test zeroes it. */
extern struct fake_mmu fake_mmu;

#endif
