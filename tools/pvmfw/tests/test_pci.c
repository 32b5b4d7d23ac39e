// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a BAR that is used lies in the window, aligned, over no other, and is the
 * one that was checked; a BAR without an address gets one; no BAR changes while its
 * function decodes addresses; whatever configuration space says, the scan ends and
 * touches only addresses that exist (fake_bus fails the test otherwise).
 */
#include "fake_bus.h"
#include "fake_console.h"
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
	fake_console_reset();
	return 0;
}

static enum fw_status init(void)
{
	struct platform p = fake_bus_platform();

	return pci_init(&host, &p);
}

static void set_bar(struct fake_fn *fn, unsigned int bar, u32 size, u32 value)
{
	fn->bar_mask[bar] = ~(size - 1);
	fake_bus_set32(fn, PCI_BAR0 + 4 * bar, value);
}

static void empty_bus(void **state)
{
	(void)state;
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_ENODISK);
}

static void finds_the_one(void **state)
{
	(void)state;
	fake_bus_add(0, 0, 0x1b36, 0x0008);
	fake_bus_add(3, 0, VENDOR, 0x1041);
	fake_bus_add(5, 0, DEVICE, VENDOR);
	fake_bus_add(31, 0, 0x8086, 1);
	fake_bus_add(31, 7, VENDOR, DEVICE);
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_OK);
	assert_int_equal(dev.slot, 31);
	assert_int_equal(dev.function, 7);
}

/* The same by the old mechanism, which has less space for each function. */
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
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_OK);
	assert_int_equal(dev.slot, 31);
	assert_int_equal(dev.function, 7);
	assert_int_equal(dev.config, FAKE_CONFIG + 0xff00);
	assert_int_equal(dev.bar[0].base, FAKE_WINDOW + 0x1000);
	assert_int_equal(fn->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	/* A function is named by its number, wherever its registers are. */
	set_bar(fn, 1, 0x1000, 0x80000000);
	assert_int_equal(init(), FW_EPCI_BAR);
	assert_non_null(strstr(fake_console_line, "PCI function ff, BAR 1"));
}

/* Function 7 exists only if function 0 says that there are several. */
static void functions_of_single(void **state)
{
	(void)state;
	fake_bus_add(2, 0, 0x8086, 1);
	fake_bus_add(2, 3, VENDOR, DEVICE);
	fake_bus[2][0].config[PCI_HEADER_TYPE] = 0;
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_ENODISK);
}

static void bridge_is_no_device(void **state)
{
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);

	(void)state;
	fn->config[PCI_HEADER_TYPE] = 1;
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_ENODISK);
}

static void assigns(void **state)
{
	struct fake_fn *other = fake_bus_add(1, 0, 0x8086, 1);
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);
	unsigned int i, j;

	(void)state;
	/*
	 * The other device sits at the start of the window and in its middle.
	 */
	set_bar(other, 0, 0x1000, FAKE_WINDOW);
	set_bar(other, 1, 0x8000, FAKE_WINDOW + 0x8000);
	set_bar(fn, 0, 0x1000, 0);
	set_bar(fn, 1, 0x10, 1);	/* I/O: left alone */
	set_bar(fn, 2, 0x20000, 4);	/* 64 bits wide */
	fn->bar_mask[3] = ~0u;
	set_bar(fn, 4, 0x4000, FAKE_WINDOW + 0x4000);
	set_bar(fn, 5, 0x10000, 0);
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_OK);

	assert_int_equal(dev.bar[1].size, 0);
	assert_int_equal(dev.bar[3].size, 0);
	assert_int_equal(dev.bar[4].base, FAKE_WINDOW + 0x4000);
	assert_int_equal(dev.bar[2].size, 0x20000);
	for (i = 0; i < PCI_BARS; i++) {
		if (!dev.bar[i].size)
			continue;
		assert_true(is_aligned(dev.bar[i].base, dev.bar[i].size));
		assert_true(range_inside(dev.bar[i].base, dev.bar[i].size, FAKE_WINDOW,
					 FAKE_WINDOW_SIZE));
		assert_int_equal(fake_bus_get32(fn, PCI_BAR0 + 4 * i) & ~0xfu, dev.bar[i].base);
	}
	for (i = 0; i < host.count; i++)
		for (j = 0; j < i; j++)
			assert_false(range_overlaps(host.placed[i].bar.base,
						    host.placed[i].bar.size,
						    host.placed[j].bar.base,
						    host.placed[j].bar.size));
	assert_int_equal(host.count, 6);
	assert_int_equal(fn->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	assert_int_equal(other->config[PCI_COMMAND], 0);
}

