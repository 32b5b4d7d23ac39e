/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The switch from the static map of entry.S to the firmware's page tables, and maintenance
 * of TLB and data cache. Rule: TLB entries of a removed mapping are gone before the memory is
 * used otherwise.
 */
#ifndef PVMFW_MMU_H
#define PVMFW_MMU_H

#include "pgtable.h"

/**
 * mmu_switch() - Make page tables live.
 * @pt: page tables that map the running code, its data and its stack
 *
 * Afterwards the caller follows every change from invalid to valid entries by mmu_sync(),
 * and every removal of entries by mmu_flush().
 */
void mmu_switch(const struct pgtable *pt);

/**
 * mmu_sync() - Make entries that were added to the live page tables visible to the
 *	hardware walker.
 *
 * May be called from the exception handler.
 */
void mmu_sync(void);

/**
 * mmu_flush() - Invalidate the TLB, after entries were removed from the live page tables.
 */
void mmu_flush(void);

/**
 * mmu_copy() - Copy to an address of the live page tables; unit tests replace it.
 * @addr: first address
 * @from: the source
 * @size: bytes; the destination is mapped and writable
 */
void mmu_copy(u64 addr, const void *from, u64 size);

/**
 * mmu_clean() - Clean and invalidate a range in the data cache, to the point of coherency.
 * @addr: first address
 * @size: bytes; the range is mapped
 */
void mmu_clean(u64 addr, u64 size);

#endif
