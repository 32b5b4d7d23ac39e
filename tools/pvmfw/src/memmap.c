// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of ranges of memmap.h.
 */
#include "layout.h"
#include "memmap.h"

enum fw_status memmap_add(struct memmap *map, u64 base, u64 size, const char *name,
			  const char **clash)
{
	unsigned int i;

	if (!size || !range_inside(base, size, 0, (u64)1 << VA_BITS))
		return FW_ERANGE;
	for (i = 0; i < map->count; i++) {
		const struct memmap_range *r = &map->range[i];

		if (range_overlaps(base, size, r->base, r->size)) {
			if (clash)
				*clash = r->name;
			return FW_EOVERLAP;
		}
	}
	if (map->count == MEMMAP_MAX)
		return FW_ETOOMANY;
	map->range[map->count++] = (struct memmap_range){ base, size, name };
	return FW_OK;
}
