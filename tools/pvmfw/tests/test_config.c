// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a configuration is refused if it has another magic or version, is larger than its
 * room, or has an entry that is unknown, malformed, repeated, in conflict with another one, or
 * that overlaps another one or the header; what config_parse() returns points into the
 * configuration and is what was written there; only the entry for it lets the host choose the
 * command line.
 */
#include "config.h"
#include "testing.h"
#include "virtio_blk.h"

#define MAGIC 0x67666370

/* A configuration in an allocation of its size, so that ASan finds a read beyond it. */
struct blob {
	u8 *at;
	u32 size;
};

static struct fw_config config;

static void put(struct blob *b, u32 offset, u32 value)
{
	memcpy(b->at + offset, &value, sizeof(value));
}

static struct blob make(u32 size, u32 count)
{
	struct blob b = { calloc(1, size), size };

	assert_non_null(b.at);
	put(&b, 0, MAGIC);
	put(&b, 4, 1);
	put(&b, 8, size);
	put(&b, 12, count);
	return b;
}

static void entry(struct blob *b, u32 i, u32 type, u32 offset, u32 size)
{
	put(b, 16 + 12 * i, type);
	put(b, 20 + 12 * i, offset);
	put(b, 24 + 12 * i, size);
}

static enum fw_status parse(const struct blob *b)
{
	return config_parse(b->at, b->size, &config);
}

/* A configuration with kernel, initrd, command line and disk entries. */
static struct blob full(void)
{
	struct blob b = make(16 + 4 * 12 + 32 + 32 + 8 + 8, 4);

	entry(&b, 0, 2, 96, 32);
	entry(&b, 1, 1, 64, 32);
	entry(&b, 2, 3, 128, 6);
	entry(&b, 3, 4, 136, 8);
	memset(b.at + 64, 0x11, 32);
	memset(b.at + 96, 0x22, 32);
	memcpy(b.at + 128, "quiet", 6);
	put(&b, 136, 4096);
	put(&b, 140, 16);
	return b;
}

static void all_entries(void **state)
{
	struct blob b = full();

	(void)state;
	assert_int_equal(parse(&b), FW_OK);
	assert_ptr_equal(config.kernel, b.at + 64);
	assert_ptr_equal(config.initrd, b.at + 96);
	assert_string_equal(config.cmdline, "quiet");
	assert_false(config.host_cmdline);
	assert_int_equal(config.read_size, 4096);
	assert_int_equal(config.read_depth, 16);
	free(b.at);
}

static void no_entries(void **state)
{
	struct blob b = make(16, 0);

	(void)state;
	assert_int_equal(parse(&b), FW_OK);
	assert_null(config.kernel);
	assert_null(config.initrd);
	assert_null(config.cmdline);
	assert_false(config.host_cmdline);
	assert_int_equal(config.read_size, VIRTIO_BLK_MAX_READ);
	assert_int_equal(config.read_depth, 1);
	assert_int_equal(config.max_disk, 1024);
	free(b.at);
}

static void bad_header(void **state)
{
	static const struct {
		u32 at, value;
	} cases[] = {
		{ 0, 0 }, { 0, MAGIC + 1 }, { 4, 0 }, { 4, 2 }, { 8, 0 }, { 8, 15 }, { 8, 145 },
		{ 8, 0xffffffff }, { 12, 11 }, { 12, 0x15555556 }, { 12, 0xffffffff },
	};
	struct blob b;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		b = full();
		put(&b, cases[i].at, cases[i].value);
		assert_int_equal(parse(&b), FW_ECONFIG_HEADER);
		free(b.at);
	}
	for (i = 0; i < 16; i++) {
		b = make(16, 0);
		assert_int_equal(config_parse(b.at, i, &config), FW_ECONFIG_HEADER);
		free(b.at);
	}
}

