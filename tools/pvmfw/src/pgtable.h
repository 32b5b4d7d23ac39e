/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's own page tables: an identity map of what memmap.h knows, with
 * the largest blocks that fit and nothing both writable and executable.
 *
 * Devices are mapped lazily: their entries are invalid leaves with a mark, which
 * the fault handler (guard.h) makes valid page by page.
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
 * @PGTABLE_DEVICE: read and write, Device-nGnRE, invalid until
 *	pgtable_validate()
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
 * @pt: a map, also the live one: no valid entry of it changes
 * @addr: first address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE, not 0
 * @kind: what it is used for
 *
 * Return: FW_OK; FW_EALIGN; FW_ERANGE if it is empty or leaves VA_BITS;
 * FW_EOVERLAP if a page of it is mapped already: then nothing has changed.
 * FW_ENOMEM: the range may be mapped in part.
 */
enum fw_status pgtable_map(struct pgtable *pt, u64 addr, u64 size, enum pgtable_kind kind);

/**
 * pgtable_unmap() - Remove what pgtable_map() mapped; tables stay.
 * @pt: a map; if it is live, the caller invalidates the TLB
 * @addr: as it was mapped
 * @size: as it was mapped: no block lies over either end
 */
void pgtable_unmap(struct pgtable *pt, u64 addr, u64 size);

/**
 * pgtable_split() - Break the device block at an address down to pages.
 * @pt: a map, also the live one: only invalid entries change
 * @addr: any address
 * @page: where the entry of the page goes, for pgtable_validate()
 *
 * Return: FW_OK; FW_EFAULT if @addr is not covered by a device entry that is
 * still invalid; FW_ENOMEM, with nothing changed that an access could see.
 */
enum fw_status pgtable_split(struct pgtable *pt, u64 addr, u64 **page);

/**
 * pgtable_validate() - Make a page of a device accessible.
 * @page: from pgtable_split()
 */
void pgtable_validate(u64 *page);

/**
 * pgtable_each_valid() - Visit the pages of a device that are accessible.
 * @pt: a map
 * @addr: first address of a device range, as it was mapped
 * @size: bytes
 * @visit: called with the address of each, in order
 * @ctx: for @visit
 *
 * Return: FW_OK, or the first error of @visit, which ends it.
 */
enum fw_status pgtable_each_valid(struct pgtable *pt, u64 addr, u64 size,
				  enum fw_status (*visit)(u64 page, void *ctx), void *ctx);

#endif
