// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: an image needs a digest, and a digest needs an image; a single wrong bit in an image
 * is found; the kernel has room for all the memory that it needs; the kernel's device tree
 * overlaps nothing in use.
 */
#include "boot.h"
#include "fake_console.h"
#include "sha256.h"
#include "testing.h"

/* Sizes that are not multiples of a page. The images lie at the addresses of malloc(). */
#define KERNEL_SIZE	0x3001u
#define INITRD_SIZE	0x801u

struct header {
	u32 code[2];
	u64 text_offset, image_size, flags, reserved[3];
	u32 magic, pe_offset;
};

struct fixture {
	struct platform p;
	struct fw_config config;
	u8 *kernel;
	u8 *initrd;
	u8 kernel_digest[SHA256_DIGEST_SIZE];
	u8 initrd_digest[SHA256_DIGEST_SIZE];
};

static void hash(const u8 *data, size_t size, u8 *digest)
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, data, size);
	sha256_final(&sha, digest);
}

static struct header *header(struct fixture *f)
{
	return (struct header *)f->kernel;
}

static void rehash(struct fixture *f)
{
	hash(f->kernel, KERNEL_SIZE, f->kernel_digest);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	u32 i;

	assert_non_null(f);
	f->kernel = aligned_alloc(0x200000, 0x200000);
	assert_non_null(f->kernel);
	f->initrd = f->kernel + 0x10000;
	for (i = 0; i < KERNEL_SIZE; i++)
		f->kernel[i] = (u8)(i * 7);
	memset(f->initrd, 0x5a, INITRD_SIZE);
	*header(f) = (struct header){ .image_size = 0x8000, .magic = 0x644d5241 };
	rehash(f);
	hash(f->initrd, INITRD_SIZE, f->initrd_digest);
	f->config.kernel = f->kernel_digest;
	f->config.initrd = f->initrd_digest;
	f->p.ram_size = (u64)1 << 48;
	f->p.kernel = (struct payload){ (uintptr_t)f->kernel, KERNEL_SIZE };
	f->p.initrd = (struct payload){ (uintptr_t)f->initrd, INITRD_SIZE };
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->kernel);
	free(f);
	return 0;
}

static void as_configured(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(boot_check(&f->p, &f->config), FW_OK);
	assert_int_equal(f->p.kernel_room, 0x8000);
	/* Without an initrd and without a digest for it. */
	f->p.initrd.size = 0;
	f->config.initrd = NULL;
	assert_int_equal(boot_check(&f->p, &f->config), FW_OK);
	/* Also without a kernel and its digest. */
	f->p.kernel.size = 0;
	f->config.kernel = NULL;
	assert_int_equal(boot_check(&f->p, &f->config), FW_OK);
}

static void each_bit_counts(void **state)
{
	struct fixture *f = *state;
	u64 seed = 6;
	u32 i;

	for (i = 0; i < 64; i++) {
		u32 at = i < 3 ? i * (KERNEL_SIZE - 1) / 2 : test_random(&seed) % KERNEL_SIZE;
		u8 bit = (u8)(1 << test_random(&seed) % 8);

		f->kernel[at] ^= bit;
		assert_int_equal(boot_check(&f->p, &f->config), FW_EDIGEST);
		assert_non_null(strstr(fake_console_line, "error: kernel: "));
		f->kernel[at] ^= bit;
	}
	f->initrd[INITRD_SIZE - 1] ^= 1;
	assert_int_equal(boot_check(&f->p, &f->config), FW_EDIGEST);
	assert_non_null(strstr(fake_console_line, "error: initrd: "));
	f->initrd[INITRD_SIZE - 1] ^= 1;
	for (i = 0; i < SHA256_DIGEST_SIZE; i++) {
		f->kernel_digest[i] ^= 0x80;
		assert_int_equal(boot_check(&f->p, &f->config), FW_EDIGEST);
		f->kernel_digest[i] ^= 0x80;
	}
	/* A byte less, or a byte more. */
	f->p.kernel.size--;
	assert_int_equal(boot_check(&f->p, &f->config), FW_EDIGEST);
	f->p.kernel.size += 2;
	assert_int_equal(boot_check(&f->p, &f->config), FW_EDIGEST);
}

static void both_or_neither(void **state)
{
	struct fixture *f = *state;

	f->config.kernel = NULL;
	assert_int_equal(boot_check(&f->p, &f->config), FW_ENODIGEST);
	f->config.kernel = f->kernel_digest;
	f->config.initrd = NULL;
	assert_int_equal(boot_check(&f->p, &f->config), FW_ENODIGEST);
	f->config.initrd = f->initrd_digest;
	f->p.initrd.size = 0;
	assert_int_equal(boot_check(&f->p, &f->config), FW_ENOIMAGE);
	f->p.initrd.size = INITRD_SIZE;
	f->p.kernel.size = 0;
	assert_int_equal(boot_check(&f->p, &f->config), FW_ENOIMAGE);
}

