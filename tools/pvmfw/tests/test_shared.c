// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: alloc_shared() returns only memory that is shared and not in use; memory is shared
 * once, however often it is used, and a region by one call if the hypervisor has range calls;
 * at the end nothing is shared and the heap has all of its memory again, whether or not it
 * was deallocated; whichever call fails, memory that cannot be unshared is leaked and never
 * used again; the granule is queried once; a fixed range is used if the hypervisor cannot
 * share, and only then.
 *
 * fake_hyp fails the test if memory is shared twice, or unshared but not shared, or if a range
 * exceeds the guest's memory.
 */
#include "fake_hyp.h"
#include "shared.h"
#include "testing.h"

#define HEAP_SIZE 0x80000
#define SLOTS 24

struct fixture {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
	struct {
		u8 *block;
		u32 size;
	} slot[SLOTS];
};

static void start(struct fixture *f)
{
	uintptr_t base = (uintptr_t)fake_hyp.arena;

	assert_int_equal(buddy_init(&f->heap, base, FW_SCRATCH_SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, base + FW_SCRATCH_SIZE - HEAP_SIZE, HEAP_SIZE), FW_OK);
	memset(f->slot, 0, sizeof(f->slot));
	memset(&f->pool, 0, sizeof(f->pool));
	hyp_discover(&f->hyp);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_OK);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fake_hyp_reset();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	fake_hyp_release();
	return 0;
}

/* Check that the sharer's record of each region equals what is shared, and misses nothing. */
static void check_record(const struct fixture *f)
{
	const u64 granule = fake_hyp.granule / PAGE_SIZE;
	bool recorded[ARRAY_SIZE(fake_hyp.shared)] = { false };
	unsigned int i;

	for (i = 0; i < f->pool.sharer.count; i++) {
		const struct sharer_region *r = &f->pool.sharer.region[i];
		u64 first = (r->base - (uintptr_t)fake_hyp.arena) / PAGE_SIZE, page, shared = 0;

		for (page = first; page < first + r->size / PAGE_SIZE; page++) {
			/* The record of a leaked region has only the number of granules. */
			recorded[page] = r->leaked ? fake_hyp.shared[page] : true;
			shared += fake_hyp.shared[page];
		}
		assert_int_equal(shared, r->shared * granule);
	}
	assert_memory_equal(recorded, fake_hyp.shared, sizeof(recorded));
}

/* One random step: allocate into a slot or deallocate from it. */
static void step(struct fixture *f, u64 *seed)
{
	u32 i = test_random(seed) % SLOTS, j;
	enum fw_status status;
	void *block;

	if (f->slot[i].block) {
		for (j = 0; j < f->slot[i].size; j++)
			assert_int_equal(f->slot[i].block[j], i);
		status = dealloc_shared(&f->pool, f->slot[i].block, f->slot[i].size);
		assert_int_equal(status, FW_OK);
		f->slot[i].block = NULL;
		check_record(f);
		return;
	}
	f->slot[i].size = 1 + test_random(seed) % (1u << (4 + test_random(seed) % 13));
	status = alloc_shared(&f->pool, f->slot[i].size, &block);
	check_record(f);
	if (status == FW_OK) {
		fake_hyp_check_shared((uintptr_t)block, f->slot[i].size);
		memset(block, (int)i, f->slot[i].size);
		f->slot[i].block = block;
	} else if (status != FW_ENOMEM && status != FW_EHYP_SHARE) {
		fail_msg("%s", fw_strstatus(status));
	}
}

static void random_use(void **state)
{
	static const u64 granules[] = { 0x1000, 0x4000, 0x10000 };
	struct fixture *f = *state;
	u64 seed = 3;
	u32 round, i;

	for (round = 0; round < 12; round++) {
		fake_hyp_reset();
		fake_hyp.granule = granules[round % 3];
		fake_hyp.ranges = round % 2;
		fake_hyp.range_limit = round % 4 == 3 ? 3 : UINT64_MAX;
		start(f);
		for (i = 0; i < 5000; i++)
			step(f, &seed);
		assert_int_equal(f->pool.sharer.shared_now, fake_hyp.shared_now);
		assert_int_equal(f->pool.sharer.shared_peak, fake_hyp.shared_peak);
		assert_int_equal(f->hyp.share_calls, fake_hyp.share_calls);
		assert_true(fake_hyp.shared_now > 0);
		/* Memory that is in the pool is not shared again. */
		assert_true(fake_hyp.share_calls <= HEAP_SIZE / fake_hyp.granule);
		assert_int_equal(shared_end(&f->pool), FW_OK);
		check_record(f);
		assert_int_equal(fake_hyp.shared_now, 0);
		assert_int_equal(f->hyp.unshare_calls, fake_hyp.unshare_calls);
		if (fake_hyp.ranges && fake_hyp.range_limit == UINT64_MAX) {
			assert_int_equal(fake_hyp.share_calls, f->pool.stats.refills);
			assert_int_equal(fake_hyp.unshare_calls, f->pool.stats.refills);
			if (fake_hyp.granule == PAGE_SIZE)
				assert_true(fake_hyp.shared_peak > f->pool.stats.refills);
		}
		assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
		assert_int_equal(fake_hyp.meminfo_calls, 1);
	}
}

