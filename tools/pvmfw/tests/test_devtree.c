// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: a tree that is truncated, malformed or larger than its room is refused before any of
 * it is used.
 */
#include <libfdt.h>

#include "devtree.h"
#include "fake_map.h"
#include "fake_tree.h"

static void good_tree(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.rsv_base = 0x80000000;
	s.rsv_size = 0x200000;
	s.reserved_cells = 4;
	s.reserved[0] = 0x81000000;
	s.reserved[1] = 0x100000;
	s.reserved[2] = 0x8ff00000;
	s.reserved[3] = 0x100000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.reserved_count, 3);
	assert_int_equal(tree_plat.ram_size, 0x10000000);
	assert_int_equal(tree_plat.uart_base, 0x3f8);
	assert_true(tree_plat.has_pci);
	assert_int_equal(tree_plat.config_base, 0x10000);
	assert_int_equal(tree_plat.config_size, 0x100000);
	assert_int_equal(tree_plat.config_shift, PCI_ECAM_SHIFT);
	assert_int_equal(tree_plat.window_base, 0x2000000);
	assert_int_equal(tree_plat.window_size, 0x2000000);
	assert_int_equal(tree_plat.high_base, 0x100000000);
	assert_int_equal(tree_plat.high_size, 0x100000000);
	assert_true(tree_plat.high_prefetch);
}

static void without_pci(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.no_pci = true;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_false(tree_plat.has_pci);
	assert_int_equal(tree_plat.config_shift, 0);
}

static void no_room_for_header(void **state)
{
	const u64 few = 0;

	(void)state;
	assert_int_equal(devtree_check(&few, sizeof(few)), FW_EFDT_HEADER);
}

static void truncated(void **state)
{
	void *fdt = tree_build(&tree_good);
	size_t size = fdt_totalsize(fdt), len;

	(void)state;
	/* The room ends before the tree does. */
	for (len = 0; len < size; len++) {
		void *part = malloc(len + 1);

		assert_non_null(part);
		memcpy(part, fdt, len);
		assert_int_not_equal(devtree_check(part, len), FW_OK);
		/* Also with a header that claims the smaller size. */
		if (len >= sizeof(struct fdt_header)) {
			fdt_set_totalsize(part, (u32)len);
			assert_int_not_equal(devtree_check(part, len), FW_OK);
		}
		free(part);
	}
	assert_int_equal(devtree_check(fdt, size), FW_OK);
	free(fdt);
}

static void bad_header_fields(void **state)
{
	static const u32 values[] = { 0, 1, 4, 39, 0x1000, 0x7fffffff, 0x80000000, 0xfffffffc,
				    0xffffffff };
	void *fdt = tree_build(&tree_good), *copy;
	size_t size = fdt_totalsize(fdt), field, i;

	(void)state;
	for (field = 0; field < sizeof(struct fdt_header); field += 4) {
		/* The firmware does not use boot_cpuid_phys. */
		if (field == offsetof(struct fdt_header, boot_cpuid_phys))
			continue;
		for (i = 0; i < ARRAY_SIZE(values); i++) {
			enum fw_status status;

			copy = malloc(size);
			assert_non_null(copy);
			memcpy(copy, fdt, size);
			*(fdt32_t *)((char *)copy + field) = cpu_to_fdt32(values[i]);
			status = devtree_check(copy, size);
			/* Version 17 and later ones that are compatible with it are valid. */
			if ((field == offsetof(struct fdt_header, last_comp_version) &&
			     values[i] <= 17) ||
			    (field == offsetof(struct fdt_header, version) && values[i] >= 17))
				assert_int_equal(status, FW_OK);
			else
				assert_int_not_equal(status, FW_OK);
			free(copy);
		}
	}
	free(fdt);
}

static void larger_than_its_room(void **state)
{
	void *fdt = tree_build(&tree_good);

	(void)state;
	assert_int_equal(devtree_check(fdt, fdt_totalsize(fdt) - 1), FW_EFDT_SIZE);
	free(fdt);
}

/* A tree with random changes is refused or harmless, and causes no stray read. */
static void flipped_bytes(void **state)
{
	void *fdt = tree_build(&tree_good);
	size_t size = fdt_totalsize(fdt), at;
	u64 seed = 2;

	(void)state;
	for (at = 0; at < 40 * size; at++) {
		char *copy = malloc(size);
		u32 n = test_random(&seed) % 3 + 1;

		assert_non_null(copy);
		memcpy(copy, fdt, size);
		while (n--)
			copy[(at + test_random(&seed) * (size_t)n) % size] ^=
				(char)(1 + test_random(&seed) % 255);
		fake_map_reset();
		if (devtree_check(copy, size) == FW_OK &&
		    platform_parse(copy, &tree_plat) == FW_OK &&
		    platform_memmap(&tree_plat, tree_static_pool, &fake_map) == FW_OK)
			assert_int_equal(fake_map.ram_size, tree_plat.ram_size);
		free(copy);
	}
	free(fdt);
}

