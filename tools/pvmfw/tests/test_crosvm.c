// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the firmware accepts every tree that crosvm makes, wherever in RAM it lies; the
 * kernel's tree says the same, without what was not checked; reserved memory stays reserved;
 * a tree that is not in RAM, or overlaps the kernel, is refused.
 *
 * crosvm_tree.h has the trees.
 */
#include <libfdt.h>

#include "crosvm_tree.h"
#include "devtree.h"
#include "fake_map.h"
#include "guest.h"
#include "testing.h"

static const struct fw_config config = { .host_cmdline = true };
static struct platform plat;
static struct guest guest;
static u64 tree[GUEST_TREE_SIZE / 8];

/* Read a tree as the firmware does. In the memory map it lies at @place. */
static enum fw_status load_at(u64 place, const void *fdt, size_t size)
{
	enum fw_status status;

	fake_map_reset_at(place, align_up(size, PAGE_SIZE));
	status = devtree_check(fdt, size);
	if (status == FW_OK)
		status = platform_parse(fdt, &plat);
	if (status == FW_OK)
		status = platform_memmap(&plat, false, &fake_map);
	return status == FW_OK ? guest_parse(fdt, &plat, &config, &fake_map, &guest) : status;
}

static enum fw_status load(const void *fdt, size_t size)
{
	return load_at(RAM_BASE, fdt, size);
}

static void tree_at_start_of_ram(void **state)
{
	(void)state;
	assert_int_equal(load(crosvm_tree, (size_t)(crosvm_tree_end - crosvm_tree)), FW_OK);
	assert_int_equal(plat.ram_size, 0x10000000);
	assert_int_equal(plat.uart_base, 0x3f8);
	assert_true(plat.has_pci);
	assert_int_equal(plat.config_base, 0x10000);
	assert_int_equal(plat.config_size, 0x10000);
	assert_int_equal(plat.config_shift, PCI_CAM_SHIFT);
	assert_int_equal(plat.window_base, 0x2000000);
	assert_int_equal(plat.window_size, 0x2000000);
	assert_int_equal(plat.swiotlb.base, 0);
	assert_int_equal(plat.swiotlb.size, 0x4000000);
	assert_int_equal(plat.kernel.base, 0x80200000);
	assert_int_equal(plat.kernel.size, 0x800000);
	assert_int_equal(plat.initrd.base, 0x84000000);
	assert_int_equal(plat.initrd.size, 0x100000);
	assert_int_equal(guest.cpu_count, 1);
	assert_int_equal(guest.dist_base, 0x3fff0000);
	assert_int_equal(guest.redist_base, 0x3ffd0000);
	assert_int_equal(guest.uart_spi, 0);
	assert_int_equal(guest.irq_count, 2);
	assert_int_equal(guest.irq[1].slot, 2);
	assert_int_equal(guest.irq[1].spi, 5);
	assert_string_equal(guest.cmdline, "panic=-1");
}

static const void *prop(const char *path, const char *name)
{
	return fdt_getprop(tree, fdt_path_offset(tree, path), name, NULL);
}

/* The kernel gets the same kind of PCI host with bus 0 only, and the same triggers. */
static void kernel_gets_same_pci_host(void **state)
{
	const fdt32_t *cell;

	(void)state;
	assert_int_equal(load(crosvm_tree, (size_t)(crosvm_tree_end - crosvm_tree)), FW_OK);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	assert_string_equal(prop("/pci@10000", "compatible"), "pci-host-cam-generic");
	cell = prop("/pci@10000", "reg");
	assert_int_equal(fdt32_ld(cell + 1), 0x10000);
	assert_int_equal(fdt32_ld(cell + 3), 0x10000);
	cell = prop("/pci@10000", "interrupt-map");
	assert_int_equal(fdt32_ld(cell + 6), 4);
	cell = prop("/uart@3f8", "interrupts");
	assert_int_equal(fdt32_ld(cell + 2), 1);
	assert_string_equal(prop("/cpus/cpu@0", "enable-method"), "psci");
	assert_null(prop("/chosen", "kaslr-seed"));
	assert_int_equal(fdt_path_offset(tree, "/rtc@2000"), -FDT_ERR_NOTFOUND);
	/* The firmware could read the new tree too; it names no kernel to start. */
	assert_int_equal(load(tree, sizeof(tree)), FW_OK);
	assert_int_equal(plat.config_shift, PCI_CAM_SHIFT);
	assert_int_equal(plat.kernel.size, 0);
}

/* RAM of 256 MiB, and the address of a tree at its end. */
#define RAM_SIZE	0x10000000ull
#define AT_THE_END	(RAM_BASE + RAM_SIZE - FDT_MAX_SIZE)