static void bad_placed_bars(void **state)
{
	static const u32 bad[][2] = {
		{ 0x1000, FAKE_WINDOW - 0x1000 },
		{ 0x2000, FAKE_WINDOW + 0x1000 },	/* misaligned */
		{ 0x1000, FAKE_WINDOW + FAKE_WINDOW_SIZE },
		{ 2 * FAKE_WINDOW_SIZE, FAKE_WINDOW },
		{ 0x1000, 0x7fe00000 },
		{ 0x1000, 0xfffff000 },
		{ 0x80000000, 0x80000000 },
		{ 0x1000, FAKE_WINDOW + 2 },	/* type 1: reserved */
		{ 0x1000, FAKE_WINDOW + 6 },	/* type 3: reserved */
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fake_bus_reset();
		set_bar(fake_bus_add(9, 0, 1, 2), 1, bad[i][0], bad[i][1]);
		assert_int_equal(init(), FW_EPCI_BAR);
		assert_string_equal(fake_console_line,
				    "error: PCI function 48, BAR 1: PCI device has a bad BAR");
	}
}

static void bad_wide_bars(void **state)
{
	struct fake_fn *fn = fake_bus_add(0, 0, VENDOR, DEVICE);

	(void)state;
	/* The upper half of the last BAR would lie beyond the BARs. */
	set_bar(fn, 5, 0x1000, 4);
	assert_int_equal(init(), FW_EPCI_BAR);

	fake_bus_reset();
	fn = fake_bus_add(0, 0, VENDOR, DEVICE);
	set_bar(fn, 0, 0x1000, FAKE_WINDOW + 4);
	set_bar(fn, 1, 1, 1);		/* above 4 GiB */
	assert_int_equal(init(), FW_EPCI_BAR);

	/* A size of 2^40 bytes. */
	fake_bus_reset();
	fn = fake_bus_add(0, 0, VENDOR, DEVICE);
	fake_bus_set32(fn, PCI_BAR0, 4);
	fn->bar_mask[1] = 0xffffff00;
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_EPCI_WINDOW);
}

static void odd_masks(void **state)
{
	struct fake_fn *fn = fake_bus_add(0, 0, VENDOR, DEVICE);

	(void)state;
	fn->bar_mask[0] = 0xfffd0000;
	assert_int_equal(init(), FW_EPCI_BAR);
	fn->bar_mask[0] = 0x0000f000;
	assert_int_equal(init(), FW_EPCI_BAR);
}

static void overlapping_bars(void **state)
{
	(void)state;
	set_bar(fake_bus_add(1, 0, 1, 2), 0, 0x4000, FAKE_WINDOW + 0x4000);
	set_bar(fake_bus_add(2, 0, 1, 2), 3, 0x1000, FAKE_WINDOW + 0x7000);
	assert_int_equal(init(), FW_EPCI_BAR);
}

static void window_exhausted(void **state)
{
	struct fake_fn *fn = fake_bus_add(1, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, FAKE_WINDOW_SIZE / 2, 0);
	set_bar(fn, 1, FAKE_WINDOW_SIZE / 2, 0);
	set_bar(fn, 2, 0x1000, 0);
	assert_int_equal(init(), FW_OK);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_EPCI_WINDOW);
}

static void too_many_bars(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i <= PCI_MAX_BARS; i++)
		set_bar(fake_bus_add(i / 6, 0, 1, 2), i % 6, 0x1000,
			FAKE_WINDOW + i * 0x1000);
	assert_int_equal(init(), FW_ETOOMANY);
}

/* The host moves a BAR between the check and its use. */
static void moved_bar(void **state)
{
	struct fake_fn *fn = fake_bus_add(1, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, 0x1000, FAKE_WINDOW);
	assert_int_equal(init(), FW_OK);
	fake_bus_set32(fn, PCI_BAR0, 0x80000000);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_EPCI_BAR);
	/* Or lets it grow. */
	set_bar(fn, 0, 0x2000, FAKE_WINDOW);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_EPCI_BAR);
}

