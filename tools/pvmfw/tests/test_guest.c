// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the kernel's tree says what was checked and nothing else of the host's tree; invalid
 * CPUs, interrupt controllers, interrupts and command lines are refused; the kernel's tree
 * passes the firmware's own checks.
 */
#include <libfdt.h>

#include "devtree.h"
#include "fake_console.h"
#include "fake_map.h"
#include "guest.h"
#include "testing.h"

#define TREE_SIZE	32768

/* What the host's tree says. A test changes a few fields of the copy that it makes of "good". */
struct spec {
	u64 cpu[GUEST_MAX_CPUS + 1];
	u32 cpu_count;
	const char *method;
	u64 dist[2], redist[2];
	u32 interrupt_cells;
	u32 uart_irq[3];
	u32 uart_clock;
	const u32 *gic_cells;
	u32 map[20];
	int map_cells;
	u32 mask[4];
	int mask_cells;
	const char *bootargs;
	int bootargs_len;
	bool no_gic;
};

static const struct spec good = {
	.cpu = { 0, 1, 0x100 }, .cpu_count = 3, .method = "psci",
	.dist = { 0x3fff0000, 0x10000 }, .redist = { 0x3ff90000, 0x60000 },
	.interrupt_cells = 3, .uart_irq = { 0, 0, 4 }, .uart_clock = 1843200,
	.map = { 0x800, 0, 0, 1, 7, 0, 5, 4, 0x1000, 0, 0, 1, 7, 0, 6, 4 }, .map_cells = 16,
	.mask = { 0xf800, 0, 0, 7 }, .mask_cells = 4,
	.bootargs = "console=ttyS0",
};

static const struct platform plat = {
	.ram_size = 0x10000000, .uart_base = 0x3f8, .has_pci = true,
	.config_base = 0x1000000, .config_size = 0x300000, .last_bus = 2,
	.config_shift = PCI_ECAM_SHIFT,
	.window_base = 0x2000000, .window_size = 0x2000000,
	.high_base = 0x90000000, .high_size = 0xff70000000, .high_prefetch = true,
	.reserved = { { 0x8e000000, 0x3000, true }, { 0x8f000000, 0x1000, false } },
	.reserved_count = 2,
	.swiotlb = { 0, 0x1000000, 0x200000 },
	.kernel = { 0x80200000, 0x1000 }, .initrd = { 0x81000000, 0x123 },
};

static struct fw_config config = { .host_cmdline = true };
static struct guest guest;
static u64 tree[GUEST_TREE_SIZE / 8];

static void cells(void *fdt, const char *name, const u32 *v, int n)
{
	fdt32_t out[32];
	int i;

	for (i = 0; i < n; i++)
		out[i] = cpu_to_fdt32(v[i]);
	assert_int_equal(fdt_property(fdt, name, out, n * 4), 0);
}

static void add_cpus(void *fdt, const struct spec *s)
{
	char name[16];
	u32 i;

	fdt_begin_node(fdt, "cpus");
	fdt_property_u32(fdt, "#address-cells", 1);
	fdt_property_u32(fdt, "#size-cells", 0);
	for (i = 0; i < s->cpu_count; i++) {
		snprintf(name, sizeof(name), "cpu@%x", i);
		fdt_begin_node(fdt, name);
		fdt_property_string(fdt, "device_type", "cpu");
		if (s->method)
			fdt_property_string(fdt, "enable-method", s->method);
		fdt_property_u64(fdt, "reg", s->cpu[i]);
		fdt_property_string(fdt, "secret", "of the host");
		fdt_end_node(fdt);
	}
	fdt_begin_node(fdt, "cpu-map");
	fdt_end_node(fdt);
	fdt_end_node(fdt);
}

