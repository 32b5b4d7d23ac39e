/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree: it comes from the host, so nothing in it is believed before
 * it is checked. The first access makes the memory private, so it cannot change
 * under the check. What the firmware uses of it is copied into struct platform,
 * and only that is used afterwards.
 */
#ifndef PVMFW_DEVTREE_H
#define PVMFW_DEVTREE_H

#include "memmap.h"
#include "status.h"
#include "types.h"

/**
 * struct platform - What the device tree says, checked.
 * @ram_size: bytes of RAM from RAM_BASE on, a multiple of PAGE_SIZE
 * @uart_base: address of a 16550 with UART_SIZE registers
 * @has_pci: there is a PCI host; without one the rest is 0
 * @ecam_base: its configuration space
 * @ecam_size: bytes, whole buses
 * @window_base: its window for 32-bit, not prefetchable memory, at the same bus
 *	address
 * @window_size: bytes
 */
struct platform {
	u64 ram_size;
	u64 uart_base;
	bool has_pci;
	u64 ecam_base;
	u64 ecam_size;
	u64 window_base;
	u64 window_size;
};

/**
 * devtree_check() - Check the whole structure of a device tree.
 * @fdt: the tree, 8 byte aligned
 * @max_size: bytes that may be read at @fdt
 *
 * Return: FW_OK; FW_EFDT_HEADER, FW_EFDT_SIZE or FW_EFDT_STRUCT for a tree that
 * libfdt's readers should not be let loose on.
 */
enum fw_status devtree_check(const void *fdt, size_t max_size);

/**
 * devtree_parse() - Take from a tree what the firmware needs.
 * @fdt: a tree that passed devtree_check()
 * @p: filled in
 *
 * Prints what is wrong.
 *
 * Return: FW_OK or FW_EFDT_*.
 */
enum fw_status devtree_parse(const void *fdt, struct platform *p);

/**
 * platform_memmap() - Lay out the address space and check that nothing
 *	overlaps.
 * @p: the platform
 * @map: empty; filled with the firmware's own ranges, RAM and the devices,
 *	whole pages each
 *
 * Prints what is wrong.
 *
 * Return: FW_OK, or the error of memmap_add() or
 * FW_EALIGN.
 */
enum fw_status platform_memmap(const struct platform *p, struct memmap *map);

#endif
