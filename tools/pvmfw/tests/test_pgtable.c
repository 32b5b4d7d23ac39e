// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: nothing is both writable and executable; addresses map to themselves and only what
 * was mapped is; the largest block that fits is used; a range that overlaps a mapped one is
 * refused and nothing changes; a missing table is an error at every level; a page of a device
 * is invalid until it is made valid, and no other page of its block with it.
 *
 * The walker of this test follows the Arm ARM and shares no code with pgtable.c.
 */
#include "pgtable.h"
#include "testing.h"

#define SHIFT	20
#define ARENA	0x100000u

struct fixture {
	struct buddy heap;
	struct pgtable pt;
	u8 *arena;
	u8 tree[BUDDY_TREE_SIZE(SHIFT)];
};

static void give_heap(struct fixture *f, size_t bytes)
{
	assert_int_equal(buddy_init(&f->heap, (uintptr_t)f->arena, SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, (uintptr_t)f->arena, bytes), FW_OK);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = aligned_alloc(ARENA, ARENA);
	assert_non_null(f->arena);
	memset(f->arena, 0xff, ARENA);
	give_heap(f, ARENA);
	assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_OK);
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

/* Get descriptor and level of the leaf that maps @va; 0 if there is none. */
static u64 walk(const struct pgtable *pt, u64 va, unsigned int *level)
{
	const u64 *table = pt->root;
	u64 pte, size;

	for (*level = 1; ; (*level)++) {
		size = 1ull << (12 + 9 * (3 - *level));
		pte = table[va / size % 512];
		if (!(pte & 1))
			return 0;
		if (*level == 3) {
			assert_true(pte & 2);
			break;
		}
		if (!(pte & 2))
			break;
		table = (const u64 *)(uintptr_t)(pte & 0xfffffffff000);
	}
	/* Identity map, access flag, not global, no access from EL0. */
	assert_int_equal((pte & 0xfffffffff000) + va % size, va);
	assert_int_equal(va / size * size, pte & 0xfffffffff000);
	assert_true(pte & (1ull << 10));
	assert_true(pte & (1ull << 11));
	assert_true(pte & (1ull << 54));
	assert_false(pte & (1ull << 6));
	return pte;
}

static bool writable(u64 pte)
{
	return !(pte & (1ull << 7));
}

static bool executable(u64 pte)
{
	return !(pte & (1ull << 53));
}

static bool device(u64 pte)
{
	return !(pte & (7 << 2));
}

static void kinds(void **state)
{
	struct fixture *f = *state;
	unsigned int level;
	u64 pte, *page;

	assert_int_equal(pgtable_map(&f->pt, 0x1000, 0x1000, PGTABLE_TEXT), FW_OK);
	assert_int_equal(pgtable_map(&f->pt, 0x2000, 0x1000, PGTABLE_RODATA), FW_OK);
	assert_int_equal(pgtable_map(&f->pt, 0x3000, 0x1000, PGTABLE_DATA), FW_OK);
	assert_int_equal(pgtable_map(&f->pt, 0x4000, 0x1000, PGTABLE_DEVICE), FW_OK);

	pte = walk(&f->pt, 0x1fff, &level);
	assert_true(pte && !writable(pte) && executable(pte) && !device(pte));
	pte = walk(&f->pt, 0x2000, &level);
	assert_true(pte && !writable(pte) && !executable(pte) && !device(pte));
	pte = walk(&f->pt, 0x3000, &level);
	assert_true(pte && writable(pte) && !executable(pte) && !device(pte));
	/* Normal memory is inner shareable, as the host's CPUs access it too. */
	assert_int_equal((pte >> 8) & 3, 3);
	assert_false(walk(&f->pt, 0x4000, &level));
	assert_int_equal(pgtable_split(&f->pt, 0x4567, &page), FW_OK);
	pgtable_validate(page);
	pte = walk(&f->pt, 0x4000, &level);
	assert_true(pte && writable(pte) && !executable(pte) && device(pte));
	assert_false(walk(&f->pt, 0, &level));
	assert_false(walk(&f->pt, 0x5000, &level));
}