static void bad_entries(void **state)
{
	static const struct {
		u32 i, type, offset, size;
		enum fw_status status;
	} cases[] = {
		{ 0, 0, 96, 32, FW_ECONFIG_ENTRY },		/* unknown */
		{ 0, 7, 96, 32, FW_ECONFIG_ENTRY },
		{ 0, 0xffffffff, 96, 32, FW_ECONFIG_ENTRY },
		{ 1, 2, 64, 32, FW_ECONFIG_ENTRY },		/* twice */
		{ 0, 2, 96, 31, FW_ECONFIG_ENTRY },		/* not the size of a digest */
		{ 0, 2, 96, 36, FW_ECONFIG_ENTRY },
		{ 0, 2, 98, 32, FW_ECONFIG_ENTRY },		/* misaligned */
		{ 0, 2, 96, 0, FW_ECONFIG_ENTRY },		/* empty */
		{ 0, 2, 116, 32, FW_ECONFIG_ENTRY },		/* beyond the end */
		{ 0, 2, 0xfffffff0, 32, FW_ECONFIG_ENTRY },
		{ 0, 2, 96, 0xfffffff0, FW_ECONFIG_ENTRY },
		{ 0, 2, 0, 32, FW_EOVERLAP },			/* overlaps the header */
		{ 0, 2, 60, 32, FW_EOVERLAP },			/* overlaps the table */
		{ 1, 1, 96, 32, FW_EOVERLAP },			/* overlaps another entry */
		{ 1, 1, 68, 32, FW_EOVERLAP },
		{ 2, 3, 128, 5, FW_ECONFIG_ENTRY },		/* not terminated */
		{ 3, 4, 136, 4, FW_ECONFIG_ENTRY },
	};
	struct blob b;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		b = full();
		entry(&b, cases[i].i, cases[i].type, cases[i].offset, cases[i].size);
		assert_int_equal(parse(&b), cases[i].status);
		free(b.at);
	}
	b = full();
	b.at[129] = '\n';
	assert_int_equal(parse(&b), FW_ECONFIG_ENTRY);
	free(b.at);
}

static void bad_disk_read(void **state)
{
	static const u32 cases[][2] = {
		{ 0, 1 }, { 511, 1 }, { 0x10200, 1 }, { 0xfffffe00, 1 }, { 4096, 0 }, { 4096, 17 },
	};
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct blob b = full();

		put(&b, 136, cases[i][0]);
		put(&b, 140, cases[i][1]);
		assert_int_equal(parse(&b), FW_ECONFIG_ENTRY);
		free(b.at);
	}
}

static void max_disk(void **state)
{
	struct blob b = full();

	(void)state;
	entry(&b, 2, 6, 128, 4);
	put(&b, 128, 0xffffffff);
	assert_int_equal(parse(&b), FW_OK);
	assert_int_equal(config.max_disk, 0xffffffff);
	put(&b, 128, 0);
	assert_int_equal(parse(&b), FW_ECONFIG_ENTRY);
	put(&b, 128, 1);
	entry(&b, 2, 6, 128, 8);
	assert_int_equal(parse(&b), FW_ECONFIG_ENTRY);
	free(b.at);
}

static void host_cmdline(void **state)
{
	static const struct {
		u32 size, value;
		enum fw_status status;
	} cases[] = {
		{ 4, 1, FW_OK }, { 4, 0, FW_ECONFIG_ENTRY }, { 4, 2, FW_ECONFIG_ENTRY },
		{ 8, 1, FW_ECONFIG_ENTRY }, { 1, 1, FW_ECONFIG_ENTRY },
	};
	struct blob b;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		b = full();
		entry(&b, 2, 5, 128, cases[i].size);
		put(&b, 128, cases[i].value);
		assert_int_equal(parse(&b), cases[i].status);
		if (cases[i].status == FW_OK) {
			assert_true(config.host_cmdline);
			assert_null(config.cmdline);
		}
		free(b.at);
	}
	/* A command line of the configuration conflicts with one of the host. */
	b = full();
	entry(&b, 3, 5, 136, 4);
	put(&b, 136, 1);
	assert_int_equal(parse(&b), FW_ECONFIG_ENTRY);
	free(b.at);
}

/* A changed configuration is refused, or all that it points to lies in it. */
static void flipped_bytes(void **state)
{
	u64 seed = 8;
	u32 round, n;

	(void)state;
	for (round = 0; round < 50000; round++) {
		struct blob b = full();

		for (n = 1 + test_random(&seed) % 4; n; n--)
			b.at[test_random(&seed) % b.size] = (u8)test_random(&seed);
		if (parse(&b) == FW_OK) {
			if (config.kernel)
				assert_true(config.kernel + 32 <= b.at + b.size);
			if (config.initrd)
				assert_true(config.initrd + 32 <= b.at + b.size);
			if (config.cmdline)
				assert_true(strlen(config.cmdline) < b.size);
			assert_true(config.read_size <= VIRTIO_BLK_MAX_READ);
			assert_true(config.read_depth <= VIRTIO_BLK_MAX_DEPTH);
			assert_true(config.max_disk);
		}
		free(b.at);
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(all_entries),
		cmocka_unit_test(no_entries),
		cmocka_unit_test(bad_header),
		cmocka_unit_test(bad_entries),
		cmocka_unit_test(bad_disk_read),
		cmocka_unit_test(max_disk),
		cmocka_unit_test(host_cmdline),
		cmocka_unit_test(flipped_bytes),
	};

	return cmocka_run_group_tests_name("pvmfw config", tests, NULL, NULL);
}
