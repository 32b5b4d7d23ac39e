// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the digest is that of the disk, whatever the size and number of requests and the
 * order in which the device completes them; no more requests are in flight than configured;
 * a disk that is larger than allowed is not read at all; an invalid answer to one of many
 * requests is found; at the end nothing is shared or lost, whichever allocation fails.
 */
#include "disk.h"
#include "fake_alloc.h"
#include "fake_console.h"
#include "fake_disk.h"
#include "fake_hyp.h"
#include "sha256.h"
#include "testing.h"

#define SECTORS 301

struct fixture {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	struct disk disk;
	struct fw_config config;
	size_t heap_bytes;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

static void reset(struct fixture *f, u32 read_size, u32 depth)
{
	uintptr_t base;

	fake_hyp_reset();
	fake_bus_reset();
	fake_disk_add(3, SECTORS);
	base = (uintptr_t)fake_hyp.arena;
	memset(&f->disk, 0, sizeof(f->disk));
	assert_int_equal(buddy_init(&f->heap, base, FW_SCRATCH_SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, base, FW_SCRATCH_SIZE), FW_OK);
	f->heap_bytes = FW_SCRATCH_SIZE;
	hyp_discover(&f->hyp);
	memset(&f->pool, 0, sizeof(f->pool));
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_OK);
	f->config = (struct fw_config){
		.read_size = read_size, .read_depth = depth, .max_disk = 1,
	};
}

/* Bring the disk up and read it. */
static enum fw_status hash(struct fixture *f)
{
	struct platform p = fake_bus_platform();
	enum fw_status status = disk_init(&f->disk, &p, &f->pool);

	fake_console_reset();
	return status == FW_OK ? disk_hash(&f->disk, &f->heap, &f->config) : status;
}

/* End a run: nothing stays shared, and the heap has all of its memory again. */
static void finish(struct fixture *f)
{
	assert_int_equal(virtio_blk_stop(&f->disk.blk), FW_OK);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(shared_check_none(&f->pool, &f->hyp), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(f->heap.free_bytes, f->heap_bytes);
}

/* The line that the firmware must print for the disk. */
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
	*state = calloc(1, sizeof(struct fixture));
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
	struct fixture *f = *state;
	char line[80];
	u32 i, j, shuffle;

	expected(line);
	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < ARRAY_SIZE(depths); j++)
			for (shuffle = 0; shuffle < 4; shuffle++) {
				u32 count = (SECTORS * SECTOR_SIZE + sizes[i] - 1) / sizes[i];

				reset(f, sizes[i], depths[j]);
				fake_disk.shuffle = shuffle;
				assert_int_equal(hash(f), FW_OK);
				assert_string_equal(fake_console_line, line);
				assert_int_equal(fake_disk.requests, count);
				if (shuffle)
					assert_int_equal(fake_disk.held_peak, count < depths[j] ?
							 count : depths[j]);
				/* Each page in use was shared once at most. */
				assert_true(fake_hyp.share_calls * PAGE_SIZE <=
					    f->pool.stats.in_use_peak + 2 * PAGE_SIZE);
				finish(f);
			}
}

static void one_invalid_answer(void **state)
{
	struct fixture *f = *state;
	u32 i;

	for (i = 0; i < FAKE_DISK_EVIL_CASES; i++) {
		reset(f, 4096, 8);
		fake_disk.shuffle = 5;
		fake_disk.evil = fake_disk_evil_cases[i].evil;
		fake_disk.evil_from = 20;
		assert_int_equal(hash(f), fake_disk_evil_cases[i].status);
		assert_non_null(strstr(fake_console_line, "error: disk, sectors "));
		finish(f);
	}
}

/* The message names the sectors that failed, whatever the order of completion. */
static void names_the_sectors(void **state)
{
	struct fixture *f = *state;

	reset(f, 4096, 16);
	fake_disk.shuffle = 7;
	fake_disk.bad_sector = 100;
	assert_int_equal(hash(f), FW_EBLK_IO);
	assert_string_equal(fake_console_line,
			    "error: disk, sectors 96 to 103: disk reports an I/O error");
	finish(f);
}

/* The host may claim any capacity. A disk that is too large is not read. */
static void too_large(void **state)
{
	struct fixture *f = *state;

	reset(f, 0x10000, 16);
	fake_disk.sectors = 2048;
	assert_int_equal(hash(f), FW_OK);
	finish(f);
	reset(f, 0x10000, 16);
	fake_disk.sectors = 2049;
	assert_int_equal(hash(f), FW_EBLK_TOO_LARGE);
	assert_non_null(strstr(fake_console_line, "disk of 1049088 bytes, limit 1 MiB"));
	assert_int_equal(fake_disk.requests, 0);
	finish(f);
	reset(f, 0x10000, 16);
	fake_disk.sectors = UINT64_MAX / SECTOR_SIZE;
	f->config.max_disk = UINT32_MAX;
	assert_int_equal(hash(f), FW_EBLK_TOO_LARGE);
	assert_int_equal(fake_disk.requests, 0);
	finish(f);
}

static void no_memory(void **state)
{
	struct fixture *f = *state;

	reset(f, 0x10000, 16);
	while (buddy_alloc(&f->heap, 0x10000))
		;
	assert_int_equal(buddy_add(&f->heap, (uintptr_t)fake_hyp.arena, 0x1000), FW_EOVERLAP);
	assert_int_equal(buddy_free(&f->heap, fake_hyp.arena, 0x10000), FW_OK);
	f->heap_bytes = 0x10000;
	assert_int_equal(hash(f), FW_ENOMEM);
	finish(f);
}

/* Whichever allocation fails, the digest is right or the error is FW_ENOMEM. */
static void each_allocation_fails(void **state)
{
	unsigned int good = 0, bad = 0;
	struct fixture *f = *state;
	char line[80];
	u64 fail_at;

	expected(line);
	for (fail_at = 1; ; fail_at++) {
		enum fw_status status;

		reset(f, 4096, 8);
		fake_disk.shuffle = 3;
		fake_alloc = (struct fake_alloc){ .fail_at = fail_at };
		status = hash(f);
		if (status == FW_OK)
			assert_string_equal(fake_console_line, line);
		else
			assert_int_equal(status, FW_ENOMEM);
		finish(f);
		if (fake_alloc.calls < fail_at)
			break;
		if (status == FW_OK)
			good++;
		else
			bad++;
	}
	/* The loop reached the last allocation: there are two for each request of 4 KiB. */
	assert_true(fail_at > 2 * SECTORS / 8);
	/* A failure in the pool causes a refill; a failure of the refill is an error. */
	assert_true(good > SECTORS / 8 && bad > 8);
	fake_alloc.fail_at = 0;
}

static void no_disk(void **state)
{
	struct platform p = fake_bus_platform();
	struct fixture *f = *state;

	reset(f, 4096, 1);
	fake_bus_reset();
	assert_int_equal(disk_init(&f->disk, &p, &f->pool), FW_ENODISK);
	p.has_pci = false;
	assert_int_equal(disk_init(&f->disk, &p, &f->pool), FW_ENODISK);
	finish(f);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(any_order, setup, teardown),
		cmocka_unit_test_setup_teardown(one_invalid_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(names_the_sectors, setup, teardown),
		cmocka_unit_test_setup_teardown(too_large, setup, teardown),
		cmocka_unit_test_setup_teardown(no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(each_allocation_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(no_disk, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw disk", tests, NULL, NULL);
}
