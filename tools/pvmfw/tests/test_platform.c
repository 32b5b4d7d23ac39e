// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: what a tree says of memory, reserved memory, devices and images is accepted only if it
 * is valid and does not overlap.
 */
#include <libfdt.h>

#include "devtree.h"
#include "fake_console.h"
#include "fake_map.h"
#include "fake_tree.h"

static void psci(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.psci_method = "smc";
	assert_int_equal(tree_load(&s), FW_EFDT_PSCI);
	s.psci_method = "hvcx";
	assert_int_equal(tree_load(&s), FW_EFDT_PSCI);
	s.psci_method = "";
	assert_int_equal(tree_load(&s), FW_EFDT_PSCI);
}

static void memory(void **state)
{
	static const u64 sizes[] = { 0, 0x1000, 0x1fffff, 0x200001, 0x10000800, 1ull << 39,
				     0x7f80001000, (u64)-0x1000, (u64)0 - RAM_BASE, UINT64_MAX };
	struct tree_spec s = tree_good;
	size_t i;

	(void)state;
	s.no_memory = true;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	s = tree_good;
	s.mem_base = 0x40000000;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	assert_non_null(strstr(fake_console_line, "starts at 0x40000000: "));
	s = tree_good;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		s.mem_size = sizes[i];
		assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	}
	s.mem_size = 0x7f80000000;
	assert_int_equal(tree_load(&s), FW_OK);
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
	struct tree_spec s;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s = tree_good;
		s.mem_base = cases[i].base;
		s.mem_size = cases[i].size;
		memcpy(s.more_memory, cases[i].more, sizeof(s.more_memory));
		s.more_cells = cases[i].cells;
		assert_int_equal(tree_load(&s), FW_OK);
		assert_int_equal(tree_plat.ram_size, cases[i].ram_size);
		assert_int_equal(fake_map.ram_size, cases[i].ram_size);
	}
	assert_string_equal(fake_console_line, "memory at 0x82000000 is not used");
	/* Each range must be valid, and one must start at RAM_BASE. */
	s.more_memory[0] = 0x40000000;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	s.more_memory[0] = 0x82000800;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	s.more_cells = 3;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	s.more_cells = 0;
	s.mem_base = 0x7fc00000;
	s.mem_size = 0x400000;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	s.mem_base = 0x81000000;
	assert_int_equal(tree_load(&s), FW_EFDT_MEMORY);
	assert_non_null(strstr(fake_console_line, "memory of 0x0 bytes"));
}

static void too_much_memory(void **state)
{
	u64 reg[34];
	char *fdt = calloc(1, TREE_MAX);
	size_t i;

	(void)state;
	assert_non_null(fdt);
	for (i = 0; i < ARRAY_SIZE(reg); i += 2) {
		reg[i] = RAM_BASE + i * 0x1000000;
		reg[i + 1] = 0x1000000;
	}
	fdt_create(fdt, TREE_MAX);
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
		tree_add_memory(fdt, name, reg[i], reg[i + 1]);
	}
	fdt_end_node(fdt);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_int_equal(devtree_check(fdt, TREE_MAX), FW_OK);
	assert_int_equal(platform_parse(fdt, &tree_plat), FW_ETOOMANY);
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
	struct tree_spec s;
	size_t i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (j = 0; j < 2; j++) {
			s = tree_good;
			if (j) {
				s.reserved_cells = 2;
				s.reserved[0] = ranges[i][0];
				s.reserved[1] = ranges[i][1];
				s.no_map = true;
			} else {
				s.rsv_base = ranges[i][0];
				s.rsv_size = ranges[i][1];
			}
			assert_int_equal(tree_load(&s), FW_OK);
			assert_int_equal(tree_plat.reserved_count, ranges[i][3] ? 1 : 0);
			assert_int_equal(platform_is_reserved(&tree_plat, 0x80000000, 0x10000000),
					 tree_plat.reserved_count);
			if (!tree_plat.reserved_count)
				continue;
			assert_int_equal(tree_plat.reserved[0].base, ranges[i][2]);
			assert_int_equal(tree_plat.reserved[0].size, ranges[i][3]);
			assert_int_equal(tree_plat.reserved[0].no_map, j);
		}
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s = tree_good;
		s.rsv_base = bad[i][0];
		s.rsv_size = bad[i][1];
		assert_int_equal(tree_load(&s), FW_EFDT_RESERVED);
		s = tree_good;
		s.reserved_cells = 2;
		s.reserved[0] = bad[i][0];
		s.reserved[1] = bad[i][1];
		assert_int_equal(tree_load(&s), FW_EFDT_RESERVED);
	}
	/* A reg with half an entry. */
	s = tree_good;
	s.reserved_cells = 3;
	s.reserved[0] = 0x81000000;
	assert_int_equal(tree_load(&s), FW_EFDT_STRUCT);
}