/*
 * Repeat a run with another share or unshare call refused each time: only that call, all calls
 * from it on, or a second call soon after it, so that undoing a partial share fails too.
 */
static void every_call_fails(void **state)
{
	struct fixture *f = *state;
	u64 seed, call = 0, mode, leaked, calls;
	enum fw_status ended;
	u32 i;

	for (mode = 0; mode < 10; mode++) {
		for (call = 1; ; call++) {
			fake_hyp_reset();
			fake_hyp.ranges = mode & 1;
			fake_hyp.range_limit = 2;
			if (mode < 2) {
				fake_hyp.fail_from = call;
			} else {
				fake_hyp.fail_call = call;
				fake_hyp.fail_also = mode < 4 ? 0 : call + mode / 2 - 1;
			}
			start(f);
			seed = 11;
			for (i = 0; i < 200; i++)
				step(f, &seed);
			ended = shared_end(&f->pool);
			check_record(f);
			calls = fake_hyp.calls;
			leaked = fake_hyp.shared_now;
			assert_int_equal(f->pool.sharer.shared_now, leaked);
			assert_int_equal(ended, leaked ? FW_EHYP_UNSHARE : FW_OK);
			/* The heap has everything but the leaked regions. */
			if (leaked)
				assert_true(f->heap.free_bytes < HEAP_SIZE);
			else
				assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
			/* A refused call leaks one granule, no more. */
			if (mode >= 2)
				assert_true(leaked <= 2 - (mode < 4));
			/* The heap never hands out memory that is still shared. */
			for (i = 0; i < FW_SCRATCH_SIZE / PAGE_SIZE; i++) {
				u8 *page = buddy_alloc(&f->heap, PAGE_SIZE);

				if (!page)
					break;
				assert_false(fake_hyp.shared[(page - fake_hyp.arena) / PAGE_SIZE]);
			}
			if (calls < call)
				break;
		}
		/* The run was long enough for failures of both share and unshare calls. */
		assert_true(call > 60);
	}
}

static void zeroed_when_shared(void **state)
{
	struct fixture *f = *state;
	void *block;
	u32 i;

	start(f);
	assert_int_equal(alloc_shared(&f->pool, 1, &block), FW_OK);
	/* The whole granule is zeroed, not only the bytes requested. */
	for (i = 0; i < PAGE_SIZE; i++)
		assert_int_equal(((u8 *)block)[i], 0);
	assert_int_equal(fake_hyp.shared_now, 1);
	assert_int_equal(shared_end(&f->pool), FW_OK);
}

/* Only the hypervisor's features decide whether the pool is dynamic or static. */
static void chosen_by_features(void **state)
{
	struct fixture *f = *state;
	u8 *base = fake_hyp.arena;
	void *block;

	/* A fixed range is not used if the hypervisor can share memory. */
	start(f);
	memset(&f->pool, 0, sizeof(f->pool));
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, (uintptr_t)base, 0x4000), FW_OK);
	assert_true(f->pool.dynamic);
	assert_int_equal(f->pool.free.free_bytes, 0);
	/* Each of the three calls is needed. */
	fake_hyp.features = 0x19;
	hyp_discover(&f->hyp);
	memset(&f->pool, 0, sizeof(f->pool));
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_ENOPOOL);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, (uintptr_t)base, 0x4000), FW_OK);
	assert_int_equal(alloc_shared(&f->pool, 0x4000, &block), FW_OK);
	assert_ptr_equal(block, base);
	assert_int_equal(alloc_shared(&f->pool, 1, &block), FW_ENOMEM);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(alloc_shared(&f->pool, 1, &block), FW_ENOMEM);
	/* The only calls were the two that queried the granule for the dynamic pools. */
	assert_int_equal(fake_hyp.calls, 0);
	assert_int_equal(fake_hyp.meminfo_calls, 2);
}

