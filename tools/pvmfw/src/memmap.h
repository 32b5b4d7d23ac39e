/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ranges of the address space that the firmware knows, none of which
 * overlap: what is not in here is never mapped.
 */
#ifndef PVMFW_MEMMAP_H
#define PVMFW_MEMMAP_H

#include "status.h"
#include "types.h"

#define MEMMAP_MAX 16

/**
 * struct memmap_range - One range.
 * @base: first address
 * @size: bytes, not 0
 * @name: what it is, for messages
 */
struct memmap_range {
	u64 base;
	u64 size;
	const char *name;
};

/**
 * struct memmap - The ranges, in the order in which they were added.
 * @count: how many
 * @range: the ranges
 */
struct memmap {
	unsigned int count;
	struct memmap_range range[MEMMAP_MAX];
};

/**
 * memmap_add() - Add a range.
 * @map: the ranges so far
 * @base: first address
 * @size: bytes
 * @name: what it is; kept, so a constant
 * @clash: if not NULL and the range overlaps another one: where that one's name
 *	goes
 *
 * Return: FW_OK; FW_ERANGE if it is empty or ends beyond VA_BITS; FW_EOVERLAP;
 * FW_ETOOMANY. On an error nothing has changed.
 */
enum fw_status memmap_add(struct memmap *map, u64 base, u64 size, const char *name,
			  const char **clash);

#endif
