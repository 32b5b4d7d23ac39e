// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a tree that is truncated, malformed or larger than its room is refused before any of
 * it is used; its memory, reserved memory, devices and images are accepted only if they are
 * valid and do not overlap. Each tree lies in an allocation of its size, so that ASan finds a
 * read beyond it.
 */
#include <libfdt.h>

#include "devtree.h"
#include "fake_console.h"
#include "fake_map.h"
#include "platform.h"
#include "testing.h"

#define TREE_SIZE 4096

/* What the tree says. A test changes a few fields of the copy that it makes of "good". */
struct spec {
	const char *psci_method;
	u64 mem_base, mem_size;
	bool no_memory;
	u64 more_memory[6];
	int more_cells;
	u64 rsv_base, rsv_size;
	u64 reserved[6];
	int reserved_cells;
	bool no_map;
	u64 uart_base, uart_size;
	bool no_uart, no_stdout, uart_on_bus;
	const char *stdout_path;
	u32 reg_shift;
	u64 ecam_base, ecam_size;
	bool no_pci, cam;
	u32 bus_first, window_space, high_space;
	u64 window_bus, window_base, window_size;
	u64 high_bus, high_base, high_size;
	int ranges_len;
	u64 pool_base, pool_size;
	bool pool_reg;
	u64 kernel[2], initrd[2];
};

static const struct spec good = {
	.psci_method = "hvc",
	.mem_base = RAM_BASE, .mem_size = 0x10000000,
	.uart_base = 0x3f8, .uart_size = 8,
	.ecam_base = 0x10000, .ecam_size = 0x1000000,
	.window_space = 0x02000000, .high_space = 0x43000000,
	.high_bus = 0x100000000, .high_base = 0x100000000, .high_size = 0x100000000,
	.window_bus = 0x2000000, .window_base = 0x2000000, .window_size = 0x2000000,
	.stdout_path = "/uart:115200n8",
};

static struct platform plat;
static bool static_pool;

static void prop_u32s(void *fdt, const char *name, const u32 *v, int n)
{
	fdt32_t cells[32];
	int i;

	for (i = 0; i < n; i++)
		cells[i] = cpu_to_fdt32(v[i]);
	assert_int_equal(fdt_property(fdt, name, cells, n * (int)sizeof(cells[0])), 0);
}

static void prop_u64s(void *fdt, const char *name, const u64 *v, int n)
{
	u32 cells[16];
	int i;

	for (i = 0; i < n; i++) {
		cells[2 * i] = (u32)(v[i] >> 32);
		cells[2 * i + 1] = (u32)v[i];
	}
	prop_u32s(fdt, name, cells, 2 * n);
}

static void add_memory(void *fdt, const char *name, u64 base, u64 size)
{
	fdt_begin_node(fdt, name);
	fdt_property_string(fdt, "device_type", "memory");
	prop_u64s(fdt, "reg", (const u64[]){ base, size }, 2);
	fdt_end_node(fdt);
}

static void add_pci(void *fdt, const struct spec *s)
{
	const u32 ranges[] = {
		/* The window that only the kernel uses comes first. */
		s->high_space, (u32)(s->high_bus >> 32), (u32)s->high_bus,
		(u32)(s->high_base >> 32), (u32)s->high_base,
		(u32)(s->high_size >> 32), (u32)s->high_size,
		s->window_space, (u32)(s->window_bus >> 32), (u32)s->window_bus,
		(u32)(s->window_base >> 32), (u32)s->window_base,
		(u32)(s->window_size >> 32), (u32)s->window_size,
	};

	fdt_begin_node(fdt, "pci");
	fdt_property_string(fdt, "compatible", s->cam ? "pci-host-cam-generic" :
			    "pci-host-ecam-generic");
	fdt_property_u32(fdt, "#address-cells", 3);
	fdt_property_u32(fdt, "#size-cells", 2);
	prop_u64s(fdt, "reg", (const u64[]){ s->ecam_base, s->ecam_size }, 2);
	prop_u32s(fdt, "bus-range", (const u32[]){ s->bus_first, s->bus_first }, 2);
	prop_u32s(fdt, "ranges", ranges, s->ranges_len ? s->ranges_len : 14);
	fdt_end_node(fdt);
}

