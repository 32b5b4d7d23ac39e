// SPDX-License-Identifier: GPL-2.0-only
/*
 * Dispatches MMIO accesses of the guest to devices (bus.h). Rule: the map does not change once
 * a vCPU runs, so it is read without a lock.
 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "bus.h"

int bus_add(struct bus *bus, const struct bus_range *range)
{
	unsigned int i;

	if (!range->size || range->base + (range->size - 1) < range->base)
		return -EINVAL;
	if (bus->nr_ranges == BUS_MAX_RANGES)
		return -ENOSPC;
	for (i = 0; i < bus->nr_ranges; i++) {
		const struct bus_range *other = &bus->range[i];

		if (range->base <= other->base + (other->size - 1) &&
		    other->base <= range->base + (range->size - 1))
			return -EEXIST;
	}
	bus->range[bus->nr_ranges++] = *range;
	return 0;
}

static const struct bus_range *bus_find(const struct bus *bus, uint64_t address,
					unsigned int length)
{
	unsigned int i;

	for (i = 0; i < bus->nr_ranges; i++) {
		const struct bus_range *range = &bus->range[i];

		if (address >= range->base && address - range->base < range->size &&
		    length <= range->size - (address - range->base))
			return range;
	}
	return NULL;
}

bool bus_access(const struct bus *bus, uint64_t address, uint8_t *data, unsigned int length,
		bool is_write)
{
	const struct bus_range *range = bus_find(bus, address, length);
	uint64_t value = 0;

	if (!range || (length != 1 && length != 2 && length != 4 && length != 8)) {
		if (!is_write)
			memset(data, 0xff, length);
		return false;
	}

	if (is_write) {
		memcpy(&value, data, length);
		range->write(range->device, address - range->base, length, le64toh(value));
	} else {
		value = htole64(range->read(range->device, address - range->base, length));
		memcpy(data, &value, length);
	}
	return true;
}
