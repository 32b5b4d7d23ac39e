/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A split virtqueue (virtio 1.2, section 2.7), polled. What the driver must
 * remember lies in private memory; the shared rings are only written, apart
 * from the used ring, of which every field is read once and checked. After the
 * first impossible value the queue is broken for good.
 */
#ifndef PVMFW_VIRTQUEUE_H
#define PVMFW_VIRTQUEUE_H

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

struct virtq_desc;
struct virtq_avail;
struct virtq_used;

/**
 * struct virtqueue - A queue.
 * @size: entries, a power of two
 * @avail_idx: free-running count of requests made
 * @used_idx: free-running count of requests that came back
 * @free_head: first free descriptor
 * @free_count: how many are free
 * @broken: the device cannot be believed any more
 * @next: by descriptor: the next one of its chain, or of the free list
 * @chain: by descriptor: how many the request has that starts here; 0 if none
 *	does
 * @writable: by descriptor: bytes that the device may write for that request
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
	struct virtq_desc *desc;
	struct virtq_avail *avail;
	struct virtq_used *used;
};

/**
 * virtq_init() - Make an empty queue.
 * @vq: the queue
 * @pool: where its rings come from; they go back when the pool ends
 * @max: how many entries the device offers
 *
 * Return: FW_OK; FW_EVIRTIO_QUEUE if @max is no power of two or too small for
 * one request; or the error of alloc_shared().
 */
enum fw_status virtq_init(struct virtqueue *vq, struct shared_pool *pool, u16 max);

/**
 * virtq_add() - Make a request.
 * @vq: the queue
 * @seg: its buffers; those that the device writes come last
 * @count: how many
 * @id: where a number goes that names the request until it comes back
 *
 * The device may see the request at once, but need not look before it is
 * notified.
 *
 * Return: FW_OK, FW_EAGAIN if there is no room now, FW_EVIRTIO_RING if the
 * queue is broken.
 */
enum fw_status virtq_add(struct virtqueue *vq, const struct virtq_seg *seg, unsigned int count,
			 u16 *id);

/**
 * virtq_poll() - Take back a request that the device is done with.
 * @vq: the queue
 * @id: where the name of the request goes
 * @written: where the number of bytes goes that the device says it wrote, never
 *	more than it may
 *
 * Return: FW_OK, FW_EAGAIN if there is none now, FW_EVIRTIO_RING if the queue
 * is broken.
 */
enum fw_status virtq_poll(struct virtqueue *vq, u16 *id, u32 *written);

#endif