/* Make a tree in an allocation of its size. */
static void *build(const struct spec *s)
{
	char *buf = calloc(1, TREE_SIZE), *fdt;

	assert_non_null(buf);
	assert_int_equal(fdt_create(buf, TREE_SIZE), 0);
	if (s->rsv_size)
		fdt_add_reservemap_entry(buf, s->rsv_base, s->rsv_size);
	fdt_finish_reservemap(buf);
	fdt_begin_node(buf, "");
	fdt_property_u32(buf, "#address-cells", 2);
	fdt_property_u32(buf, "#size-cells", 2);
	fdt_begin_node(buf, "chosen");
	if (!s->no_stdout)
		fdt_property_string(buf, "stdout-path", s->stdout_path);
	if (s->initrd[0]) {
		prop_u64s(buf, "linux,initrd-start", s->initrd, 1);
		prop_u64s(buf, "linux,initrd-end", (const u64[]){ s->initrd[0] + s->initrd[1] }, 1);
	}
	fdt_end_node(buf);
	if (s->kernel[0]) {
		fdt_begin_node(buf, "config");
		fdt_property_u32(buf, "kernel-address", (u32)s->kernel[0]);
		fdt_property_u32(buf, "kernel-size", (u32)s->kernel[1]);
		fdt_end_node(buf);
	}
	fdt_begin_node(buf, "psci");
	fdt_property_string(buf, "compatible", "arm,psci-1.0");
	fdt_property_string(buf, "method", s->psci_method);
	fdt_end_node(buf);
	if (!s->no_memory)
		add_memory(buf, "memory@80000000", s->mem_base, s->mem_size);
	if (s->more_cells) {
		fdt_begin_node(buf, "more-memory");
		fdt_property_string(buf, "device_type", "memory");
		prop_u64s(buf, "reg", s->more_memory, s->more_cells);
		fdt_end_node(buf);
	}
	fdt_begin_node(buf, "reserved-memory");
	fdt_property_u32(buf, "#address-cells", 2);
	fdt_property_u32(buf, "#size-cells", 2);
	fdt_begin_node(buf, "anywhere");
	fdt_property_u32(buf, "size", 0x1000);
	fdt_end_node(buf);
	if (s->pool_size || s->pool_reg) {
		fdt_begin_node(buf, "pool");
		fdt_property_string(buf, "compatible", "restricted-dma-pool");
		if (s->pool_base)
			prop_u64s(buf, "reg", (const u64[]){ s->pool_base, s->pool_size }, 2);
		else
			prop_u64s(buf, "size", &s->pool_size, 1);
		fdt_end_node(buf);
	}
	if (s->reserved_cells) {
		fdt_begin_node(buf, "there");
		prop_u64s(buf, "reg", s->reserved, s->reserved_cells);
		if (s->no_map)
			fdt_property(buf, "no-map", "", 0);
		fdt_end_node(buf);
	}
	fdt_end_node(buf);
	if (s->uart_on_bus) {
		fdt_begin_node(buf, "bus");
		fdt_property_u32(buf, "#address-cells", 2);
		fdt_property_u32(buf, "#size-cells", 2);
	}
	if (!s->no_uart) {
		fdt_begin_node(buf, "uart");
		fdt_property_string(buf, "compatible", "ns16550a");
		prop_u64s(buf, "reg", (const u64[]){ s->uart_base, s->uart_size }, 2);
		fdt_property_u32(buf, "reg-shift", s->reg_shift);
		fdt_end_node(buf);
	}
	if (s->uart_on_bus)
		fdt_end_node(buf);
	if (!s->no_pci)
		add_pci(buf, s);
	fdt_end_node(buf);
	assert_int_equal(fdt_finish(buf), 0);

	fdt = malloc(fdt_totalsize(buf));
	assert_non_null(fdt);
	memcpy(fdt, buf, fdt_totalsize(buf));
	free(buf);
	return fdt;
}

/* Check, parse and map a tree, as the firmware does. */
static enum fw_status load(const struct spec *s)
{
	void *fdt = build(s);
	enum fw_status status;

	fake_console_reset();
	fake_map_reset();
	status = devtree_check(fdt, fdt_totalsize(fdt));
	if (status == FW_OK)
		status = platform_parse(fdt, &plat);
	if (status == FW_OK)
		status = platform_memmap(&plat, static_pool, &fake_map);
	free(fdt);
	return status;
}

