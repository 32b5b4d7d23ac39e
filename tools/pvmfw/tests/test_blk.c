// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a read returns the disk's contents and uses only shared memory; a device that
 * misbehaves, reports an error or does not respond causes an error value, never a hang or
 * a stray access; after a reset of the device everything can be unshared, whatever happened
 * before.
 *
 * fake_disk fails the test if the driver makes it access memory that is not shared.
 */
#include "fake_disk.h"
#include "fake_hyp.h"
#include "testing.h"
#include "virtio_blk.h"

#define SLOT	4
#define SECTORS	300

struct fixture {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	struct pci_host host;
	struct pci_dev dev;
	struct virtio_blk blk;
	struct fake_fn *fn;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
	u8 data[VIRTIO_BLK_MAX_READ];
};

static void reset(struct fixture *f)
{
	uintptr_t base;

	fake_hyp_reset();
	fake_bus_reset();
	f->fn = fake_disk_add(SLOT, SECTORS);
	base = (uintptr_t)fake_hyp.arena;
	assert_int_equal(buddy_init(&f->heap, base, FW_SCRATCH_SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, base, FW_SCRATCH_SIZE), FW_OK);
	hyp_discover(&f->hyp);
	memset(&f->pool, 0, sizeof(f->pool));
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_OK);
}

static enum fw_status start(struct fixture *f)
{
	struct platform p = fake_bus_platform();

	memset(&f->blk, 0, sizeof(f->blk));
	pci_init(&f->host, &p);
	assert_int_equal(pci_find(&f->host, VIRTIO_PCI_VENDOR, VIRTIO_PCI_DEVICE_BLK, &f->dev),
			 FW_OK);
	return virtio_blk_init(&f->blk, &f->dev, &f->pool);
}

/* End a run: nothing stays shared, and the heap has all of its memory again. */
static void finish(struct fixture *f)
{
	assert_int_equal(virtio_blk_stop(&f->blk), FW_OK);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	assert_int_equal(f->heap.free_bytes, FW_SCRATCH_SIZE);
}

/* Start a request and wait for it. */
static enum fw_status read_now(struct virtio_blk *blk, u64 sector, void *dst, u32 len)
{
	enum fw_status status;
	unsigned int slot;

	status = virtio_blk_start_read(blk, sector, len, &slot);
	return status == FW_OK ? virtio_blk_finish_read(blk, slot, dst) : status;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	reset(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	fake_hyp_release();
	return 0;
}

static void check_read(struct fixture *f, u64 sector, u32 len)
{
	u32 i;

	memset(f->data, 0xee, sizeof(f->data));
	assert_int_equal(read_now(&f->blk, sector, f->data, len), FW_OK);
	for (i = 0; i < len; i++)
		assert_int_equal(f->data[i], fake_disk_byte(sector * SECTOR_SIZE + i));
	for (i = len; i < sizeof(f->data); i++)
		assert_int_equal(f->data[i], 0xee);
}

static void reads(void **state)
{
	struct fixture *f = *state;
	u32 round;
	u64 calls;

	assert_int_equal(start(f), FW_OK);
	assert_int_equal(f->blk.sectors, SECTORS);
	assert_int_equal(fake_disk.driver_features, 3ull << 32);
	check_read(f, 0, VIRTIO_BLK_MAX_READ);
	check_read(f, 128, VIRTIO_BLK_MAX_READ);
	check_read(f, 256, 44 * SECTOR_SIZE);
	check_read(f, 299, SECTOR_SIZE);
	check_read(f, 7, 3 * SECTOR_SIZE);
	calls = fake_hyp.share_calls;
	for (round = 0; round < 100; round++)
		check_read(f, round, (round % 128 + 1) * SECTOR_SIZE);
	/* The pool has enough memory now: further requests share no more. */
	assert_int_equal(fake_hyp.share_calls, calls);
	assert_int_equal(f->blk.requests, 105);
	assert_int_equal(fake_disk.requests, 105);
	finish(f);
	assert_int_equal(fake_hyp.share_calls, fake_hyp.unshare_calls);
}

static void bad_reads(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f), FW_OK);
	assert_int_equal(read_now(&f->blk, 0, f->data, 0), FW_EALIGN);
	assert_int_equal(read_now(&f->blk, 0, f->data, 511), FW_EALIGN);
	assert_int_equal(read_now(&f->blk, 0, f->data, VIRTIO_BLK_MAX_READ + 512),
			 FW_EBLK_RANGE);
	assert_int_equal(read_now(&f->blk, 300, f->data, 512), FW_EBLK_RANGE);
	assert_int_equal(read_now(&f->blk, 299, f->data, 1024), FW_EBLK_RANGE);
	assert_int_equal(read_now(&f->blk, UINT64_MAX, f->data, 512), FW_EBLK_RANGE);
	assert_int_equal(fake_disk.requests, 0);
	finish(f);
}

