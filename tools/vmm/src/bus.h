/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dispatches MMIO accesses of the guest to devices. Rule: an access reaches a device only if
 * all of it lies in the device's range.
 */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_MAX_RANGES	4

/* vCPU threads call the handlers of a device in parallel, so the device has its own lock. */
struct bus_range {
	uint64_t base;
	uint64_t size;
	/* @length is 1, 2, 4 or 8, and all of the access lies in the range. */
	uint64_t (*read)(void *device, uint64_t offset, unsigned int length);
	void (*write)(void *device, uint64_t offset, unsigned int length, uint64_t value);
	void *device;
};

struct bus {
	struct bus_range range[BUS_MAX_RANGES];
	unsigned int nr_ranges;
};

/**
 * bus_add() - Add a device to the bus.
 * @bus: the bus; no vCPU runs yet
 * @range: the device's addresses and handlers
 *
 * Return: 0; -ENOSPC if the bus is full; -EEXIST if the range overlaps another one; -EINVAL
 * for a range that is empty or wraps.
 */
int bus_add(struct bus *bus, const struct bus_range *range);

/**
 * bus_access() - Carry out one access of a guest.
 * @bus: the bus
 * @address: guest physical address, any value
 * @data: the value, little-endian: of a write, or set by a read
 * @length: bytes, any value up to 8
 * @is_write: it is a write
 *
 * Where no device answers, a read returns all ones and a write is dropped. Any thread.
 *
 * Return: true if a device answered.
 */
bool bus_access(const struct bus *bus, uint64_t address, uint8_t *data, unsigned int length,
		bool is_write);

#endif /* VMM_BUS_H */