static void good_tree(void **state)
{
	struct spec s = good;

	(void)state;
	s.rsv_base = 0x80000000;
	s.rsv_size = 0x200000;
	s.reserved_cells = 4;
	s.reserved[0] = 0x81000000;
	s.reserved[1] = 0x100000;
	s.reserved[2] = 0x8ff00000;
	s.reserved[3] = 0x100000;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.reserved_count, 3);
	assert_int_equal(plat.ram_size, 0x10000000);
	assert_int_equal(plat.uart_base, 0x3f8);
	assert_true(plat.has_pci);
	assert_int_equal(plat.config_base, 0x10000);
	assert_int_equal(plat.config_size, 0x100000);
	assert_int_equal(plat.config_shift, PCI_ECAM_SHIFT);
	assert_int_equal(plat.window_base, 0x2000000);
	assert_int_equal(plat.window_size, 0x2000000);
	assert_int_equal(plat.high_base, 0x100000000);
	assert_int_equal(plat.high_size, 0x100000000);
	assert_true(plat.high_prefetch);
}

static void without_pci(void **state)
{
	struct spec s = good;

	(void)state;
	s.no_pci = true;
	assert_int_equal(load(&s), FW_OK);
	assert_false(plat.has_pci);
	assert_int_equal(plat.config_shift, 0);
}

static void no_room_for_header(void **state)
{
	const u64 few = 0;

	(void)state;
	assert_int_equal(devtree_check(&few, sizeof(few)), FW_EFDT_HEADER);
}

static void truncated(void **state)
{
	void *fdt = build(&good);
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
	void *fdt = build(&good), *copy;
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
	void *fdt = build(&good);

	(void)state;
	assert_int_equal(devtree_check(fdt, fdt_totalsize(fdt) - 1), FW_EFDT_SIZE);
	free(fdt);
}

/* A tree with random changes is refused or harmless, and causes no stray read. */
static void flipped_bytes(void **state)
{
	void *fdt = build(&good);
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
		    platform_parse(copy, &plat) == FW_OK &&
		    platform_memmap(&plat, static_pool, &fake_map) == FW_OK)
			assert_int_equal(fake_map.ram_size, plat.ram_size);
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
	char *fdt = calloc(1, TREE_SIZE);
	int i;

	(void)state;
	assert_non_null(fdt);
	fdt_create(fdt, TREE_SIZE);
	fdt_finish_reservemap(fdt);
	for (i = 0; i < 17; i++)
		fdt_begin_node(fdt, i ? "n" : "");
	for (i = 0; i < 17; i++)
		fdt_end_node(fdt);
	fdt_finish(fdt);
	assert_int_equal(devtree_check(fdt, TREE_SIZE), FW_EFDT_STRUCT);
	free(fdt);
}

static void psci(void **state)
{
	struct spec s = good;

	(void)state;
	s.psci_method = "smc";
	assert_int_equal(load(&s), FW_EFDT_PSCI);
	s.psci_method = "hvcx";
	assert_int_equal(load(&s), FW_EFDT_PSCI);
	s.psci_method = "";
	assert_int_equal(load(&s), FW_EFDT_PSCI);
}

static void memory(void **state)
{
	static const u64 sizes[] = { 0, 0x1000, 0x1fffff, 0x200001, 0x10000800, 1ull << 39,
				     0x7f80001000, (u64)-0x1000, (u64)0 - RAM_BASE, UINT64_MAX };
	struct spec s = good;
	size_t i;

	(void)state;
	s.no_memory = true;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	s = good;
	s.mem_base = 0x40000000;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	assert_non_null(strstr(fake_console_line, "starts at 0x40000000: "));
	s = good;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		s.mem_size = sizes[i];
		assert_int_equal(load(&s), FW_EFDT_MEMORY);
	}
	s.mem_size = 0x7f80000000;
	assert_int_equal(load(&s), FW_OK);
}