static void add_gic(void *fdt, const struct spec *s)
{
	const u32 reg[] = { (u32)(s->dist[0] >> 32), (u32)s->dist[0], 0, (u32)s->dist[1],
			    (u32)(s->redist[0] >> 32), (u32)s->redist[0], 0, (u32)s->redist[1] };

	fdt_begin_node(fdt, "gic");
	fdt_property_string(fdt, "compatible", "arm,gic-v3");
	fdt_property_u32(fdt, "#interrupt-cells", s->interrupt_cells);
	fdt_property_u32(fdt, "phandle", 7);
	if (s->gic_cells)
		fdt_property_u32(fdt, "#address-cells", *s->gic_cells);
	cells(fdt, "reg", reg, 8);
	fdt_end_node(fdt);
}

static void add_devices(void *fdt, const struct spec *s)
{
	fdt_begin_node(fdt, "uart");
	fdt_property_string(fdt, "compatible", "ns16550a");
	cells(fdt, "reg", (const u32[]){ 0, 0x3f8, 0, 8 }, 4);
	cells(fdt, "interrupts", s->uart_irq, 3);
	fdt_property_u32(fdt, "clock-frequency", s->uart_clock);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "pci");
	fdt_property_string(fdt, "compatible", "pci-host-ecam-generic");
	if (s->map_cells)
		cells(fdt, "interrupt-map", s->map, s->map_cells);
	if (s->mask_cells)
		cells(fdt, "interrupt-map-mask", s->mask, s->mask_cells);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "backdoor");
	fdt_property_string(fdt, "compatible", "evil,device");
	fdt_end_node(fdt);
}

static enum fw_status load(const struct spec *s)
{
	char *fdt = calloc(1, TREE_SIZE);
	enum fw_status status;

	assert_non_null(fdt);
	assert_int_equal(fdt_create(fdt, TREE_SIZE), 0);
	fdt_finish_reservemap(fdt);
	fdt_begin_node(fdt, "");
	fdt_property_u32(fdt, "#address-cells", 2);
	fdt_property_u32(fdt, "#size-cells", 2);
	fdt_begin_node(fdt, "chosen");
	if (s->bootargs)
		fdt_property(fdt, "bootargs", s->bootargs,
			     s->bootargs_len ? s->bootargs_len : (int)strlen(s->bootargs) + 1);
	fdt_property_string(fdt, "rng-seed", "known to the host");
	fdt_end_node(fdt);
	add_cpus(fdt, s);
	if (!s->no_gic)
		add_gic(fdt, s);
	add_devices(fdt, s);
	fdt_end_node(fdt);
	assert_int_equal(fdt_finish(fdt), 0);
	assert_int_equal(devtree_check(fdt, TREE_SIZE), FW_OK);

	fake_map_reset();
	assert_int_equal(memmap_add(&fake_map, plat.config_base, plat.config_size, MEMMAP_DEVICE,
				    "ECAM", NULL), FW_OK);
	fake_console_reset();
	status = guest_parse(fdt, &plat, &config, &fake_map, &guest);
	free(fdt);
	return status;
}

static const void *prop(const char *path, const char *name, int *len)
{
	int node = fdt_path_offset(tree, path);

	assert_true(node >= 0);
	return fdt_getprop(tree, node, name, len);
}

static u32 cell(const char *path, const char *name, int i)
{
	const fdt32_t *value;
	int len;

	value = prop(path, name, &len);
	assert_non_null(value);
	assert_true(len > 4 * i);
	return fdt32_ld(value + i);
}

