// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: an allocated block lies in memory that was added, is aligned to its size and
 * overlaps no other allocated block; an allocation fails only if no such block is free; freed
 * blocks are merged; freeing anything but an allocated block is refused and changes nothing;
 * the records do not lie in the memory that is handed out; used_from and used_to bound all
 * memory that was ever allocated.
 *
 * The model has a byte for each smallest block: which allocation owns it.
 */
#include "buddy.h"
#include "testing.h"

#define SHIFT	14
#define ARENA	0x4000u
#define UNIT	0x100u
#define UNITS	(ARENA / UNIT)

#define NOT_GIVEN	0xff
#define FREE		0

struct allocation {
	void *block;
	size_t size;
};

struct fixture {
	struct buddy buddy;
	u8 *arena;
	u8 tree[BUDDY_TREE_SIZE(SHIFT)];
	u8 owner[UNITS];
	struct allocation held[UNITS + 1];
	uintptr_t used_from, used_to;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = aligned_alloc(ARENA, ARENA);
	assert_non_null(f->arena);
	assert_int_equal(buddy_init(&f->buddy, (uintptr_t)f->arena, SHIFT, f->tree), FW_OK);
	memset(f->owner, NOT_GIVEN, sizeof(f->owner));
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

static enum fw_status give(struct fixture *f, u32 unit, u32 count)
{
	enum fw_status status;
	u32 i;

	status = buddy_add(&f->buddy, (uintptr_t)f->arena + unit * UNIT, count * UNIT);
	if (status == FW_OK)
		for (i = unit; i < unit + count; i++)
			f->owner[i] = FREE;
	return status;
}

/* Does the model have a free, aligned block of @units? */
static bool model_has(const struct fixture *f, u32 units)
{
	u32 at, i;

	for (at = 0; at < UNITS; at += units) {
		for (i = 0; i < units && f->owner[at + i] == FREE; i++)
			;
		if (i == units)
			return true;
	}
	return false;
}

static void check_free_bytes(const struct fixture *f)
{
	u32 i, n = 0;

	for (i = 0; i < UNITS; i++)
		n += f->owner[i] == FREE;
	assert_int_equal(f->buddy.free_bytes, n * UNIT);
}

static void take(struct fixture *f, u8 who, size_t size)
{
	u32 units = (u32)(buddy_block_size(size) / UNIT), first, i;
	bool possible = units <= UNITS && model_has(f, units);
	u8 *block = buddy_alloc(&f->buddy, size);

	assert_int_equal(!!block, possible);
	if (!block)
		return;
	first = (u32)(block - f->arena) / UNIT;
	assert_int_equal((block - f->arena) % (ptrdiff_t)(units * UNIT), 0);
	assert_true(first + units <= UNITS);
	for (i = first; i < first + units; i++) {
		assert_int_equal(f->owner[i], FREE);
		f->owner[i] = who;
	}
	memset(block, who, size);
	f->held[who] = (struct allocation){ block, size };
	if (!f->used_to || (uintptr_t)block < f->used_from)
		f->used_from = (uintptr_t)block;
	if ((uintptr_t)block + units * UNIT > f->used_to)
		f->used_to = (uintptr_t)block + units * UNIT;
	assert_int_equal(f->buddy.used_from, f->used_from);
	assert_int_equal(f->buddy.used_to, f->used_to);
}

static void release(struct fixture *f, u8 who)
{
	struct allocation *a = &f->held[who];
	u32 first = (u32)((u8 *)a->block - f->arena) / UNIT, i;
	u32 units = (u32)(buddy_block_size(a->size) / UNIT);

	for (i = 0; i < a->size; i++)
		assert_int_equal(((u8 *)a->block)[i], who);
	assert_int_equal(buddy_free(&f->buddy, a->block, a->size), FW_OK);
	for (i = first; i < first + units; i++)
		f->owner[i] = FREE;
	a->block = NULL;
}

static void random_against_model(void **state)
{
	struct fixture *f = *state;
	u64 seed = 1;
	u32 step;

	/* Leave a hole at either end and one in the middle. */
	assert_int_equal(give(f, 1, 20), FW_OK);
	assert_int_equal(give(f, 23, 38), FW_OK);
	assert_true(f->buddy.used_from > f->buddy.used_to);
	for (step = 0; step < 200000; step++) {
		u8 who = (u8)(1 + test_random(&seed) % UNITS);

		if (f->held[who].block)
			release(f, who);
		else
			take(f, who, 1 + test_random(&seed) % (UNIT << test_random(&seed) % 6));
		check_free_bytes(f);
	}
	for (step = 1; step <= UNITS; step++)
		if (f->held[step].block)
			release(f, (u8)step);
	/* All blocks are merged again: the largest block that fits can be allocated. */
	take(f, 1, 16 * UNIT);
	assert_non_null(f->held[1].block);
}

static void bad_ranges(void **state)
{
	struct fixture *f = *state;
	u8 before[sizeof(f->tree)];
	uintptr_t base = (uintptr_t)f->arena;

	assert_int_equal(buddy_init(&f->buddy, base + UNIT, SHIFT, f->tree), FW_EALIGN);
	assert_int_equal(give(f, 4, 8), FW_OK);
	memcpy(before, f->tree, sizeof(before));
	assert_int_equal(buddy_add(&f->buddy, base + 1, UNIT), FW_EALIGN);
	assert_int_equal(buddy_add(&f->buddy, base, UNIT - 1), FW_EALIGN);
	assert_int_equal(buddy_add(&f->buddy, base - UNIT, UNIT), FW_ERANGE);
	assert_int_equal(buddy_add(&f->buddy, base, ARENA + UNIT), FW_ERANGE);
	assert_int_equal(buddy_add(&f->buddy, base + UNIT, (size_t)0 - UNIT), FW_ERANGE);
	/* Overlapping the start, the end, the inside, and all of what was added. */
	assert_int_equal(give(f, 0, 5), FW_EOVERLAP);
	assert_int_equal(give(f, 11, 2), FW_EOVERLAP);
	assert_int_equal(give(f, 6, 1), FW_EOVERLAP);
	assert_int_equal(give(f, 0, UNITS), FW_EOVERLAP);
	assert_memory_equal(before, f->tree, sizeof(before));
	/* Also while a part of it is allocated. */
	take(f, 1, 4 * UNIT);
	memcpy(before, f->tree, sizeof(before));
	assert_int_equal(give(f, 4, 1), FW_EOVERLAP);
	assert_int_equal(give(f, 4, 8), FW_EOVERLAP);
	assert_memory_equal(before, f->tree, sizeof(before));
}

static void bad_frees(void **state)
{
	struct fixture *f = *state;
	u8 before[sizeof(f->tree)];
	u8 *block;

	assert_int_equal(give(f, 0, 32), FW_OK);
	block = buddy_alloc(&f->buddy, 4 * UNIT);
	assert_non_null(block);
	memcpy(before, f->tree, sizeof(before));
	assert_int_equal(buddy_free(&f->buddy, block, 2 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, block, 8 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, block, 0), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, block, SIZE_MAX), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, block + UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, block + 1, 4 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, NULL, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, f->arena + 40 * UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, f->arena - UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&f->buddy, f->arena + ARENA, UNIT), FW_EBADFREE);
	assert_memory_equal(before, f->tree, sizeof(before));
	assert_int_equal(buddy_free(&f->buddy, block, 4 * UNIT), FW_OK);
	memcpy(before, f->tree, sizeof(before));
	assert_int_equal(buddy_free(&f->buddy, block, 4 * UNIT), FW_EBADFREE);
	assert_memory_equal(before, f->tree, sizeof(before));
}

