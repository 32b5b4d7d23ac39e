/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which device answers an MMIO access of the guest.
 */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <stdbool.h>
#include <stdint.h>

#define BUS_MAX_RANGES	4

/* A device's handlers lock for themselves: vCPUs call them in parallel. */
struct bus_range {
	uint64_t base;
	uint64_t size;
	/* @length is 1, 2, 4 or 8 and the access lies wholly inside the range. */
	uint64_t (*read)(void *device, uint64_t offset, unsigned int length);
	void (*write)(void *device, uint64_t offset, unsigned int length, uint64_t value);
	void *device;
};

struct bus {
	struct bus_range range[BUS_MAX_RANGES];
	unsigned int nr_ranges;
};

/**
 * bus_add() - Put a device on the bus.
 * @bus: the bus; no vCPU runs yet
 * @range: where it answers, and how
 *
 * Return: 0; -ENOSPC when the bus is full; -EEXIST when the range overlaps one
 * that is there; -EINVAL for a range that is empty or wraps.
 */
int bus_add(struct bus *bus, const struct bus_range *range);

/**
 * bus_access() - Carry out one access of a guest.
 * @bus: the bus
 * @address: guest physical address, any value
 * @data: the bytes in guest (little-endian) order: written to it, or read from it
 * @length: bytes, any value up to 8
 * @is_write: direction
 *
 * What nothing answers reads as all ones, and a write is dropped. Any thread.
 *
 * Return: true if a device answered.
 */
bool bus_access(const struct bus *bus, uint64_t address, uint8_t *data, unsigned int length,
		bool is_write);

#endif /* VMM_BUS_H */
