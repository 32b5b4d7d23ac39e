// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: an access reaches a device only if all of it lies in the device's range, and has no
 * effect elsewhere.
 */
#include "test.h"

#include <errno.h>

#include "bus.h"

struct device {
	uint64_t offset;
	uint64_t value;
	unsigned int length;
	unsigned int calls;
};

static uint64_t device_read(void *opaque, uint64_t offset, unsigned int length)
{
	struct device *device = opaque;

	device->offset = offset;
	device->length = length;
	device->calls++;
	return device->value;
}

static void device_write(void *opaque, uint64_t offset, unsigned int length, uint64_t value)
{
	device_read(opaque, offset, length);
	((struct device *)opaque)->value = value;
}

static struct bus_range range(struct device *device, uint64_t base, uint64_t size)
{
	return (struct bus_range) {
		.base = base,
		.size = size,
		.read = device_read,
		.write = device_write,
		.device = device,
	};
}

static void test_dispatch(void **state)
{
	struct device first = { }, second = { .value = 0x1122334455667788 };
	struct bus_range ranges[] = { range(&first, 0x1000, 0x10), range(&second, 0x1010, 0x10) };
	uint8_t data[8] = { 0xaa, 0xbb, 0xcc, 0xdd };
	struct bus bus = { };

	(void)state;
	assert_int_equal(bus_add(&bus, &ranges[0]), 0);
	assert_int_equal(bus_add(&bus, &ranges[1]), 0);

	assert_true(bus_access(&bus, 0x100c, data, 4, true));
	assert_int_equal(first.offset, 0xc);
	assert_int_equal(first.value, 0xddccbbaa);

	assert_true(bus_access(&bus, 0x1018, data, 8, false));
	assert_int_equal(second.offset, 8);
	assert_int_equal(data[0], 0x88);
	assert_int_equal(data[7], 0x11);

	/* A value wider than the access is truncated, and no byte behind it is written. */
	memset(data, 0, sizeof(data));
	assert_true(bus_access(&bus, 0x1010, data, 1, false));
	assert_int_equal(data[0], 0x88);
	assert_int_equal(data[1], 0);
}

static void test_outside(void **state)
{
	struct device device = { };
	struct bus_range only = range(&device, 0x1000, 0x10);
	static const struct {
		uint64_t address;
		unsigned int length;
	} misses[] = {
		{ 0xfff, 1 }, { 0x1010, 1 }, { 0xffc, 8 }, { 0x100d, 4 }, { 0x100f, 2 },
		{ 0, 8 }, { UINT64_MAX, 1 }, { UINT64_MAX - 3, 8 }, { 0x1000, 3 }, { 0x1000, 0 },
		{ 0x1000, 5 },
	};
	struct bus bus = { };
	uint8_t data[8];
	unsigned int i;

	(void)state;
	assert_int_equal(bus_add(&bus, &only), 0);
	for (i = 0; i < sizeof(misses) / sizeof(*misses); i++) {
		memset(data, 0x55, sizeof(data));
		assert_false(bus_access(&bus, misses[i].address, data, misses[i].length, false));
		if (misses[i].length)
			assert_int_equal(data[misses[i].length - 1], 0xff);
		assert_false(bus_access(&bus, misses[i].address, data, misses[i].length, true));
	}
	assert_int_equal(device.calls, 0);
}

static void test_add_refuses(void **state)
{
	struct device device = { };
	struct bus_range good = range(&device, 0x1000, 0x1000);
	struct bus_range bad[] = {
		range(&device, 0x1fff, 1),
		range(&device, 0xfff, 2),
		range(&device, 0, UINT64_MAX),
	};
	struct bus_range empty = range(&device, 0x5000, 0);
	struct bus_range wraps = range(&device, UINT64_MAX, 2);
	struct bus bus = { };
	unsigned int i;

	(void)state;
	assert_int_equal(bus_add(&bus, &good), 0);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(bus_add(&bus, &bad[i]), -EEXIST);
	assert_int_equal(bus_add(&bus, &empty), -EINVAL);
	assert_int_equal(bus_add(&bus, &wraps), -EINVAL);
	for (i = 1; i < BUS_MAX_RANGES; i++) {
		good.base += 0x1000;
		assert_int_equal(bus_add(&bus, &good), 0);
	}
	good.base += 0x1000;
	assert_int_equal(bus_add(&bus, &good), -ENOSPC);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(test_dispatch),
		cmocka_unit_test(test_outside),
		cmocka_unit_test(test_add_refuses),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
