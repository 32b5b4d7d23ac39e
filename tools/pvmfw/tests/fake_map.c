// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory map (fake_map.h).
 */
#include "fake_map.h"
#include "testing.h"

#define HEAP_SHIFT 20

struct memmap fake_map;

static u8 *arena;
static u8 heap_tree[BUDDY_TREE_SIZE(HEAP_SHIFT)];
static struct buddy heap;
static struct pgtable pgtable;

void fake_map_reset(void)
{
	fake_map_reset_at(RAM_BASE, FDT_MAX_SIZE);
}

void fake_map_reset_at(u64 fdt, u64 fdt_size)
{
	const struct {
		u64 base, size;
		enum memmap_kind kind;
		const char *name;
	} ranges[] = {
		{ FW_IMAGE_BASE, BLOCK_SIZE, MEMMAP_TEXT, "firmware image" },
		{ FW_SCRATCH_BASE, FW_SCRATCH_SIZE, MEMMAP_DATA, "firmware scratch" },
		{ fdt, fdt_size, MEMMAP_RODATA, "device tree" },
		{ UART_DEFAULT_PAGE, PAGE_SIZE, MEMMAP_DEVICE, "UART" },
	};
	size_t i;

	if (!arena)
		arena = aligned_alloc((size_t)1 << HEAP_SHIFT, (size_t)1 << HEAP_SHIFT);
	assert_non_null(arena);
	assert_int_equal(buddy_init(&heap, (uintptr_t)arena, HEAP_SHIFT, heap_tree), FW_OK);
	assert_int_equal(buddy_add(&heap, (uintptr_t)arena, (size_t)1 << HEAP_SHIFT), FW_OK);
	assert_int_equal(pgtable_init(&pgtable, &heap), FW_OK);
	memmap_init(&fake_map, &pgtable);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		assert_int_equal(memmap_add(&fake_map, ranges[i].base, ranges[i].size,
					    ranges[i].kind, ranges[i].name, NULL), FW_OK);
}

int fake_map_release(void **state)
{
	(void)state;
	free(arena);
	arena = NULL;
	return 0;
}
