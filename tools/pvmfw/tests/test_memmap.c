// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: ranges never overlap; a refused call changes nothing; before the size of RAM is set,
 * only read-only data can be added in RAM, and afterwards nothing beyond its end;
 * memmap_flush() cleans the data that was written and nothing else: of an allocator's range,
 * what it has ever handed out.
 */
#include "fake_mmu.h"
#include "memmap.h"
#include "testing.h"

#define SHIFT 21

struct fixture {
	struct buddy heap;
	struct pgtable pt;
	struct memmap map;
	u8 *arena;
	u8 tree[BUDDY_TREE_SIZE(SHIFT)];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = aligned_alloc((size_t)1 << SHIFT, (size_t)1 << SHIFT);
	assert_non_null(f->arena);
	assert_int_equal(buddy_init(&f->heap, (uintptr_t)f->arena, SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, (uintptr_t)f->arena, (size_t)1 << SHIFT), FW_OK);
	assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_OK);
	memmap_init(&f->map, &f->pt);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->arena);
	free(f);
	return 0;
}

static enum fw_status add(struct fixture *f, u64 base, u64 size, enum memmap_kind kind)
{
	return memmap_add(&f->map, base, size, kind, "x", NULL);
}

static void refused(void **state)
{
	struct fixture *f = *state;
	const char *clash = NULL;
	u64 i;

	for (i = 0; i < MEMMAP_MAX; i++)
		assert_int_equal(memmap_add(&f->map, i * 0x2000, 0x1000, MEMMAP_DATA, "x", NULL),
				 FW_OK);
	assert_int_equal(add(f, 0x1000000, 0x1000, MEMMAP_DATA), FW_ETOOMANY);
	assert_int_equal(memmap_add(&f->map, 0, 0x3000, MEMMAP_UNMAPPED, "y", &clash),
			 FW_EOVERLAP);
	assert_string_equal(clash, "x");
	assert_int_equal(memmap_remove(&f->map, 0x1000), FW_ERANGE);
	assert_int_equal(memmap_remove(&f->map, 0x2000), FW_OK);
	assert_int_equal(memmap_remove(&f->map, 0x2000), FW_ERANGE);
	assert_int_equal(add(f, 1ull << VA_BITS, 0x1000, MEMMAP_DATA), FW_ERANGE);
	assert_int_equal(add(f, 0x2000, 0, MEMMAP_DATA), FW_ERANGE);
	assert_int_equal(add(f, 0x2000, UINT64_MAX & ~0xfffull, MEMMAP_DATA), FW_ERANGE);
	assert_int_equal(add(f, 0x2800, 0x1000, MEMMAP_DATA), FW_EALIGN);
	assert_int_equal(add(f, 0x2000, 0x800, MEMMAP_DATA), FW_EALIGN);
	assert_int_equal(f->map.count, MEMMAP_MAX - 1);
	/* A range of another kind may take the place of the removed one. */
	assert_int_equal(add(f, 0x2000, 0x1000, MEMMAP_RODATA), FW_OK);
}

static void ram(void **state)
{
	struct fixture *f = *state;
	const char *clash = NULL;

	/* Before the size of RAM is known. */
	assert_int_equal(add(f, RAM_BASE, 0x1000, MEMMAP_DATA), FW_ERANGE);
	assert_int_equal(add(f, RAM_BASE, 0x1000, MEMMAP_UNMAPPED), FW_ERANGE);
	assert_int_equal(add(f, RAM_BASE + ((u64)1 << 36), 0x1000, MEMMAP_RODATA), FW_OK);
	assert_int_equal(memmap_remove(&f->map, RAM_BASE + ((u64)1 << 36)), FW_OK);
	assert_int_equal(add(f, RAM_BASE - 0x1000, 0x2000, MEMMAP_RODATA), FW_ERANGE);
	assert_int_equal(add(f, RAM_BASE, FDT_MAX_SIZE, MEMMAP_RODATA), FW_OK);

	assert_int_equal(memmap_shrink_ram(&f->map, 0x40000000, 0x10000000), FW_ERANGE);
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, 0), FW_ERANGE);
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, 0x10000800), FW_EALIGN);
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, UINT64_MAX & ~0xfffull), FW_ERANGE);
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, FDT_MAX_SIZE - 0x1000), FW_ERANGE);
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, 0x1000000), FW_OK);
	/* The size can be set only once. */
	assert_int_equal(memmap_shrink_ram(&f->map, RAM_BASE, 0x2000000), FW_ERANGE);

	assert_int_equal(add(f, RAM_BASE + 0xfff000, 0x1000, MEMMAP_RODATA), FW_OK);
	assert_int_equal(add(f, RAM_BASE + 0x1000000, 0x1000, MEMMAP_RODATA), FW_ERANGE);
	assert_int_equal(memmap_add(&f->map, RAM_BASE + 0x800000, 0x1000, MEMMAP_DEVICE, "y",
				    &clash), FW_EOVERLAP);
	assert_string_equal(clash, "RAM");
	assert_int_equal(add(f, RAM_BASE + 0x800000, 0x1000, MEMMAP_TEXT), FW_EOVERLAP);
	assert_int_equal(add(f, RAM_BASE + 0x2000000, 0x1000, MEMMAP_DEVICE), FW_EOVERLAP);
}

