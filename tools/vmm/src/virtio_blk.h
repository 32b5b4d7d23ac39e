/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio block device, backed by a file or a block device of the host. Rule: no request
 * reaches beyond the end of the disk, and none changes a read-only disk.
 */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_blk.h>

#include "virtio_pci.h"

struct virtio_blk {
	struct virtio_pci virtio;
	int fd;
	bool read_only;
	uint64_t sectors;
	struct virtio_blk_config config;
	/* The request that is being handled; too large for the stack. */
	struct vq_chain chain;
};

/**
 * virtio_blk_open() - Open the file or block device behind a disk.
 * @blk: @fd, @sectors and @read_only are filled in
 * @path: regular file or block device
 * @read_only: open it read-only, and refuse writes
 *
 * Prints every error on standard error.
 *
 * Return: 0; -EINVAL if it is empty, neither a regular file nor a block device, or its size is
 * not a multiple of 512 bytes; or the negative errno of open(), fstat() or lseek().
 */
int virtio_blk_open(struct virtio_blk *blk, const char *path, bool read_only);

/**
 * virtio_blk_init() - Initialise the device.
 * @blk: after virtio_blk_open()
 * @memory: guest memory
 *
 * Return: as virtio_pci_init().
 */
int virtio_blk_init(struct virtio_blk *blk, const struct guest_memory *memory);

/**
 * virtio_blk_close() - Write the guest's data to stable storage, and close the file.
 * @blk: after virtio_blk_open(); no vCPU runs any more
 *
 * Return: 0, or the negative errno of fdatasync(), reported on standard error.
 */
int virtio_blk_close(struct virtio_blk *blk);

#endif /* VMM_VIRTIO_BLK_H */
