/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's own page tables: an identity map of what memmap.h knows, with
 * the largest blocks that fit and nothing both writable and executable.
 */
#ifndef PVMFW_PGTABLE_H
#define PVMFW_PGTABLE_H

#include "buddy.h"
#include "status.h"
#include "types.h"

/**
 * enum pgtable_kind - What a range is used for.
 * @PGTABLE_TEXT: read and execute
 * @PGTABLE_RODATA: read
 * @PGTABLE_DATA: read and write
 * @PGTABLE_DEVICE: read and write, Device-nGnRE
 */
enum pgtable_kind {
	PGTABLE_TEXT,
	PGTABLE_RODATA,
	PGTABLE_DATA,
	PGTABLE_DEVICE,
};

/**
 * struct pgtable - A tree of tables.
 * @root: the level 1 table
 * @heap: where tables come from
 */
struct pgtable {
	u64 *root;
	struct buddy *heap;
};

/**
 * pgtable_init() - Make an empty map.
 * @pt: the map
 * @heap: private memory that is mapped 1:1 wherever the tables will be used
 *
 * Return: FW_OK or FW_ENOMEM.
 */
enum fw_status pgtable_init(struct pgtable *pt, struct buddy *heap);

/**
 * pgtable_map() - Map a range onto itself.
 * @pt: a map that is not live yet
 * @addr: first address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE, not 0
 * @kind: what it is used for
 *
 * Return: FW_OK; FW_EALIGN; FW_ERANGE if it is empty or leaves VA_BITS;
 * FW_EOVERLAP if a page of it is mapped already: then nothing has changed.
 * FW_ENOMEM: the range may be mapped in part.
 */
enum fw_status pgtable_map(struct pgtable *pt, u64 addr, u64 size, enum pgtable_kind kind);

#endif
