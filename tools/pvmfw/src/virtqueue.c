// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split virtqueue (virtqueue.h). The rings are little-endian, as is the CPU.
 */
#include <assert.h>
#include <string.h>

#include "virtqueue.h"

/* The smallest power of two that holds a request of header, data and status. */
#define MIN_SIZE	4

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "virtio 1.x is little-endian");

enum fw_status virtq_init(struct virtqueue *vq, struct shared_pool *pool, u16 max)
{
	size_t avail, used, bytes;
	enum fw_status status;
	void *rings;
	u16 i;

	memset(vq, 0, sizeof(*vq));
	if (max < MIN_SIZE || !is_power_of_2(max))
		return FW_EVIRTIO_QUEUE;
	vq->size = max < VIRTQUEUE_MAX ? max : VIRTQUEUE_MAX;

	avail = vq->size * sizeof(struct vring_desc);
	/* Each ring ends with an event field, which this driver does not use. */
	used = align_up(avail + sizeof(struct vring_avail) + (vq->size + 1) * sizeof(u16),
			sizeof(u32));
	bytes = used + sizeof(struct vring_used) + vq->size * sizeof(struct vring_used_elem) +
		sizeof(u16);
	status = alloc_shared(pool, bytes, &rings);
	if (status != FW_OK)
		return status;
	memset(rings, 0, bytes);
	vq->desc = rings;
	vq->avail = (struct vring_avail *)((char *)rings + avail);
	vq->used = (struct vring_used *)((char *)rings + used);
	WRITE_ONCE(vq->avail->flags, VRING_AVAIL_F_NO_INTERRUPT);

	for (i = 0; i < vq->size; i++)
		vq->next[i] = (u16)(i + 1);
	vq->free_count = vq->size;
	return FW_OK;
}

enum fw_status virtq_add(struct virtqueue *vq, const struct virtq_seg *seg, unsigned int count,
			 u16 *id)
{
	u16 head = vq->free_head, at = head;
	u32 writable = 0;
	unsigned int i;

	if (vq->broken)
		return FW_EVIRTIO_RING;
	if (count > vq->free_count)
		return FW_EAGAIN;

	for (i = 0; i < count; i++) {
		struct vring_desc *desc = &vq->desc[at];
		u16 flags = 0;

		if (seg[i].device_writes) {
			flags |= VRING_DESC_F_WRITE;
			writable += seg[i].len;
		}
		if (i + 1 < count)
			flags |= VRING_DESC_F_NEXT;
		WRITE_ONCE(desc->addr, seg[i].addr);
		WRITE_ONCE(desc->len, seg[i].len);
		WRITE_ONCE(desc->flags, flags);
		WRITE_ONCE(desc->next, i + 1 < count ? vq->next[at] : 0);
		at = vq->next[at];
	}
	vq->free_head = at;
	vq->free_count -= count;
	vq->chain[head] = (u16)count;
	vq->writable[head] = writable;

	WRITE_ONCE(vq->avail->ring[vq->avail_idx & (vq->size - 1)], head);
	vq->avail_idx++;
	/* The device must see the request before it sees the index. */
	__atomic_store_n(&vq->avail->idx, vq->avail_idx, __ATOMIC_RELEASE);
	*id = head;
	return FW_OK;
}

static enum fw_status break_queue(struct virtqueue *vq)
{
	vq->broken = true;
	return FW_EVIRTIO_RING;
}

enum fw_status virtq_poll(struct virtqueue *vq, u16 *id, u32 *written)
{
	const struct vring_used_elem *elem = &vq->used->ring[vq->used_idx & (vq->size - 1)];
	u16 idx, tail, left;
	u32 head, len;

	if (vq->broken)
		return FW_EVIRTIO_RING;
	/* The entry must be read after the index that announces it. */
	idx = __atomic_load_n(&vq->used->idx, __ATOMIC_ACQUIRE);
	if (idx == vq->used_idx)
		return FW_EAGAIN;
	if ((u16)(idx - vq->used_idx) > (u16)(vq->avail_idx - vq->used_idx))
		return break_queue(vq);

	head = READ_ONCE(elem->id);
	len = READ_ONCE(elem->len);
	if (head >= vq->size || !vq->chain[head] || len > vq->writable[head])
		return break_queue(vq);

	tail = (u16)head;
	for (left = vq->chain[head]; left > 1; left--)
		tail = vq->next[tail];
	vq->next[tail] = vq->free_head;
	vq->free_head = (u16)head;
	vq->free_count += vq->chain[head];
	vq->chain[head] = 0;
	vq->used_idx++;
	*id = (u16)head;
	*written = len;
	return FW_OK;
}
