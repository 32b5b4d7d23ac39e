// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: every address and interrupt in the device tree is one that the VMM uses. The tests read
 * the tree by libfdt.
 */
#include "test.h"

#include <errno.h>

#include <libfdt.h>

#include "devtree.h"

#define BUFFER_SIZE	0x10000

static const struct devtree_config plain = {
	.memory_base = RAM_BASE,
	.memory_size = 0x10000000,
	.nr_vcpus = 3,
	.pci_slots = 1 << 1,
};

static void *build(const struct devtree_config *config)
{
	void *fdt = malloc(BUFFER_SIZE);
	int size;

	assert_non_null(fdt);
	size = devtree_build(config, fdt, BUFFER_SIZE);
	assert_true(size > 0);
	assert_int_equal(fdt_totalsize(fdt), size);
	assert_int_equal(fdt_check_header(fdt), 0);
	return fdt;
}

static int node(const void *fdt, const char *path)
{
	int offset = fdt_path_offset(fdt, path);

	if (offset < 0)
		fail_msg("%s: %s", path, fdt_strerror(offset));
	return offset;
}

/* Check that a property has these @count cells. */
static void assert_cells(const void *fdt, const char *path, const char *name,
			 const uint32_t *cells, unsigned int count)
{
	const fdt32_t *value;
	unsigned int i;
	int length;

	value = fdt_getprop(fdt, node(fdt, path), name, &length);
	assert_non_null(value);
	assert_int_equal(length, count * 4);
	for (i = 0; i < count; i++)
		assert_int_equal(fdt32_to_cpu(value[i]), cells[i]);
}

#define ASSERT_CELLS(fdt, path, name, ...) do {					\
	static const uint32_t cells[] = { __VA_ARGS__ };			\
										\
	assert_cells(fdt, path, name, cells, sizeof(cells) / sizeof(*cells));	\
} while (0)

static const char *string(const void *fdt, const char *path, const char *name)
{
	const char *value = fdt_getprop(fdt, node(fdt, path), name, NULL);

	assert_non_null(value);
	return value;
}

static void test_machine(void **state)
{
	void *fdt = build(&plain);
	int uart;

	(void)state;
	ASSERT_CELLS(fdt, "/", "#address-cells", 2);
	ASSERT_CELLS(fdt, "/memory", "reg", 0, RAM_BASE, 0, 0x10000000);
	assert_string_equal(string(fdt, "/psci", "method"), "hvc");
	assert_string_equal(string(fdt, "/psci", "compatible"), "arm,psci-1.0");

	uart = node(fdt, string(fdt, "/chosen", "stdout-path"));
	assert_int_equal(fdt_node_check_compatible(fdt, uart, "ns16550a"), 0);
	ASSERT_CELLS(fdt, "/U6_16550A@3f8", "reg", 0, UART_BASE, 0, UART_SIZE);
	ASSERT_CELLS(fdt, "/U6_16550A@3f8", "interrupts", 0, UART_SPI, 4);
	ASSERT_CELLS(fdt, "/timer", "interrupts", 1, 13, 4, 1, 14, 4, 1, 11, 4, 1, 10, 4);
	free(fdt);
}

static void test_cpus_and_gic(void **state)
{
	void *fdt = build(&plain);

	(void)state;
	ASSERT_CELLS(fdt, "/cpus/cpu@0", "reg", 0);
	ASSERT_CELLS(fdt, "/cpus/cpu@2", "reg", 2);
	assert_string_equal(string(fdt, "/cpus/cpu@2", "enable-method"), "psci");
	assert_int_equal(fdt_path_offset(fdt, "/cpus/cpu@3"), -FDT_ERR_NOTFOUND);
	ASSERT_CELLS(fdt, "/intc", "reg", 0, GIC_DIST_BASE, 0, GIC_DIST_SIZE,
		     0, GIC_DIST_BASE - 3 * GIC_REDIST_SIZE, 0, 3 * GIC_REDIST_SIZE);
	ASSERT_CELLS(fdt, "/", "interrupt-parent", 1);
	ASSERT_CELLS(fdt, "/intc", "phandle", 1);
	ASSERT_CELLS(fdt, "/intc", "#address-cells", 2);
	free(fdt);
}

