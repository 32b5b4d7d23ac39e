// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the firmware uses the MMIO guard if the hypervisor offers all of its calls, and
 * enrolls first; a page of a device is guarded at its first access and not before; whatever
 * fails, a page is valid only if it is guarded; at the end each page that was accessed is
 * unguarded, once.
 *
 * fake_hyp fails the test if a page is unguarded that is not guarded.
 */
#include "fake_alloc.h"
#include "fake_hyp.h"
#include "fake_mmu.h"
#include "guard.h"
#include "testing.h"

#define SHIFT	21
#define WINDOW	0x2000000ull
#define SIZE	0x2000000ull

struct fixture {
	struct buddy heap;
	struct pgtable pt;
	struct hyp hyp;
	struct guard guard;
	u8 *arena;
	u8 tree[BUDDY_TREE_SIZE(SHIFT)];
};

static void start(struct fixture *f)
{
	memset(&f->guard, 0, sizeof(f->guard));
	assert_int_equal(buddy_init(&f->heap, (uintptr_t)f->arena, SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, (uintptr_t)f->arena, (size_t)1 << SHIFT), FW_OK);
	assert_int_equal(pgtable_init(&f->pt, &f->heap), FW_OK);
	assert_int_equal(pgtable_map(&f->pt, 0, PAGE_SIZE, PGTABLE_DEVICE), FW_OK);
	assert_int_equal(pgtable_map(&f->pt, WINDOW, SIZE, PGTABLE_DEVICE), FW_OK);
	hyp_discover(&f->hyp);
	assert_int_equal(guard_init(&f->guard, &f->hyp, 0, 0), FW_OK);
	assert_int_equal(guard_adopt(&f->guard, &f->pt, 0), FW_OK);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->arena = aligned_alloc((size_t)1 << SHIFT, (size_t)1 << SHIFT);
	assert_non_null(f->arena);
	fake_hyp_reset();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->arena);
	free(f);
	fake_hyp_release();
	return 0;
}

static enum fw_status is_guarded(u64 page, void *ctx)
{
	u64 *count = ctx;

	assert_true(fake_hyp.guarded[page / PAGE_SIZE]);
	(*count)++;
	return FW_OK;
}

/* Check that each valid page is guarded; returns the number of valid pages. */
static u64 valid_pages(struct fixture *f)
{
	u64 count = 0;

	assert_int_equal(pgtable_each_valid(&f->pt, 0, PAGE_SIZE, is_guarded, &count), FW_OK);
	assert_int_equal(pgtable_each_valid(&f->pt, WINDOW, SIZE, is_guarded, &count), FW_OK);
	return count;
}

static void only_accessed_pages(void **state)
{
	static const u64 granules[] = { 0x1000, 0x4000, 0x10000 };
	struct fixture *f = *state;
	u64 seed = 4, calls, pages;
	u32 round, i;

	for (round = 0; round < 3; round++) {
		fake_hyp_reset();
		fake_hyp.guard_granule = granules[round];
		start(f);
		for (i = 0; i < 200; i++) {
			u64 addr = WINDOW + test_random(&seed) % SIZE;
			enum fw_status status = guard_fault(&f->guard, addr);

			/* A fault on a valid page is an error. */
			if (status != FW_OK)
				assert_int_equal(status, FW_EFAULT);
			assert_true(fake_hyp.guarded[addr / PAGE_SIZE]);
		}
		pages = valid_pages(f);
		assert_true(pages > 100 && pages <= 201);
		assert_int_equal(f->guard.pages_now, pages);
		assert_int_equal(f->hyp.guard_calls, pages);
		assert_int_equal(f->hyp.guard_queries, 1);
		calls = fake_hyp.guarded_now;
		assert_int_equal(guard_release(&f->guard, WINDOW, SIZE), FW_OK);
		pgtable_unmap(&f->pt, WINDOW, SIZE);
		assert_int_equal(guard_release(&f->guard, 0, PAGE_SIZE), FW_OK);
		assert_int_equal(f->hyp.unguard_calls, calls);
		assert_int_equal(fake_hyp.guarded_now, 0);
		assert_int_equal(f->guard.pages_peak, pages);
		assert_int_equal(f->guard.pages_now, 0);
	}
}

static void not_a_device(void **state)
{
	static const u64 bad[] = { 0, 0x1000, WINDOW - 1, WINDOW + SIZE, 0x80000000,
				   1ull << 39, UINT64_MAX };
	struct fixture *f = *state;
	struct guard early = { 0 };
	u32 i;

	start(f);
	assert_int_equal(pgtable_map(&f->pt, 0x1000, PAGE_SIZE, PGTABLE_DATA), FW_OK);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(guard_fault(&f->guard, bad[i]), FW_EFAULT);
	assert_int_equal(fake_hyp.guarded_now, 1);
	/* A guard without page tables. */
	assert_int_equal(guard_fault(&early, WINDOW), FW_EFAULT);
	assert_int_equal(guard_release(&early, WINDOW, SIZE), FW_OK);
}

/* A device range of each level, an access in it, and the tables that splitting it needs. */
static const struct {
	u64 base, size, touch;
	unsigned int tables;
} levels[] = {
	{ 0x40000000, 0x40000000, 0x5555a123, 2 },
	{ 0x3f000000, 0x200000, 0x3f1ff000, 1 },
	{ 0x3e001000, 0x3000, 0x3e002fff, 0 },
};

