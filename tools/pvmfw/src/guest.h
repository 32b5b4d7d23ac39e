/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a kernel needs to know of the VM beyond what the firmware uses itself:
 * taken from the host's device tree, checked, and written down again in a new
 * one. What is not in here or in struct platform does not get to the kernel: of a
 * clock, a watchdog, frequencies, a PMU, MSIs or nodes for other firmware it learns
 * nothing.
 */
#ifndef PVMFW_GUEST_H
#define PVMFW_GUEST_H

#include "config.h"
#include "platform.h"
#include "status.h"
#include "types.h"

#define GUEST_MAX_CPUS	64
/* One for each function of the bus. */
#define GUEST_MAX_IRQS	256

/* Enough for the largest tree that guest_write() makes. */
#define GUEST_TREE_SIZE	0x8000

/**
 * struct guest_irq - An entry of the PCI host's interrupt map.
 * @slot: device number
 * @function: function number
 * @pin: 1 to 4, for INTA to INTD
 * @spi: number of the interrupt among the shared ones
 */
struct guest_irq {
	u32 slot;
	u32 function;
	u32 pin;
	u32 spi;
};

/**
 * struct guest - The VM as the kernel sees it.
 * @cpu_count: how many vCPUs there are
 * @cpu: their affinities, as MPIDR_EL1 has them
 * @dist_base: the GICv3's distributor
 * @dist_size: bytes
 * @redist_base: its redistributors
 * @redist_size: bytes
 * @uart_clock: frequency of the UART's clock in Hz
 * @uart_spi: its interrupt among the shared ones
 * @uart_trigger: how it is triggered, as an interrupt specifier of the GIC says
 * @irq_mask: what of an address of the bus an entry of @irq is compared by:
 *	device and function, or the device alone
 * @irq_count: entries of @irq in use
 * @irq: interrupts of PCI devices
 * @cmdline: command line of the kernel, empty if it has none
 */
struct guest {
	u32 cpu_count;
	u64 cpu[GUEST_MAX_CPUS];
	u64 dist_base;
	u64 dist_size;
	u64 redist_base;
	u64 redist_size;
	u32 uart_clock;
	u32 uart_spi;
	u32 uart_trigger;
	u32 irq_mask;
	u32 irq_count;
	struct guest_irq irq[GUEST_MAX_IRQS];
	char cmdline[CONFIG_MAX_CMDLINE];
};

/**
 * guest_parse() - Take from a tree what a kernel needs.
 * @fdt: a tree that passed devtree_check() and platform_parse()
 * @p: the platform
 * @config: the configuration, which says whose command line is taken
 * @map: where the interrupt controller is recorded, so that it overlaps nothing
 * @guest: filled in
 *
 * Prints what is wrong.
 *
 * Return: FW_OK, FW_EFDT_CPUS, FW_EFDT_GIC, FW_EFDT_IRQ, FW_EFDT_CMDLINE, or the
 * error of memmap_add().
 */
enum fw_status guest_parse(const void *fdt, const struct platform *p,
			   const struct fw_config *config, struct memmap *map,
			   struct guest *guest);

/**
 * guest_write() - Write the kernel's device tree.
 * @guest: the VM
 * @p: the platform
 * @buffer: where the tree goes, aligned to 8
 * @size: bytes of @buffer
 *
 * Return: FW_OK, or FW_ENOMEM if the tree does not fit.
 */
enum fw_status guest_write(const struct guest *guest, const struct platform *p, void *buffer,
			   size_t size);

#endif
