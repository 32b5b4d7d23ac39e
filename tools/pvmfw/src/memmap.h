/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ranges that the firmware may access. Rule: what is not recorded here is not mapped,
 * and no two ranges overlap.
 *
 * Before memmap_shrink_ram() only read-only data can be added in RAM: the device tree,
 * which says how much RAM there is.
 */
#ifndef PVMFW_MEMMAP_H
#define PVMFW_MEMMAP_H

#include "pgtable.h"
#include "status.h"
#include "types.h"

#define MEMMAP_MAX 32

/**
 * enum memmap_kind - How the firmware uses a range.
 * @MEMMAP_TEXT: code
 * @MEMMAP_RODATA: data that is only read
 * @MEMMAP_DATA: data that is written
 * @MEMMAP_DEVICE: registers, guarded and valid from their first access on
 * @MEMMAP_UNMAPPED: never accessed; recorded so that no other range overlaps it
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
 * @kind: how it is used
 * @name: its name in messages
 * @arena: for MEMMAP_DATA: the allocator that hands it out; NULL if all of it is written
 */
struct memmap_range {
	u64 base;
	u64 size;
	enum memmap_kind kind;
	const char *name;
	const struct buddy *arena;
};

/**
 * struct memmap - The ranges.
 * @pt: the page tables that map them
 * @ram_size: bytes of RAM; 0 until memmap_shrink_ram()
 * @count: number of ranges
 * @range: the ranges
 */
struct memmap {
	struct pgtable *pt;
	u64 ram_size;
	unsigned int count;
	struct memmap_range range[MEMMAP_MAX];
};

/**
 * memmap_init() - Make an empty map.
 * @map: the map
 * @pt: page tables that map nothing
 */
void memmap_init(struct memmap *map, struct pgtable *pt);

/**
 * memmap_shrink_ram() - Set the size of RAM, once.
 * @map: the map
 * @base: first address of RAM
 * @size: bytes, a multiple of PAGE_SIZE
 *
 * Return: FW_OK; FW_EALIGN if @size is misaligned; FW_ERANGE if RAM does not start at
 * RAM_BASE, is empty, exceeds VA_BITS, does not hold a range that was added in it, or if the
 * size was set before. On an error nothing has changed.
 */
enum fw_status memmap_shrink_ram(struct memmap *map, u64 base, u64 size);

/**
 * memmap_add() - Add a range and map it.
 * @map: the map
 * @base: first address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE
 * @kind: how it is used
 * @name: its name in messages, a constant: the pointer is kept
 * @clash: if not NULL, set to the name of the range that this one overlaps
 *
 * Return: FW_OK; FW_EALIGN if @base or @size is misaligned; FW_ERANGE if the range is empty,
 * exceeds VA_BITS or lies beyond the RAM known so far; FW_EOVERLAP if it overlaps another
 * range, or is code or a device in RAM; FW_ETOOMANY; FW_ENOMEM. On an error the range is not
 * recorded.
 */
enum fw_status memmap_add(struct memmap *map, u64 base, u64 size, enum memmap_kind kind,
			  const char *name, const char **clash);

/**
 * memmap_remove() - Unmap and remove a range.
 * @map: the map
 * @base: first address of the range
 *
 * The caller invalidates the TLB by mmu_flush().
 *
 * Return: FW_OK, or FW_ERANGE if no range starts there.
 */
enum fw_status memmap_remove(struct memmap *map, u64 base);

/**
 * memmap_set_arena() - Name the allocator that hands out a range: memory that it never
 *	handed out was never written, and memmap_flush() skips it.
 * @map: the map
 * @base: first address of a MEMMAP_DATA range
 * @arena: the allocator; the pointer is kept
 *
 * Return: FW_OK, or FW_ERANGE if no range starts there.
 */
enum fw_status memmap_set_arena(struct memmap *map, u64 base, const struct buddy *arena);

/**
 * memmap_flush() - Clean and invalidate all data that was written, to the point
 *	of coherency.
 * @map: the map, whose page tables are live
 *
 * Accesses no other memory: where the firmware has accessed nothing yet, stage 2 may have
 * no page, and the host would have to donate one.
 */
void memmap_flush(const struct memmap *map);

#endif