/* After an I/O error the disk can still be read, and its buffers are reused. */
static void io_error_half_way(void **state)
{
	struct fixture *f = *state;
	u64 calls;

	assert_int_equal(start(f), FW_OK);
	fake_disk.bad_sector = 200;
	check_read(f, 0, VIRTIO_BLK_MAX_READ);
	calls = fake_hyp.share_calls;
	memset(f->data, 0xee, sizeof(f->data));
	assert_int_equal(read_now(&f->blk, 128, f->data, VIRTIO_BLK_MAX_READ), FW_EBLK_IO);
	assert_int_equal(f->data[0], 0xee);
	assert_int_equal(read_now(&f->blk, 200, f->data, 512), FW_EBLK_IO);
	check_read(f, 201, VIRTIO_BLK_MAX_READ / 2);
	assert_int_equal(fake_hyp.share_calls, calls);
	fake_disk.unsupported = true;
	assert_int_equal(read_now(&f->blk, 0, f->data, 512), FW_EBLK_UNSUPPORTED);
	finish(f);
}

static void invalid_answers(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < FAKE_DISK_EVIL_CASES; i++) {
		reset(f);
		fake_disk.evil = fake_disk_evil_cases[i].evil;
		fake_disk.evil_from = 2;
		assert_int_equal(start(f), FW_OK);
		check_read(f, 0, VIRTIO_BLK_MAX_READ);
		memset(f->data, 0xee, sizeof(f->data));
		assert_int_equal(read_now(&f->blk, 128, f->data, VIRTIO_BLK_MAX_READ),
				 fake_disk_evil_cases[i].status);
		assert_int_equal(f->data[0], 0xee);
		finish(f);
	}
}

/* A device need not count the status byte among the bytes that it wrote. */
static void status_not_counted(void **state)
{
	struct fixture *f = *state;

	fake_disk.evil = EVIL_UNCOUNTED;
	assert_int_equal(start(f), FW_OK);
	check_read(f, 0, VIRTIO_BLK_MAX_READ);
	check_read(f, 5, SECTOR_SIZE);
	/* It is an error even so if the status byte says so. */
	fake_disk.bad_sector = 7;
	assert_int_equal(read_now(&f->blk, 7, f->data, SECTOR_SIZE), FW_EBLK_IO);
	finish(f);
}

static void features(void **state)
{
	struct fixture *f = *state;

	fake_disk.features = 1ull << 32;
	assert_int_equal(start(f), FW_EVIRTIO_FEATURES);
	fake_disk.features = 2ull << 32;
	assert_int_equal(start(f), FW_EVIRTIO_FEATURES);
	fake_disk.features = 0xffffffff;
	assert_int_equal(start(f), FW_EVIRTIO_FEATURES);
	fake_disk.features = 3ull << 32;
	fake_disk.refuse_features = true;
	assert_int_equal(start(f), FW_EVIRTIO_FEATURES);
	/* The device status is ACKNOWLEDGE, DRIVER, FAILED. */
	assert_int_equal(fake_disk.status, 0x83);
	finish(f);
	assert_int_equal(fake_hyp.calls, 0);
}

static void bad_queue(void **state)
{
	struct fixture *f = *state;

	fake_disk.queue_max = 0;
	assert_int_equal(start(f), FW_EVIRTIO_QUEUE);
	finish(f);
	reset(f);
	fake_disk.queue_max = 100;
	assert_int_equal(start(f), FW_EVIRTIO_QUEUE);
	finish(f);
	reset(f);
	fake_disk.refuse_queue = true;
	assert_int_equal(start(f), FW_EVIRTIO_QUEUE);
	finish(f);
	/* A notification address beyond the notification area. */
	reset(f);
	fake_disk.notify_off = 0x400;
	assert_int_equal(start(f), FW_EVIRTIO_QUEUE);
	finish(f);
	reset(f);
	fake_disk.notify_off = 0x3ff;
	assert_int_equal(start(f), FW_OK);
	check_read(f, 0, 512);
	finish(f);
}

static void bad_capacity(void **state)
{
	struct fixture *f = *state;

	fake_disk.sectors = 0;
	assert_int_equal(start(f), FW_EBLK_CAPACITY);
	fake_disk.sectors = UINT64_MAX;
	assert_int_equal(start(f), FW_EBLK_CAPACITY);
	fake_disk.sectors = UINT64_MAX / 512 + 1;
	assert_int_equal(start(f), FW_EBLK_CAPACITY);
	fake_disk.sectors = UINT64_MAX / 512;
	assert_int_equal(start(f), FW_OK);
	assert_int_equal(virtio_blk_stop(&f->blk), FW_OK);
	fake_disk.restless = true;
	assert_int_equal(start(f), FW_EVIRTIO_CONFIG);
	finish(f);
}

/*
 * A device that does not reset is an error. Its memory is unshared nevertheless.
 */
static void stuck_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(start(f), FW_OK);
	check_read(f, 0, 512);
	fake_disk.stuck_reset = true;
	assert_int_equal(virtio_blk_stop(&f->blk), FW_ETIMEOUT);
	assert_int_equal(shared_end(&f->pool), FW_OK);
	assert_int_equal(fake_hyp.shared_now, 0);
	/* It cannot be initialised again. */
	assert_int_equal(start(f), FW_ETIMEOUT);
}

