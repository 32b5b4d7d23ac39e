/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracker of the ranges that the firmware may touch: what is not in here is
 * never mapped, and none overlap.
 *
 * Of RAM nothing but what is only read, the device tree, can be added before the tree
 * was checked and RAM has been shrunk to what it says.
 */
#ifndef PVMFW_MEMMAP_H
#define PVMFW_MEMMAP_H

#include "pgtable.h"
#include "status.h"
#include "types.h"

#define MEMMAP_MAX 32

/**
 * enum memmap_kind - What a range is there for.
 * @MEMMAP_TEXT: code
 * @MEMMAP_RODATA: data that is only read
 * @MEMMAP_DATA: data that is written
 * @MEMMAP_DEVICE: registers, guarded and valid from their first access on
 * @MEMMAP_UNMAPPED: never accessed, and nobody else's either
 */
enum memmap_kind {
	MEMMAP_TEXT,
	MEMMAP_RODATA,
	MEMMAP_DATA,
	MEMMAP_DEVICE,
	MEMMAP_UNMAPPED,
};

/**
 * struct memmap_range - One range.
 * @base: first address
 * @size: bytes, not 0
 * @kind: what it is there for
 * @name: what it is, for messages
 * @arena: of data: the allocator that hands it out; NULL if all of it is written
 */
struct memmap_range {
	u64 base;
	u64 size;
	enum memmap_kind kind;
	const char *name;
	const struct buddy *arena;
};

/**
 * struct memmap - The ranges, in the order in which they were added.
 * @pt: where they are mapped
 * @ram_size: bytes of RAM; 0 until memmap_shrink_ram()
 * @count: how many ranges there are
 * @range: the ranges
 */
struct memmap {
	struct pgtable *pt;
	u64 ram_size;
	unsigned int count;
	struct memmap_range range[MEMMAP_MAX];
};

/**
 * memmap_init() - Make a tracker that knows nothing.
 * @map: the tracker
 * @pt: an empty map
 */
void memmap_init(struct memmap *map, struct pgtable *pt);

/**
 * memmap_shrink_ram() - Say how much RAM there is; once.
 * @map: the tracker
 * @base: where it starts
 * @size: bytes, whole pages
 *
 * Return: FW_OK; FW_ERANGE if it starts elsewhere than at RAM_BASE, ends beyond
 * VA_BITS, is smaller than what was added of it, or was said before; FW_EALIGN.
 * On an error nothing has changed.
 */
enum fw_status memmap_shrink_ram(struct memmap *map, u64 base, u64 size);

/**
 * memmap_add() - Add a range and map it.
 * @map: the tracker
 * @base: first address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE
 * @kind: what it is there for
 * @name: what it is; kept, so a constant
 * @clash: if not NULL and the range overlaps another one: where that one's name
 *	goes
 *
 * Return: FW_OK; FW_EALIGN; FW_ERANGE if it is empty, ends beyond VA_BITS, or is
 * of RAM that is not there (yet); FW_EOVERLAP, also for a device in RAM;
 * FW_ETOOMANY; FW_ENOMEM. On an error the range is not known.
 */
enum fw_status memmap_add(struct memmap *map, u64 base, u64 size, enum memmap_kind kind,
			  const char *name, const char **clash);

/**
 * memmap_remove() - Unmap and forget a range.
 * @map: the tracker
 * @base: its first address
 *
 * The caller makes the TLB forget it, too.
 *
 * Return: FW_OK, or FW_ERANGE if no range starts there.
 */
enum fw_status memmap_remove(struct memmap *map, u64 base);

/**
 * memmap_set_arena() - Say that an allocator hands out a range: what was never
 *	handed out was never written.
 * @map: the tracker
 * @base: the first address of a range of data
 * @arena: the allocator; kept
 *
 * Return: FW_OK, or FW_ERANGE if no range starts there.
 */
enum fw_status memmap_set_arena(struct memmap *map, u64 base, const struct buddy *arena);

/**
 * memmap_flush() - Clean and invalidate all data that was written, to the point
 *	of coherency.
 * @map: the tracker, its map live
 *
 * Nothing else is touched: below memory that nobody has accessed there may be no
 * page yet, and the host would have to donate one.
 */
void memmap_flush(const struct memmap *map);

#endif
