/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The map of the unit tests, as it is before a device tree is looked at.
 */
#ifndef PVMFW_FAKE_MAP_H
#define PVMFW_FAKE_MAP_H

#include "memmap.h"

/** The one map. */
extern struct memmap fake_map;

/**
 * fake_map_reset() - Make it anew: image, scratch memory, device tree and the first
 *	UART are in it.
 */
void fake_map_reset(void);

/**
 * fake_map_reset_at() - The same with the device tree elsewhere.
 * @fdt: where it lies, in RAM
 * @fdt_size: bytes
 */
void fake_map_reset_at(u64 fdt, u64 fdt_size);

/**
 * fake_map_release() - Free the memory below it.
 * @state: not used; so that a group of tests can have it as its teardown
 *
 * Return: 0.
 */
int fake_map_release(void **state);

#endif
