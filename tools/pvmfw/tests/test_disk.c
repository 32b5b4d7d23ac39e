// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the digest is that of the disk, however large requests are, however
 * many are under way and in whichever order they come back; no more are under
 * way than asked for; a disk that is larger than allowed is not read at all; a
 * device that lies about one of many is found; nothing is shared or lost at the end,
 * whichever allocation fails.
 */
#include "disk.h"
#include "fake_alloc.h"
#include "fake_console.h"
#include "fake_disk.h"
#include "fake_hyp.h"
#include "sha256.h"
#include "testing.h"

#define SECTORS 301

struct world {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	struct disk disk;
	struct fw_config config;
	size_t heap_bytes;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

static void reset(struct world *w, u32 read_size, u32 depth)
{
	uintptr_t base;

	fake_hyp_reset();
	fake_bus_reset();
	fake_disk_add(3, SECTORS);
	base = (uintptr_t)fake_hyp.arena;
	memset(&w->disk, 0, sizeof(w->disk));
	assert_int_equal(buddy_init(&w->heap, base, FW_SCRATCH_SHIFT, w->tree), FW_OK);
	assert_int_equal(buddy_add(&w->heap, base, FW_SCRATCH_SIZE), FW_OK);
	w->heap_bytes = FW_SCRATCH_SIZE;
	hyp_discover(&w->hyp);
	assert_int_equal(shared_init(&w->pool, &w->hyp, &w->heap, 0, 0), FW_OK);
	w->config = (struct fw_config){
		.read_size = read_size, .read_depth = depth, .max_disk = 1,
	};
}

/* Bring the disk up and read it. */
static enum fw_status hash(struct world *w)
{
	struct platform p = fake_bus_platform();
	enum fw_status status = disk_init(&w->disk, &p, &w->pool);

	fake_console_reset();
	return status == FW_OK ? disk_hash(&w->disk, &w->heap, &w->config) : status;
}

/* As every run ends, after which the heap has everything back. */
static void finish(struct world *w)
{
	assert_int_equal(virtio_blk_stop(&w->disk.blk), FW_OK);
	assert_int_equal(shared_end(&w->pool), FW_OK);
	assert_int_equal(shared_check_none(&w->pool, &w->hyp), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(w->heap.free_bytes, w->heap_bytes);
}

/* What the console must say of the disk. */
static void expected(char line[80])
{
	u8 digest[SHA256_DIGEST_SIZE], byte;
	struct sha256 sha;
	u64 at;
	u32 i;

	sha256_init(&sha);
	for (at = 0; at < SECTORS * SECTOR_SIZE; at++) {
		byte = fake_disk_byte(at);
		sha256_update(&sha, &byte, 1);
	}
	sha256_final(&sha, digest);
	sprintf(line, "sha256 ");
	for (i = 0; i < SHA256_DIGEST_SIZE; i++)
		sprintf(line + 7 + 2 * i, "%02x", digest[i]);
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
	return 0;
}

static void any_order(void **state)
{
	static const u32 sizes[] = { 512, 4096, 0x3200, 0x10000 };
	static const u32 depths[] = { 1, 2, 5, 16 };
	struct world *w = *state;
	char line[80];
	u32 i, j, shuffle;

	expected(line);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(depths); j++)
			for (shuffle = 0; shuffle < 4; shuffle++) {
				u32 count = (SECTORS * SECTOR_SIZE + sizes[i] - 1) / sizes[i];

				reset(w, sizes[i], depths[j]);
				fake_disk.shuffle = shuffle;
				assert_int_equal(hash(w), FW_OK);
				assert_string_equal(fake_console_line, line);
				assert_int_equal(fake_disk.requests, count);
				if (shuffle)
					assert_int_equal(fake_disk.held_peak, count < depths[j] ?
							 count : depths[j]);
				/* One refill for each buffer and header, at most. */
				assert_true(fake_hyp.share_calls * PAGE_SIZE <=
					    w->pool.stats.in_use_peak + 2 * PAGE_SIZE);
				finish(w);
			}
}

static void one_of_many_lies(void **state)
{
	static const struct {
		enum fake_disk_evil evil;
		enum fw_status status;
	} cases[] = {
		{ EVIL_USED_BACK, FW_EVIRTIO_RING },
		{ EVIL_WRONG_ID, FW_EVIRTIO_RING },
		{ EVIL_HUGE_ID, FW_EVIRTIO_RING },
		{ EVIL_LONG, FW_EVIRTIO_RING },
		{ EVIL_SHORT, FW_EBLK_SHORT },
		{ EVIL_STATUS, FW_EBLK_STATUS },
		{ EVIL_SILENT, FW_ETIMEOUT },
		{ EVIL_NEEDS_RESET, FW_EVIRTIO_BROKEN },
	};
	struct world *w = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		reset(w, 4096, 8);
		fake_disk.shuffle = 5;
		fake_disk.evil = cases[i].evil;
		fake_disk.evil_from = 20;
		assert_int_equal(hash(w), cases[i].status);
		assert_non_null(strstr(fake_console_line, "error: disk, sectors "));
		finish(w);
	}
}