static void blocks(void **state)
{
	struct fixture *f = *state;
	unsigned int level;

	/* A page, two 2 MiB blocks, a 1 GiB block, a 2 MiB block, a page. */
	assert_int_equal(pgtable_map(&f->pt, 0x3fbff000, 0x40000000 + 0x601000 + 0x1000,
				     PGTABLE_DATA), FW_OK);
	assert_true(walk(&f->pt, 0x3fbff000, &level) && level == 3);
	assert_true(walk(&f->pt, 0x3fc00000, &level) && level == 2);
	assert_true(walk(&f->pt, 0x3ffff000, &level) && level == 2);
	assert_true(walk(&f->pt, 0x40000000, &level) && level == 1);
	assert_true(walk(&f->pt, 0x7fffffff, &level) && level == 1);
	assert_true(walk(&f->pt, 0x80000000, &level) && level == 2);
	assert_true(walk(&f->pt, 0x80200000, &level) && level == 3);
	assert_false(walk(&f->pt, 0x80201000, &level));
	assert_false(walk(&f->pt, 0x3fbfe000, &level));
}

static void random_ranges(void **state)
{
	const u32 pages = 2048;
	struct fixture *f = *state;
	u8 *model = calloc(1, pages);
	unsigned int level;
	u64 seed = 7, *page;
	u32 step, i;

	assert_non_null(model);
	for (step = 0; step < 3000; step++) {
		u32 first = test_random(&seed) % pages;
		u32 count = 1 + test_random(&seed) % 5 * (test_random(&seed) % 100 + 1);
		enum pgtable_kind kind = test_random(&seed) % 4;
		bool taken = false;

		if (first + count > pages)
			count = pages - first;
		for (i = first; i < first + count; i++)
			taken |= model[i];
		assert_int_equal(pgtable_map(&f->pt, first * PAGE_SIZE, count * PAGE_SIZE, kind),
				 taken ? FW_EOVERLAP : FW_OK);
		if (!taken)
			memset(model + first, (int)kind + 1, count);
	}
	for (i = 0; i < pages; i++) {
		u64 pte = walk(&f->pt, i * PAGE_SIZE, &level);

		/* A device page without an access yet. */
		if (model[i] == PGTABLE_DEVICE + 1) {
			assert_int_equal(pte, 0);
			assert_int_equal(pgtable_split(&f->pt, i * PAGE_SIZE, &page), FW_OK);
			pgtable_validate(page);
			pte = walk(&f->pt, i * PAGE_SIZE, &level);
		} else {
			assert_int_equal(pgtable_split(&f->pt, i * PAGE_SIZE, &page), FW_EFAULT);
		}
		assert_int_equal(!!pte, !!model[i]);
		if (pte) {
			assert_false(writable(pte) && executable(pte));
			assert_int_equal(executable(pte), model[i] == PGTABLE_TEXT + 1);
			assert_int_equal(device(pte), model[i] == PGTABLE_DEVICE + 1);
		}
	}
	free(model);
}

static void overlaps(void **state)
{
	struct fixture *f = *state;
	unsigned int level;
	u64 pte;

	assert_int_equal(pgtable_map(&f->pt, 0x200000, 0x200000, PGTABLE_TEXT), FW_OK);
	pte = walk(&f->pt, 0x200000, &level);
	assert_int_equal(pgtable_map(&f->pt, 0x3ff000, 0x1000, PGTABLE_DATA), FW_EOVERLAP);
	assert_int_equal(pgtable_map(&f->pt, 0, 0x40000000, PGTABLE_DATA), FW_EOVERLAP);
	assert_int_equal(pgtable_map(&f->pt, 0x1ff000, 0x2000, PGTABLE_DATA), FW_EOVERLAP);
	assert_int_equal(walk(&f->pt, 0x200000, &level), pte);
	assert_false(walk(&f->pt, 0x1ff000, &level));
	assert_false(walk(&f->pt, 0x400000, &level));
}

static void bad_arguments(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pgtable_map(&f->pt, 0x800, 0x1000, PGTABLE_DATA), FW_EALIGN);
	assert_int_equal(pgtable_map(&f->pt, 0x1000, 0x800, PGTABLE_DATA), FW_EALIGN);
	assert_int_equal(pgtable_map(&f->pt, 0x1000, 0, PGTABLE_DATA), FW_ERANGE);
	assert_int_equal(pgtable_map(&f->pt, 1ull << VA_BITS, 0x1000, PGTABLE_DATA), FW_ERANGE);
	assert_int_equal(pgtable_map(&f->pt, (1ull << VA_BITS) - 0x1000, 0x2000, PGTABLE_DATA),
			 FW_ERANGE);
	assert_int_equal(pgtable_map(&f->pt, 0x1000, 0ull - 0x1000, PGTABLE_DATA), FW_ERANGE);
	assert_int_equal(pgtable_map(&f->pt, (1ull << VA_BITS) - 0x1000, 0x1000, PGTABLE_DATA),
			 FW_OK);
}

