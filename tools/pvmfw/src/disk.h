/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The disk of the VM: found on the PCI bus, read as a whole, reported as a
 * digest.
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
 * @pci: the bus that it is on
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
 * @pool: memory to share with it
 *
 * Prints what is wrong, unless there simply is no disk.
 *
 * Return: FW_OK; FW_ENODISK, also without a PCI host; or the errors of PCI and
 * virtio.
 */
enum fw_status disk_init(struct disk *disk, const struct platform *p, struct shared_pool *pool);

/**
 * disk_hash() - Read all of the disk and print its SHA-256.
 * @disk: the disk, after disk_init()
 * @heap: private memory for what was read
 * @config: how large requests are, how many are under way at a time, and how large
 *	the disk may be
 *
 * The host chooses how large the disk is, so the configuration bounds how much is
 * read. Prints what is wrong.
 *
 * Return: FW_OK, FW_EBLK_TOO_LARGE, FW_ENOMEM, or the errors of virtio_blk_start_read() and
 * virtio_blk_finish_read().
 */
enum fw_status disk_hash(struct disk *disk, struct buddy *heap, const struct fw_config *config);

#endif
