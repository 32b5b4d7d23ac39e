/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel needs of the host's device tree beyond struct platform. The firmware
 * checks it and writes a new tree from it.
 *
 * Rule: the kernel's tree holds nothing but struct guest, struct platform and constants. It
 * has no RTC, watchdog, CPU frequencies, PMU, MSIs or nodes for other firmware.
 */
#ifndef PVMFW_GUEST_H
#define PVMFW_GUEST_H

#include "config.h"
#include "platform.h"
#include "status.h"
#include "types.h"

#define GUEST_MAX_CPUS	64
/* One for each function of bus 0. */
#define GUEST_MAX_IRQS	256

/* Enough for the largest tree that guest_write() makes. */
#define GUEST_TREE_SIZE	0x8000

/**
 * struct guest_irq - An entry of the PCI host's interrupt map.
 * @slot: device number
 * @function: function number
 * @pin: 1 to 4, for INTA to INTD
 * @spi: its shared peripheral interrupt, counted from 0
 */
struct guest_irq {
	u32 slot;
	u32 function;
	u32 pin;
	u32 spi;
};

/**
 * struct guest - The VM as the kernel's device tree describes it.
 * @cpu_count: number of vCPUs
 * @cpu: their affinities, as in MPIDR_EL1
 * @dist_base: address of the GICv3's distributor
 * @dist_size: bytes of that
 * @redist_base: address of the GICv3's redistributors
 * @redist_size: bytes of that
 * @uart_clock: frequency of the UART's clock in Hz
 * @uart_spi: the UART's shared peripheral interrupt, counted from 0
 * @uart_trigger: trigger of that interrupt, as in an interrupt specifier of the GIC
 * @irq_mask: the bits of a PCI address by which an entry of @irq is found: device and
 *	function, or device alone
 * @irq_count: entries of @irq in use
 * @irq: interrupts of PCI devices
 * @cmdline: command line of the kernel; may be empty
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
 * guest_parse() - Read and check what the kernel needs of the device tree.
 * @fdt: a tree that passed devtree_check() and platform_parse()
 * @p: the platform
 * @config: the configuration, which says where the command line comes from
 * @map: the GIC is added to it, which proves that it overlaps nothing
 * @guest: filled in
 *
 * Prints every error.
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
 * @buffer: where the tree goes, aligned to 8 bytes
 * @size: bytes of @buffer
 *
 * Return: FW_OK, or FW_ENOMEM if the tree does not fit.
 */
enum fw_status guest_write(const struct guest *guest, const struct platform *p, void *buffer,
			   size_t size);

#endif