/* Overlapping reserved ranges are merged; the result is no-map if one of them is. */
static void reserved_overlaps(void **state)
{
	struct tree_spec s = tree_good;

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
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.reserved_count, 2);
	assert_int_equal(tree_plat.reserved[0].base, 0x81000000);
	assert_int_equal(tree_plat.reserved[0].size, 0x6000);
	assert_true(tree_plat.reserved[0].no_map);
	assert_true(platform_is_reserved(&tree_plat, 0x81006fff, 1));
	assert_false(platform_is_reserved(&tree_plat, 0x81007000, 0x1000));
}

/* Kernel, initrd and DMA pool must not lie in reserved memory. */
static void reserved_in_use(void **state)
{
	struct tree_spec s = tree_good;

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
	assert_int_equal(tree_load(&s), FW_OK);
	/* The DMA pool is not among the reserved ranges. */
	assert_int_equal(tree_plat.reserved_count, 1);
	s.rsv_base = 0x802fffff;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "kernel and reserved memory"));
	s.rsv_base = 0x80400122;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "initrd and reserved memory"));
	s.rsv_base = 0x8f1fffff;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_non_null(strstr(fake_console_line, "DMA pool and reserved memory"));
}

static void too_many_reserved(void **state)
{
	char *fdt = calloc(1, TREE_MAX);
	u64 count, i;

	(void)state;
	assert_non_null(fdt);
	for (count = PLATFORM_MAX_RESERVED; count < PLATFORM_MAX_RESERVED + 2; count++) {
		fdt_create(fdt, TREE_MAX);
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
		tree_add_memory(fdt, "memory", RAM_BASE, 0x1000000);
		fdt_end_node(fdt);
		assert_int_equal(fdt_finish(fdt), 0);
		/* The tree has no UART, which is the error if all ranges fit. */
		assert_int_equal(platform_parse(fdt, &tree_plat), count > PLATFORM_MAX_RESERVED ?
				 FW_ETOOMANY : FW_EFDT_UART);
	}
	free(fdt);
}

static void uart(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.uart_base = 0x9000000;
	s.no_stdout = true;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.uart_base, 0x9000000);
	s = tree_good;
	s.stdout_path = "/nowhere";
	assert_int_equal(tree_load(&s), FW_OK);
	s.stdout_path = "/pci";
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.uart_base, 0x3f8);
	s = tree_good;
	s.no_uart = true;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	s = tree_good;
	s.uart_on_bus = true;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	s = tree_good;
	s.uart_size = 4;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	s = tree_good;
	s.reg_shift = 2;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	s = tree_good;
	s.uart_base = 1ull << 39;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	s.uart_base = (u64)-4;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	/* The registers must lie in one page, that of the default UART or another one. */
	s.uart_base = PAGE_SIZE - UART_SIZE;
	assert_int_equal(tree_load(&s), FW_OK);
	s.uart_base++;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
	assert_non_null(strstr(fake_console_line, "registers at 0xff9 leave their page: "));
	s.uart_base = 0x9000fff;
	assert_int_equal(tree_load(&s), FW_EFDT_UART);
}

static void pci(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.ecam_size = 0xff000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	/* CAM needs only 64 KiB for a bus. */
	s.cam = true;
	s.ecam_size = 0xf000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s.ecam_size = 0x10000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.config_size, 0x10000);
	assert_int_equal(tree_plat.config_shift, PCI_CAM_SHIFT);
	s = tree_good;
	s.ecam_base = 0x10800;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s = tree_good;
	s.ecam_base = (u64)-0x1000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s = tree_good;
	s.bus_first = 1;
	s.bus_last = 1;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	/* Configuration space has all buses. */
	s = tree_good;
	s.cam = true;
	s.bus_last = 8;
	s.ecam_size = 0x90000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.config_size, 0x90000);
	assert_int_equal(tree_plat.last_bus, 8);
	s.bus_last = 9;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s.bus_last = 256;
	s.ecam_size = 0x1100000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	assert_non_null(strstr(fake_console_line, "bus-range ends at 256"));
	s.bus_last = 0xffffffff;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	/* A window below RAM may have either space code for memory, but not be prefetchable. */
	s = tree_good;
	s.window_space = 0x03000000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.window_base, 0x2000000);
	s.window_space = 0x01000000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s.window_space = 0x42000000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s = tree_good;
	s.window_bus = 0;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s = tree_good;
	s.window_size = 0;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s.window_size = 0xff000000;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s = tree_good;
	s.window_size = 0x1800;
	assert_int_equal(tree_load(&s), FW_EALIGN);
	s = tree_good;
	s.ranges_len = 13;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
	s.ranges_len = 7;
	assert_int_equal(tree_load(&s), FW_EFDT_PCI);
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
	struct tree_spec s = tree_good;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s.high_space = cases[i].space;
		s.high_bus = cases[i].bus;
		s.high_base = cases[i].base;
		s.high_size = cases[i].size;
		assert_int_equal(tree_load(&s), FW_OK);
		assert_int_equal(tree_plat.window_base, 0x2000000);
		if (!cases[i].kept) {
			assert_int_equal(tree_plat.high_size, 0);
			continue;
		}
		assert_int_equal(tree_plat.high_base, cases[i].base);
		assert_int_equal(tree_plat.high_size, cases[i].size);
		assert_int_equal(tree_plat.high_prefetch, cases[i].space >> 30);
	}
}