/* RAM may consist of several ranges, with or without the firmware's region. */
static void memory_ranges(void **state)
{
	static const struct {
		u64 base, size;
		u64 more[6];
		int cells;
		u64 ram_size;
	} cases[] = {
		/* one range with the firmware's region, or two ranges */
		{ 0x7fc00000, 0x10400000, { 0 }, 0, 0x10000000 },
		{ 0x80000000, 0x10000000, { 0x7fc00000, 0x400000 }, 2, 0x10000000 },
		{ 0x7fc00000, 0x400000, { 0x80000000, 0x10000000 }, 2, 0x10000000 },
		{ 0x7fe00000, 0x10200000, { 0 }, 0, 0x10000000 },
		/* several ranges in any order, some of which overlap or are empty */
		{ 0x84000000, 0x1000000, { 0x82000000, 0x2000000, 0x80000000, 0x2000000 }, 4,
		  0x5000000 },
		{ 0x80000000, 0x3000000, { 0x81000000, 0x3000000 }, 2, 0x4000000 },
		{ 0x80000000, 0x1000000, { 0x81000000, 0, 0x40000000, 0 }, 4, 0x1000000 },
		/* behind a gap */
		{ 0x80000000, 0x1000000, { 0x82000000, 0x1000000 }, 2, 0x1000000 },
	};
	struct spec s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s = good;
		s.mem_base = cases[i].base;
		s.mem_size = cases[i].size;
		memcpy(s.more_memory, cases[i].more, sizeof(s.more_memory));
		s.more_cells = cases[i].cells;
		assert_int_equal(load(&s), FW_OK);
		assert_int_equal(plat.ram_size, cases[i].ram_size);
		assert_int_equal(fake_map.ram_size, cases[i].ram_size);
	}
	assert_string_equal(fake_console_line, "memory at 0x82000000 is not used");
	/* Each range must be valid, and one must start at RAM_BASE. */
	s.more_memory[0] = 0x40000000;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	s.more_memory[0] = 0x82000800;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	s.more_cells = 3;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	s.more_cells = 0;
	s.mem_base = 0x7fc00000;
	s.mem_size = 0x400000;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	s.mem_base = 0x81000000;
	assert_int_equal(load(&s), FW_EFDT_MEMORY);
	assert_non_null(strstr(fake_console_line, "memory of 0x0 bytes"));
}

static void too_much_memory(void **state)
{
	u64 reg[34];
	char *fdt = calloc(1, TREE_SIZE);
	size_t i;

	(void)state;
	assert_non_null(fdt);
	for (i = 0; i < ARRAY_SIZE(reg); i += 2) {
		reg[i] = RAM_BASE + i * 0x1000000;
		reg[i + 1] = 0x1000000;
	}
	fdt_create(fdt, TREE_SIZE);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_begin_node(fdt, "psci");
	fdt_property_string(fdt, "compatible", "arm,psci-1.0");
	fdt_property_string(fdt, "method", "hvc");
	fdt_end_node(fdt);
	for (i = 0; i < ARRAY_SIZE(reg); i += 2) {
		char name[16];

		snprintf(name, sizeof(name), "memory@%zx", i);
		add_memory(fdt, name, reg[i], reg[i + 1]);
	}
	fdt_end_node(fdt);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_int_equal(devtree_check(fdt, TREE_SIZE), FW_OK);
	assert_int_equal(platform_parse(fdt, &plat), FW_ETOOMANY);
	free(fdt);
}

static void reserved(void **state)
{
	/* Base and size of a reserved range, then of its part in RAM. */
	static const u64 ranges[][4] = {
		{ 0x81000000, 0x1000, 0x81000000, 0x1000 },
		{ 0x81000800, 0x1000, 0x81000000, 0x2000 },
		{ 0x7ffff000, 0x2000, 0x80000000, 0x1000 },
		{ 0x8ffff000, 0x2000, 0x8ffff000, 0x1000 },
		{ 0x1000, 0xfffff000, 0x80000000, 0x10000000 },
		/* no part of RAM */
		{ 0x7ff00000, 0x1000, 0, 0 }, { 0x90000000, 0x1000, 0, 0 },
		{ 0x81000000, 0, 0, 0 }, { UINT64_MAX, 0, 0, 0 },
	};
	static const u64 bad[][2] = {
		{ 0x80001000, (u64)-0x1000 }, { UINT64_MAX, 0x1000 }, { 1, UINT64_MAX },
	};
	struct spec s;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (j = 0; j < 2; j++) {
			s = good;
			if (j) {
				s.reserved_cells = 2;
				s.reserved[0] = ranges[i][0];
				s.reserved[1] = ranges[i][1];
				s.no_map = true;
			} else {
				s.rsv_base = ranges[i][0];
				s.rsv_size = ranges[i][1];
			}
			assert_int_equal(load(&s), FW_OK);
			assert_int_equal(plat.reserved_count, ranges[i][3] ? 1 : 0);
			assert_int_equal(platform_is_reserved(&plat, 0x80000000, 0x10000000),
					 plat.reserved_count);
			if (!plat.reserved_count)
				continue;
			assert_int_equal(plat.reserved[0].base, ranges[i][2]);
			assert_int_equal(plat.reserved[0].size, ranges[i][3]);
			assert_int_equal(plat.reserved[0].no_map, j);
		}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s = good;
		s.rsv_base = bad[i][0];
		s.rsv_size = bad[i][1];
		assert_int_equal(load(&s), FW_EFDT_RESERVED);
		s = good;
		s.reserved_cells = 2;
		s.reserved[0] = bad[i][0];
		s.reserved[1] = bad[i][1];
		assert_int_equal(load(&s), FW_EFDT_RESERVED);
	}
	/* A reg with half an entry. */
	s = good;
	s.reserved_cells = 3;
	s.reserved[0] = 0x81000000;
	assert_int_equal(load(&s), FW_EFDT_STRUCT);
}