static void bad_sizes(void **state)
{
	struct fixture *f = *state;

	assert_null(buddy_alloc(&f->buddy, 1));
	assert_int_equal(give(f, 0, UNITS), FW_OK);
	assert_null(buddy_alloc(&f->buddy, 0));
	assert_null(buddy_alloc(&f->buddy, ARENA + 1));
	assert_null(buddy_alloc(&f->buddy, SIZE_MAX));
	assert_null(buddy_zalloc(&f->buddy, SIZE_MAX / 2 + 2));
	assert_int_equal(buddy_block_size(0), 0);
	assert_int_equal(buddy_block_size(SIZE_MAX), 0);
	assert_ptr_equal(buddy_alloc(&f->buddy, ARENA), f->arena);
	assert_null(buddy_alloc(&f->buddy, 1));
}

/* A small request takes a fragment, not a piece of the largest block. */
static void keeps_large_blocks(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(give(f, 0, 16), FW_OK);
	assert_int_equal(give(f, 33, 1), FW_OK);
	assert_ptr_equal(buddy_alloc(&f->buddy, UNIT), f->arena + 33 * UNIT);
	assert_ptr_equal(buddy_alloc(&f->buddy, 16 * UNIT), f->arena);
}

static void zeroed(void **state)
{
	struct fixture *f = *state;
	u8 *block;
	u32 i;

	assert_int_equal(give(f, 0, UNITS), FW_OK);
	memset(f->arena, 0x5a, ARENA);
	block = buddy_zalloc(&f->buddy, 3 * UNIT);
	assert_non_null(block);
	for (i = 0; i < 4 * UNIT; i++)
		assert_int_equal(block[i], 0);
	assert_int_equal(block[4 * UNIT], 0x5a);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(random_against_model, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_ranges, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_frees, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(keeps_large_blocks, setup, teardown),
		cmocka_unit_test_setup_teardown(zeroed, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw buddy", tests, NULL, NULL);
}
