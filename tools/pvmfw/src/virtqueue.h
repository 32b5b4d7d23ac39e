/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A split virtqueue (virtio 1.2, section 2.7), polled.
 *
 * Rule: the driver's state lies in private memory. It never reads the shared rings, except
 * for the used ring, of which it reads each field once and checks it. After the first invalid
 * value the queue stays broken.
 */
#ifndef PVMFW_VIRTQUEUE_H
#define PVMFW_VIRTQUEUE_H

#include <linux/virtio_ring.h>

#include "shared.h"
#include "status.h"
#include "types.h"

#define VIRTQUEUE_MAX 64

/**
 * struct virtq_seg - A buffer of a request.
 * @addr: its address, in shared memory
 * @len: bytes
 * @device_writes: the device writes it; otherwise the device reads it
 */
struct virtq_seg {
	u64 addr;
	u32 len;
	bool device_writes;
};

/**
 * struct virtqueue - A queue.
 * @size: entries, a power of two
 * @avail_idx: free-running count of requests made
 * @used_idx: free-running count of requests completed
 * @free_head: first free descriptor
 * @free_count: number of free descriptors
 * @broken: the device wrote an invalid value; the queue is not used any more
 * @next: for each descriptor the next one of its chain, or of the free list
 * @chain: for each descriptor the length of the chain that starts with it; 0 if none does
 * @writable: for each first descriptor of a chain the bytes that the device may write
 * @desc: descriptor table, shared
 * @avail: driver area, shared
 * @used: device area, shared
 */
struct virtqueue {
	u16 size;
	u16 avail_idx;
	u16 used_idx;
	u16 free_head;
	u16 free_count;
	bool broken;
	u16 next[VIRTQUEUE_MAX];
	u16 chain[VIRTQUEUE_MAX];
	u32 writable[VIRTQUEUE_MAX];
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
};

/**
 * virtq_init() - Make an empty queue.
 * @vq: the queue
 * @pool: the pool of its rings, which stay allocated until shared_end()
 * @max: number of entries that the device offers
 *
 * Return: FW_OK; FW_EVIRTIO_QUEUE if @max is not a power of two or too small for a request
 * of three buffers; or the error of alloc_shared().
 */
enum fw_status virtq_init(struct virtqueue *vq, struct shared_pool *pool, u16 max);

/**
 * virtq_add() - Make a request.
 * @vq: the queue
 * @seg: its buffers; those that the device writes come last
 * @count: number of buffers, not 0
 * @id: set to the id of the request, which is valid until the request completes
 *
 * The device may process the request at once, but may also wait for a notification, which
 * the caller makes.
 *
 * Return: FW_OK; FW_EAGAIN if too few descriptors are free; FW_EVIRTIO_RING if the queue is
 * broken.
 */
enum fw_status virtq_add(struct virtqueue *vq, const struct virtq_seg *seg, unsigned int count,
			 u16 *id);

/**
 * virtq_poll() - Take the next completed request from the queue.
 * @vq: the queue
 * @id: set to the id of the request
 * @written: set to the number of bytes that the device claims to have written, at most those
 *	that it may write
 *
 * Return: FW_OK; FW_EAGAIN if there is no completed request; FW_EVIRTIO_RING if the queue is
 * broken.
 */
enum fw_status virtq_poll(struct virtqueue *vq, u16 *id, u32 *written);

#endif
