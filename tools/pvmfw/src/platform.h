/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform: a checked copy of what the firmware itself uses of the device tree. After
 * platform_parse() the firmware uses only the copy.
 *
 * Rule: a part of the tree that the firmware neither uses nor passes to the kernel is not
 * read, so that it cannot stop the boot. guest.h has what the firmware passes to the kernel
 * beyond this. Reserved memory is always passed on: the kernel gets it reserved, or the
 * firmware does not start the kernel.
 */
#ifndef PVMFW_PLATFORM_H
#define PVMFW_PLATFORM_H

#include "memmap.h"
#include "status.h"
#include "types.h"

/* log2 of the bytes of configuration space per function: plain (CAM) and enhanced (ECAM). */
#define PCI_CAM_SHIFT	8
#define PCI_ECAM_SHIFT	12

/* Limit of reserved ranges of RAM, overlapping ones merged. */
#define PLATFORM_MAX_RESERVED	16

/**
 * struct reserved - A range of RAM that the kernel must not use.
 * @base: its address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE
 * @no_map: the kernel must not map it either
 */
struct reserved {
	u64 base;
	u64 size;
	bool no_map;
};

/**
 * struct payload - An image that the VMM left in RAM.
 * @base: its address, a multiple of PAGE_SIZE
 * @size: bytes; 0 if there is none
 */
struct payload {
	u64 base;
	u64 size;
};

/**
 * struct swiotlb - The pool to which the DMA of devices is restricted.
 * @base: its address; 0 if the kernel may place it
 * @size: bytes, a multiple of PAGE_SIZE; 0 if there is none
 * @align: bytes, a power of two; its address is a multiple of this
 */
struct swiotlb {
	u64 base;
	u64 size;
	u64 align;
};

/**
 * struct platform - What the device tree says, checked.
 * @ram_size: bytes of RAM from RAM_BASE on, a multiple of PAGE_SIZE
 * @uart_base: address of a 16550 with UART_SIZE registers, all in one page
 * @reserved_count: entries of @reserved in use
 * @reserved: reserved ranges of RAM without the DMA pool; no two overlap
 * @has_pci: there is a PCI host bridge; without one the next nine are 0
 * @config_base: address of the configuration space of its buses, from bus 0 on
 * @config_size: bytes of that
 * @last_bus: number of its last bus; the firmware uses bus 0 only
 * @config_shift: PCI_CAM_SHIFT or PCI_ECAM_SHIFT
 * @window_base: the window in which the firmware places BARs: non-prefetchable, below RAM,
 *	bus address = CPU address
 * @window_size: bytes of that
 * @high_base: a window for the kernel's 64-bit BARs: above RAM, bus address = CPU address
 * @high_size: bytes of that; 0 if there is none
 * @high_prefetch: that window is prefetchable
 * @swiotlb: the DMA pool
 * @kernel: the kernel to start
 * @kernel_room: bytes that the running kernel needs at its address; 0 until boot_check()
 * @initrd: the kernel's initial RAM disk
 */
struct platform {
	u64 ram_size;
	u64 uart_base;
	unsigned int reserved_count;
	struct reserved reserved[PLATFORM_MAX_RESERVED];
	bool has_pci;
	u64 config_base;
	u64 config_size;
	u32 last_bus;
	unsigned int config_shift;
	u64 window_base;
	u64 window_size;
	u64 high_base;
	u64 high_size;
	bool high_prefetch;
	struct swiotlb swiotlb;
	struct payload kernel;
	u64 kernel_room;
	struct payload initrd;
};

/**
 * platform_is_reserved() - Check whether any byte of a range is reserved.
 * @p: the platform
 * @base: first address
 * @size: bytes; @base + @size does not wrap
 *
 * Return: true if so.
 */
bool platform_is_reserved(const struct platform *p, u64 base, u64 size);

/**
 * platform_parse() - Read and check what the firmware itself needs of the device tree.
 * @fdt: a tree that passed devtree_check()
 * @p: filled in
 *
 * Prints every error.
 *
 * Return: FW_OK; FW_EFDT_* for the part that is missing or invalid; FW_EOVERLAP if the DMA
 * pool, the kernel or the initrd lies in reserved memory; FW_ETOOMANY if there are more
 * ranges of memory or of reserved memory than the firmware can record.
 */
enum fw_status platform_parse(const void *fdt, struct platform *p);

/**
 * platform_pci_compatible() - Get the "compatible" string of the PCI host bridge.
 * @p: the platform; @p->has_pci is true
 *
 * Return: a constant string.
 */
const char *platform_pci_compatible(const struct platform *p);

/**
 * platform_parse_pci() - The part of platform_parse() that reads the PCI host bridge.
 * @fdt: the tree
 * @p: @p->ram_size is set; the fields for PCI are filled in
 *
 * Return: FW_OK, also without a PCI host bridge; FW_EFDT_PCI if the bridge is unusable.
 */
enum fw_status platform_parse_pci(const void *fdt, struct platform *p);

/**
 * platform_memmap() - Set the size of RAM, and map devices, DMA pool, kernel and initrd.
 * @p: the platform
 * @static_pool: the firmware itself uses the fixed range of the DMA pool
 * @map: holds the firmware's own ranges, the device tree and the default UART
 *
 * Prints every error.
 *
 * Return: FW_OK, or the error of memmap_add() or memmap_shrink_ram().
 */
enum fw_status platform_memmap(const struct platform *p, bool static_pool, struct memmap *map);

#endif
