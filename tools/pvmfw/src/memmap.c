// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ranges that the firmware may access (memmap.h).
 */
#include <string.h>

#include "layout.h"
#include "memmap.h"
#include "mmu.h"

#define ADDR_END ((u64)1 << VA_BITS)

static const enum pgtable_kind pgtable_kinds[] = {
	[MEMMAP_TEXT] = PGTABLE_TEXT,
	[MEMMAP_RODATA] = PGTABLE_RODATA,
	[MEMMAP_DATA] = PGTABLE_DATA,
	[MEMMAP_DEVICE] = PGTABLE_DEVICE,
};

void memmap_init(struct memmap *map, struct pgtable *pt)
{
	memset(map, 0, sizeof(*map));
	map->pt = pt;
}

enum fw_status memmap_shrink_ram(struct memmap *map, u64 base, u64 size)
{
	unsigned int i;

	if (!is_aligned(size, PAGE_SIZE))
		return FW_EALIGN;
	if (map->ram_size || base != RAM_BASE || !size || size > ADDR_END - RAM_BASE)
		return FW_ERANGE;
	for (i = 0; i < map->count; i++)
		if (map->range[i].base >= RAM_BASE &&
		    !range_inside(map->range[i].base, map->range[i].size, base, size))
			return FW_ERANGE;
	map->ram_size = size;
	return FW_OK;
}

/* A range at or above RAM_BASE must lie in RAM, and cannot be code or a device. */
static enum fw_status check_ram(const struct memmap *map, u64 base, u64 size,
				enum memmap_kind kind, const char **clash)
{
	u64 known = map->ram_size;

	if (base + size <= RAM_BASE)
		return FW_OK;
	if (!known && kind == MEMMAP_RODATA)
		known = ADDR_END - RAM_BASE;
	if (kind == MEMMAP_DEVICE || kind == MEMMAP_TEXT) {
		if (clash)
			*clash = "RAM";
		return FW_EOVERLAP;
	}
	return range_inside(base, size, RAM_BASE, known) ? FW_OK : FW_ERANGE;
}

enum fw_status memmap_add(struct memmap *map, u64 base, u64 size, enum memmap_kind kind,
			  const char *name, const char **clash)
{
	enum fw_status status;
	unsigned int i;

	if (!is_aligned(base, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE))
		return FW_EALIGN;
	if (!size || !range_inside(base, size, 0, ADDR_END))
		return FW_ERANGE;
	for (i = 0; i < map->count; i++) {
		const struct memmap_range *r = &map->range[i];

		if (range_overlaps(base, size, r->base, r->size)) {
			if (clash)
				*clash = r->name;
			return FW_EOVERLAP;
		}
	}
	status = check_ram(map, base, size, kind, clash);
	if (status != FW_OK)
		return status;
	if (map->count == MEMMAP_MAX)
		return FW_ETOOMANY;
	if (kind != MEMMAP_UNMAPPED) {
		status = pgtable_map(map->pt, base, size, pgtable_kinds[kind]);
		if (status != FW_OK)
			return status;
	}
	map->range[map->count++] = (struct memmap_range){ base, size, kind, name, NULL };
	return FW_OK;
}

/* The range that starts at @base; NULL if there is none. */
static struct memmap_range *find(struct memmap *map, u64 base)
{
	unsigned int i;

	for (i = 0; i < map->count; i++)
		if (map->range[i].base == base)
			return &map->range[i];
	return NULL;
}

enum fw_status memmap_remove(struct memmap *map, u64 base)
{
	struct memmap_range *r = find(map, base);

	if (!r)
		return FW_ERANGE;
	if (r->kind != MEMMAP_UNMAPPED)
		pgtable_unmap(map->pt, r->base, r->size);
	*r = map->range[--map->count];
	return FW_OK;
}

enum fw_status memmap_set_arena(struct memmap *map, u64 base, const struct buddy *arena)
{
	struct memmap_range *r = find(map, base);

	if (!r)
		return FW_ERANGE;
	r->arena = arena;
	return FW_OK;
}

static void clean_range(const struct memmap_range *r)
{
	u64 from = r->base, to = r->base + r->size;

	if (r->arena) {
		if (from < r->arena->used_from)
			from = r->arena->used_from;
		if (to > r->arena->used_to)
			to = r->arena->used_to;
	}
	if (from < to)
		mmu_clean(from, to - from);
}

void memmap_flush(const struct memmap *map)
{
	unsigned int i;

	for (i = 0; i < map->count; i++)
		if (map->range[i].kind == MEMMAP_DATA)
			clean_range(&map->range[i]);
}