static void overlaps(void **state)
{
	struct tree_spec s = tree_good;

	(void)state;
	s.uart_base = FW_SCRATCH_BASE + 0x3f8;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line,
			    "error: UART and firmware scratch: ranges overlap");
	s = tree_good;
	s.uart_base = RAM_BASE;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	s = tree_good;
	s.ecam_base = 0;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	s = tree_good;
	s.ecam_base = FW_IMAGE_BASE - 0x1000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	s = tree_good;
	s.window_bus = 0x100000;
	s.window_base = 0x100000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	s.window_bus = 0x70000000;
	s.window_base = 0x70000000;
	s.window_size = 0x10000000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
}

static void swiotlb(void **state)
{
	static const u64 bad[][2] = {
		{ 0x81000000, 0 }, { 0x81000800, 0x1000 }, { 0x81000000, 0x1800 },
		{ 0x90000000, 0x1000 }, { 0x1000, 0x1000 },
	};
	struct tree_spec s = tree_good;
	size_t i;

	(void)state;
	s.pool_size = 0x1000000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.swiotlb.base, 0);
	assert_int_equal(tree_plat.swiotlb.size, 0x1000000);
	s.pool_base = 0x81000000;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.swiotlb.base, 0x81000000);
	assert_int_equal(fake_map.range[fake_map.count - 1].kind, MEMMAP_UNMAPPED);
	tree_static_pool = true;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(fake_map.range[fake_map.count - 1].kind, MEMMAP_DATA);
	tree_static_pool = false;
	/* The pool overlaps the device tree. */
	s.pool_base = RAM_BASE + 0x1000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s.pool_base = bad[i][0];
		s.pool_size = bad[i][1];
		s.pool_reg = true;
		assert_true(tree_load(&s) != FW_OK);
	}
	s = tree_good;
	s.pool_size = 0x20000000;
	assert_int_equal(tree_load(&s), FW_EFDT_SWIOTLB);
}

static void payloads(void **state)
{
	static const u64 bad[][2] = {
		{ 0x7ffff000, 0x2000 }, { 0x80200800, 0x1000 },
		{ 0x8fff0000, 0x10001 }, { 0x90000000, 1 }, { 0x7fe00000, 0x1000 },
		{ 0x80200000, 0 },
	};
	struct tree_spec s = tree_good;
	size_t i;

	(void)state;
	s.kernel[0] = 0x80200000;
	s.kernel[1] = 0x123457;
	s.initrd[0] = 0x80400000;
	s.initrd[1] = 0x123;
	assert_int_equal(tree_load(&s), FW_OK);
	assert_int_equal(tree_plat.kernel.base, 0x80200000);
	assert_int_equal(tree_plat.kernel.size, 0x123457);
	assert_int_equal(tree_plat.initrd.base, 0x80400000);
	assert_int_equal(tree_plat.initrd.size, 0x123);
	assert_int_equal(fake_map.range[fake_map.count - 2].kind, MEMMAP_RODATA);
	/* Both images use the same page, although they have no byte in common. */
	s.initrd[0] = 0x80323000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line, "error: initrd and kernel: ranges overlap");
	/* The initrd overlaps the device tree. */
	s.initrd[0] = RAM_BASE + FDT_MAX_SIZE - 0x1000;
	assert_int_equal(tree_load(&s), FW_EOVERLAP);
	assert_string_equal(fake_console_line, "error: initrd and device tree: ranges overlap");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		s = tree_good;
		s.kernel[0] = bad[i][0];
		s.kernel[1] = bad[i][1];
		assert_int_equal(tree_load(&s), FW_EFDT_KERNEL);
		s = tree_good;
		s.initrd[0] = bad[i][0];
		s.initrd[1] = bad[i][1];
		assert_int_equal(tree_load(&s), FW_EFDT_INITRD);
	}
	/* An end before the start. */
	s = tree_good;
	s.initrd[0] = 0x80400000;
	s.initrd[1] = (u64)-1;
	assert_int_equal(tree_load(&s), FW_EFDT_INITRD);
}

int main(void)
{
	const struct cmocka_test tests[] = {
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

	return cmocka_run_group_tests_name("pvmfw platform", tests, NULL, fake_map_release);
}