/* What BARs 0 and 2 of the disk say when they are checked, and when they are used. */
static void changed_address(void **state)
{
	static const u32 own = FAKE_WINDOW + 0x1000;
	static const u32 cases[][4] = {
		{ 0, 0, FAKE_WINDOW, 0 },	/* now another function's */
		{ own, 0, own, own },		/* another one's of this function */
		{ 0, 0, 0, own },		/* what the other one has just been given */
		{ own, 0, 0, 0 },		/* lost */
		{ own, 0, own + 0x1000, 0 },
	};
	struct fake_fn *fn;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_bus_reset();
		set_bar(fake_bus_add(1, 0, 0x8086, 1), 0, 0x1000, FAKE_WINDOW);
		fn = fake_bus_add(2, 0, VENDOR, DEVICE);
		set_bar(fn, 0, 0x1000, cases[i][0]);
		set_bar(fn, 2, 0x1000, cases[i][1]);
		assert_int_equal(init(), FW_OK);
		set_bar(fn, 0, 0x1000, cases[i][2]);
		set_bar(fn, 2, 0x1000, cases[i][3]);
		assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_EPCI_BAR);
	}
}

/* The VMM has left its functions decoding. */
static void left_decoding(void **state)
{
	struct fake_fn *other = fake_bus_add(1, 0, 0x8086, 1);
	struct fake_fn *fn = fake_bus_add(2, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(other, 0, 0x1000, FAKE_WINDOW);
	set_bar(fn, 0, 0x1000, FAKE_WINDOW + 0x1000);
	set_bar(fn, 2, 0x2000, 0);
	other->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	fn->config[PCI_COMMAND] = PCI_COMMAND_IO | PCI_COMMAND_MEMORY;
	assert_int_equal(init(), FW_OK);
	assert_int_equal(other->config[PCI_COMMAND], PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
	assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), FW_OK);
	assert_int_equal(dev.bar[2].base, FAKE_WINDOW + 0x2000);
	assert_int_equal(fn->config[PCI_COMMAND], PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/* BARs that ignore writes look as if they had no size that makes sense. */
static void sticky_bar(void **state)
{
	struct fake_fn *fn = fake_bus_add(1, 0, VENDOR, DEVICE);

	(void)state;
	set_bar(fn, 0, 0x1000, FAKE_WINDOW + 0x3000);
	fn->sticky = true;
	assert_int_equal(init(), FW_EPCI_BAR);
}

/* An address that was not taken is none: nothing may be accessed there. */
static void forgetful_bar(void **state)
{
	struct fake_fn *fn;
	unsigned int half;

	(void)state;
	for (half = 0; half < 2; half++) {
		fake_bus_reset();
		fn = fake_bus_add(1, 0, VENDOR, DEVICE);
		set_bar(fn, 0, 0x1000, 4);
		fn->bar_mask[1] = ~0u;
		/* The upper half is 0 anyway: forgetting it is not seen. */
		fn->forgets[half] = true;
		assert_int_equal(init(), FW_OK);
		assert_int_equal(pci_find(&host, VENDOR, DEVICE, &dev), half ? FW_OK : FW_EPCI_BAR);
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
				fake_bus_set32(fn, PCI_BAR0 + 4 * i, test_random(&seed));
			else
				fake_bus_set32(fn, PCI_BAR0 + 4 * i, test_random(&seed) & 7);
		}
		if (init() != FW_OK || pci_find(&host, VENDOR, DEVICE, &dev) != FW_OK)
			continue;
		for (i = 0; i < PCI_BARS; i++)
			if (dev.bar[i].size)
				assert_true(range_inside(dev.bar[i].base, dev.bar[i].size,
							 FAKE_WINDOW, FAKE_WINDOW_SIZE));
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup(empty_bus, setup),
		cmocka_unit_test_setup(finds_the_one, setup),
		cmocka_unit_test_setup(finds_by_cam, setup),
		cmocka_unit_test_setup(functions_of_single, setup),
		cmocka_unit_test_setup(bridge_is_no_device, setup),
		cmocka_unit_test_setup(assigns, setup),
		cmocka_unit_test_setup(bad_placed_bars, setup),
		cmocka_unit_test_setup(bad_wide_bars, setup),
		cmocka_unit_test_setup(odd_masks, setup),
		cmocka_unit_test_setup(overlapping_bars, setup),
		cmocka_unit_test_setup(window_exhausted, setup),
		cmocka_unit_test_setup(too_many_bars, setup),
		cmocka_unit_test_setup(moved_bar, setup),
		cmocka_unit_test_setup(changed_address, setup),
		cmocka_unit_test_setup(left_decoding, setup),
		cmocka_unit_test_setup(sticky_bar, setup),
		cmocka_unit_test_setup(forgetful_bar, setup),
		cmocka_unit_test_setup(random_config_space, setup),
	};

	return cmocka_run_group_tests_name("pvmfw pci", tests, NULL, NULL);
}
