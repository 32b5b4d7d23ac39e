/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PCI: finds a device on bus 0 and places its BARs.
 *
 * Rule: the host chooses what every register reads as, so each value is checked. A BAR that
 * the firmware uses lies in the window and overlaps no other BAR of the device. No other
 * device decodes addresses.
 */
#ifndef PVMFW_PCI_H
#define PVMFW_PCI_H

#include <linux/pci_regs.h>

#include "platform.h"
#include "status.h"
#include "types.h"

/**
 * struct pci_bar - A memory BAR.
 * @base: its address, the same on the bus and for the CPU
 * @size: bytes, a power of two; 0 if the device has no such BAR
 */
struct pci_bar {
	u64 base;
	u64 size;
};

/**
 * struct pci_host - The bus.
 * @config: address of the configuration space of bus 0
 * @shift: log2 of the bytes of configuration space per function
 * @window: the addresses in which BARs may lie
 */
struct pci_host {
	u64 config;
	unsigned int shift;
	struct pci_bar window;
};

/**
 * struct pci_dev - One function.
 * @config: address of its configuration space
 * @slot: device number
 * @function: function number
 * @bar: its memory BARs, placed
 */
struct pci_dev {
	u64 config;
	unsigned int slot;
	unsigned int function;
	struct pci_bar bar[PCI_STD_NUM_BARS];
};

/**
 * pci_init() - Turn off address decoding and bus mastering of every function of bus 0.
 * @host: filled in
 * @p: the platform; @p->has_pci is true, and its ranges are mapped
 *
 * The firmware reads nothing else of a function that it does not use, so that such a function
 * cannot stop the boot. The kernel enables the functions that it uses.
 */
void pci_init(struct pci_host *host, const struct platform *p);

/**
 * pci_find() - Find a device, place its BARs, and enable it.
 * @host: the bus, after pci_init()
 * @vendor: vendor ID
 * @device: device ID
 * @dev: filled in
 *
 * A BAR that the host put outside of the window, or over another BAR, is moved. The device
 * decodes no address before all of its BARs are in place.
 *
 * Return: FW_OK; FW_ENODISK if there is no such device; FW_EPCI_BAR for a BAR that is malformed
 * or does not take its address; FW_EPCI_WINDOW if the window has no room for a BAR.
 */
enum fw_status pci_find(const struct pci_host *host, u16 vendor, u16 device,
			struct pci_dev *dev);

#endif