/* The kernel lies at the start of RAM, the tree anywhere behind it. */
static void firmware_and_ram_in_one_range(void **state)
{
	const size_t size = (size_t)(crosvm_joined_end - crosvm_joined);
	static const u64 places[] = { AT_THE_END, RAM_BASE + 0x1000000,
				      RAM_BASE + RAM_SIZE - 0x4000 };
	u32 i;

	(void)state;
	assert_true(size < 0x4000);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		assert_int_equal(load_at(places[i], crosvm_joined, size), FW_OK);
		assert_int_equal(plat.ram_size, RAM_SIZE);
	}
	assert_int_equal(load(crosvm_joined, size), FW_EOVERLAP);
	assert_int_equal(load_at(RAM_BASE + RAM_SIZE, crosvm_joined, size), FW_ERANGE);
	assert_int_equal(load_at(RAM_BASE + RAM_SIZE - 0x1000, crosvm_joined, 0x1001), FW_ERANGE);

	assert_int_equal(load_at(AT_THE_END, crosvm_joined, size), FW_OK);
	assert_int_equal(plat.kernel.base, RAM_BASE);
	assert_int_equal(plat.kernel.size, 0x800000);
	assert_int_equal(plat.window_base, 0x2000000);
	assert_int_equal(plat.high_base, 0x90000000);
	assert_int_equal(plat.high_size, 0xff70000000);
	assert_true(plat.high_prefetch);
	assert_int_equal(plat.reserved_count, 2);
	assert_int_equal(plat.reserved[0].base, 0x8e000000);
	assert_false(plat.reserved[0].no_map);
	assert_int_equal(plat.reserved[1].base, 0x8d000000);
	assert_int_equal(plat.reserved[1].size, 0x20000);
	assert_true(plat.reserved[1].no_map);
	assert_int_equal(guest.cpu_count, 2);
	assert_int_equal(guest.irq_mask, 0xf800);
	assert_int_equal(guest.irq_count, 3);
	assert_int_equal(guest.irq[1].slot, 1);
	assert_int_equal(guest.irq[1].function, 1);
	assert_int_equal(guest.irq[2].slot, 30);
	assert_int_equal(guest.irq[2].function, 7);
}

/* The kernel's tree has only the nodes and properties that the firmware writes. */
static void unknown_nodes_dropped(void **state)
{
	static const char *const known[] = {
		"chosen", "memory@80000000", "reserved-memory", "cpus", "psci", "timer",
		"intc@3fff0000", "uart@3f8", "pci@10000",
	};
	const size_t size = (size_t)(crosvm_joined_end - crosvm_joined);
	int node, count = 0;
	u32 i;

	(void)state;
	assert_int_equal(load_at(AT_THE_END, crosvm_joined, size), FW_OK);
	assert_int_equal(guest_write(&guest, &plat, tree, sizeof(tree)), FW_OK);
	fdt_for_each_subnode(node, tree, 0)
		count++;
	assert_int_equal(count, ARRAY_SIZE(known));
	for (i = 0; i < ARRAY_SIZE(known); i++)
		assert_true(fdt_subnode_offset(tree, 0, known[i]) >= 0);
	assert_null(prop("/chosen", "rng-seed"));
	assert_null(prop("/pci@10000", "msi-parent"));
	assert_null(prop("/cpus/cpu@0", "operating-points-v2"));
	assert_true(fdt_subnode_offset(tree, fdt_path_offset(tree, "/intc@3fff0000"), "msic") < 0);
	/* The DMA pool, and two reserved ranges without their "compatible". */
	count = 0;
	fdt_for_each_subnode(node, tree, fdt_path_offset(tree, "/reserved-memory"))
		count++;
	assert_int_equal(count, 3);
	assert_non_null(prop("/reserved-memory/reserved@8d000000", "no-map"));
	assert_null(prop("/reserved-memory/reserved@8d000000", "compatible"));
	assert_non_null(prop("/reserved-memory/reserved@8e000000", "reg"));
	assert_null(prop("/reserved-memory/reserved@8e000000", "no-map"));
}

static void firmware_and_ram_in_two_ranges(void **state)
{
	const size_t size = (size_t)(crosvm_apart_end - crosvm_apart);

	(void)state;
	assert_int_equal(load_at(AT_THE_END, crosvm_apart, size), FW_OK);
	assert_int_equal(plat.ram_size, RAM_SIZE);
	assert_int_equal(plat.kernel.base, RAM_BASE);
	assert_int_equal(plat.window_base, 0x2000000);
	assert_int_equal(plat.high_base, 0x90000000);
	assert_false(plat.high_prefetch);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(tree_at_start_of_ram),
		cmocka_unit_test(kernel_gets_same_pci_host),
		cmocka_unit_test(firmware_and_ram_in_one_range),
		cmocka_unit_test(unknown_nodes_dropped),
		cmocka_unit_test(firmware_and_ram_in_two_ranges),
	};

	return cmocka_run_group_tests_name("pvmfw crosvm", tests, NULL, fake_map_release);
}
