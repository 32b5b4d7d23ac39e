// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a BAR of the device in use lies in the window, is aligned and overlaps no other BAR;
 * a BAR without such an address gets one; no BAR changes while its function decodes addresses;
 * a function that is not used decodes nothing, and its BARs do not matter; whatever
 * configuration space holds, the scan ends and accesses only addresses that exist (fake_bus
 * fails the test otherwise).
 */
#include "fake_bus.h"
#include "pci.h"
#include "testing.h"

#define VENDOR	0x1af4
#define DEVICE	0x1042

static struct pci_host host;
static struct pci_dev dev;

static int setup(void **state)
{
	(void)state;
	fake_bus_reset();
	return 0;
}

static enum fw_status find(void)
{
	struct platform p = fake_bus_platform();

	pci_init(&host, &p);
	return pci_find(&host, VENDOR, DEVICE, &dev);
}

static void set_bar(struct fake_fn *fn, unsigned int bar, u32 size, u32 value)
{
	fn->bar_mask[bar] = ~(size - 1);
	fake_bus_set32(fn, PCI_BASE_ADDRESS_0 + 4 * bar, value);
}

static void empty_bus(void **state)
{
	(void)state;
	assert_int_equal(find(), FW_ENODISK);
}

static void finds_among_others(void **state)
{
	(void)state;
	fake_bus_add(0, 0, 0x1b36, 0x0008);
	fake_bus_add(3, 0, VENDOR, 0x1041);
	fake_bus_add(5, 0, DEVICE, VENDOR);
	fake_bus_add(31, 0, 0x8086, 1);
	fake_bus_add(31, 7, VENDOR, DEVICE);
	assert_int_equal(find(), FW_OK);
	assert_int_equal(dev.slot, 31);
	assert_int_equal(dev.function, 7);
}

/* CAM has less configuration space per function than ECAM. */
static void finds_by_cam(void **state)
{
	struct fake_fn *fn;

	(void)state;
	fake_bus_shift = PCI_CAM_SHIFT;
	fake_bus_add(0, 0, 0x8086, 0x1237);
	set_bar(fake_bus_add(1, 0, VENDOR, 0x1041), 2, 0x1000, FAKE_WINDOW);
	fake_bus_add(31, 0, 0x8086, 1);
	fn = fake_bus_add(31, 7, VENDOR, DEVICE);
	set_bar(fn, 0, 0x1000, 0);
	assert_int_equal(find(), FW_OK);
	assert_int_equal(dev.slot, 31);
	assert_int_equal(dev.function, 7);
	assert_int_equal(dev.config, FAKE_CONFIG + 0xff00);
	assert_int_equal(dev.bar[0].base, FAKE_WINDOW);
	assert_int_equal(fn->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* Function 3 exists only if function 0 has the multi-function bit. */
static void functions_of_single(void **state)
{
	(void)state;
	fake_bus_add(2, 0, 0x8086, 1);
	fake_bus_add(2, 3, VENDOR, DEVICE);
	fake_bus[2][0].config[PCI_HEADER_TYPE] = 0;
	assert_int_equal(find(), FW_ENODISK);
}

static void bridge_is_no_device(void **state)
{
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);

	(void)state;
	fn->config[PCI_HEADER_TYPE] = 1;
	assert_int_equal(find(), FW_ENODISK);
}

/* Check that the disk's BARs are in the window, do not overlap, and equal its registers. */
static void check_bars(const struct fake_fn *fn)
{
	unsigned int i, j;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		const struct pci_bar *bar = &dev.bar[i];

		if (!bar->size)
			continue;
		assert_true(bar->base && is_aligned(bar->base, bar->size));
		assert_true(range_inside(bar->base, bar->size, FAKE_WINDOW, FAKE_WINDOW_SIZE));
		assert_int_equal(fake_bus_get32(fn, PCI_BASE_ADDRESS_0 + 4 * i) & ~0xfu, bar->base);
		for (j = 0; j < i; j++)
			assert_false(dev.bar[j].size &&
				     range_overlaps(bar->base, bar->size, dev.bar[j].base,
						    dev.bar[j].size));
	}
	assert_int_equal(fn->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

static void assigns(void **state)
{
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, 0x1000, 0);
	set_bar(fn, 1, 0x10, 1);	/* I/O: not changed */
	set_bar(fn, 2, 0x20000, 4);	/* 64-bit */
	fn->bar_mask[3] = ~0u;
	set_bar(fn, 4, 0x4000, FAKE_WINDOW + 0x4000);
	set_bar(fn, 5, 0x10000, 0);
	assert_int_equal(find(), FW_OK);
	assert_int_equal(dev.bar[1].size, 0);
	assert_int_equal(dev.bar[3].size, 0);
	assert_int_equal(dev.bar[4].base, FAKE_WINDOW + 0x4000);
	assert_int_equal(dev.bar[2].size, 0x20000);
	check_bars(fn);
}

/* The BARs of other functions do not matter, wherever they are and whatever is wrong. */
static void other_bars_not_decoded(void **state)
{
	static const u32 bars[][2] = {
		{ 0x1000, FAKE_WINDOW },		/* same address as the disk's */
		{ 0x1000, FAKE_WINDOW - 0x1000 },
		{ 0x2000, FAKE_WINDOW + 0x1000 },	/* misaligned */
		{ 2 * FAKE_WINDOW_SIZE, FAKE_WINDOW },
		{ 0x1000, 0x7fe00000 },
		{ 0x80000000, 0x80000000 },
		{ 0x1000, FAKE_WINDOW + 2 },		/* type 1: reserved */
		{ 0x1000, FAKE_WINDOW + 6 },		/* type 3: reserved */
	};
	struct fake_fn *fn, *other, *bridge;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		fake_bus_reset();
		other = fake_bus_add(1, 0, 1, 2);
		bridge = fake_bus_add(1, 3, 1, 2);
		fn = fake_bus_add(9, 0, VENDOR, DEVICE);
		set_bar(other, 1, bars[i][0], bars[i][1]);
		/* A 64-bit BAR above 4 GiB; the function ignores writes. */
		set_bar(other, 2, 0x1000, 0xc);
		set_bar(other, 3, 1, 1);
		other->sticky = true;
		bridge->config[PCI_HEADER_TYPE] |= 1;
		other->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
					     PCI_COMMAND_MASTER;
		bridge->config[PCI_COMMAND] = PCI_COMMAND_MEMORY;
		set_bar(fn, 0, 0x1000, FAKE_WINDOW);
		assert_int_equal(find(), FW_OK);
		check_bars(fn);
		assert_int_equal(other->config[PCI_COMMAND], 0);
		assert_int_equal(bridge->config[PCI_COMMAND], 0);
		assert_int_equal(fake_bus_get32(other, PCI_BASE_ADDRESS_0 + 4), bars[i][1]);
	}
}

