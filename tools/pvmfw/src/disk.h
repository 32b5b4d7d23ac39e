/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disk of the VM: the firmware finds it on the PCI bus, reads all of it and prints its
 * digest. Rule: the configuration, not the host, bounds how much is read.
 */
#ifndef PVMFW_DISK_H
#define PVMFW_DISK_H

#include "buddy.h"
#include "config.h"
#include "pci.h"
#include "platform.h"
#include "shared.h"
#include "status.h"
#include "virtio_blk.h"

/**
 * struct disk - The disk.
 * @pci: the bus on which the disk is
 * @blk: the device
 */
struct disk {
	struct pci_host pci;
	struct virtio_blk blk;
};

/**
 * disk_init() - Find the disk and bring it up; prints its size.
 * @disk: filled in
 * @p: the platform
 * @pool: the pool of its buffers
 *
 * Prints every error except for FW_ENODISK.
 *
 * Return: FW_OK; FW_ENODISK if there is no PCI host bridge or no disk; or the error of
 * pci_find() or virtio_blk_init().
 */
enum fw_status disk_init(struct disk *disk, const struct platform *p, struct shared_pool *pool);

/**
 * disk_hash() - Read all of the disk and print its SHA-256.
 * @disk: the disk, after disk_init()
 * @heap: private memory for the read buffer
 * @config: size and number of requests, and the largest size of a disk
 *
 * Prints every error of the disk.
 *
 * Return: FW_OK; FW_EBLK_TOO_LARGE if the disk is larger than @config allows; FW_ENOMEM; or
 * the error of virtio_blk_start_read(), virtio_blk_finish_read() or buddy_free().
 */
enum fw_status disk_hash(struct disk *disk, struct buddy *heap, const struct fw_config *config);

#endif
