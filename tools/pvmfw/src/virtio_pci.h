/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtio 1.x transport over PCI (virtio 1.2, section 4.1), as far as a
 * polled driver needs it.
 */
#ifndef PVMFW_VIRTIO_PCI_H
#define PVMFW_VIRTIO_PCI_H

#include "pci.h"
#include "status.h"
#include "types.h"

#define VIRTIO_PCI_VENDOR	0x1af4
#define VIRTIO_PCI_DEVICE_BLK	0x1042

/**
 * struct virtio_region - A register structure inside of a BAR.
 * @base: its address
 * @size: bytes; 0 if the device has none
 */
struct virtio_region {
	u64 base;
	u64 size;
};

/**
 * struct virtio_dev - A device.
 * @common: common configuration
 * @notify: notification area
 * @config: what is particular to the kind of device
 * @notify_multiplier: bytes between the notification addresses of queues
 */
struct virtio_dev {
	struct virtio_region common;
	struct virtio_region notify;
	struct virtio_region config;
	u32 notify_multiplier;
};

/**
 * virtio_pci_init() - Find the register structures, reset the device and agree
 *	on features.
 * @dev: filled in
 * @pci: the function, from pci_find()
 *
 * VIRTIO_F_VERSION_1 and VIRTIO_F_ACCESS_PLATFORM are required; nothing else is
 * accepted.
 *
 * Return: FW_OK, FW_EPCI_CAP, FW_EVIRTIO_FEATURES or FW_ETIMEOUT.
 */
enum fw_status virtio_pci_init(struct virtio_dev *dev, const struct pci_dev *pci);

/**
 * virtio_pci_queue_max() - Ask how many entries queue 0 may have.
 * @dev: the device, after virtio_pci_init()
 *
 * Return: a number of entries, 0 if there is no such queue.
 */
u16 virtio_pci_queue_max(struct virtio_dev *dev);

/**
 * virtio_pci_start() - Hand queue 0 to the device and start it.
 * @dev: the device, after virtio_pci_init()
 * @size: entries, a power of two
 * @desc: address of the descriptor table
 * @avail: address of the driver area
 * @used: address of the device area
 * @notify: where the address goes that announces new buffers
 *
 * Return: FW_OK, or FW_EVIRTIO_QUEUE if the device does not take the queue.
 */
enum fw_status virtio_pci_start(struct virtio_dev *dev, u16 size, u64 desc, u64 avail, u64 used,
				u64 *notify);

/**
 * virtio_pci_read_config64() - Read a 64-bit field of the device configuration.
 * @dev: the device, after virtio_pci_init()
 * @offset: where it starts, a multiple of 4
 * @value: where it goes, the same on two reads of one generation
 *
 * Return: FW_OK, FW_EPCI_CAP if the device has no such field, FW_EVIRTIO_CONFIG
 * if it never holds still.
 */
enum fw_status virtio_pci_read_config64(struct virtio_dev *dev, u64 offset, u64 *value);

/**
 * virtio_pci_needs_reset() - Tell whether the device gave up.
 * @dev: the device, after virtio_pci_init()
 *
 * Return: true if DEVICE_NEEDS_RESET is set.
 */
bool virtio_pci_needs_reset(struct virtio_dev *dev);

/**
 * virtio_pci_reset() - Stop the device; it lets go of all memory.
 * @dev: the device, after virtio_pci_init() found its registers
 *
 * Return: FW_OK, or FW_ETIMEOUT if the device does not confirm.
 */
enum fw_status virtio_pci_reset(struct virtio_dev *dev);

#endif
