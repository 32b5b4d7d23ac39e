/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A memory map for the unit tests, as it is before the firmware reads the device tree.
 */
#ifndef PVMFW_FAKE_MAP_H
#define PVMFW_FAKE_MAP_H

#include "memmap.h"

/** The only map. */
extern struct memmap fake_map;

/**
 * fake_map_reset() - Make the map with image, scratch memory, device tree and default UART.
 */
void fake_map_reset(void);

/**
 * fake_map_reset_at() - Like fake_map_reset(), with the device tree elsewhere.
 * @fdt: address of the device tree, in RAM
 * @fdt_size: bytes of it, a multiple of PAGE_SIZE
 */
void fake_map_reset_at(u64 fdt, u64 fdt_size);

/**
 * fake_map_release() - Free the memory of the map's page tables; a cmocka teardown function.
 * @state: not used
 *
 * Return: 0.
 */
int fake_map_release(void **state);

#endif
