/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's physical address map and its interrupt numbers.
 *
 * These are the addresses that firmware and VMM agree on without asking each
 * other: everything but the firmware's own place is in the device tree too.
 */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#define UART_BASE		0x3f8UL
#define UART_SIZE		0x8UL

/* One bus of configuration space: 32 slots of 8 functions of 4 KiB. */
#define PCI_ECAM_BASE		0x1000000UL
#define PCI_ECAM_SIZE		0x100000UL
#define PCI_MMIO_BASE		0x2000000UL
#define PCI_MMIO_SIZE		0x2000000UL

/* The redistributors, one for each vCPU, end where the distributor starts. */
#define GIC_DIST_BASE		0x3fff0000UL
#define GIC_DIST_SIZE		0x10000UL
#define GIC_REDIST_SIZE		0x20000UL

#define FIRMWARE_BASE		0x7fc00000UL
#define FIRMWARE_MAX_SIZE	0x200000UL
#define FIRMWARE_REGION_SIZE	0x400000UL

#define RAM_BASE		0x80000000UL
#define FDT_BASE		RAM_BASE
#define FDT_MAX_SIZE		0x200000UL
#define IMAGE_BASE		(RAM_BASE + FDT_MAX_SIZE)

#define MAX_VCPUS		8
#define PCI_SLOTS		32

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