/* A BAR of the disk itself is moved if it cannot stay. */
static void bar_moved(void **state)
{
	static const u32 bars[][3] = {
		{ 0x1000, FAKE_WINDOW - 0x1000, 0 },
		{ 0x2000, FAKE_WINDOW + 0x1000, 0 },
		{ 0x1000, FAKE_WINDOW + FAKE_WINDOW_SIZE, 0 },
		{ 0x1000, 0x7fe00000, 0 },
		{ 0x1000, 0xfffff000, 0 },
		{ 0x1000, FAKE_WINDOW + 4, 1 },		/* above 4 GiB */
		{ 0x1000, FAKE_WINDOW + 0x8000, 0 },	/* overlaps BAR 2 */
	};
	struct fake_fn *fn;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bars); i++) {
		fake_bus_reset();
		fn = fake_bus_add(9, 0, VENDOR, DEVICE);
		set_bar(fn, 0, bars[i][0], bars[i][1]);
		if (bars[i][2]) {
			fn->bar_mask[1] = ~0u;
			fake_bus_set32(fn, PCI_BASE_ADDRESS_0 + 4, bars[i][2]);
		}
		set_bar(fn, 2, 0x8000, FAKE_WINDOW + 0x8000);
		assert_int_equal(find(), FW_OK);
		assert_int_equal(dev.bar[0].size, bars[i][0]);
		assert_int_equal(fake_bus_get32(fn, PCI_BASE_ADDRESS_0 + 4), 0);
		check_bars(fn);
	}
}

static void bad_bars(void **state)
{
	static const u32 types[] = { 2, 6 };
	struct fake_fn *fn;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		fake_bus_reset();
		set_bar(fake_bus_add(0, 0, VENDOR, DEVICE), 1, 0x1000, FAKE_WINDOW + types[i]);
		assert_int_equal(find(), FW_EPCI_BAR);
	}
	/* The last BAR cannot be 64-bit: its upper half would be behind the BARs. */
	fake_bus_reset();
	fn = fake_bus_add(0, 0, VENDOR, DEVICE);
	set_bar(fn, 5, 0x1000, 4);
	assert_int_equal(find(), FW_EPCI_BAR);
	/* The function does not decode after the error. */
	assert_int_equal(fn->config[PCI_COMMAND], 0);

	/* A size of 2^40 bytes, of 2^63, and of twice the window. */
	fake_bus_reset();
	fn = fake_bus_add(0, 0, VENDOR, DEVICE);
	fake_bus_set32(fn, PCI_BASE_ADDRESS_0, 4);
	fn->bar_mask[1] = 0xffffff00;
	assert_int_equal(find(), FW_EPCI_WINDOW);
	fn->bar_mask[1] = 0x80000000;
	assert_int_equal(find(), FW_EPCI_WINDOW);
	fake_bus_reset();
	fn = fake_bus_add(0, 0, VENDOR, DEVICE);
	set_bar(fn, 0, 2 * FAKE_WINDOW_SIZE, FAKE_WINDOW);
	assert_int_equal(find(), FW_EPCI_WINDOW);
}