static void rewritten(void **state)
{
	struct platform again;
	int node, children = 0;

	(void)state;
	assert_int_equal(load(&good), FW_OK);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	assert_int_equal(devtree_check(tree, sizeof(tree)), FW_OK);
	/* The new tree describes the same platform. */
	assert_int_equal(platform_parse(tree, &again), FW_OK);
	assert_int_equal(again.ram_size, plat.ram_size);
	assert_int_equal(again.uart_base, plat.uart_base);
	assert_int_equal(again.config_base, plat.config_base);
	assert_int_equal(again.config_size, plat.config_size);
	assert_int_equal(again.last_bus, plat.last_bus);
	assert_int_equal(again.window_base, plat.window_base);
	assert_int_equal(again.window_size, plat.window_size);
	assert_int_equal(again.high_base, plat.high_base);
	assert_int_equal(again.high_size, plat.high_size);
	assert_int_equal(again.high_prefetch, plat.high_prefetch);
	assert_int_equal(again.reserved_count, plat.reserved_count);
	assert_memory_equal(again.reserved, plat.reserved, sizeof(plat.reserved));
	assert_int_equal(again.swiotlb.size, plat.swiotlb.size);
	assert_int_equal(again.swiotlb.align, plat.swiotlb.align);
	assert_int_equal(again.initrd.base, plat.initrd.base);
	assert_int_equal(again.initrd.size, plat.initrd.size);
	/* Except for the kernel to start, and nodes and properties that the kernel must not get. */
	assert_int_equal(again.kernel.size, 0);
	assert_int_equal(fdt_path_offset(tree, "/backdoor"), -FDT_ERR_NOTFOUND);
	assert_null(prop("/chosen", "rng-seed", NULL));
	assert_null(prop("/cpus/cpu@0", "secret", NULL));
	fdt_for_each_subnode(node, tree, 0)
		children++;
	assert_int_equal(children, 9);
	assert_string_equal(prop("/chosen", "bootargs", NULL), "console=ttyS0");
	assert_string_equal(prop("/cpus/cpu@100", "enable-method", NULL), "psci");
	assert_int_equal(cell("/cpus/cpu@100", "reg", 1), 0x100);
	assert_int_equal(cell("/intc@3fff0000", "reg", 1), 0x3fff0000);
	assert_int_equal(cell("/intc@3fff0000", "reg", 5), 0x3ff90000);
	assert_int_equal(cell("/intc@3fff0000", "reg", 7), 0x60000);
	assert_int_equal(cell("/uart@3f8", "clock-frequency", 0), 1843200);
	assert_int_equal(cell("/uart@3f8", "interrupts", 2), 4);
	assert_int_equal(cell("/pci@1000000", "interrupt-map", 4),
			 cell("/intc@3fff0000", "phandle", 0));
	assert_int_equal(cell("/pci@1000000", "interrupt-map", 6), 5);
	assert_int_equal(cell("/pci@1000000", "interrupt-map", 8), 0x1000);
	/* The kernel must use the DMA pool for PCI devices. */
	assert_int_equal(cell("/pci@1000000", "memory-region", 0),
			 cell("/reserved-memory/restricted_dma_reserved", "phandle", 0));
}

static void fixed_pool(void **state)
{
	struct platform p = plat;

	(void)state;
	p.swiotlb.base = 0x8e000000;
	p.has_pci = false;
	assert_int_equal(load(&good), FW_OK);
	assert_int_equal(guest_write(&guest, &p, tree, sizeof(tree)), FW_OK);
	assert_int_equal(cell("/reserved-memory/restricted_dma_reserved", "reg", 1), 0x8e000000);
	assert_int_equal(fdt_path_offset(tree, "/pci@1000000"), -FDT_ERR_NOTFOUND);
}

static void no_room(void **state)
{
	size_t size, needed;

	(void)state;
	assert_int_equal(load(&good), FW_OK);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	needed = fdt_totalsize(tree);
	for (size = 0; size < needed; size += 13) {
		u64 *small = malloc(size + 1);

		assert_non_null(small);
		assert_int_equal(guest_write(&guest, &plat, small, size), FW_ENOMEM);
		free(small);
	}
}

/* GUEST_TREE_SIZE is enough for the largest tree. */
static void largest(void **state)
{
	const u64 far = ((u64)1 << VA_BITS) - PAGE_SIZE;
	struct platform p = plat;
	u32 i;

	(void)state;
	memset(&guest, 0, sizeof(guest));
	guest.cpu_count = GUEST_MAX_CPUS;
	for (i = 0; i < GUEST_MAX_CPUS; i++)
		guest.cpu[i] = 0xff00ffff00ull | i;
	guest.irq_count = GUEST_MAX_IRQS;
	p.reserved_count = PLATFORM_MAX_RESERVED;
	for (i = 0; i < PLATFORM_MAX_RESERVED; i++)
		p.reserved[i] = (struct reserved){ far, PAGE_SIZE, true };
	guest.dist_base = far;
	memset(guest.cmdline, 'x', sizeof(guest.cmdline) - 1);
	p.uart_base = far;
	p.config_base = far;
	assert_int_equal(guest_write(&guest, &p, tree, sizeof(tree)), FW_OK);
	assert_true(fdt_totalsize(tree) > sizeof(tree) / 2);
}

