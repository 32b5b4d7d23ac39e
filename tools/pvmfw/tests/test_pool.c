// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the pool gives memory whenever it has a block that fits, or the heap has one
 * to refill it with, and only then fails; it shares nothing while it has a block; it
 * hands out what the host sees, and nothing twice; whichever allocation fails, that
 * one request may fail, nothing is lost, and everything after it goes as before.
 *
 * The model is one byte for each smallest block of the heap: who has it. What the
 * hypervisor says is shared moves from the heap to the pool.
 */
#include "fake_alloc.h"
#include "fake_hyp.h"
#include "shared.h"
#include "testing.h"

#define HEAP_SIZE	0x20000u
#define UNIT		0x100u
#define UNITS		(HEAP_SIZE / UNIT)
#define SLOTS		20
#define STEPS		250

/* Who has a block, beside the slots, which count from 0. */
#define HEAP	0xfe
#define POOL	0xff

struct world {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	u8 *memory;
	u8 owner[UNITS];
	struct {
		u8 *block;
		u32 size;
	} slot[SLOTS];
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

static void start(struct world *w, u64 granule, bool ranges, u64 fail_at)
{
	fake_hyp_reset();
	fake_hyp.granule = granule;
	fake_hyp.ranges = ranges;
	memset(w, 0, sizeof(*w));
	memset(w->owner, HEAP, sizeof(w->owner));
	w->memory = fake_hyp.arena + FW_SCRATCH_SIZE - HEAP_SIZE;
	assert_int_equal(buddy_init(&w->heap, (uintptr_t)fake_hyp.arena, FW_SCRATCH_SHIFT,
				    w->tree), FW_OK);
	assert_int_equal(buddy_add(&w->heap, (uintptr_t)w->memory, HEAP_SIZE), FW_OK);
	hyp_discover(&w->hyp);
	assert_int_equal(shared_init(&w->pool, &w->hyp, &w->heap, 0, 0), FW_OK);
	fake_alloc = (struct fake_alloc){ .fail_at = fail_at };
}

/* Does @who have an aligned block of @units? */
static bool model_has(const struct world *w, u8 who, u32 units)
{
	u32 at, i;

	for (at = 0; at + units <= UNITS; at += units) {
		for (i = 0; i < units && w->owner[at + i] == who; i++)
			;
		if (i == units)
			return true;
	}
	return false;
}

/* What has been shared since last time is the pool's; true if that is anything. */
static bool note_refill(struct world *w)
{
	const u32 first = (FW_SCRATCH_SIZE - HEAP_SIZE) / PAGE_SIZE;
	bool any = false;
	u32 i;

	for (i = 0; i < UNITS; i++) {
		bool shared = fake_hyp.shared[first + i * UNIT / PAGE_SIZE];
		bool known = w->owner[i] != HEAP;

		if (shared == known)
			continue;
		assert_true(shared);
		w->owner[i] = POOL;
		any = true;
	}
	return any;
}

static void give_to(struct world *w, u8 who, u8 from, const u8 *block, u32 size)
{
	u32 first = (u32)(block - w->memory) / UNIT, units = (u32)buddy_block_size(size) / UNIT, i;

	assert_int_equal((block - w->memory) % (ptrdiff_t)(units * UNIT), 0);
	assert_true(first + units <= UNITS);
	for (i = first; i < first + units; i++) {
		assert_int_equal(w->owner[i], from);
		w->owner[i] = who;
	}
}

static void take(struct world *w, u8 who, u32 size)
{
	u32 block_size = (u32)buddy_block_size(size);
	u64 region_size = block_size > fake_hyp.granule ? block_size : fake_hyp.granule;
	bool in_pool = model_has(w, POOL, block_size / UNIT);
	bool in_heap = model_has(w, HEAP, (u32)region_size / UNIT);
	bool before = fake_alloc.calls >= fake_alloc.fail_at, injected, refilled;
	enum fw_status status;
	void *block;

	status = alloc_shared(&w->pool, size, &block);
	injected = !before && fake_alloc.calls >= fake_alloc.fail_at;
	refilled = note_refill(w);
	if (!injected) {
		assert_int_equal(status, in_pool || in_heap ? FW_OK : FW_ENOMEM);
		assert_int_equal(refilled, !in_pool && in_heap);
	}
	if (status != FW_OK) {
		assert_int_equal(status, FW_ENOMEM);
		return;
	}
	give_to(w, who, POOL, block, size);
	memset(block, who, size);
	w->slot[who].block = block;
	w->slot[who].size = size;
}

static void release(struct world *w, u8 who)
{
	u8 *block = w->slot[who].block;
	u32 i;

	for (i = 0; i < w->slot[who].size; i++)
		assert_int_equal(block[i], who);
	assert_int_equal(dealloc_shared(&w->pool, block, w->slot[who].size), FW_OK);
	give_to(w, POOL, who, block, w->slot[who].size);
	w->slot[who].block = NULL;
}

/* A run; false if it was over before the allocation that was to fail. */
static bool run(struct world *w, u64 granule, bool ranges, u64 fail_at)
{
	u64 seed = 17;
	u32 i;

	start(w, granule, ranges, fail_at);
	for (i = 0; i < STEPS; i++) {
		u8 who = (u8)(test_random(&seed) % SLOTS);

		if (w->slot[who].block)
			release(w, who);
		else
			take(w, who, 1 + test_random(&seed) % (UNIT << test_random(&seed) % 8));
	}
	assert_int_equal(shared_end(&w->pool), FW_OK);
	assert_int_equal(shared_check_none(&w->pool, &w->hyp), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(w->heap.free_bytes, HEAP_SIZE);
	return fake_alloc.calls >= fail_at;
}

static void each_allocation_fails(void **state)
{
	static const u64 granules[] = { 0x1000, 0x4000, 0x10000 };
	struct world *w = *state;
	u64 fail_at;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(granules); i++) {
		for (fail_at = 1; run(w, granules[i], i % 2, fail_at); fail_at++)
			;
		/* The run was long enough for all kinds of them. */
		assert_true(fail_at > STEPS / 2);
	}
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	free(*state);
	fake_hyp_release();
	memset(&fake_alloc, 0, sizeof(fake_alloc));
	return 0;
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(each_allocation_fails, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw pool", tests, NULL, NULL);
}
