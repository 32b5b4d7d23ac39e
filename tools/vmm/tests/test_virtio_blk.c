// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a correct driver gets its data; an incorrect one gets an error, or a device that needs a
 * reset; after the reset the device works again.
 */
#include "disk.h"

#include <errno.h>
#include <fcntl.h>

#include "stats.h"

static void test_read(void **state)
{
	struct disk *f = *state;
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, 0, DISK_SIZE, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, DISK_SIZE + 1);
	disk_assert_sectors(f, 0, DISK_SECTORS);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, DISK_SECTORS - 1, 512, &used),
			 VIRTIO_BLK_S_OK);
	disk_assert_sectors(f, DISK_SECTORS - 1, 1);
}

static void test_write(void **state)
{
	struct disk *f = *state;
	uint8_t before[512], after[512], data[1024];
	uint32_t used;

	memset(data, 0xa5, sizeof(data));
	assert_int_equal(pread(f->blk.fd, before, 512, 4 * 512), 512);
	assert_int_equal(guest_memory_write(&f->memory, DATA, data, sizeof(data)), 0);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, 2, 1024, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(used, 1);
	assert_int_equal(pread(f->blk.fd, after, 512, 3 * 512), 512);
	assert_memory_equal(after, data, 512);
	assert_int_equal(pread(f->blk.fd, after, 512, 4 * 512), 512);
	assert_memory_equal(after, before, 512);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_FLUSH, 0, 0, &used), VIRTIO_BLK_S_OK);
}

/* A driver may split a request into any buffers (virtio 1.1, 2.6.4). */
static void test_any_framing(void **state)
{
	struct disk *f = *state;
	uint32_t used;
	unsigned int i;

	disk_put_header(f, VIRTIO_BLK_T_IN, 5);
	put_desc(&f->memory, 0, HEADER, 3, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, HEADER + 3, 13, VRING_DESC_F_NEXT, 2);
	for (i = 0; i < 4; i++)
		put_desc(&f->memory, 2 + i, DATA + 100 * i, 100,
			 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 3 + i);
	/* The last one holds 112 bytes of data and the status. */
	put_desc(&f->memory, 6, DATA + 400, 113, VRING_DESC_F_WRITE, 0);
	disk_submit(f, 0);
	disk_answer(f, &used);
	assert_int_equal(used, 513);
	disk_assert_sectors(f, 5, 1);
	assert_int_equal(f->memory.host[DATA - RAM_BASE + 512], VIRTIO_BLK_S_OK);
}

static void test_get_id(void **state)
{
	struct disk *f = *state;
	char id[VIRTIO_BLK_ID_BYTES];
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_GET_ID, 0, sizeof(id), &used),
			 VIRTIO_BLK_S_OK);
	assert_int_equal(used, sizeof(id) + 1);
	assert_int_equal(guest_memory_read(&f->memory, DATA, id, sizeof(id)), 0);
	assert_string_equal(id, "vmm-disk");
	/* A shorter buffer gets the start of the id, and no byte behind it changes. */
	f->memory.host[DATA - RAM_BASE + 3] = 0x77;
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_GET_ID, 0, 3, &used), VIRTIO_BLK_S_OK);
	assert_int_equal(f->memory.host[DATA - RAM_BASE + 3], 0x77);
}

static void test_unsupported(void **state)
{
	static const uint32_t types[] = { 2, 3, 5, 11, 13, 0x80000000, 0xffffffff };
	struct disk *f = *state;
	uint32_t used;
	unsigned int i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		assert_int_equal(disk_request(f, types[i], 0, 512, &used), VIRTIO_BLK_S_UNSUPP);
	disk_assert_works(f);
}

/* A request beyond the end of the disk fails, whatever its sector and length. */
static void test_beyond_the_end(void **state)
{
	static const struct {
		uint64_t sector;
		uint32_t length;
	} cases[] = {
		{ DISK_SECTORS, 512 },
		{ DISK_SECTORS - 1, 1024 },
		{ 0, DISK_SIZE + 512 },
		{ UINT64_MAX, 512 },
		{ UINT64_MAX / 512 + 1, 512 },
		{ UINT64_MAX - 1, 1024 },
	};
	struct disk *f = *state;
	uint32_t used;
	unsigned int i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, cases[i].sector, cases[i].length,
					      &used), VIRTIO_BLK_S_IOERR);
		assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, cases[i].sector, cases[i].length,
					      &used), VIRTIO_BLK_S_IOERR);
	}
	assert_int_equal(lseek(f->blk.fd, 0, SEEK_END), DISK_SIZE);
	disk_assert_works(f);
}

