/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio block device over a file or a block device of the host.
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
	/* The request at hand; too large for a stack. */
	struct vq_chain chain;
};

/**
 * virtio_blk_open() - Open what backs the disk.
 * @blk: its fd, size and mode are filled in
 * @path: regular file or block device
 * @read_only: open it read-only, and refuse writes
 *
 * Says on standard error what is wrong with a disk that is missing, empty, no
 * file or block device, or no multiple of 512 bytes.
 *
 * Return: 0, or a negative errno.
 */
int virtio_blk_open(struct virtio_blk *blk, const char *path, bool read_only);

/**
 * virtio_blk_init() - Make the device.
 * @blk: after virtio_blk_open()
 * @memory: guest memory
 *
 * Return: as virtio_pci_init().
 */
int virtio_blk_init(struct virtio_blk *blk, const struct guest_memory *memory);

/**
 * virtio_blk_close() - Bring to stable storage what the guest wrote, and close the file.
 * @blk: after virtio_blk_open(); no vCPU runs any more
 *
 * Return: 0, or the negative errno of the failed write-back, which is reported
 * on standard error.
 */
int virtio_blk_close(struct virtio_blk *blk);

#endif /* VMM_VIRTIO_BLK_H */