/* Overlapping reserved ranges are merged; the result is no-map if one of them is. */
static void reserved_overlaps(void **state)
{
	struct spec s = good;

	(void)state;
	s.rsv_base = 0x81000000;
	s.rsv_size = 0x2000;
	s.reserved_cells = 6;
	s.reserved[0] = 0x81004000;
	s.reserved[1] = 0x2000;
	s.reserved[2] = 0x81001000;
	s.reserved[3] = 0x4000;
	s.reserved[4] = 0x81006000;
	s.reserved[5] = 0x1000;
	s.no_map = true;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.reserved_count, 2);
	assert_int_equal(plat.reserved[0].base, 0x81000000);
	assert_int_equal(plat.reserved[0].size, 0x6000);
	assert_true(plat.reserved[0].no_map);
	assert_true(platform_is_reserved(&plat, 0x81006fff, 1));
	assert_false(platform_is_reserved(&plat, 0x81007000, 0x1000));
}

/* Kernel, initrd and DMA pool must not lie in reserved memory. */
static void reserved_in_use(void **state)
{
	struct spec s = good;

	(void)state;
	s.kernel[0] = 0x80200000;
	s.kernel[1] = 0x100000;
	s.initrd[0] = 0x80400000;
	s.initrd[1] = 0x123;
	s.pool_base = 0x8f000000;
	s.pool_size = 0x200000;
	s.pool_reg = true;
	s.rsv_size = 1;
	s.rsv_base = 0x801fffff;
	assert_int_equal(load(&s), FW_OK);
	/* The DMA pool is not among the reserved ranges. */
	assert_int_equal(plat.reserved_count, 1);
	s.rsv_base = 0x802fffff;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "kernel and reserved memory"));
	s.rsv_base = 0x80400122;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "initrd and reserved memory"));
	s.rsv_base = 0x8f1fffff;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "DMA pool and reserved memory"));
}

static void too_many_reserved(void **state)
{
	char *fdt = calloc(1, TREE_SIZE);
	u64 count, i;

	(void)state;
	assert_non_null(fdt);
	for (count = PLATFORM_MAX_RESERVED; count < PLATFORM_MAX_RESERVED + 2; count++) {
		fdt_create(fdt, TREE_SIZE);
		for (i = 0; i < count; i++)
			fdt_add_reservemap_entry(fdt, RAM_BASE + i * 0x2000, 0x1000);
		fdt_finish_reservemap(fdt);
		fdt_begin_node(fdt, "");
		fdt_property_u32(fdt, "#address-cells", 2);
		fdt_property_u32(fdt, "#size-cells", 2);
		fdt_begin_node(fdt, "psci");
		fdt_property_string(fdt, "compatible", "arm,psci-1.0");
		fdt_property_string(fdt, "method", "hvc");
		fdt_end_node(fdt);
		add_memory(fdt, "memory", RAM_BASE, 0x1000000);
		fdt_end_node(fdt);
		assert_int_equal(fdt_finish(fdt), 0);
		/* The tree has no UART, which is the error if all ranges fit. */
		assert_int_equal(platform_parse(fdt, &plat), count > PLATFORM_MAX_RESERVED ?
				 FW_ETOOMANY : FW_EFDT_UART);
	}
	free(fdt);
}

