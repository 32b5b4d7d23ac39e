// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: an image is loaded whole, or the call fails; a file that is not a valid image is
 * refused.
 */
#include "test.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "loader.h"

struct fixture {
	struct guest_memory memory;
	char path[32];
	int fd;
};

/* The header of an arm64 Image (Documentation/arch/arm64/booting.rst). */
struct kernel_header {
	uint32_t code[2];
	uint64_t text_offset;
	uint64_t image_size;
	uint64_t flags;
	uint64_t reserved[3];
	uint32_t magic;
	uint32_t pe_header;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	snprintf(f->path, sizeof(f->path), "/tmp/vmm-test-XXXXXX");
	f->fd = mkstemp(f->path);
	assert_true(f->fd >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	close(f->fd);
	guest_memory_destroy(&f->memory);
	free(f);
	return 0;
}

static void write_file(struct fixture *f, const void *bytes, size_t size)
{
	assert_int_equal(ftruncate(f->fd, 0), 0);
	assert_int_equal(pwrite(f->fd, bytes, size, 0), size);
}

static int load(struct fixture *f, uint64_t address, uint64_t limit, struct image *image)
{
	return load_file(&f->memory, "program", f->path, address, limit, image);
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	struct image image;
	char bytes[8];

	write_file(f, "firmware", 8);
	assert_int_equal(load(f, RAM_BASE + 0x1000, 8, &image), 0);
	assert_int_equal(image.address, RAM_BASE + 0x1000);
	assert_int_equal(image.size, 8);
	assert_int_equal(image.footprint, 8);
	assert_int_equal(guest_memory_read(&f->memory, RAM_BASE + 0x1000, bytes, 8), 0);
	assert_memory_equal(bytes, "firmware", 8);
}

static void test_file_refused(void **state)
{
	struct fixture *f = *state;
	struct image image;
	uint8_t byte;

	assert_int_equal(load(f, RAM_BASE, 8, &image), -EINVAL);
	write_file(f, "too large", 9);
	assert_int_equal(load(f, RAM_BASE, 8, &image), -EFBIG);
	assert_int_equal(load(f, RAM_BASE, 0, &image), -EFBIG);
	assert_int_equal(guest_memory_read(&f->memory, RAM_BASE, &byte, 1), 0);
	assert_int_equal(byte, 0);
	/* A @limit that exceeds guest memory causes no write outside of it. */
	assert_int_equal(load(f, RAM_BASE + TEST_MEMORY_SIZE - 8, 9, &image), -ERANGE);

	assert_int_equal(load_file(&f->memory, "program", "/nowhere", RAM_BASE, 8, &image),
			 -ENOENT);
	assert_int_equal(load_file(&f->memory, "program", "/tmp", RAM_BASE, 8, &image), -EINVAL);
	assert_int_equal(load_file(&f->memory, "program", "/dev/zero", RAM_BASE, 8, &image),
			 -EINVAL);
}

/* Opening a FIFO without a writer does not block. */
static void test_fifo(void **state)
{
	struct fixture *f = *state;
	struct image image;

	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(load(f, RAM_BASE, 8, &image), -EINVAL);
	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, 64, &image), -EINVAL);
}

static struct kernel_header kernel(uint64_t offset, uint64_t size)
{
	return (struct kernel_header) {
		.text_offset = htole64(offset),
		.image_size = htole64(size),
		.magic = htole32(0x644d5241),
	};
}

static void test_kernel(void **state)
{
	struct kernel_header header = kernel(0x80000, 0x100000);
	struct fixture *f = *state;
	struct image image;

	write_file(f, &header, sizeof(header));
	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, TEST_MEMORY_SIZE, &image), 0);
	assert_int_equal(image.address, RAM_BASE + 0x80000);
	assert_int_equal(image.size, sizeof(header));
	assert_int_equal(image.footprint, 0x100000);
}

/* Guest memory must also have room for the memory behind the file, which the kernel clears. */
static void test_kernel_without_room(void **state)
{
	static const uint64_t lies[][2] = {
		{ 0, TEST_MEMORY_SIZE + 1 },
		{ 0, UINT64_MAX },
		{ 1, TEST_MEMORY_SIZE },
		{ UINT64_MAX, 1 },
		{ UINT64_MAX, UINT64_MAX },
		{ TEST_MEMORY_SIZE, 1 },
		{ TEST_MEMORY_SIZE, 0 },
	};
	struct fixture *f = *state;
	struct image image;
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		struct kernel_header header = kernel(lies[i][0], lies[i][1]);

		write_file(f, &header, sizeof(header));
		assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, TEST_MEMORY_SIZE,
					     &image), -EFBIG);
	}
}

static void test_no_kernel(void **state)
{
	struct kernel_header header = kernel(0, 0);
	static const uint8_t gzip[64] = { 0x1f, 0x8b, 8 };
	struct fixture *f = *state;
	struct image image;

	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, 64, &image), -EINVAL);
	write_file(f, gzip, sizeof(gzip));
	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, 64, &image), -EINVAL);
	write_file(f, &header, 56);
	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, 64, &image), -EINVAL);
	header.magic++;
	write_file(f, &header, sizeof(header));
	assert_int_equal(load_kernel(&f->memory, f->path, RAM_BASE, 64, &image), -EINVAL);
	assert_int_equal(load_kernel(&f->memory, "/nowhere", RAM_BASE, 64, &image), -ENOENT);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_file),
		TEST(test_file_refused),
		TEST(test_fifo),
		TEST(test_kernel),
		TEST(test_kernel_without_room),
		TEST(test_no_kernel),
	};

	return cmocka_run_group_tests_name("loader", tests, NULL, NULL);
}
