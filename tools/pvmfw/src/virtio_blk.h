/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A driver for the virtio block device (virtio 1.2, section 5.2) that only reads. Rule: data
 * is copied to private memory before anything uses it.
 */
#ifndef PVMFW_VIRTIO_BLK_H
#define PVMFW_VIRTIO_BLK_H

#include "shared.h"
#include "virtio_pci.h"
#include "virtqueue.h"

#define SECTOR_SIZE		512

/* Largest number of bytes that one request may read. */
#define VIRTIO_BLK_MAX_READ	0x10000

/* Largest number of requests in flight. */
#define VIRTIO_BLK_MAX_DEPTH	16

struct blk_request;

/**
 * struct virtio_blk_slot - A request.
 * @req: its header and status, in shared memory; NULL while the slot is free
 * @bounce: its data, in shared memory
 * @len: bytes to read
 * @written: bytes that the device claims to have written; valid if @done
 * @done: the device has completed it
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
 * @pool: the pool of its buffers
 * @notify: address of the register that announces requests
 * @sectors: its capacity in sectors of SECTOR_SIZE
 * @requests: requests made so far
 * @in_flight: requests that the device has not completed
 * @in_flight_peak: the largest value that @in_flight has had
 * @running: the device may access shared memory
 * @slot: the requests
 * @slot_of: the slot of a request, by its id in the queue
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
 * @pool: the pool of its buffers
 *
 * Return: FW_OK; FW_EBLK_CAPACITY if the disk has no sectors or 2^64 bytes and more; or the
 * error of a virtio_pci function or virtq_init().
 */
enum fw_status virtio_blk_init(struct virtio_blk *blk, const struct pci_dev *pci,
			       struct shared_pool *pool);

/**
 * virtio_blk_start_read() - Start a request that reads sectors.
 * @blk: the disk
 * @sector: the first one
 * @len: bytes, a multiple of SECTOR_SIZE, at most VIRTIO_BLK_MAX_READ
 * @slot: set to the number of the request, for virtio_blk_finish_read()
 *
 * Return: FW_OK; FW_EAGAIN if there are too many requests in flight; FW_EALIGN if @len is 0
 * or not a multiple of SECTOR_SIZE; FW_EBLK_RANGE if @len is too large or the sectors are
 * beyond the end; FW_EVIRTIO_RING if the queue is broken; or the error of alloc_shared() or
 * dealloc_shared().
 */
enum fw_status virtio_blk_start_read(struct virtio_blk *blk, u64 sector, u32 len,
				     unsigned int *slot);

/**
 * virtio_blk_finish_read() - Wait for a request, a bounded time, and copy its data to private
 *	memory.
 * @blk: the disk
 * @slot: from virtio_blk_start_read(); invalid afterwards
 * @dst: private memory of as many bytes as were requested
 *
 * The device may complete requests in any order. After an error other than FW_EBLK_IO and
 * FW_EBLK_UNSUPPORTED the device may still access the buffers, so they stay allocated until
 * shared_end().
 *
 * Return: FW_OK; FW_EBLK_IO, FW_EBLK_UNSUPPORTED or FW_EBLK_STATUS, by the status of the
 * request; FW_EBLK_SHORT if the device claims to have written another number of bytes;
 * FW_ETIMEOUT; FW_EVIRTIO_BROKEN if the device needs a reset; FW_EVIRTIO_RING; FW_EBADFREE.
 */
enum fw_status virtio_blk_finish_read(struct virtio_blk *blk, unsigned int slot, void *dst);

/**
 * virtio_blk_stop() - Reset the device, so that its memory can be unshared.
 * @blk: the disk: all zeroes, or after virtio_blk_init(), even if that failed
 *
 * Return: FW_OK, or FW_ETIMEOUT if the device does not reset.
 */
enum fw_status virtio_blk_stop(struct virtio_blk *blk);

#endif
