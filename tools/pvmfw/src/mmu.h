/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Switching from the static map that entry.S runs on to the map that C made.
 */
#ifndef PVMFW_MMU_H
#define PVMFW_MMU_H

#include "pgtable.h"

/**
 * mmu_switch() - Make a map live.
 * @pt: a map that holds the running code, its data and its stack
 *
 * The map may grow afterwards by pgtable_map() and mmu_sync(), but no entry of
 * it may change.
 */
void mmu_switch(const struct pgtable *pt);

/**
 * mmu_sync() - Make entries that were added to the live map visible to the
 *	walker.
 */
void mmu_sync(void);

#endif