/* The sectors that are named are those that failed, whoever came back first. */
static void names_the_sectors(void **state)
{
	struct world *w = *state;

	reset(w, 4096, 16);
	fake_disk.shuffle = 7;
	fake_disk.bad_sector = 100;
	assert_int_equal(hash(w), FW_EBLK_IO);
	assert_string_equal(fake_console_line,
			    "error: disk, sectors 96 to 103: disk reports an I/O error");
	finish(w);
}

/* The host may claim any capacity: what is too much is not begun. */
static void too_large(void **state)
{
	struct world *w = *state;

	reset(w, 0x10000, 16);
	fake_disk.sectors = 2048;
	assert_int_equal(hash(w), FW_OK);
	finish(w);
	reset(w, 0x10000, 16);
	fake_disk.sectors = 2049;
	assert_int_equal(hash(w), FW_EBLK_TOO_LARGE);
	assert_non_null(strstr(fake_console_line, "disk of 1049088 bytes, 1 MiB are read at most"));
	assert_int_equal(fake_disk.requests, 0);
	finish(w);
	reset(w, 0x10000, 16);
	fake_disk.sectors = UINT64_MAX / SECTOR_SIZE;
	w->config.max_disk = UINT32_MAX;
	assert_int_equal(hash(w), FW_EBLK_TOO_LARGE);
	assert_int_equal(fake_disk.requests, 0);
	finish(w);
}

static void no_memory(void **state)
{
	struct world *w = *state;

	reset(w, 0x10000, 16);
	while (buddy_alloc(&w->heap, 0x10000))
		;
	assert_int_equal(buddy_add(&w->heap, (uintptr_t)fake_hyp.arena, 0x1000), FW_EOVERLAP);
	assert_int_equal(buddy_free(&w->heap, fake_hyp.arena, 0x10000), FW_OK);
	w->heap_bytes = 0x10000;
	assert_int_equal(hash(w), FW_ENOMEM);
	finish(w);
}

/*
 * Whichever allocation fails, of rings, headers, buffers or what they are refilled
 * from: the digest is right or there is none, for want of memory and nothing else.
 */
static void each_allocation_fails(void **state)
{
	unsigned int good = 0, bad = 0;
	struct world *w = *state;
	char line[80];
	u64 fail_at;

	expected(line);
	for (fail_at = 1; ; fail_at++) {
		enum fw_status status;

		reset(w, 4096, 8);
		fake_disk.shuffle = 3;
		fake_alloc = (struct fake_alloc){ .fail_at = fail_at };
		status = hash(w);
		if (status == FW_OK)
			assert_string_equal(fake_console_line, line);
		else
			assert_int_equal(status, FW_ENOMEM);
		finish(w);
		if (fake_alloc.calls < fail_at)
			break;
		if (status == FW_OK)
			good++;
		else
			bad++;
	}
	/* Not before the last one: a request for each 4 KiB, of two blocks. */
	assert_true(fail_at > 2 * SECTORS / 8);
	/* A pool that has no block is refilled; one that cannot be is an error. */
	assert_true(good > SECTORS / 8 && bad > 8);
	fake_alloc.fail_at = 0;
}

static void no_disk(void **state)
{
	struct platform p = fake_bus_platform();
	struct world *w = *state;

	reset(w, 4096, 1);
	fake_bus_reset();
	assert_int_equal(disk_init(&w->disk, &p, &w->pool), FW_ENODISK);
	p.has_pci = false;
	assert_int_equal(disk_init(&w->disk, &p, &w->pool), FW_ENODISK);
	finish(w);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_many_lies, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_sectors, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(each_allocation_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(no_disk, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw disk", tests, NULL, NULL);
}
