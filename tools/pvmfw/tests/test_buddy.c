// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a block is inside of what was given, aligned to its size, and nobody
 * else's; an allocation fails only if no such block is free; what comes back is
 * merged; a free of anything but an allocated block is refused and changes
 * nothing; the records never lie in the memory that is handed out; what was ever
 * handed out is known.
 *
 * The model is one byte for each smallest block: who has it.
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

struct world {
	struct buddy buddy;
	u8 *arena;
	u8 tree[BUDDY_TREE_SIZE(SHIFT)];
	u8 owner[UNITS];
	struct allocation held[UNITS + 1];
	uintptr_t used_from, used_to;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->arena = aligned_alloc(ARENA, ARENA);
	assert_non_null(w->arena);
	assert_int_equal(buddy_init(&w->buddy, (uintptr_t)w->arena, SHIFT, w->tree), FW_OK);
	memset(w->owner, NOT_GIVEN, sizeof(w->owner));
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	free(w->arena);
	free(w);
	return 0;
}

static enum fw_status give(struct world *w, u32 unit, u32 count)
{
	enum fw_status status;
	u32 i;

	status = buddy_add(&w->buddy, (uintptr_t)w->arena + unit * UNIT, count * UNIT);
	if (status == FW_OK)
		for (i = unit; i < unit + count; i++)
			w->owner[i] = FREE;
	return status;
}

/* Does the model have a free, aligned block of @units? */
static bool model_has(const struct world *w, u32 units)
{
	u32 at, i;

	for (at = 0; at < UNITS; at += units) {
		for (i = 0; i < units && w->owner[at + i] == FREE; i++)
			;
		if (i == units)
			return true;
	}
	return false;
}

static void check_free_bytes(const struct world *w)
{
	u32 i, n = 0;

	for (i = 0; i < UNITS; i++)
		n += w->owner[i] == FREE;
	assert_int_equal(w->buddy.free_bytes, n * UNIT);
}

static void take(struct world *w, u8 who, size_t size)
{
	u32 units = (u32)(buddy_block_size(size) / UNIT), first, i;
	bool possible = units <= UNITS && model_has(w, units);
	u8 *block = buddy_alloc(&w->buddy, size);

	assert_int_equal(!!block, possible);
	if (!block)
		return;
	first = (u32)(block - w->arena) / UNIT;
	assert_int_equal((block - w->arena) % (ptrdiff_t)(units * UNIT), 0);
	assert_true(first + units <= UNITS);
	for (i = first; i < first + units; i++) {
		assert_int_equal(w->owner[i], FREE);
		w->owner[i] = who;
	}
	memset(block, who, size);
	w->held[who] = (struct allocation){ block, size };
	if (!w->used_to || (uintptr_t)block < w->used_from)
		w->used_from = (uintptr_t)block;
	if ((uintptr_t)block + units * UNIT > w->used_to)
		w->used_to = (uintptr_t)block + units * UNIT;
	assert_int_equal(w->buddy.used_from, w->used_from);
	assert_int_equal(w->buddy.used_to, w->used_to);
}

static void release(struct world *w, u8 who)
{
	struct allocation *a = &w->held[who];
	u32 first = (u32)((u8 *)a->block - w->arena) / UNIT, i;
	u32 units = (u32)(buddy_block_size(a->size) / UNIT);

	for (i = 0; i < a->size; i++)
		assert_int_equal(((u8 *)a->block)[i], who);
	assert_int_equal(buddy_free(&w->buddy, a->block, a->size), FW_OK);
	for (i = first; i < first + units; i++)
		w->owner[i] = FREE;
	a->block = NULL;
}

static void random_against_model(void **state)
{
	struct world *w = *state;
	u64 seed = 1;
	u32 step;

	/* A hole at either end and one in the middle. */
	assert_int_equal(give(w, 1, 20), FW_OK);
	assert_int_equal(give(w, 23, 38), FW_OK);
	assert_true(w->buddy.used_from > w->buddy.used_to);
	for (step = 0; step < 200000; step++) {
		u8 who = (u8)(1 + test_random(&seed) % UNITS);

		if (w->held[who].block)
			release(w, who);
		else
			take(w, who, 1 + test_random(&seed) % (UNIT << test_random(&seed) % 6));
		check_free_bytes(w);
	}
	for (step = 1; step <= UNITS; step++)
		if (w->held[step].block)
			release(w, (u8)step);
	/* All merged again: the largest block that ever fitted is there. */
	take(w, 1, 16 * UNIT);
	assert_non_null(w->held[1].block);
}