static void bad_caps(void **state)
{
	static const struct {
		unsigned int at;
		u32 value;
	} cases[] = {
		{ 0x04, 0 },					/* no list */
		{ 0x34, 0 },					/* an empty list */
		{ 0x34, 0x3c },					/* points into the header */
		{ 0x34, 0xfc },					/* garbage at the end */
		{ FAKE_CAP_COMMON, 0x01104009 },		/* circular list */
		{ FAKE_CAP_COMMON, 0x01100009 },		/* list ends too early */
		{ FAKE_CAP_COMMON, 0x010f5009 },		/* too short */
		{ FAKE_CAP_COMMON, 0x07105009 },		/* common missing */
		{ FAKE_CAP_COMMON + 4, 1 },			/* upper half of a BAR */
		{ FAKE_CAP_COMMON + 4, 5 },			/* no such BAR */
		{ FAKE_CAP_COMMON + 4, 6 },			/* beyond the last BAR */
		{ FAKE_CAP_COMMON + 4, 255 },
		{ FAKE_CAP_COMMON + 8, 0x4000 },		/* beyond the BAR */
		{ FAKE_CAP_COMMON + 8, 0xfffffffc },
		{ FAKE_CAP_COMMON + 8, 2 },			/* misaligned */
		{ FAKE_CAP_COMMON + 12, 0x37 },			/* too small */
		{ FAKE_CAP_COMMON + 12, 0x4001 },		/* too large */
		{ FAKE_CAP_COMMON + 12, 0xffffffff },
		{ FAKE_CAP_NOTIFY, 0x02106409 },		/* without multiplier */
		{ FAKE_CAP_NOTIFY + 12, 1 },
		{ FAKE_CAP_DEVICE + 12, 4 },			/* half of the capacity field */
		{ FAKE_CAP_DEVICE, 0x07100009 },		/* no device configuration */
	};
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		reset(f);
		f->fn->config[0xfc] = 0x09;
		/* A list that starts in the header would continue in a valid list. */
		f->fn->config[0x3d] = FAKE_CAP_COMMON;
		fake_bus_set32(f->fn, cases[i].at, cases[i].value);
		assert_int_equal(start(f), FW_EPCI_CAP);
		finish(f);
		assert_int_equal(fake_hyp.calls, 0);
	}
}

/* Random bytes in the capabilities cause an error or leave a working disk. */
static void random_caps(void **state)
{
	struct fixture *f = *state;
	u64 seed = 77;
	u32 round, i, n;

	for (round = 0; round < 3000; round++) {
		reset(f);
		n = 1 + test_random(&seed) % 4;
		for (i = 0; i < n; i++)
			f->fn->config[0x40 + test_random(&seed) % 0x38] = (u8)test_random(&seed);
		/*
		 * fake_disk has its registers at fixed offsets, so skip the capabilities that
		 * now say otherwise.
		 */
		if (fake_bus_get32(f->fn, FAKE_CAP_COMMON + 8) == 0 &&
		    fake_bus_get32(f->fn, FAKE_CAP_NOTIFY + 8) == 0x1000 &&
		    fake_bus_get32(f->fn, FAKE_CAP_NOTIFY + 16) == 4 &&
		    fake_bus_get32(f->fn, FAKE_CAP_DEVICE + 8) == 0x2000 &&
		    f->fn->config[FAKE_CAP_COMMON + 3] == 1 &&
		    f->fn->config[FAKE_CAP_NOTIFY + 3] == 2 &&
		    f->fn->config[FAKE_CAP_DEVICE + 3] == 4) {
			if (start(f) == FW_OK)
				check_read(f, 0, 512);
			finish(f);
		}
	}
}

/* Whichever hypercall fails, the read fails or is right, and no granule is lost. */
static void hypercalls_fail(void **state)
{
	struct fixture *f = *state;
	enum fw_status status, ended;
	u64 call;

	for (call = 1; ; call++) {
		reset(f);
		fake_hyp.fail_call = call;
		status = start(f);
		if (status == FW_OK)
			status = read_now(&f->blk, 0, f->data, VIRTIO_BLK_MAX_READ);
		if (status != FW_OK)
			assert_int_equal(status, FW_EHYP_SHARE);
		assert_int_equal(virtio_blk_stop(&f->blk), FW_OK);
		ended = shared_end(&f->pool);
		assert_int_equal(ended, fake_hyp.shared_now ? FW_EHYP_UNSHARE : FW_OK);
		assert_true(fake_hyp.shared_now <= 1);
		if (fake_hyp.calls < call)
			break;
	}
	/* 16 pages of data and one of rings and headers, each shared and unshared. */
	assert_int_equal(call, 2 * 17 + 1);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(reads, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(io_error_half_way, setup, teardown),
		cmocka_unit_test_setup_teardown(invalid_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(status_not_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(features, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_queue, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_capacity, setup, teardown),
		cmocka_unit_test_setup_teardown(stuck_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_caps, setup, teardown),
		cmocka_unit_test_setup_teardown(random_caps, setup, teardown),
		cmocka_unit_test_setup_teardown(hypercalls_fail, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw blk", tests, NULL, NULL);
}
