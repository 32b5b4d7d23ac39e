/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's physical address map and its interrupt numbers.
 *
 * Firmware and VMM agree on these addresses in advance. They are those of crosvm's protected
 * VMs, so firmware for crosvm runs here too. The device tree has them as well.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#define UART_BASE		0x3f8UL
#define UART_SIZE		0x8UL

/* Configuration space of 256 buses, each with 32 slots of 8 functions of 256 bytes. */
#define PCI_CAM_BASE		0x10000UL
#define PCI_CAM_SIZE		0x1000000UL
#define PCI_MMIO_BASE		0x2000000UL
#define PCI_MMIO_SIZE		0x2000000UL
/* A window for 64-bit BARs starts where RAM ends, unless it would exceed PCI_HIGH_END. */
#define PCI_HIGH_SIZE		0x100000000UL
#define PCI_HIGH_END		0x10000000000UL

/* The redistributors, one for each vCPU, end where the distributor starts. */
#define GIC_DIST_BASE		0x3fff0000UL
#define GIC_DIST_SIZE		0x10000UL
#define GIC_REDIST_SIZE		0x20000UL

/* Default address of the firmware. Its region reaches up to RAM. */
#define FIRMWARE_BASE		0x7fc00000UL
#define FIRMWARE_MIN_BASE	(GIC_DIST_BASE + GIC_DIST_SIZE)
#define FIRMWARE_ALIGN		0x200000UL
#define FIRMWARE_MAX_SIZE	0x200000UL

#define RAM_BASE		0x80000000UL
#define KERNEL_BASE		RAM_BASE
#define BARE_BASE		(RAM_BASE + 0x200000UL)

/* The device tree lies in the last aligned 2 MiB of RAM. */
#define FDT_MAX_SIZE		0x200000UL
#define FDT_BASE(memory_size)	((RAM_BASE + (memory_size) - FDT_MAX_SIZE) & ~(FDT_MAX_SIZE - 1))

#define MAX_VCPUS		8
#define PCI_SLOTS		32

/* Windows are behind root ports, each on a bus of its own. */
#define WINDOW_SLOTS		8
#define WINDOW_FIRST_PORT	16

/* Shared peripheral interrupts, counted from the first one (INTID 32). */
#define NR_SPIS			64
#define UART_SPI		0
#define PCI_SPI_BASE		4

/* Private peripheral interrupts of the architected timer, counted from 16. */
#define TIMER_PPI_SECURE	13
#define TIMER_PPI_PHYS		14
#define TIMER_PPI_VIRT		11
#define TIMER_PPI_HYP		10

#endif /* VMM_LAYOUT_H */