static void bad_kernels(void **state)
{
	static const struct header bad[] = {
		{ .image_size = 0x8000, .magic = 0 },
		{ .image_size = 0x8000, .magic = 0x644d5241, .text_offset = 0x1000 },
		{ .image_size = 0x8000, .magic = 0x644d5241, .text_offset = 0x200000 },
		{ .image_size = KERNEL_SIZE - 1, .magic = 0x644d5241 },
		{ .image_size = UINT64_MAX, .magic = 0x644d5241 },
		{ .image_size = (u64)1 << 48, .magic = 0x644d5241 },
	};
	struct fixture *f = *state;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		*header(f) = bad[i];
		rehash(f);
		assert_int_equal(boot_check(&f->p, &f->config), FW_EKERNEL);
	}
	/* The kernel needs memory behind its file, which overlaps the initrd. */
	*header(f) = (struct header){ .image_size = 0x10001, .magic = 0x644d5241 };
	rehash(f);
	assert_int_equal(boot_check(&f->p, &f->config), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "kernel and initrd"));
	/* It overlaps the DMA pool. */
	header(f)->image_size = 0x8001;
	rehash(f);
	f->p.swiotlb = (struct swiotlb){ (uintptr_t)f->kernel + 0x8000, 0x1000, 0x1000 };
	assert_int_equal(boot_check(&f->p, &f->config), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "kernel and DMA pool"));
	/* It overlaps reserved memory. */
	f->p.swiotlb.base = 0;
	f->p.reserved[0] = (struct reserved){ (uintptr_t)f->kernel + 0x8000, 0x1000, false };
	f->p.reserved_count = 1;
	assert_int_equal(boot_check(&f->p, &f->config), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "kernel and reserved memory"));
	assert_int_equal(f->p.kernel_room, 0);
	f->p.reserved_count = 0;
	/* An address that is not a multiple of 2 MiB. */
	memmove(f->kernel + 0x1000, f->kernel, KERNEL_SIZE);
	f->p.kernel.base += 0x1000;
	assert_int_equal(boot_check(&f->p, &f->config), FW_EKERNEL);
}

/* The device tree stays where the host put it if possible, else gets the lowest free memory. */
static void tree_place(void **state)
{
	struct platform p = {
		.ram_size = 0x1000000, .kernel = { RAM_BASE, 0x1000 }, .kernel_room = 0x5800,
		.initrd = { RAM_BASE + 0x7000, 0x10 },
		.swiotlb = { RAM_BASE + 0xfe0000, 0x20000, 0x1000 },
		.reserved = { { RAM_BASE + 0x8000, 0x1000, true },
			      { RAM_BASE + 0xa000, 0x1000, false } },
		.reserved_count = 2,
	};
	static const struct {
		u64 prefer, size, expected;
	} cases[] = {
		{ 0x20000, 0x3000, 0x20000 },
		{ 0xfdd000, 0x3000, 0xfdd000 },
		{ 0xfde000, 0x3000, 0xb000 },		/* overlaps the DMA pool */
		{ 0xfff000, 0x3000, 0xb000 },		/* beyond the end of RAM */
		{ 0x5000, 0x1000, 0x6000 },		/* overlaps the kernel's memory */
		{ 0x7000, 0x1000, 0x6000 },
		{ 0x9000, 0x2000, 0xb000 },
		{ 0xa000, 0x1000, 0x6000 },
	};
	u64 base;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(boot_place_tree(&p, RAM_BASE + cases[i].prefer, cases[i].size,
						 &base), FW_OK);
		assert_int_equal(base, RAM_BASE + cases[i].expected);
	}
	/* A DMA pool without a fixed range occupies no memory yet. */
	p.swiotlb.base = 0;
	assert_int_equal(boot_place_tree(&p, RAM_BASE + 0xffd000, 0x3000, &base), FW_OK);
	assert_int_equal(base, RAM_BASE + 0xffd000);
	p.ram_size = 0xb000;
	assert_int_equal(boot_place_tree(&p, RAM_BASE, 0x2000, &base), FW_ENOMEM);
	assert_int_equal(boot_place_tree(&p, RAM_BASE, 0x1000, &base), FW_OK);
	p.kernel_room = 0x7000;
	assert_int_equal(boot_place_tree(&p, RAM_BASE, 0x1000, &base), FW_OK);
	assert_int_equal(base, RAM_BASE + 0x9000);
	p.reserved[0].size = 0x2000;
	assert_int_equal(boot_place_tree(&p, RAM_BASE, 0x1000, &base), FW_ENOMEM);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(as_configured, setup, teardown),
		cmocka_unit_test_setup_teardown(each_bit_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(both_or_neither, setup, teardown),
		cmocka_unit_test_setup_teardown(bad_kernels, setup, teardown),
		cmocka_unit_test(tree_place),
	};

	return cmocka_run_group_tests_name("pvmfw boot", tests, NULL, NULL);
}
