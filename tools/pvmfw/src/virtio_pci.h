/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtio 1.x transport over PCI (virtio 1.2, section 4.1), as far as a polled driver with
 * one queue needs it. Rule: every offset and size that the device reports is checked against
 * its BARs.
 */
#ifndef PVMFW_VIRTIO_PCI_H
#define PVMFW_VIRTIO_PCI_H

#include <linux/virtio_ids.h>

#include "pci.h"
#include "status.h"
#include "types.h"

#define VIRTIO_PCI_VENDOR	0x1af4
/* Devices of virtio 1.x have the type of the device behind this number. */
#define VIRTIO_PCI_DEVICE_BASE	0x1040
#define VIRTIO_PCI_DEVICE_BLK	(VIRTIO_PCI_DEVICE_BASE + VIRTIO_ID_BLOCK)

/**
 * struct virtio_region - A register structure in a BAR.
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
 * @config: configuration that depends on the device type
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
 * The driver requires VIRTIO_F_VERSION_1 and VIRTIO_F_ACCESS_PLATFORM, and accepts no other
 * feature.
 *
 * Return: FW_OK; FW_EPCI_CAP for missing or invalid register structures;
 * FW_EVIRTIO_FEATURES; FW_ETIMEOUT if the device does not reset.
 */
enum fw_status virtio_pci_init(struct virtio_dev *dev, const struct pci_dev *pci);

/**
 * virtio_pci_queue_max() - Read how many entries queue 0 may have.
 * @dev: the device, after virtio_pci_init()
 *
 * Return: number of entries, unchecked; 0 if there is no such queue.
 */
u16 virtio_pci_queue_max(struct virtio_dev *dev);

/**
 * virtio_pci_start() - Give queue 0 to the device and start the device.
 * @dev: the device, after virtio_pci_init()
 * @size: entries, a power of two
 * @desc: address of the descriptor table
 * @avail: address of the driver area
 * @used: address of the device area
 * @notify: set to the address of the register that announces new buffers
 *
 * Return: FW_OK, or FW_EVIRTIO_QUEUE if the device does not take the queue or its notify
 * address is invalid.
 */
enum fw_status virtio_pci_start(struct virtio_dev *dev, u16 size, u64 desc, u64 avail, u64 used,
				u64 *notify);

/**
 * virtio_pci_read_config64() - Read a 64-bit field of the device configuration.
 * @dev: the device, after virtio_pci_init()
 * @offset: offset of the field in bytes, a multiple of 4
 * @value: set to the value; the generation did not change while it was read
 *
 * Return: FW_OK; FW_EPCI_CAP if the device has no such field; FW_EVIRTIO_CONFIG if the
 * generation changed during every one of a bounded number of tries.
 */
enum fw_status virtio_pci_read_config64(struct virtio_dev *dev, u64 offset, u64 *value);

/**
 * virtio_pci_needs_reset() - Check whether the device reports that it needs a reset.
 * @dev: the device, after virtio_pci_init()
 *
 * Return: true if DEVICE_NEEDS_RESET is set.
 */
bool virtio_pci_needs_reset(struct virtio_dev *dev);

/**
 * virtio_pci_reset() - Reset the device, which then accesses no memory.
 * @dev: the device; @dev->common is known
 *
 * Return: FW_OK, or FW_ETIMEOUT if the device does not confirm.
 */
enum fw_status virtio_pci_reset(struct virtio_dev *dev);

#endif
