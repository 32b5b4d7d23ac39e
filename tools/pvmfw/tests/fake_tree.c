// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device trees as a host could pass them. See fake_tree.h.
 */
#include <libfdt.h>

#include "devtree.h"
#include "fake_console.h"
#include "fake_map.h"
#include "fake_tree.h"

const struct tree_spec tree_good = {
	.psci_method = "hvc",
	.mem_base = RAM_BASE, .mem_size = 0x10000000,
	.uart_base = 0x3f8, .uart_size = 8,
	.ecam_base = 0x10000, .ecam_size = 0x1000000,
	.window_space = 0x02000000, .high_space = 0x43000000,
	.high_bus = 0x100000000, .high_base = 0x100000000, .high_size = 0x100000000,
	.window_bus = 0x2000000, .window_base = 0x2000000, .window_size = 0x2000000,
	.stdout_path = "/uart:115200n8",
};

struct platform tree_plat;
bool tree_static_pool;

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

void tree_add_memory(void *fdt, const char *name, u64 base, u64 size)
{
	fdt_begin_node(fdt, name);
	fdt_property_string(fdt, "device_type", "memory");
	prop_u64s(fdt, "reg", (const u64[]){ base, size }, 2);
	fdt_end_node(fdt);
}

static void add_pci(void *fdt, const struct tree_spec *s)
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
	prop_u32s(fdt, "bus-range", (const u32[]){ s->bus_first, s->bus_last }, 2);
	prop_u32s(fdt, "ranges", ranges, s->ranges_len ? s->ranges_len : 14);
	fdt_end_node(fdt);
}

void *tree_build(const struct tree_spec *s)
{
	char *buf = calloc(1, TREE_MAX), *fdt;

	assert_non_null(buf);
	assert_int_equal(fdt_create(buf, TREE_MAX), 0);
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
		tree_add_memory(buf, "memory@80000000", s->mem_base, s->mem_size);
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

enum fw_status tree_load(const struct tree_spec *s)
{
	void *fdt = tree_build(s);
	enum fw_status status;

	fake_console_reset();
	fake_map_reset();
	status = devtree_check(fdt, fdt_totalsize(fdt));
	if (status == FW_OK)
		status = platform_parse(fdt, &tree_plat);
	if (status == FW_OK)
		status = platform_memmap(&tree_plat, tree_static_pool, &fake_map);
	free(fdt);
	return status;
}
