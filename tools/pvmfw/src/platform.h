/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The platform: what the firmware itself uses of the device tree, checked and
 * copied. Only the copy is used afterwards.
 *
 * The rule for the rest of the tree: what the firmware neither uses nor hands on is
 * dropped, unseen, so that it cannot stop the boot. What it hands on to the kernel beyond
 * this is in guest.h. Memory that the host has reserved is not left out: the kernel gets
 * it reserved, or is not started.
 */
#ifndef PVMFW_PLATFORM_H
#define PVMFW_PLATFORM_H

#include "memmap.h"
#include "status.h"
#include "types.h"

/*
 * log2 of the bytes of configuration space that a function has, by the old mechanism
 * and by the enhanced one.
 */
#define PCI_CAM_SHIFT	8
#define PCI_ECAM_SHIFT	12

/* Ranges of RAM that may be reserved, once those that overlap are one. */
#define PLATFORM_MAX_RESERVED	16

/**
 * struct reserved - A part of RAM that is not the kernel's.
 * @base: its address, a multiple of PAGE_SIZE
 * @size: bytes, a multiple of PAGE_SIZE
 * @no_map: nobody may map it
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
 * struct swiotlb - The pool that devices are restricted to.
 * @base: where it lies; 0 if that is left to the guest
 * @size: bytes, a multiple of PAGE_SIZE; 0 if there is none
 * @align: what its place has to be a multiple of
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
 * @reserved: what of RAM is reserved, the DMA pool left out; no two overlap
 * @has_pci: there is a PCI host; without one the next eight are 0
 * @config_base: its configuration space, of bus 0
 * @config_size: bytes
 * @config_shift: PCI_CAM_SHIFT or PCI_ECAM_SHIFT
 * @window_base: its window for not prefetchable memory below RAM, at the same bus
 *	address: the one that the firmware uses
 * @window_size: bytes
 * @high_base: its window for the kernel's 64-bit BARs, above RAM, at the same bus address
 * @high_size: bytes; 0 if there is none
 * @high_prefetch: it is prefetchable
 * @swiotlb: the DMA pool
 * @kernel: the kernel to start
 * @kernel_room: bytes that the kernel needs from its address on; 0 until boot_check()
 * @initrd: its initial RAM disk
 */
struct platform {
	u64 ram_size;
	u64 uart_base;
	unsigned int reserved_count;
	struct reserved reserved[PLATFORM_MAX_RESERVED];
	bool has_pci;
	u64 config_base;
	u64 config_size;
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
 * platform_is_reserved() - Tell whether a range has a byte that is reserved.
 * @p: the platform
 * @base: first address
 * @size: bytes; @base + @size does not wrap
 *
 * Return: true if so.
 */
bool platform_is_reserved(const struct platform *p, u64 base, u64 size);

/**
 * platform_parse() - Take from a tree what the firmware needs.
 * @fdt: a tree that passed devtree_check()
 * @p: filled in
 *
 * Prints what is wrong.
 *
 * Return: FW_OK, FW_EFDT_*, FW_EOVERLAP, FW_ERANGE or FW_ETOOMANY.
 */
enum fw_status platform_parse(const void *fdt, struct platform *p);

/**
 * platform_pci_compatible() - Name the kind of the PCI host.
 * @p: the platform, with @p->has_pci
 *
 * Return: what its node is "compatible" with.
 */
const char *platform_pci_compatible(const struct platform *p);

/**
 * platform_parse_pci() - The part of platform_parse() that is about PCI.
 * @fdt: the tree
 * @p: its RAM is known; what concerns PCI is filled in
 *
 * Return: FW_OK, also if there is no PCI host; FW_EFDT_PCI.
 */
enum fw_status platform_parse_pci(const void *fdt, struct platform *p);

/**
 * platform_memmap() - Shrink RAM to what there is, and map devices and images.
 * @p: the platform
 * @static_pool: the firmware uses the fixed range of the DMA pool itself
 * @map: has the firmware's own ranges, the device tree and the default UART
 *
 * Prints what is wrong.
 *
 * Return: FW_OK, or the error of memmap_add() or memmap_shrink_ram().
 */
enum fw_status platform_memmap(const struct platform *p, bool static_pool, struct memmap *map);

#endif
