/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching from the static map that entry.S runs on to the map that C made, and
 * keeping TLB and caches in line with it.
 */
#ifndef PVMFW_MMU_H
#define PVMFW_MMU_H

#include "pgtable.h"

/**
 * mmu_switch() - Make a map live.
 * @pt: a map that holds the running code, its data and its stack
 *
 * Afterwards the map may grow, and invalid entries of it may become valid,
 * before mmu_sync(); entries may become invalid before mmu_flush().
 */
void mmu_switch(const struct pgtable *pt);

/**
 * mmu_sync() - Make entries that were added to the live map visible to the
 *	walker.
 */
void mmu_sync(void);

/**
 * mmu_flush() - Make the TLB forget entries that were removed from the live map.
 */
void mmu_flush(void);

/**
 * mmu_copy() - Copy to where the live map has data.
 * @addr: first address
 * @from: what is copied
 * @size: bytes; the range is mapped, and writable
 */
void mmu_copy(u64 addr, const void *from, u64 size);

/**
 * mmu_clean() - Write what the data cache holds of a range to memory, to the
 *	point of coherency, and forget it.
 * @addr: first address
 * @size: bytes; the range is mapped
 */
void mmu_clean(u64 addr, u64 size);

#endif