static void test_pci(void **state)
{
	void *fdt = build(&plain);

	(void)state;
	assert_string_equal(string(fdt, "/pci", "compatible"), "pci-host-cam-generic");
	ASSERT_CELLS(fdt, "/pci", "reg", 0, PCI_CAM_BASE, 0, PCI_CAM_SIZE);
	ASSERT_CELLS(fdt, "/pci", "bus-range", 0, 0);
	ASSERT_CELLS(fdt, "/pci", "ranges", 0x02000000, 0, PCI_MMIO_BASE, 0,
		     PCI_MMIO_BASE, 0, PCI_MMIO_SIZE,
		     0x43000000, 0, 0x90000000, 0, 0x90000000, 1, 0);
	ASSERT_CELLS(fdt, "/pci", "interrupt-map-mask", 0xf800, 0, 0, 7);
	ASSERT_CELLS(fdt, "/pci", "interrupt-map", 1 << 11, 0, 0, 1, 1, 0, 0, 0,
		     PCI_SPI_BASE + 1, 4);
	free(fdt);
}

/* One memory range covers the firmware's region and RAM. */
static void test_firmware_region(void **state)
{
	struct devtree_config config = plain;
	void *fdt;

	(void)state;
	config.memory_base = FIRMWARE_BASE;
	config.memory_size += RAM_BASE - FIRMWARE_BASE;
	fdt = build(&config);
	ASSERT_CELLS(fdt, "/memory", "reg", 0, FIRMWARE_BASE, 0, 0x10400000);
	ASSERT_CELLS(fdt, "/pci", "ranges", 0x02000000, 0, PCI_MMIO_BASE, 0,
		     PCI_MMIO_BASE, 0, PCI_MMIO_SIZE,
		     0x43000000, 0, 0x90000000, 0, 0x90000000, 1, 0);
	free(fdt);
}

/* There is no high PCI window if memory is so large that none fits above it. */
static void test_no_high_window(void **state)
{
	struct devtree_config config = plain;
	void *fdt;
	int length;

	(void)state;
	config.memory_size = PCI_HIGH_END - PCI_HIGH_SIZE - RAM_BASE;
	fdt = build(&config);
	assert_non_null(fdt_getprop(fdt, node(fdt, "/pci"), "ranges", &length));
	assert_int_equal(length, 2 * 7 * 4);
	free(fdt);
	config.memory_size += 0x100000;
	fdt = build(&config);
	assert_non_null(fdt_getprop(fdt, node(fdt, "/pci"), "ranges", &length));
	assert_int_equal(length, 7 * 4);
	free(fdt);
}

/* Without a device the interrupt map is present but empty. */
static void test_empty_bus(void **state)
{
	struct devtree_config config = plain;
	void *fdt;
	int length;

	(void)state;
	config.pci_slots = 0;
	config.last_bus = 8;
	fdt = build(&config);
	ASSERT_CELLS(fdt, "/pci", "bus-range", 0, 8);
	assert_non_null(fdt_getprop(fdt, node(fdt, "/pci"), "interrupt-map", &length));
	assert_int_equal(length, 0);
	free(fdt);
}

/*
 * The PCI node refers to the DMA pool, which restricts devices to it. The pool has no address
 * unless the configuration has one.
 */
static void test_dma_pool(void **state)
{
	static const char pool[] = "/reserved-memory/restricted_dma_reserved";
	struct devtree_config config = plain;
	void *fdt;
	int length;

	(void)state;
	config.dma_pool_size = 0x1800000;
	fdt = build(&config);
	assert_string_equal(string(fdt, pool, "compatible"), "restricted-dma-pool");
	ASSERT_CELLS(fdt, pool, "size", 0, 0x1800000);
	ASSERT_CELLS(fdt, pool, "alignment", 0, 0x200000);
	ASSERT_CELLS(fdt, pool, "phandle", 2);
	assert_null(fdt_getprop(fdt, node(fdt, pool), "reg", NULL));
	ASSERT_CELLS(fdt, "/reserved-memory", "#address-cells", 2);
	ASSERT_CELLS(fdt, "/reserved-memory", "#size-cells", 2);
	assert_non_null(fdt_getprop(fdt, node(fdt, "/reserved-memory"), "ranges", &length));
	assert_int_equal(length, 0);
	ASSERT_CELLS(fdt, "/pci", "memory-region", 2);
	free(fdt);

	config.dma_pool_address = 0x86000000;
	fdt = build(&config);
	ASSERT_CELLS(fdt, pool, "reg", 0, 0x86000000, 0, 0x1800000);
	assert_null(fdt_getprop(fdt, node(fdt, pool), "size", NULL));
	free(fdt);
}