/* Flush, and check that exactly these ranges were cleaned. */
static void cleaned(struct fixture *f, unsigned int count, const struct fake_range *ranges)
{
	memset(&fake_mmu, 0, sizeof(fake_mmu));
	memmap_flush(&f->map);
	assert_int_equal(fake_mmu.cleaned_count, count);
	assert_memory_equal(fake_mmu.cleaned, ranges, count * sizeof(*ranges));
}

static void flush(void **state)
{
	const struct fake_range data = { 0x5000, 0x3000 };
	struct fixture *f = *state;

	assert_int_equal(add(f, 0x1000, 0x1000, MEMMAP_TEXT), FW_OK);
	assert_int_equal(add(f, 0x2000, 0x1000, MEMMAP_RODATA), FW_OK);
	assert_int_equal(add(f, 0x3000, 0x1000, MEMMAP_DEVICE), FW_OK);
	assert_int_equal(add(f, 0x4000, 0x1000, MEMMAP_UNMAPPED), FW_OK);
	cleaned(f, 0, NULL);
	assert_int_equal(add(f, 0x5000, 0x3000, MEMMAP_DATA), FW_OK);
	cleaned(f, 1, &data);
}

/* The layout of the firmware's scratch memory: data, and a heap that is mostly unused. */
static void flush_of_arenas(void **state)
{
	struct fake_range expected[] = { { 0x200000, 0x3000 }, { 0x203000, 0 }, { 0x800000, 0 } };
	u8 tree[BUDDY_TREE_SIZE(SHIFT)], pool_tree[BUDDY_TREE_SIZE(SHIFT)];
	struct buddy heap, pool;
	struct fixture *f = *state;
	void *block, *low;

	assert_int_equal(buddy_init(&heap, 0x200000, SHIFT, tree), FW_OK);
	assert_int_equal(buddy_add(&heap, 0x203000, 0x1fd000), FW_OK);
	assert_int_equal(buddy_init(&pool, 0x800000, SHIFT, pool_tree), FW_OK);
	assert_int_equal(buddy_add(&pool, 0x880000, 0x100000), FW_OK);
	assert_int_equal(add(f, 0x200000, 0x3000, MEMMAP_DATA), FW_OK);
	assert_int_equal(add(f, 0x203000, 0x1fd000, MEMMAP_DATA), FW_OK);
	assert_int_equal(add(f, 0x600000, 0x400000, MEMMAP_DATA), FW_OK);
	assert_int_equal(memmap_set_arena(&f->map, 0x204000, &heap), FW_ERANGE);
	assert_int_equal(memmap_set_arena(&f->map, 0x203000, &heap), FW_OK);
	assert_int_equal(memmap_set_arena(&f->map, 0x600000, &pool), FW_OK);
	/* The allocators have handed out nothing: only the data is cleaned. */
	cleaned(f, 1, expected);

	low = buddy_alloc(&heap, 0x1000);
	assert_ptr_equal(low, (void *)0x203000);
	expected[1].size = 0x1000;
	cleaned(f, 2, expected);
	/* Freed blocks were written too: the heap is cleaned up to the highest block. */
	block = buddy_alloc(&heap, 0x10000);
	assert_ptr_equal(block, (void *)0x210000);
	assert_int_equal(buddy_free(&heap, block, 0x10000), FW_OK);
	assert_int_equal(buddy_free(&heap, low, 0x1000), FW_OK);
	expected[1].size = 0x1d000;
	cleaned(f, 2, expected);
	/* A pool that starts in the middle of its range and was emptied. */
	block = buddy_alloc(&pool, 0x2000);
	assert_ptr_equal(block, (void *)0x880000);
	buddy_empty(&pool);
	expected[2] = (struct fake_range){ 0x880000, 0x2000 };
	cleaned(f, 3, expected);
	assert_null(buddy_alloc(&pool, 1));
}

/* A range for which there is no table is not recorded. */
static void out_of_tables(void **state)
{
	struct fixture *f = *state;

	while (buddy_alloc(&f->heap, PAGE_SIZE))
		;
	assert_int_equal(add(f, 0x1000, 0x1000, MEMMAP_DATA), FW_ENOMEM);
	assert_int_equal(f->map.count, 0);
	assert_int_equal(add(f, 0x1000, 0x1000, MEMMAP_UNMAPPED), FW_OK);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(ram, setup, teardown),
		cmocka_unit_test_setup_teardown(flush, setup, teardown),
		cmocka_unit_test_setup_teardown(flush_of_arenas, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_tables, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw memmap", tests, NULL, NULL);
}
