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

/* Requests that may be under way at a time. */
#define VIRTIO_BLK_MAX_DEPTH	16

struct blk_request;

/**
 * struct virtio_blk_slot - A request.
 * @req: its header and status, shared; NULL while the slot is free
 * @bounce: its data, shared
 * @len: bytes to read
 * @written: bytes that the device says it wrote, once @done
 * @done: it came back
 */
struct virtio_blk_slot {
	struct blk_request *req;
	void *bounce;
	u32 len;
	u32 written;
	bool done;
};

/**
 * struct virtio_blk - A disk.
 * @dev: its transport
 * @vq: its queue
 * @pool: where bounce buffers come from
 * @notify: address that announces requests
 * @sectors: its capacity
 * @requests: requests made so far
 * @in_flight: requests that have not come back
 * @in_flight_peak: the most that ever were
 * @running: the device may use shared memory
 * @slot: the requests
 * @slot_of: by name of a request in the queue: its slot
 */
struct virtio_blk {
	struct virtio_dev dev;
	struct virtqueue vq;
	struct shared_pool *pool;
	u64 notify;
	u64 sectors;
	u64 requests;
	unsigned int in_flight;
	unsigned int in_flight_peak;
	bool running;
	struct virtio_blk_slot slot[VIRTIO_BLK_MAX_DEPTH];
	u8 slot_of[VIRTQUEUE_MAX];
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
 * virtio_blk_start_read() - Ask for sectors.
 * @blk: the disk
 * @sector: the first one
 * @len: bytes, a multiple of SECTOR_SIZE, at most VIRTIO_BLK_MAX_READ
 * @slot: where the number of the request goes, for virtio_blk_finish_read()
 *
 * Return: FW_OK; FW_EAGAIN if as many requests are under way as can be;
 * FW_EALIGN; FW_EBLK_RANGE; FW_EVIRTIO_RING; or the error of alloc_shared().
 */
enum fw_status virtio_blk_start_read(struct virtio_blk *blk, u64 sector, u32 len,
				     unsigned int *slot);

/**
 * virtio_blk_finish_read() - Wait for a request, and copy to private memory what
 *	it read.
 * @blk: the disk
 * @slot: from virtio_blk_start_read(); free again afterwards
 * @dst: private memory, of as many bytes as were asked for
 *
 * Requests may come back in any order. After an error other than FW_EBLK_IO and
 * FW_EBLK_UNSUPPORTED the device may still use the buffers, so they stay
 * allocated until the pool ends.
 *
 * Return: FW_OK; FW_EBLK_*; FW_ETIMEOUT, FW_EVIRTIO_*; FW_EBADFREE.
 */
enum fw_status virtio_blk_finish_read(struct virtio_blk *blk, unsigned int slot, void *dst);

/**
 * virtio_blk_stop() - Reset the device, so that its memory can be taken from
 *	it.
 * @blk: the disk, also one that failed to come up
 *
 * Return: FW_OK, or FW_ETIMEOUT.
 */
enum fw_status virtio_blk_stop(struct virtio_blk *blk);

#endif