/* Structure blocks with an invalid sequence of tags. */
static void bad_structure(void **state)
{
	static const struct {
		u32 tags[12];
		int count;
	} cases[] = {
		{ { FDT_END }, 1 },					/* no root */
		{ { FDT_BEGIN_NODE, 0, FDT_END }, 3 },			/* not closed */
		{ { FDT_END_NODE, FDT_END }, 2 },			/* never opened */
		{ { FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END_NODE, FDT_END }, 5 },
		{ { FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_BEGIN_NODE, 0, FDT_END_NODE,
		    FDT_END }, 7 },
		{ { FDT_PROP, 0, 0, FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END }, 7 },
		{ { FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_PROP, 0, 0, FDT_END }, 7 },
		/* a property after a subnode */
		{ { FDT_BEGIN_NODE, 0, FDT_BEGIN_NODE, 0x61000000, FDT_END_NODE, FDT_PROP, 0, 0,
		    FDT_END_NODE, FDT_END }, 10 },
		/* a property name beyond the strings block, and one without an end */
		{ { FDT_BEGIN_NODE, 0, FDT_PROP, 0, 100, FDT_END_NODE, FDT_END }, 7 },
		{ { FDT_BEGIN_NODE, 0, FDT_PROP, 0, 2, FDT_END_NODE, FDT_END }, 7 },
		/* a property longer than the tree */
		{ { FDT_BEGIN_NODE, 0, FDT_PROP, 1000, 0, FDT_END_NODE, FDT_END }, 7 },
		{ { FDT_BEGIN_NODE, 0, FDT_PROP, 0xfffffff0, 0, FDT_END_NODE, FDT_END }, 7 },
		{ { FDT_BEGIN_NODE, 0, 7, FDT_END_NODE, FDT_END }, 5 },	/* no such tag */
		{ { FDT_BEGIN_NODE, 0x61616161, 0x61616161 }, 3 },	/* endless name */
	};
	size_t i;
	int j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const u32 struct_size = (u32)cases[i].count * 4;
		const u32 size = 40 + 16 + struct_size + 4;
		u8 *fdt = calloc(1, size);
		fdt32_t *word;

		assert_non_null(fdt);
		word = (fdt32_t *)(fdt + 56);
		for (j = 0; j < cases[i].count; j++)
			word[j] = cpu_to_fdt32(cases[i].tags[j]);
		memcpy(fdt + 56 + struct_size, "a\0bc", 4);
		fdt_set_magic(fdt, FDT_MAGIC);
		fdt_set_totalsize(fdt, size);
		fdt_set_off_dt_struct(fdt, 56);
		fdt_set_size_dt_struct(fdt, struct_size);
		fdt_set_off_dt_strings(fdt, 56 + struct_size);
		fdt_set_size_dt_strings(fdt, 4);
		fdt_set_off_mem_rsvmap(fdt, 40);
		fdt_set_version(fdt, 17);
		fdt_set_last_comp_version(fdt, 16);
		assert_int_equal(devtree_check(fdt, size), FW_EFDT_STRUCT);
		free(fdt);
	}
}

static void deep_tree(void **state)
{
	char *fdt = calloc(1, TREE_MAX);
	int i;

	(void)state;
	assert_non_null(fdt);
	fdt_create(fdt, TREE_MAX);
	fdt_finish_reservemap(fdt);
	for (i = 0; i < 17; i++)
		fdt_begin_node(fdt, i ? "n" : "");
	for (i = 0; i < 17; i++)
		fdt_end_node(fdt);
	fdt_finish(fdt);
	assert_int_equal(devtree_check(fdt, TREE_MAX), FW_EFDT_STRUCT);
	free(fdt);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(good_tree),
		cmocka_unit_test(without_pci),
		cmocka_unit_test(no_room_for_header),
		cmocka_unit_test(truncated),
		cmocka_unit_test(bad_header_fields),
		cmocka_unit_test(larger_than_its_room),
		cmocka_unit_test(flipped_bytes),
		cmocka_unit_test(bad_structure),
		cmocka_unit_test(deep_tree),
	};

	return cmocka_run_group_tests_name("pvmfw devtree", tests, NULL, fake_map_release);
}
