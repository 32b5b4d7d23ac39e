// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: a tree in the shape that crosvm gives it is taken whole, and the kernel is
 * told what it says; it says nothing that was not checked.
 *
 * The tree is the seed of the fuzzer, which the makefile has compiled.
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

/* Take everything from a tree that the firmware takes. */
static enum fw_status load(const void *fdt, size_t size)
{
	enum fw_status status;

	fake_map_reset();
	status = devtree_check(fdt, size);
	if (status == FW_OK)
		status = platform_parse(fdt, &plat);
	if (status == FW_OK)
		status = platform_memmap(&plat, false, &fake_map);
	return status == FW_OK ? guest_parse(fdt, &plat, &config, &fake_map, &guest) : status;
}

static void taken(void **state)
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

/* The kernel gets the same kind of PCI host, with bus 0 of it, and the same edges. */
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
	/* It can be read as the host's was, but for the kernel, which runs. */
	assert_int_equal(load(tree, sizeof(tree)), FW_OK);
	assert_int_equal(plat.config_shift, PCI_CAM_SHIFT);
	assert_int_equal(plat.kernel.size, 0);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(taken),
		cmocka_unit_test(kernel_gets_same_pci_host),
	};

	return cmocka_run_group_tests_name("pvmfw crosvm", tests, NULL, fake_map_release);
}
