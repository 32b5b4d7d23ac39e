/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree that the guest gets.
 */
#ifndef VMM_DEVTREE_H
#define VMM_DEVTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVTREE_SEED_SIZE	32

struct devtree_config {
	/* One range: RAM, with the firmware's region before it if there is one. */
	uint64_t memory_base;
	uint64_t memory_size;
	unsigned int nr_vcpus;
	/* NULL for none. */
	const char *cmdline;
	/* Guest physical addresses; a size of 0 says that there is none. */
	uint32_t kernel_address;
	uint32_t kernel_size;
	uint64_t initrd_address;
	uint64_t initrd_size;
	/* For a kernel's random numbers and address layout; used if it has_seed. */
	bool has_seed;
	uint8_t seed[DEVTREE_SEED_SIZE];
	uint64_t kaslr_seed;
	/* Bytes of the DMA pool that PCI devices are restricted to, 0 for none. */
	uint64_t dma_pool_size;
	/* Where the pool lies; 0 leaves that to the guest. */
	uint64_t dma_pool_address;
	/* Bit n is set if slot n of the PCI bus is taken. */
	uint32_t pci_slots;
};

/**
 * devtree_build() - Describe the machine of layout.h as a flattened device tree.
 * @config: what varies
 * @buffer: where to
 * @size: bytes of @buffer
 *
 * Return: the size of the tree, or -ENOSPC if it does not fit.
 */
int devtree_build(const struct devtree_config *config, void *buffer, size_t size);

#endif /* VMM_DEVTREE_H */