/* Without a pool nothing refers to one, so devices may use all memory. */
static void test_no_dma_pool(void **state)
{
	void *fdt = build(&plain);

	(void)state;
	assert_int_equal(fdt_path_offset(fdt, "/reserved-memory"), -FDT_ERR_NOTFOUND);
	assert_null(fdt_getprop(fdt, node(fdt, "/pci"), "memory-region", NULL));
	free(fdt);
}

/* The tree has no properties for images that were not given, as firmware relies on that. */
static void test_no_boot_images(void **state)
{
	void *fdt = build(&plain);
	int chosen = node(fdt, "/chosen");

	(void)state;
	assert_int_equal(fdt_path_offset(fdt, "/config"), -FDT_ERR_NOTFOUND);
	assert_null(fdt_getprop(fdt, chosen, "bootargs", NULL));
	assert_null(fdt_getprop(fdt, chosen, "linux,initrd-start", NULL));
	assert_null(fdt_getprop(fdt, chosen, "rng-seed", NULL));
	assert_null(fdt_getprop(fdt, chosen, "kaslr-seed", NULL));
	free(fdt);
}

static void test_boot_images(void **state)
{
	struct devtree_config config = plain;
	void *fdt;
	int length;

	(void)state;
	config.cmdline = "console=ttyS0";
	config.kernel_address = 0x80200000;
	config.kernel_size = 0x12345;
	config.initrd_address = 0x180000000;
	config.initrd_size = 0x1000;
	config.has_seed = true;
	config.seed[31] = 0x77;
	config.kaslr_seed = 0x1122334455667788;
	fdt = build(&config);
	assert_string_equal(string(fdt, "/chosen", "bootargs"), "console=ttyS0");
	ASSERT_CELLS(fdt, "/config", "kernel-address", 0x80200000);
	ASSERT_CELLS(fdt, "/config", "kernel-size", 0x12345);
	ASSERT_CELLS(fdt, "/chosen", "linux,initrd-start", 1, 0x80000000);
	ASSERT_CELLS(fdt, "/chosen", "linux,initrd-end", 1, 0x80001000);
	ASSERT_CELLS(fdt, "/chosen", "kaslr-seed", 0x11223344, 0x55667788);
	assert_int_equal(string(fdt, "/chosen", "rng-seed")[31], 0x77);
	fdt_getprop(fdt, node(fdt, "/chosen"), "rng-seed", &length);
	assert_int_equal(length, DEVTREE_SEED_SIZE);
	free(fdt);
}

/* A tree that does not fit is an error, and no byte beyond the buffer is written. */
static void test_no_room(void **state)
{
	struct devtree_config config = plain;
	int size, full;
	void *fdt;

	(void)state;
	config.nr_vcpus = MAX_VCPUS;
	config.pci_slots = 0xffffffff;
	config.dma_pool_size = 0x1000000;
	fdt = build(&config);
	full = fdt_totalsize(fdt);
	free(fdt);
	for (size = 0; size < full; size += 4) {
		/* ASan finds writes beyond the buffer. */
		fdt = malloc(size);
		assert_int_equal(devtree_build(&config, fdt, size), -ENOSPC);
		free(fdt);
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_cpus_and_gic),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_firmware_region),
		cmocka_unit_test(test_no_high_window),
		cmocka_unit_test(test_empty_bus),
		cmocka_unit_test(test_dma_pool),
		cmocka_unit_test(test_no_dma_pool),
		cmocka_unit_test(test_no_boot_images),
		cmocka_unit_test(test_boot_images),
		cmocka_unit_test(test_no_room),
	};

	return cmocka_run_group_tests_name("devtree", tests, NULL, NULL);
}