static void bad_cpus(void **state)
{
	struct spec s = good;
	u32 i;

	(void)state;
	s.cpu_count = 0;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s = good;
	s.cpu[2] = 1;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s.cpu[2] = 1ull << 31;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s.cpu[2] = 1ull << 40;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s = good;
	s.method = "spin-table";
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s.cpu_count = 1;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	/* A lone CPU needs no method. */
	s.method = NULL;
	assert_int_equal(load(&s), FW_OK);
	s.cpu_count = 2;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
	s = good;
	for (i = 0; i < ARRAY_SIZE(s.cpu); i++)
		s.cpu[i] = i;
	s.redist[0] = 0x10000000;
	s.redist[1] = GUEST_MAX_CPUS * 0x20000;
	s.cpu_count = GUEST_MAX_CPUS;
	assert_int_equal(load(&s), FW_OK);
	s.cpu_count++;
	assert_int_equal(load(&s), FW_EFDT_CPUS);
}

static void bad_gic(void **state)
{
	struct spec s = good;

	(void)state;
	s.no_gic = true;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.dist[1] = 0x1000;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.dist[0] += 0x1000;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.redist[1] = 0x40000;		/* enough for two of three CPUs */
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.redist[0] = RAM_BASE;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.interrupt_cells = 4;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s = good;
	s.redist[0] = s.dist[0];
	assert_int_equal(load(&s), FW_EOVERLAP);
	s = good;
	s.dist[0] = plat.config_base;
	assert_int_equal(load(&s), FW_EOVERLAP);
}

static void bad_irqs(void **state)
{
	static const struct {
		int at;
		u32 value;
	} cases[] = {
		{ 0, 0x801 }, { 0, 0x8ff }, { 0, 0x10000 }, { 0, 0x1000 }, { 1, 1 }, { 2, 1 },
		{ 3, 0 }, { 3, 5 }, { 4, 8 }, { 5, 1 }, { 6, 988 }, { 7, 1 }, { 7, 8 },
	};
	struct spec s;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s = good;
		s.map[cases[i].at] = cases[i].value;
		assert_int_equal(load(&s), FW_EFDT_IRQ);
	}
	s = good;
	s.map_cells = 15;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s.map_cells = 0;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest.irq_count, 0);
	s = good;
	s.uart_irq[0] = 1;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s = good;
	s.uart_irq[2] = 2;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s = good;
	s.uart_irq[1] = 1019;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s = good;
	s.uart_clock = 0;
	assert_int_equal(load(&s), FW_EFDT_UART);
}

/* Each function may have its own interrupt, or all functions of a device the same. */
static void functions(void **state)
{
	struct spec s = good;

	(void)state;
	s.map[0] = 0xf00;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest.irq_mask, 0xf800);
	assert_int_equal(guest.irq[0].slot, 1);
	assert_int_equal(guest.irq[0].function, 7);
	/* Two functions of a device, with one pin. */
	s.map[8] = 0x900;
	s.mask[0] = 0xff00;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest.irq_mask, 0xff00);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	assert_int_equal(cell("/pci@1000000", "interrupt-map", 0), 0xf00);
	assert_int_equal(cell("/pci@1000000", "interrupt-map", 8), 0x900);
	assert_int_equal(cell("/pci@1000000", "interrupt-map-mask", 0), 0xff00);
	assert_int_equal(cell("/pci@1000000", "interrupt-map-mask", 3), 7);
	/* Without a mask, device and function are compared. */
	s.mask_cells = 0;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest.irq_mask, 0xff00);
	s.map[8] = 0xf00;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	/* Masks that do not compare the device, or the pin. */
	s = good;
	s.mask[0] = 0xf000;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s.mask[0] = 0;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s = good;
	s.mask[3] = 6;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s = good;
	s.mask_cells = 3;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	/* Without a map the mask is not read. */
	s.map_cells = 0;
	assert_int_equal(load(&s), FW_OK);
}

