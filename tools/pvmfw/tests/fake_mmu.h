/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the unit tests see of the maintenance of TLB and caches.
 */
#ifndef PVMFW_FAKE_MMU_H
#define PVMFW_FAKE_MMU_H

#include "types.h"

/**
 * struct fake_mmu - What was asked for.
 * @syncs: calls of mmu_sync()
 * @flushes: calls of mmu_flush()
 * @cleaned_bytes: bytes that were cleaned
 * @cleaned_last: the address that was cleaned last
 */
struct fake_mmu {
	u64 syncs;
	u64 flushes;
	u64 cleaned_bytes;
	u64 cleaned_last;
};

/** The one MMU; the test zeroes it. */
extern struct fake_mmu fake_mmu;

#endif