static void each_level(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		u64 page = align_down(levels[i].touch, PAGE_SIZE), pages = 0, left;

		fake_hyp_reset();
		start(f);
		assert_int_equal(pgtable_map(&f->pt, levels[i].base, levels[i].size,
					     PGTABLE_DEVICE), FW_OK);
		left = f->heap.free_bytes;
		assert_int_equal(guard_fault(&f->guard, levels[i].touch), FW_OK);
		assert_int_equal(left - f->heap.free_bytes, levels[i].tables * PAGE_SIZE);
		assert_int_equal(guard_fault(&f->guard, levels[i].touch), FW_EFAULT);
		/* Only that page and the UART's are guarded. */
		assert_true(fake_hyp.guarded[page / PAGE_SIZE]);
		assert_int_equal(fake_hyp.guarded_now, 2);
		assert_int_equal(pgtable_each_valid(&f->pt, levels[i].base, levels[i].size,
						    is_guarded, &pages), FW_OK);
		assert_int_equal(pages, 1);
		/* Its neighbour is guarded by an access of its own, and needs no table. */
		left = f->heap.free_bytes;
		assert_int_equal(guard_fault(&f->guard, page - PAGE_SIZE), FW_OK);
		assert_int_equal(f->heap.free_bytes, left);
		assert_int_equal(guard_release(&f->guard, levels[i].base, levels[i].size), FW_OK);
		assert_int_equal(fake_hyp.guarded_now, 1);
		assert_int_equal(f->hyp.unguard_calls, 2);
	}
}

/* Without memory for a table the page is not guarded. The next attempt succeeds. */
static void each_table_missing(void **state)
{
	struct fixture *f = *state;
	unsigned int i, table;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		for (table = 1; table <= levels[i].tables; table++) {
			fake_hyp_reset();
			start(f);
			assert_int_equal(pgtable_map(&f->pt, levels[i].base, levels[i].size,
						     PGTABLE_DEVICE), FW_OK);
			fake_alloc = (struct fake_alloc){ .fail_at = table };
			assert_int_equal(guard_fault(&f->guard, levels[i].touch), FW_ENOMEM);
			assert_int_equal(fake_hyp.guarded_now, 1);
			assert_int_equal(guard_fault(&f->guard, levels[i].touch), FW_OK);
			assert_int_equal(fake_hyp.guarded_now, 2);
			fake_alloc.fail_at = 0;
		}
	}
}

static void each_call_refused(void **state)
{
	struct fixture *f = *state;
	u64 call, errors = 0;
	u32 i;

	for (call = 2; call <= 22; call++) {
		fake_hyp_reset();
		fake_hyp.guard_fail_call = call;
		start(f);
		for (i = 0; i < 10; i++) {
			enum fw_status status = guard_fault(&f->guard, WINDOW + i * 0x301000);

			if (status != FW_OK) {
				assert_int_equal(status, FW_EHYP_GUARD);
				errors++;
			}
			valid_pages(f);
		}
		if (guard_release(&f->guard, WINDOW, SIZE) != FW_OK) {
			errors++;
			assert_int_equal(fake_hyp.guarded_now, 2);
			assert_int_equal(f->guard.pages_now, 2);
		} else {
			assert_int_equal(fake_hyp.guarded_now, 1);
		}
	}
	/* Each of ten guard and ten unguard calls failed once; call 22 was never made. */
	assert_int_equal(errors, 20);
}

static void no_tables_left(void **state)
{
	struct fixture *f = *state;
	u64 guarded;

	start(f);
	while (buddy_alloc(&f->heap, PAGE_SIZE))
		;
	guarded = fake_hyp.guarded_now;
	assert_int_equal(guard_fault(&f->guard, WINDOW), FW_ENOMEM);
	assert_int_equal(fake_hyp.guarded_now, guarded);
}

/* Without all calls of the guard the firmware makes none, and accesses succeed. */
static void not_offered(void **state)
{
	static const u64 features[] = { 0, 0x1d, 0x1dd, 0xfd };
	struct fixture *f = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		fake_hyp_reset();
		fake_hyp.features = features[i];
		start(f);
		assert_int_equal(guard_fault(&f->guard, WINDOW + 0x5000), FW_OK);
		assert_int_equal(guard_fault(&f->guard, WINDOW + 0x5000), FW_EFAULT);
		assert_int_equal(guard_release(&f->guard, WINDOW, SIZE), FW_OK);
		assert_int_equal(f->guard.pages_now, 1);
		assert_int_equal(fake_hyp.guard_calls, 0);
	}
}

static void enroll(void **state)
{
	struct fixture *f = *state;

	hyp_discover(&f->hyp);
	assert_int_equal(guard_init(&f->guard, &f->hyp, (u64)-1, 0), FW_EHYP_ENROLL);
	fake_hyp.guard_granule = 0x1800;
	assert_int_equal(guard_init(&f->guard, &f->hyp, 0, 0), FW_EHYP_GRANULE);
	fake_hyp.guard_granule = (u64)-3;
	assert_int_equal(guard_init(&f->guard, &f->hyp, 0, 0), FW_EHYP_GRANULE);
	fake_hyp.guard_granule = PAGE_SIZE;
	fake_hyp.guard_fail_call = 1;
	assert_int_equal(guard_init(&f->guard, &f->hyp, 0, 0), FW_EHYP_GUARD);
	/* Without an MMIO guard the result of enrolling does not matter. */
	fake_hyp.features = 0x1d;
	hyp_discover(&f->hyp);
	assert_int_equal(guard_init(&f->guard, &f->hyp, (u64)-1, 0), FW_OK);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(only_accessed_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(not_a_device, setup, teardown),
		cmocka_unit_test_setup_teardown(each_level, setup, teardown),
		cmocka_unit_test_setup_teardown(each_table_missing, setup, teardown),
		cmocka_unit_test_setup_teardown(each_call_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(no_tables_left, setup, teardown),
		cmocka_unit_test_setup_teardown(not_offered, setup, teardown),
		cmocka_unit_test_setup_teardown(enroll, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw guard", tests, NULL, NULL);
}