static void uart(void **state)
{
	struct spec s = good;

	(void)state;
	s.uart_base = 0x9000000;
	s.no_stdout = true;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.uart_base, 0x9000000);
	s = good;
	s.stdout_path = "/nowhere";
	assert_int_equal(load(&s), FW_OK);
	s.stdout_path = "/pci";
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.uart_base, 0x3f8);
	s = good;
	s.no_uart = true;
	assert_int_equal(load(&s), FW_EFDT_UART);
	s = good;
	s.uart_on_bus = true;
	assert_int_equal(load(&s), FW_EFDT_UART);
	s = good;
	s.uart_size = 4;
	assert_int_equal(load(&s), FW_EFDT_UART);
	s = good;
	s.reg_shift = 2;
	assert_int_equal(load(&s), FW_EFDT_UART);
	s = good;
	s.uart_base = 1ull << 39;
	assert_int_equal(load(&s), FW_EFDT_UART);
	s.uart_base = (u64)-4;
	assert_int_equal(load(&s), FW_EFDT_UART);
	/* The registers must lie in one page, that of the default UART or another one. */
	s.uart_base = PAGE_SIZE - UART_SIZE;
	assert_int_equal(load(&s), FW_OK);
	s.uart_base++;
	assert_int_equal(load(&s), FW_EFDT_UART);
	assert_non_null(strstr(fake_console_line, "registers at 0xff9 leave their page: "));
	s.uart_base = 0x9000fff;
	assert_int_equal(load(&s), FW_EFDT_UART);
}

static void pci(void **state)
{
	struct spec s = good;

	(void)state;
	s.ecam_size = 0xff000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	/* CAM needs only 64 KiB for a bus. */
	s.cam = true;
	s.ecam_size = 0xf000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s.ecam_size = 0x10000;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.config_size, 0x10000);
	assert_int_equal(plat.config_shift, PCI_CAM_SHIFT);
	s = good;
	s.ecam_base = 0x10800;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s = good;
	s.ecam_base = (u64)-0x1000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s = good;
	s.bus_first = 1;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	/* A window below RAM may have either space code for memory, but not be prefetchable. */
	s = good;
	s.window_space = 0x03000000;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.window_base, 0x2000000);
	s.window_space = 0x01000000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s.window_space = 0x42000000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s = good;
	s.window_bus = 0;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s = good;
	s.window_size = 0;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s.window_size = 0xff000000;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s = good;
	s.window_size = 0x1800;
	assert_int_equal(load(&s), FW_EALIGN);
	s = good;
	s.ranges_len = 13;
	assert_int_equal(load(&s), FW_EFDT_PCI);
	s.ranges_len = 7;
	assert_int_equal(load(&s), FW_EFDT_PCI);
}

/* The firmware passes the high window to the kernel if it is valid, and ignores it otherwise. */
static void second_window(void **state)
{
	static const struct {
		u32 space;
		u64 bus, base, size;
		bool kept;
	} cases[] = {
		{ 0x43000000, 0x90000000, 0x90000000, 0xff70000000, true },
		{ 0x03000000, 0x90000000, 0x90000000, 0xff70000000, true },
		{ 0x43000000, 0x90000000, 0x90000000, 0, false },
		{ 0x02000000, 0x90000000, 0x90000000, 0x10000000, false },
		{ 0x43000000, 0x8ffff000, 0x8ffff000, 0x10000000, false },	/* in RAM */
		{ 0x43000000, 0x40000000, 0x40000000, 0x10000000, false },
		{ 0x43000000, 0, 0x90000000, 0x10000000, false },
		{ 0x43000000, 0x90000800, 0x90000800, 0x10000000, false },
		{ 0x43000000, 0x90000000, 0x90000000, 0x10000800, false },
		{ 0x43000000, 0x90000000, 0x90000000, (u64)-0x1000, false },
	};
	struct spec s = good;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s.high_space = cases[i].space;
		s.high_bus = cases[i].bus;
		s.high_base = cases[i].base;
		s.high_size = cases[i].size;
		assert_int_equal(load(&s), FW_OK);
		assert_int_equal(plat.window_base, 0x2000000);
		if (!cases[i].kept) {
			assert_int_equal(plat.high_size, 0);
			continue;
		}
		assert_int_equal(plat.high_base, cases[i].base);
		assert_int_equal(plat.high_size, cases[i].size);
		assert_int_equal(plat.high_prefetch, cases[i].space >> 30);
	}
}

