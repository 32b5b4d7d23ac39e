/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The firmware's own page tables: an identity map of the ranges of memmap.h, with the
 * largest blocks that fit. Rule: no page is both writable and executable.
 *
 * Devices are mapped lazily: their leaves are invalid but marked, and guard.h makes a page
 * valid at its first access.
 */
#ifndef PVMFW_PGTABLE_H
#define PVMFW_PGTABLE_H

#include "buddy.h"
#include "status.h"
#include "types.h"

/**
 * enum pgtable_kind - How a range may be accessed.
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
 * struct pgtable - Page tables.
 * @root: the level 1 table
 * @heap: the allocator of tables
 */
struct pgtable {
	u64 *root;
	struct buddy *heap;
};

/**
 * pgtable_init() - Make page tables that map nothing.
 * @pt: the page tables
 * @heap: private memory, mapped 1:1 while @pt is in use
 *
 * Return: FW_OK or FW_ENOMEM.
 */
enum fw_status pgtable_init(struct pgtable *pt, struct buddy *heap);

/**
 * pgtable_map() - Map a range onto itself.
 * @pt: the page tables, which may be live: no valid entry changes
 * @addr: first address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE, not 0
 * @kind: how it may be accessed
 *
 * Return: FW_OK; FW_EALIGN if @addr or @size is misaligned; FW_ERANGE if the range is empty
 * or exceeds VA_BITS; FW_EOVERLAP if a page of it is mapped already. On these errors
 * nothing has changed. On FW_ENOMEM a part of the range may be mapped.
 */
enum fw_status pgtable_map(struct pgtable *pt, u64 addr, u64 size, enum pgtable_kind kind);

/**
 * pgtable_unmap() - Unmap a range; its tables are not freed.
 * @pt: the page tables; if they are live, the caller invalidates the TLB
 * @addr: as given to pgtable_map()
 * @size: as given to pgtable_map(), so that no block crosses either end
 */
void pgtable_unmap(struct pgtable *pt, u64 addr, u64 size);

/**
 * pgtable_split() - Split the lazily mapped block at an address down to pages.
 * @pt: the page tables, which may be live: only invalid entries change
 * @addr: any address
 * @page: set to the entry of the page, for pgtable_validate()
 *
 * May be called from the exception handler.
 *
 * Return: FW_OK; FW_EFAULT if the leaf for @addr is valid or is not a device's; FW_ENOMEM,
 * when no translation has changed.
 */
enum fw_status pgtable_split(struct pgtable *pt, u64 addr, u64 **page);

/**
 * pgtable_validate() - Make the entry of a device page valid.
 * @page: from pgtable_split()
 *
 * May be called from the exception handler.
 */
void pgtable_validate(u64 *page);

/**
 * pgtable_each_valid() - Call a function for each valid page of a device.
 * @pt: the page tables
 * @addr: first address of a device range, as given to pgtable_map()
 * @size: bytes, as given to pgtable_map()
 * @visit: called with the address of each page, in ascending order
 * @ctx: passed to @visit
 *
 * Return: FW_OK, or the first error of @visit, which ends the walk.
 */
enum fw_status pgtable_each_valid(struct pgtable *pt, u64 addr, u64 size,
				  enum fw_status (*visit)(u64 page, void *ctx), void *ctx);

#endif