static void test_odd_length(void **state)
{
	struct disk *f = *state;
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, 0, 511, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(used, 0);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, 0, 513, &used), VIRTIO_BLK_S_IOERR);
	disk_assert_works(f);
}

/* A read-only disk has the feature bit, refuses writes, and does not change. */
static void test_read_only(void **state)
{
	struct disk *f = *state;
	uint8_t before[512], after[512];
	uint32_t used;

	disk_put(f, f->common + VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	assert_true(disk_get(f, f->common + VIRTIO_PCI_COMMON_DF, 4) &
		    VIRTIO_FEATURE(VIRTIO_BLK_F_RO));
	assert_int_equal(pread(f->blk.fd, before, 512, 0), 512);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(pread(f->blk.fd, after, 512, 0), 512);
	assert_memory_equal(after, before, 512);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_FLUSH, 0, 0, &used), VIRTIO_BLK_S_OK);
	disk_assert_works(f);
}

/* A read error affects only requests that include a bad sector. */
static void test_disk_error(void **state)
{
	struct disk *f = *state;
	uint64_t errors = stat_get(STAT_DISK_ERRORS);
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, DISK_SECTORS / 2, 512, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, DISK_SECTORS / 2 - 1, 1024, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_true(used < 1024);
	assert_int_equal(stat_get(STAT_DISK_ERRORS) - errors, 2);
	disk_assert_works(f);
}

static void test_disk_full(void **state)
{
	struct disk *f = *state;
	uint32_t used;

	assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk_status(f), ALL_STATUS);
}

/* A request whose data is private fails with a status. */
static void test_private_data(void **state)
{
	struct disk *f = *state;
	uint32_t used;

	make_private(&f->memory, DATA);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_OUT, 0, 512, &used), VIRTIO_BLK_S_IOERR);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_GET_ID, 0, 20, &used), VIRTIO_BLK_S_IOERR);
	make_shared(&f->memory, DATA);
	make_private(&f->memory, DATA + TEST_PAGE);
	assert_int_equal(disk_request(f, VIRTIO_BLK_T_IN, 0, 2 * TEST_PAGE, &used),
			 VIRTIO_BLK_S_IOERR);
	assert_true(used <= TEST_PAGE);
	disk_assert_works(f);
}

/* A request with a private header, status or ring cannot be answered: the device fails. */
static void test_private_header(void **state)
{
	struct disk *f = *state;

	disk_put_without_data(f, VIRTIO_BLK_T_IN);
	make_private(&f->memory, HEADER);
	disk_submit(f, 0);
	make_shared(&f->memory, HEADER);
	disk_assert_failed(f);
}

static void test_private_status(void **state)
{
	struct disk *f = *state;

	disk_put_without_data(f, VIRTIO_BLK_T_FLUSH);
	make_private(&f->memory, STATUS);
	disk_submit(f, 0);
	make_shared(&f->memory, STATUS);
	disk_assert_failed(f);
}

static void test_private_rings(void **state)
{
	static const uint64_t rings[] = { RING_DESC, RING_AVAIL, RING_USED };
	struct disk *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(rings) / sizeof(*rings); i++) {
		disk_put_without_data(f, VIRTIO_BLK_T_FLUSH);
		put_avail(&f->memory, f->next_avail % QUEUE_SIZE, 0);
		set_avail_index(&f->memory, f->next_avail + 1);
		make_private(&f->memory, rings[i]);
		disk_kick(f);
		make_shared(&f->memory, rings[i]);
		disk_assert_failed(f);
	}
}

static void test_no_header(void **state)
{
	struct disk *f = *state;

	put_desc(&f->memory, 0, HEADER, 15, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, STATUS, 1, VRING_DESC_F_WRITE, 0);
	disk_submit(f, 0);
	disk_assert_failed(f);
	put_desc(&f->memory, 0, DATA, 1024, VRING_DESC_F_WRITE, 0);
	disk_submit(f, 0);
	disk_assert_failed(f);
}

