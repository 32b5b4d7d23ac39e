/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtio block device (virtio 1.2, section 5.2), reading only.
 */
#ifndef PVMFW_VIRTIO_BLK_H
#define PVMFW_VIRTIO_BLK_H

#include "shared.h"
#include "virtio_pci.h"
#include "virtqueue.h"

#define SECTOR_SIZE		512

/* Bytes that one request reads at most. */
#define VIRTIO_BLK_MAX_READ	0x10000

/**
 * struct virtio_blk - A disk.
 * @dev: its transport
 * @vq: its queue
 * @pool: where bounce buffers come from
 * @notify: address that announces requests
 * @sectors: its capacity
 * @requests: requests made so far
 * @running: the device may use shared memory
 */
struct virtio_blk {
	struct virtio_dev dev;
	struct virtqueue vq;
	struct shared_pool *pool;
	u64 notify;
	u64 sectors;
	u64 requests;
	bool running;
};

/**
 * virtio_blk_init() - Bring up a disk.
 * @blk: filled in
 * @pci: the function, from pci_find()
 * @pool: memory to share with it
 *
 * Return: FW_OK; FW_EBLK_CAPACITY; or the errors of the transport, queue and
 * pool.
 */
enum fw_status virtio_blk_init(struct virtio_blk *blk, const struct pci_dev *pci,
			       struct shared_pool *pool);

/**
 * virtio_blk_read() - Read sectors into private memory.
 * @blk: the disk
 * @sector: the first one
 * @dst: private memory
 * @len: bytes, a multiple of SECTOR_SIZE, at most VIRTIO_BLK_MAX_READ
 *
 * After an error other than FW_EBLK_RANGE, FW_EBLK_IO and FW_EBLK_UNSUPPORTED
 * the device may still use the buffers of the request, so they stay allocated
 * until the pool ends.
 *
 * Return: FW_OK; FW_EALIGN; FW_EBLK_*; FW_ETIMEOUT, FW_EVIRTIO_*; or the error
 * of alloc_shared().
 */
enum fw_status virtio_blk_read(struct virtio_blk *blk, u64 sector, void *dst, u32 len);

/**
 * virtio_blk_stop() - Reset the device, so that its memory can be taken from
 *	it.
 * @blk: the disk, also one that failed to come up
 *
 * Return: FW_OK, or FW_ETIMEOUT.
 */
enum fw_status virtio_blk_stop(struct virtio_blk *blk);

#endif