static void bad_ranges(void **state)
{
	struct world *w = *state;
	u8 before[sizeof(w->tree)];
	uintptr_t base = (uintptr_t)w->arena;

	assert_int_equal(buddy_init(&w->buddy, base + UNIT, SHIFT, w->tree), FW_EALIGN);
	assert_int_equal(give(w, 4, 8), FW_OK);
	memcpy(before, w->tree, sizeof(before));
	assert_int_equal(buddy_add(&w->buddy, base + 1, UNIT), FW_EALIGN);
	assert_int_equal(buddy_add(&w->buddy, base, UNIT - 1), FW_EALIGN);
	assert_int_equal(buddy_add(&w->buddy, base - UNIT, UNIT), FW_ERANGE);
	assert_int_equal(buddy_add(&w->buddy, base, ARENA + UNIT), FW_ERANGE);
	assert_int_equal(buddy_add(&w->buddy, base + UNIT, (size_t)0 - UNIT), FW_ERANGE);
	/* Over the front, the end, the inside, the whole of what is there. */
	assert_int_equal(give(w, 0, 5), FW_EOVERLAP);
	assert_int_equal(give(w, 11, 2), FW_EOVERLAP);
	assert_int_equal(give(w, 6, 1), FW_EOVERLAP);
	assert_int_equal(give(w, 0, UNITS), FW_EOVERLAP);
	assert_memory_equal(before, w->tree, sizeof(before));
	/* Also while it is allocated, as a whole or in part. */
	take(w, 1, 4 * UNIT);
	memcpy(before, w->tree, sizeof(before));
	assert_int_equal(give(w, 4, 1), FW_EOVERLAP);
	assert_int_equal(give(w, 4, 8), FW_EOVERLAP);
	assert_memory_equal(before, w->tree, sizeof(before));
}

static void bad_frees(void **state)
{
	struct world *w = *state;
	u8 before[sizeof(w->tree)];
	u8 *block;

	assert_int_equal(give(w, 0, 32), FW_OK);
	block = buddy_alloc(&w->buddy, 4 * UNIT);
	assert_non_null(block);
	memcpy(before, w->tree, sizeof(before));
	assert_int_equal(buddy_free(&w->buddy, block, 2 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, block, 8 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, block, 0), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, block, SIZE_MAX), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, block + UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, block + 1, 4 * UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, NULL, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, w->arena + 40 * UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, w->arena - UNIT, UNIT), FW_EBADFREE);
	assert_int_equal(buddy_free(&w->buddy, w->arena + ARENA, UNIT), FW_EBADFREE);
	assert_memory_equal(before, w->tree, sizeof(before));
	assert_int_equal(buddy_free(&w->buddy, block, 4 * UNIT), FW_OK);
	memcpy(before, w->tree, sizeof(before));
	assert_int_equal(buddy_free(&w->buddy, block, 4 * UNIT), FW_EBADFREE);
	assert_memory_equal(before, w->tree, sizeof(before));
}

static void bad_sizes(void **state)
{
	struct world *w = *state;

	assert_null(buddy_alloc(&w->buddy, 1));
	assert_int_equal(give(w, 0, UNITS), FW_OK);
	assert_null(buddy_alloc(&w->buddy, 0));
	assert_null(buddy_alloc(&w->buddy, ARENA + 1));
	assert_null(buddy_alloc(&w->buddy, SIZE_MAX));
	assert_null(buddy_zalloc(&w->buddy, SIZE_MAX / 2 + 2));
	assert_int_equal(buddy_block_size(0), 0);
	assert_int_equal(buddy_block_size(SIZE_MAX), 0);
	assert_ptr_equal(buddy_alloc(&w->buddy, ARENA), w->arena);
	assert_null(buddy_alloc(&w->buddy, 1));
}

/* A small request takes a fragment, not a piece of the largest block. */
static void keeps_large_blocks(void **state)
{
	struct world *w = *state;

	assert_int_equal(give(w, 0, 16), FW_OK);
	assert_int_equal(give(w, 33, 1), FW_OK);
	assert_ptr_equal(buddy_alloc(&w->buddy, UNIT), w->arena + 33 * UNIT);
	assert_ptr_equal(buddy_alloc(&w->buddy, 16 * UNIT), w->arena);
}

static void zeroed(void **state)
{
	struct world *w = *state;
	u8 *block;
	u32 i;

	assert_int_equal(give(w, 0, UNITS), FW_OK);
	memset(w->arena, 0x5a, ARENA);
	block = buddy_zalloc(&w->buddy, 3 * UNIT);
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
