// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: alloc_shared() fails only if neither the pool nor the heap has a block that fits; it
 * shares memory only if the pool has no block; what it returns is shared and not in use;
 * if an allocation fails, only that request may fail, nothing is lost, and later requests
 * succeed.
 *
 * The model has a byte for each smallest block of the heap: its owner. Memory that becomes
 * shared moves from the heap to the pool.
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

/* Owners of a block besides the slots, which are numbered from 0. */
#define HEAP	0xfe
#define POOL	0xff

struct fixture {
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

static void start(struct fixture *f, u64 granule, bool ranges, u64 fail_at)
{
	fake_hyp_reset();
	fake_hyp.granule = granule;
	fake_hyp.ranges = ranges;
	memset(f, 0, sizeof(*f));
	memset(f->owner, HEAP, sizeof(f->owner));
	f->memory = fake_hyp.arena + FW_SCRATCH_SIZE - HEAP_SIZE;
	assert_int_equal(buddy_init(&f->heap, (uintptr_t)fake_hyp.arena, FW_SCRATCH_SHIFT,
				    f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, (uintptr_t)f->memory, HEAP_SIZE), FW_OK);
	hyp_discover(&f->hyp);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_OK);
	fake_alloc = (struct fake_alloc){ .fail_at = fail_at };
}

/* Whether @who owns an aligned block of @units. */
static bool model_has(const struct fixture *f, u8 who, u32 units)
{
	u32 at, i;

	for (at = 0; at + units <= UNITS; at += units) {
		for (i = 0; i < units && f->owner[at + i] == who; i++)
			;
		if (i == units)
			return true;
	}
	return false;
}

/* Move memory that was shared since the last call to the pool; true if there is any. */
static bool note_refill(struct fixture *f)
{
	const u32 first = (FW_SCRATCH_SIZE - HEAP_SIZE) / PAGE_SIZE;
	bool any = false;
	u32 i;

	for (i = 0; i < UNITS; i++) {
		bool shared = fake_hyp.shared[first + i * UNIT / PAGE_SIZE];
		bool known = f->owner[i] != HEAP;

		if (shared == known)
			continue;
		assert_true(shared);
		f->owner[i] = POOL;
		any = true;
	}
	return any;
}

static void give_to(struct fixture *f, u8 who, u8 from, const u8 *block, u32 size)
{
	u32 first = (u32)(block - f->memory) / UNIT, units = (u32)buddy_block_size(size) / UNIT, i;

	assert_int_equal((block - f->memory) % (ptrdiff_t)(units * UNIT), 0);
	assert_true(first + units <= UNITS);
	for (i = first; i < first + units; i++) {
		assert_int_equal(f->owner[i], from);
		f->owner[i] = who;
	}
}

static void take(struct fixture *f, u8 who, u32 size)
{
	u32 block_size = (u32)buddy_block_size(size);
	u64 region_size = block_size > fake_hyp.granule ? block_size : fake_hyp.granule;
	bool in_pool = model_has(f, POOL, block_size / UNIT);
	bool in_heap = model_has(f, HEAP, (u32)region_size / UNIT);
	bool before = fake_alloc.calls >= fake_alloc.fail_at, injected, refilled;
	enum fw_status status;
	void *block;

	status = alloc_shared(&f->pool, size, &block);
	injected = !before && fake_alloc.calls >= fake_alloc.fail_at;
	refilled = note_refill(f);
	if (!injected) {
		assert_int_equal(status, in_pool || in_heap ? FW_OK : FW_ENOMEM);
		assert_int_equal(refilled, !in_pool && in_heap);
	}
	if (status != FW_OK) {
		assert_int_equal(status, FW_ENOMEM);
		return;
	}
	give_to(f, who, POOL, block, size);
	memset(block, who, size);
	f->slot[who].block = block;
	f->slot[who].size = size;
}

static void release(struct fixture *f, u8 who)
{
	u8 *block = f->slot[who].block;
	u32 i;

	for (i = 0; i < f->slot[who].size; i++)
		assert_int_equal(block[i], who);
	assert_int_equal(dealloc_shared(&f->pool, block, f->slot[who].size), FW_OK);
	give_to(f, POOL, who, block, f->slot[who].size);
	f->slot[who].block = NULL;
}

/* Do a run; false if it ended before the allocation that should fail. */
static bool run(struct fixture *f, u64 granule, bool ranges, u64 fail_at)
{
	u64 seed = 17;
	u32 i;

	start(f, granule, ranges, fail_at);
	for (i = 0; i < STEPS; i++) {
		u8 who = (u8)(test_random(&seed) % SLOTS);

		if (f->slot[who].block)
			release(f, who);
		else
			take(f, who, 1 + test_random(&seed) % (UNIT << test_random(&seed) % 8));
	}
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
	return fake_alloc.calls >= fail_at;
}

static void each_allocation_fails(void **state)
{
	static const u64 granules[] = { 0x1000, 0x4000, 0x10000 };
	struct fixture *f = *state;
	u64 fail_at;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(granules); i++) {
		for (fail_at = 1; run(f, granules[i], i % 2, fail_at); fail_at++)
			;
		/* The run had enough allocations to cover all kinds. */
		assert_true(fail_at > STEPS / 2);
	}
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
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