static void odd_masks(void **state)
{
	struct fake_fn *fn = fake_bus_add(0, 0, VENDOR, DEVICE);

	(void)state;
	fn->bar_mask[0] = 0xfffd0000;
	assert_int_equal(find(), FW_EPCI_BAR);
	fn->bar_mask[0] = 0x0000f000;
	assert_int_equal(find(), FW_EPCI_BAR);
}

static void window_exhausted(void **state)
{
	struct fake_fn *fn = fake_bus_add(1, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, FAKE_WINDOW_SIZE / 2, 0);
	set_bar(fn, 1, FAKE_WINDOW_SIZE / 2, 0);
	set_bar(fn, 2, 0x1000, 0);
	assert_int_equal(find(), FW_EPCI_WINDOW);
}

/* The disk decodes addresses when the firmware starts. */
static void left_decoding(void **state)
{
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, 0x1000, FAKE_WINDOW);
	set_bar(fn, 2, 0x2000, 0);
	fn->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	assert_int_equal(find(), FW_OK);
	assert_int_equal(dev.bar[2].base, FAKE_WINDOW + 0x2000);
	check_bars(fn);
}

/* A BAR that ignores writes reads as if it had an invalid size. */
static void bar_ignores_writes(void **state)
{
	struct fake_fn *fn = fake_bus_add(1, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, 0x1000, FAKE_WINDOW + 0x3000);
	fn->sticky = true;
	assert_int_equal(find(), FW_EPCI_BAR);
}

/* A BAR that does not take its address is an error. */
static void bar_loses_address(void **state)
{
	struct fake_fn *fn;
	unsigned int half;

	(void)state;
	for (half = 0; half < 2; half++) {
		fake_bus_reset();
		fn = fake_bus_add(1, 0, VENDOR, DEVICE);
		set_bar(fn, 0, 0x1000, 4);
		fn->bar_mask[1] = ~0u;
		/* The upper half of the address is 0, so losing it makes no difference. */
		fn->forgets[half] = true;
		assert_int_equal(find(), half ? FW_OK : FW_EPCI_BAR);
	}
}

static void random_config_space(void **state)
{
	u64 seed = 5;
	u32 round, i;

	(void)state;
	for (round = 0; round < 20000; round++) {
		struct fake_fn *fn;

		fake_bus_reset();
		fn = fake_bus_add(test_random(&seed) % 32, 0, VENDOR, DEVICE);
		for (i = 0; i < 6; i++) {
			fn->bar_mask[i] = test_random(&seed) % 2 ?
				~((1u << test_random(&seed) % 32) - 1) : test_random(&seed);
			if (test_random(&seed) % 4 == 0)
				fake_bus_set32(fn, PCI_BASE_ADDRESS_0 + 4 * i, test_random(&seed));
			else
				fake_bus_set32(fn, PCI_BASE_ADDRESS_0 + 4 * i,
					       test_random(&seed) & 7);
		}
		if (find() != FW_OK)
			continue;
		for (i = 0; i < PCI_STD_NUM_BARS; i++)
			if (dev.bar[i].size)
				assert_true(range_inside(dev.bar[i].base, dev.bar[i].size,
							 FAKE_WINDOW, FAKE_WINDOW_SIZE));
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup(empty_bus, setup),
		cmocka_unit_test_setup(finds_among_others, setup),
		cmocka_unit_test_setup(finds_by_cam, setup),
		cmocka_unit_test_setup(functions_of_single, setup),
		cmocka_unit_test_setup(bridge_is_no_device, setup),
		cmocka_unit_test_setup(assigns, setup),
		cmocka_unit_test_setup(other_bars_not_decoded, setup),
		cmocka_unit_test_setup(bar_moved, setup),
		cmocka_unit_test_setup(bad_bars, setup),
		cmocka_unit_test_setup(odd_masks, setup),
		cmocka_unit_test_setup(window_exhausted, setup),
		cmocka_unit_test_setup(left_decoding, setup),
		cmocka_unit_test_setup(bar_ignores_writes, setup),
		cmocka_unit_test_setup(bar_loses_address, setup),
		cmocka_unit_test_setup(random_config_space, setup),
	};

	return cmocka_run_group_tests_name("pvmfw pci", tests, NULL, NULL);
}