static void overlaps(void **state)
{
	struct spec s = good;

	(void)state;
	s.uart_base = FW_SCRATCH_BASE + 0x3f8;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line,
			    "error: UART and firmware scratch: ranges overlap");
	s = good;
	s.uart_base = RAM_BASE;
	assert_int_equal(load(&s), FW_EOVERLAP);
	s = good;
	s.ecam_base = 0;
	assert_int_equal(load(&s), FW_EOVERLAP);
	s = good;
	s.ecam_base = FW_IMAGE_BASE - 0x1000;
	assert_int_equal(load(&s), FW_EOVERLAP);
	s = good;
	s.window_bus = 0x100000;
	s.window_base = 0x100000;
	assert_int_equal(load(&s), FW_EOVERLAP);
	s.window_bus = 0x70000000;
	s.window_base = 0x70000000;
	s.window_size = 0x10000000;
	assert_int_equal(load(&s), FW_EOVERLAP);
}

static void swiotlb(void **state)
{
	static const u64 bad[][2] = {
		{ 0x81000000, 0 }, { 0x81000800, 0x1000 }, { 0x81000000, 0x1800 },
		{ 0x90000000, 0x1000 }, { 0x1000, 0x1000 },
	};
	struct spec s = good;
	size_t i;

	(void)state;
	s.pool_size = 0x1000000;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.swiotlb.base, 0);
	assert_int_equal(plat.swiotlb.size, 0x1000000);
	s.pool_base = 0x81000000;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.swiotlb.base, 0x81000000);
	assert_int_equal(fake_map.range[fake_map.count - 1].kind, MEMMAP_UNMAPPED);
	static_pool = true;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(fake_map.range[fake_map.count - 1].kind, MEMMAP_DATA);
	static_pool = false;
	/* The pool overlaps the device tree. */
	s.pool_base = RAM_BASE + 0x1000;
	assert_int_equal(load(&s), FW_EOVERLAP);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s.pool_base = bad[i][0];
		s.pool_size = bad[i][1];
		s.pool_reg = true;
		assert_true(load(&s) != FW_OK);
	}
	s = good;
	s.pool_size = 0x20000000;
	assert_int_equal(load(&s), FW_EFDT_SWIOTLB);
}

static void payloads(void **state)
{
	static const u64 bad[][2] = {
		{ 0x7ffff000, 0x2000 }, { 0x80200800, 0x1000 },
		{ 0x8fff0000, 0x10001 }, { 0x90000000, 1 }, { 0x7fe00000, 0x1000 },
		{ 0x80200000, 0 },
	};
	struct spec s = good;
	size_t i;

	(void)state;
	s.kernel[0] = 0x80200000;
	s.kernel[1] = 0x123457;
	s.initrd[0] = 0x80400000;
	s.initrd[1] = 0x123;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(plat.kernel.base, 0x80200000);
	assert_int_equal(plat.kernel.size, 0x123457);
	assert_int_equal(plat.initrd.base, 0x80400000);
	assert_int_equal(plat.initrd.size, 0x123);
	assert_int_equal(fake_map.range[fake_map.count - 2].kind, MEMMAP_RODATA);
	/* Both images use the same page, although they have no byte in common. */
	s.initrd[0] = 0x80323000;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line, "error: initrd and kernel: ranges overlap");
	/* The initrd overlaps the device tree. */
	s.initrd[0] = RAM_BASE + FDT_MAX_SIZE - 0x1000;
	assert_int_equal(load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line, "error: initrd and device tree: ranges overlap");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s = good;
		s.kernel[0] = bad[i][0];
		s.kernel[1] = bad[i][1];
		assert_int_equal(load(&s), FW_EFDT_KERNEL);
		s = good;
		s.initrd[0] = bad[i][0];
		s.initrd[1] = bad[i][1];
		assert_int_equal(load(&s), FW_EFDT_INITRD);
	}
	/* An end before the start. */
	s = good;
	s.initrd[0] = 0x80400000;
	s.initrd[1] = (u64)-1;
	assert_int_equal(load(&s), FW_EFDT_INITRD);
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
		cmocka_unit_test(psci),
		cmocka_unit_test(memory),
		cmocka_unit_test(memory_ranges),
		cmocka_unit_test(too_much_memory),
		cmocka_unit_test(reserved),
		cmocka_unit_test(reserved_overlaps),
		cmocka_unit_test(reserved_in_use),
		cmocka_unit_test(too_many_reserved),
		cmocka_unit_test(uart),
		cmocka_unit_test(pci),
		cmocka_unit_test(second_window),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(swiotlb),
		cmocka_unit_test(payloads),
	};

	return cmocka_run_group_tests_name("pvmfw devtree", tests, NULL, fake_map_release);
}
