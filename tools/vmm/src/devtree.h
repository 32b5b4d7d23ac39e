/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's device tree. Rule: every address and interrupt in it is one that the VMM uses.
 */
#ifndef VMM_DEVTREE_H
#define VMM_DEVTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEVTREE_SEED_SIZE	32

/* What the device tree says beyond layout.h. */
struct devtree_config {
	/* RAM, preceded by the firmware's region if there is one. */
	uint64_t memory_base;
	uint64_t memory_size;
	unsigned int nr_vcpus;
	/* NULL for none. */
	const char *cmdline;
	/* Guest physical addresses and bytes; size 0: there is none. */
	uint32_t kernel_address;
	uint32_t kernel_size;
	uint64_t initrd_address;
	uint64_t initrd_size;
	/* rng-seed and kaslr-seed, if has_seed is set. */
	bool has_seed;
	uint8_t seed[DEVTREE_SEED_SIZE];
	uint64_t kaslr_seed;
	/* Bytes of the restricted DMA pool of PCI devices, 0 for none. */
	uint64_t dma_pool_size;
	/* Guest physical address of the pool; 0: the guest chooses it. */
	uint64_t dma_pool_address;
	/* Bit n is set if slot n of the PCI bus has a device. */
	uint32_t pci_slots;
	/* Number of the last PCI bus. */
	uint32_t last_bus;
};

/**
 * devtree_build() - Describe the machine of layout.h as a flattened device tree.
 * @config: what layout.h does not fix
 * @buffer: where the tree goes, aligned to 8 bytes
 * @size: bytes of @buffer
 *
 * Return: the size of the tree in bytes, or -ENOSPC if it does not fit.
 */
int devtree_build(const struct devtree_config *config, void *buffer, size_t size);

#endif /* VMM_DEVTREE_H */