static void test_no_status(void **state)
{
	struct disk *f = *state;

	disk_put_header(f, VIRTIO_BLK_T_OUT, 0);
	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, DATA, 512, 0, 0);
	disk_submit(f, 0);
	disk_assert_failed(f);
}

static void test_bad_chains(void **state)
{
	struct disk *f = *state;

	put_desc(&f->memory, 0, HEADER, 16, VRING_DESC_F_NEXT, 0);
	disk_submit(f, 0);
	disk_assert_failed(f);
	put_desc(&f->memory, 0, 0, 16, 0, 0);
	disk_submit(f, 0);
	disk_assert_failed(f);
	disk_submit(f, QUEUE_SIZE);
	disk_assert_failed(f);
	set_avail_index(&f->memory, 0x8000);
	disk_kick(f);
	disk_assert_failed(f);
}

/* The device answers a valid chain before an invalid one. */
static void test_good_then_bad(void **state)
{
	struct disk *f = *state;

	disk_put_without_data(f, VIRTIO_BLK_T_FLUSH);
	put_avail(&f->memory, 0, 0);
	put_avail(&f->memory, 1, QUEUE_SIZE);
	set_avail_index(&f->memory, 2);
	disk_kick(f);
	assert_int_equal(used_index(&f->memory), 1);
	disk_assert_failed(f);
}

/* The device answers all chains of a notification, in order. */
static void test_batch(void **state)
{
	struct disk *f = *state;
	unsigned int i;

	disk_put_header(f, VIRTIO_BLK_T_FLUSH, 0);
	put_desc(&f->memory, 4, STATUS, 1, VRING_DESC_F_WRITE, 0);
	for (i = 0; i < 4; i++) {
		put_desc(&f->memory, i, HEADER, 16, VRING_DESC_F_NEXT, 4);
		put_avail(&f->memory, i, i);
	}
	set_avail_index(&f->memory, 4);
	disk_kick(f);
	assert_int_equal(used_index(&f->memory), 4);
	for (i = 0; i < 4; i++)
		assert_int_equal(used_elem(&f->memory, i).id, i);
}

static void test_open(void **state)
{
	char path[] = "/tmp/vmm-test-XXXXXX";
	int fd = mkstemp(path);
	struct virtio_blk blk;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 513), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 511), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), -EINVAL);
	assert_int_equal(ftruncate(fd, 1024), 0);
	assert_int_equal(virtio_blk_open(&blk, path, true), 0);
	assert_int_equal(blk.sectors, 2);
	assert_true(pwrite(blk.fd, "x", 1, 0) < 0);
	assert_int_equal(virtio_blk_close(&blk), 0);
	assert_int_equal(virtio_blk_open(&blk, path, false), 0);
	assert_int_equal(pwrite(blk.fd, "x", 1, 0), 1);
	assert_int_equal(virtio_blk_close(&blk), 0);
	assert_int_equal(unlink(path), 0);
	close(fd);
	assert_int_equal(virtio_blk_open(&blk, path, true), -ENOENT);
	assert_int_equal(virtio_blk_open(&blk, "/tmp", true), -EINVAL);
	assert_int_equal(virtio_blk_open(&blk, "/dev/null", true), -EINVAL);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
#define TEST_ON(disk, name)	\
	cmocka_unit_test_setup_teardown(name, disk_setup_##disk, disk_teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_read),
		TEST(test_write),
		TEST(test_any_framing),
		TEST(test_get_id),
		TEST(test_unsupported),
		TEST(test_beyond_the_end),
		TEST(test_odd_length),
		TEST_ON(read_only, test_read_only),
		TEST_ON(truncated, test_disk_error),
		TEST_ON(full, test_disk_full),
		TEST(test_private_data),
		TEST(test_private_header),
		TEST(test_private_status),
		TEST(test_private_rings),
		TEST(test_no_header),
		TEST(test_no_status),
		TEST(test_bad_chains),
		TEST(test_good_then_bad),
		TEST(test_batch),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests_name("virtio blk", tests, NULL, NULL);
}