/* The length of an entry of interrupt-map depends on the GIC's #address-cells. */
static void address_cells(void **state)
{
	static const u32 none, one = 1, two = 2, three = 3;
	static const u32 wide[] = { 0x800, 0, 0, 1, 7, 0, 0, 0, 5, 4,
				   0x1000, 0, 0, 2, 7, 0, 0, 0, 6, 4 };
	struct spec s = good;

	(void)state;
	s.gic_cells = &none;
	assert_int_equal(load(&s), FW_OK);
	s.gic_cells = &one;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	s.gic_cells = &three;
	assert_int_equal(load(&s), FW_EFDT_GIC);
	s.gic_cells = &two;
	memcpy(s.map, wide, sizeof(wide));
	s.map_cells = 20;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest.irq_count, 2);
	assert_int_equal(guest.irq[1].slot, 2);
	assert_int_equal(guest.irq[1].pin, 2);
	assert_int_equal(guest.irq[1].spi, 6);
	s.map_cells = 18;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
	/* The GIC's address in an entry must be 0. */
	s.map_cells = 20;
	s.map[6] = 1;
	assert_int_equal(load(&s), FW_EFDT_IRQ);
}

/* The kernel's tree has the trigger of the UART's interrupt. */
static void edge_triggered_uart(void **state)
{
	struct spec s = good;

	(void)state;
	s.uart_irq[2] = 1;
	assert_int_equal(load(&s), FW_OK);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	assert_int_equal(cell("/uart@3f8", "interrupts", 2), 1);
}

/*
 * The host's command line is used only if the configuration allows it, and only if it is
 * printable and not too long.
 */
static void cmdlines(void **state)
{
	struct spec s = good;
	char *longest = calloc(1, CONFIG_MAX_CMDLINE + 1);

	(void)state;
	assert_non_null(longest);
	s.bootargs = NULL;
	assert_int_equal(load(&s), FW_OK);
	assert_string_equal(guest.cmdline, "");
	s.bootargs = "a\nb";
	assert_int_equal(load(&s), FW_EFDT_CMDLINE);
	s.bootargs = "a\x80";
	assert_int_equal(load(&s), FW_EFDT_CMDLINE);
	s.bootargs = "ab";
	s.bootargs_len = 2;
	assert_int_equal(load(&s), FW_EFDT_CMDLINE);
	s.bootargs = "a\0b";
	s.bootargs_len = 4;
	assert_int_equal(load(&s), FW_EFDT_CMDLINE);
	s.bootargs_len = 0;
	memset(longest, 'x', CONFIG_MAX_CMDLINE);
	s.bootargs = longest;
	assert_int_equal(load(&s), FW_EFDT_CMDLINE);
	longest[CONFIG_MAX_CMDLINE - 1] = '\0';
	assert_int_equal(load(&s), FW_OK);
	assert_string_equal(guest.cmdline, longest);
	config.host_cmdline = false;
	assert_int_equal(load(&s), FW_OK);
	assert_string_equal(guest.cmdline, "");
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	assert_null(prop("/chosen", "bootargs", NULL));
	s.bootargs = "a\nb";
	assert_int_equal(load(&s), FW_OK);
	assert_string_equal(guest.cmdline, "");
	config.cmdline = "ours";
	assert_int_equal(load(&s), FW_OK);
	assert_string_equal(guest.cmdline, "ours");
	config = (struct fw_config){ .host_cmdline = true };
	free(longest);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(rewritten),
		cmocka_unit_test(fixed_pool),
		cmocka_unit_test(no_room),
		cmocka_unit_test(largest),
		cmocka_unit_test(bad_cpus),
		cmocka_unit_test(bad_gic),
		cmocka_unit_test(bad_irqs),
		cmocka_unit_test(functions),
		cmocka_unit_test(address_cells),
		cmocka_unit_test(edge_triggered_uart),
		cmocka_unit_test(cmdlines),
	};

	return cmocka_run_group_tests_name("pvmfw guest", tests, NULL, fake_map_release);
}