/* A static pool hands out memory of its range only. */
static void static_regions(void **state)
{
	static const struct {
		size_t base, size, used_from, used;
	} cases[] = {
		{ 0, 0x1000, 0, 0x1000 },
		{ 0x3000, 0x5000, 0x3000, 0x5000 },
		{ 0, 2 * FW_SCRATCH_SIZE, 0, FW_SCRATCH_SIZE },
		/* a range in two arenas: the larger part is used */
		{ FW_SCRATCH_SIZE - 0x2000, 0x3000, FW_SCRATCH_SIZE - 0x2000, 0x2000 },
		{ FW_SCRATCH_SIZE - 0x1000, 0x3000, FW_SCRATCH_SIZE, 0x2000 },
		{ 0x1000, 2 * FW_SCRATCH_SIZE - 0x1000, FW_SCRATCH_SIZE, FW_SCRATCH_SIZE },
	};
	u8 *memory = aligned_alloc(FW_SCRATCH_SIZE, 2 * FW_SCRATCH_SIZE);
	struct fixture *f = *state;
	void *block;
	size_t i;

	assert_non_null(memory);
	fake_hyp.features = 0x1;
	hyp_discover(&f->hyp);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u8 *low = memory + cases[i].used_from;
		u64 seed = 9, n = 0;

		memset(&f->pool, 0, sizeof(f->pool));
		assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap,
					     (uintptr_t)memory + cases[i].base, cases[i].size),
				 FW_OK);
		assert_int_equal(f->pool.free.free_bytes, cases[i].used);
		while (alloc_shared(&f->pool, 1 + test_random(&seed) % 900, &block) == FW_OK) {
			assert_true((u8 *)block >= low && (u8 *)block < low + cases[i].used);
			n++;
		}
		assert_true(n >= cases[i].used / 1024);
		assert_int_equal(shared_end(&f->pool), FW_OK);
		/* memmap_flush() needs the bounds of what was written. */
		assert_int_equal(f->pool.free.used_from, (uintptr_t)low);
		assert_in_range(f->pool.free.used_to, (uintptr_t)low + cases[i].used - 1023,
				(uintptr_t)low + cases[i].used);
		assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
	}
	free(memory);
}

/*
 * Plain KVM needs no fixed range: the pool uses the heap without any call, as the host can
 * access all memory. A hypervisor that offers any call of a protected VM, or is not KVM, may
 * have private memory, so there is no pool.
 */
static void heap_of_a_plain_vm(void **state)
{
	static const u64 plain[] = { 0x1, 0x3, 0 }, others[] = { 0x5, 0x9, 0x11, 0x21, 0x41, 0x81,
								 0x101 };
	struct fixture *f = *state;
	void *block, *other;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(plain); i++) {
		fake_hyp.features = plain[i];
		start(f);
		assert_int_equal(alloc_shared(&f->pool, 0x3000, &block), FW_OK);
		assert_int_equal(alloc_shared(&f->pool, 100, &other), FW_OK);
		assert_true(range_inside((uintptr_t)block, 0x3000, (uintptr_t)fake_hyp.arena +
					 FW_SCRATCH_SIZE - HEAP_SIZE, HEAP_SIZE));
		assert_int_equal(f->heap.free_bytes, HEAP_SIZE - 0x5000);
		assert_int_equal(alloc_shared(&f->pool, HEAP_SIZE, &other), FW_ENOMEM);
		assert_int_equal(dealloc_shared(&f->pool, block, 0x3000), FW_OK);
		assert_int_equal(f->pool.stats.per_alloc_calls, 0);
		assert_int_equal(shared_end(&f->pool), FW_OK);
		assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
		assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
	}
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		fake_hyp.features = others[i];
		hyp_discover(&f->hyp);
		memset(&f->pool, 0, sizeof(f->pool));
		assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_ENOPOOL);
	}
	fake_hyp.is_kvm = false;
	hyp_discover(&f->hyp);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_ENOPOOL);
	assert_int_equal(fake_hyp.calls, 0);
	assert_int_equal(fake_hyp.meminfo_calls, 0);
}

/* A second shared_init() is refused, as it would lose the record of what is shared. */
static void init_twice(void **state)
{
	struct fixture *f = *state;
	void *block;

	start(f);
	assert_int_equal(alloc_shared(&f->pool, 0x3000, &block), FW_OK);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_EPOOL);
	assert_int_equal(fake_hyp.meminfo_calls, 1);
	assert_int_equal(dealloc_shared(&f->pool, block, 0x3000), FW_OK);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
}

/* shared_check_none() does not rely on the sharer's record alone. */
static void check_none(void **state)
{
	struct fixture *f = *state;
	void *block;

	start(f);
	assert_int_equal(alloc_shared(&f->pool, 0x3000, &block), FW_OK);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_ESHARED);
	fake_hyp.fail_call = fake_hyp.calls + 1;
	assert_int_equal(shared_end(&f->pool), FW_EHYP_UNSHARE);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_ESHARED);
	f->pool.sharer.shared_now = 0;
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_ESHARED);
	fake_hyp_reset();
	start(f);
	assert_int_equal(alloc_shared(&f->pool, 0x3000, &block), FW_OK);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
}