static void out_of_tables(void **state)
{
	struct fixture *f = *state;
	size_t pages;

	/* The root, then a table of level 2 and one of level 3 at each end. */
	for (pages = 0; pages <= 5; pages++) {
		give_heap(f, pages * PAGE_SIZE);
		if (!pages) {
			assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_ENOMEM);
			continue;
		}
		assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_OK);
		assert_int_equal(pgtable_map(&f->pt, 0x3ffff000, 0x2000, PGTABLE_DATA),
				 pages < 5 ? FW_ENOMEM : FW_OK);
	}
}

static enum fw_status count_page(u64 page, void *ctx)
{
	u64 *pages = ctx;

	assert_true(is_aligned(page, PAGE_SIZE));
	/* In ascending order, each once. */
	assert_true(!pages[0] || page > pages[1]);
	pages[0]++;
	pages[1] = page;
	return FW_OK;
}

/* Blocks of every level are split down to one page; the other pages stay invalid. */
static void lazy(void **state)
{
	static const u64 touch[] = { 0x40000000, 0x40001fff, 0x7fffffff, 0x80000000, 0x803ff000,
				     0x80400000, 0x80402abc };
	const u64 base = 0x40000000, size = 0x40000000 + 0x400000 + 0x3000;
	u64 *page, pages[2] = { 0, 0 };
	struct fixture *f = *state;
	unsigned int level;
	u32 i, j;

	assert_int_equal(pgtable_map(&f->pt, base, size, PGTABLE_DEVICE), FW_OK);
	assert_int_equal(pgtable_split(&f->pt, base - 1, &page), FW_EFAULT);
	assert_int_equal(pgtable_split(&f->pt, base + size, &page), FW_EFAULT);
	assert_int_equal(pgtable_split(&f->pt, 1ull << VA_BITS | base, &page), FW_EFAULT);
	assert_int_equal(pgtable_map(&f->pt, base + 0x5000, 0x1000, PGTABLE_DATA), FW_EOVERLAP);
	for (i = 0; i < ARRAY_SIZE(touch); i++) {
		assert_false(walk(&f->pt, touch[i], &level));
		assert_int_equal(pgtable_split(&f->pt, touch[i], &page), FW_OK);
		assert_false(walk(&f->pt, touch[i], &level));
		pgtable_validate(page);
		assert_true(device(walk(&f->pt, touch[i], &level)));
		assert_int_equal(level, 3);
		assert_int_equal(pgtable_split(&f->pt, touch[i], &page), FW_EFAULT);
		for (j = i + 1; j < ARRAY_SIZE(touch); j++)
			assert_false(walk(&f->pt, touch[j], &level));
		assert_false(walk(&f->pt, (touch[i] & ~0xfffull) + 0x3000, &level));
	}
	assert_int_equal(pgtable_each_valid(&f->pt, base, size, count_page, pages), FW_OK);
	assert_int_equal(pages[0], ARRAY_SIZE(touch));
	pgtable_unmap(&f->pt, base, size);
	pages[0] = 0;
	assert_int_equal(pgtable_each_valid(&f->pt, base, size, count_page, pages), FW_OK);
	assert_int_equal(pages[0], 0);
	assert_int_equal(pgtable_split(&f->pt, base, &page), FW_EFAULT);
	assert_int_equal(pgtable_map(&f->pt, base, size, PGTABLE_DATA), FW_OK);
}

/* A missing table is an error, after which the next attempt succeeds. */
static void split_without_tables(void **state)
{
	struct fixture *f = *state;
	unsigned int level;
	size_t pages;
	u64 *page;

	for (pages = 1; pages <= 3; pages++) {
		give_heap(f, pages * PAGE_SIZE);
		assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_OK);
		assert_int_equal(pgtable_map(&f->pt, 0x40000000, 0x40000000, PGTABLE_DEVICE),
				 FW_OK);
		assert_int_equal(pgtable_split(&f->pt, 0x55555555, &page),
				 pages < 3 ? FW_ENOMEM : FW_OK);
		assert_false(walk(&f->pt, 0x55555555, &level));
		if (pages < 3) {
			assert_int_equal(buddy_add(&f->heap, (uintptr_t)f->arena +
						   pages * PAGE_SIZE, 2 * PAGE_SIZE), FW_OK);
			assert_int_equal(pgtable_split(&f->pt, 0x55555555, &page), FW_OK);
		}
		pgtable_validate(page);
		assert_true(walk(&f->pt, 0x55555555, &level));
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(random_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(overlaps, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_tables, setup, teardown),
		cmocka_unit_test_setup_teardown(lazy, setup, teardown),
		cmocka_unit_test_setup_teardown(split_without_tables, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw pgtable", tests, NULL, NULL);
}