/* per_alloc_calls counts the calls for sharing each allocation by itself. */
static void saved_calls(void **state)
{
	struct fixture *f = *state;
	void *block;
	u32 i;

	start(f);
	for (i = 0; i < 100; i++) {
		assert_int_equal(alloc_shared(&f->pool, 0x2000 + i, &block), FW_OK);
		assert_int_equal(dealloc_shared(&f->pool, block, 0x2000 + i), FW_OK);
	}
	assert_int_equal(f->pool.stats.per_alloc_calls, 2 * (2 + 99 * 3));
	assert_int_equal(f->pool.stats.in_use, 0);
	assert_int_equal(f->pool.stats.in_use_peak, 0x4000);
	assert_true(fake_hyp.share_calls <= 6);
	assert_int_equal(shared_end(&f->pool), FW_OK);
}

static void bad_granule(void **state)
{
	static const u64 granules[] = { 0, 1, 0x800, 0x1800, 0x3000, 0x400000, 1ull << 63,
					(u64)-1, (u64)-3 };
	struct fixture *f = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(granules); i++) {
		start(f);
		fake_hyp.granule = granules[i];
		hyp_discover(&f->hyp);
		memset(&f->pool, 0, sizeof(f->pool));
		assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_EHYP_GRANULE);
		fake_hyp_reset();
	}
}

static void bad_requests(void **state)
{
	struct fixture *f = *state;
	void *block;

	start(f);
	assert_int_equal(alloc_shared(&f->pool, 0, &block), FW_ERANGE);
	assert_int_equal(alloc_shared(&f->pool, FW_SCRATCH_SIZE + 1, &block), FW_ERANGE);
	assert_int_equal(alloc_shared(&f->pool, SIZE_MAX, &block), FW_ERANGE);
	assert_int_equal(alloc_shared(&f->pool, FW_SCRATCH_SIZE, &block), FW_ENOMEM);
	assert_int_equal(fake_hyp.calls, 0);
	assert_int_equal(alloc_shared(&f->pool, 4096, &block), FW_OK);
	assert_int_equal(dealloc_shared(&f->pool, block, 256), FW_EBADFREE);
	assert_int_equal(dealloc_shared(&f->pool, block, 4096), FW_OK);
	assert_int_equal(dealloc_shared(&f->pool, block, 4096), FW_EBADFREE);
	assert_int_equal(shared_end(&f->pool), FW_OK);
}

/* shared_end() does nothing if the firmware gave up before there was a pool. */
static void end_without_init(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(fake_hyp.calls, 0);
}

/* A range call that succeeds with 0 granules done is an error, not an endless loop. */
static void range_without_progress(void **state)
{
	struct fixture *f = *state;
	void *block;

	fake_hyp.ranges = true;
	fake_hyp.range_limit = 0;
	start(f);
	assert_int_equal(alloc_shared(&f->pool, 0x4000, &block), FW_EHYP_SHARE);
	assert_int_equal(f->pool.sharer.shared_now, 0);
	assert_int_equal(f->heap.free_bytes, HEAP_SIZE);
}

static void copies(void **state)
{
	u8 from[160], to[160];
	u32 a, b, len, i;

	(void)state;
	for (i = 0; i < sizeof(from); i++)
		from[i] = (u8)i;
	for (a = 0; a < 9; a++)
		for (b = 0; b < 9; b++)
			for (len = 0; len < 150; len++) {
				memset(to, 0xee, sizeof(to));
				copy_from_shared(to + a, from + b, len);
				for (i = 0; i < sizeof(to); i++)
					assert_int_equal(to[i], i >= a && i < a + len ?
							 b + i - a : 0xee);
			}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(random_use, setup, teardown),
		cmocka_unit_test_setup_teardown(every_call_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(zeroed_when_shared, setup, teardown),
		cmocka_unit_test_setup_teardown(chosen_by_features, setup, teardown),
		cmocka_unit_test_setup_teardown(static_regions, setup, teardown),
		cmocka_unit_test_setup_teardown(heap_of_a_plain_vm, setup, teardown),
		cmocka_unit_test_setup_teardown(init_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(check_none, setup, teardown),
		cmocka_unit_test_setup_teardown(saved_calls, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_granule, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(end_without_init, setup, teardown),
		cmocka_unit_test_setup_teardown(range_without_progress, setup, teardown),
		cmocka_unit_test(copies),
	};

	return cmocka_run_group_tests_name("pvmfw shared", tests, NULL, NULL);
}
