// SPDX-License-Identifier: GPL-2.0-only
/*
 * The split virtqueue (virtqueue.h), as virtio 1.1, 2.6, defines it.
 */
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#include <linux/virtio_ring.h>

#include "le.h"
#include "virtqueue.h"

#define DESC_SIZE	sizeof(struct vring_desc)
#define USED_ELEM_SIZE	sizeof(struct vring_used_elem)
/* Flags and index before the ring, and the event index behind it. */
#define AVAIL_SIZE(n)	(4 + 2 * (uint64_t)(n) + 2)
#define USED_SIZE(n)	(4 + USED_ELEM_SIZE * (uint64_t)(n) + 2)

static const char *const result_strings[NR_VQ_RESULTS] = {
	[VQ_OK]			= "no error",
	[VQ_RING_ADDRESS]	= "a ring is misaligned or outside of guest memory",
	[VQ_RING_UNREACHABLE]	= "a ring lies in memory that the guest does not share",
	[VQ_AVAIL_INDEX]	= "more chains are available than the queue has entries",
	[VQ_HEAD]		= "the head of a chain is outside of the descriptor table",
	[VQ_NEXT]		= "a chain continues outside of the descriptor table",
	[VQ_LOOP]		= "a chain has more descriptors than the queue",
	[VQ_FLAGS]		= "a descriptor has flags that were not negotiated",
	[VQ_ORDER]		= "a chain has a readable buffer behind a writable one",
	[VQ_ZERO_LENGTH]	= "a descriptor has length 0",
	[VQ_TOO_LONG]		= "a chain is longer than 4 GiB",
	[VQ_BUFFER_ADDRESS]	= "a buffer is outside of guest memory",
};

const char *vq_result_string(enum vq_result result)
{
	return result_strings[result];
}

void virtqueue_reset(struct virtqueue *vq)
{
	memset(vq, 0, sizeof(*vq));
	vq->size = VIRTQUEUE_MAX_SIZE;
}

enum vq_result virtqueue_enable(struct virtqueue *vq, const struct guest_memory *memory)
{
	if (vq->desc % VRING_DESC_ALIGN_SIZE || vq->avail % VRING_AVAIL_ALIGN_SIZE ||
	    vq->used % VRING_USED_ALIGN_SIZE ||
	    !guest_memory_contains(memory, vq->desc, DESC_SIZE * vq->size) ||
	    !guest_memory_contains(memory, vq->avail, AVAIL_SIZE(vq->size)) ||
	    !guest_memory_contains(memory, vq->used, USED_SIZE(vq->size)))
		return VQ_RING_ADDRESS;
	vq->next_avail = 0;
	vq->next_used = 0;
	vq->enabled = true;
	return VQ_OK;
}

enum vq_result virtqueue_available(const struct virtqueue *vq, const struct guest_memory *memory,
				   unsigned int *count)
{
	uint16_t index;

	if (guest_memory_load16(memory, vq->avail + offsetof(struct vring_avail, idx), &index))
		return VQ_RING_UNREACHABLE;
	*count = (uint16_t)(index - vq->next_avail);
	return *count > vq->size ? VQ_AVAIL_INDEX : VQ_OK;
}

static enum vq_result chain_add(struct vq_chain *chain, const struct guest_memory *memory,
				uint64_t address, uint32_t length, bool writable)
{
	if (!length)
		return VQ_ZERO_LENGTH;
	if (!guest_memory_contains(memory, address, length))
		return VQ_BUFFER_ADDRESS;
	if (!writable && chain->writable_length)
		return VQ_ORDER;
	if (chain->readable_length + chain->writable_length + length > UINT32_MAX)
		return VQ_TOO_LONG;

	if (writable) {
		chain->writable_length += length;
	} else {
		chain->readable_length += length;
		chain->nr_readable++;
	}
	chain->buffer[chain->nr_buffers].address = address;
	chain->buffer[chain->nr_buffers].length = length;
	chain->nr_buffers++;
	return VQ_OK;
}

enum vq_result virtqueue_pop(struct virtqueue *vq, const struct guest_memory *memory,
			     struct vq_chain *chain)
{
	uint16_t slot = vq->next_avail % vq->size;
	uint16_t index, flags;

	if (guest_memory_load16(memory, vq->avail + offsetof(struct vring_avail, ring) + 2 * slot,
				&index))
		return VQ_RING_UNREACHABLE;
	if (index >= vq->size)
		return VQ_HEAD;

	chain->head = index;
	chain->nr_readable = 0;
	chain->nr_buffers = 0;
	chain->readable_length = 0;
	chain->writable_length = 0;
	do {
		struct vring_desc desc;
		enum vq_result result;

		if (chain->nr_buffers == vq->size)
			return VQ_LOOP;
		if (guest_memory_read(memory, vq->desc + DESC_SIZE * index, &desc, sizeof(desc)))
			return VQ_RING_UNREACHABLE;

		flags = get_le16(&desc.flags);
		if (flags & ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE))
			return VQ_FLAGS;
		result = chain_add(chain, memory, get_le64(&desc.addr), get_le32(&desc.len),
				   flags & VRING_DESC_F_WRITE);
		if (result != VQ_OK)
			return result;

		index = get_le16(&desc.next);
		if ((flags & VRING_DESC_F_NEXT) && index >= vq->size)
			return VQ_NEXT;
	} while (flags & VRING_DESC_F_NEXT);

	vq->next_avail++;
	return VQ_OK;
}

enum vq_result virtqueue_push(struct virtqueue *vq, const struct guest_memory *memory,
			      uint16_t head, uint32_t written)
{
	uint16_t slot = vq->next_used % vq->size;
	struct vring_used_elem elem;

	put_le32(&elem.id, head);
	put_le32(&elem.len, written);
	if (guest_memory_write(memory, vq->used + offsetof(struct vring_used, ring) +
			       USED_ELEM_SIZE * slot, &elem, sizeof(elem)))
		return VQ_RING_UNREACHABLE;
	/* Write the index last: it announces element and buffers to the driver. */
	if (guest_memory_store16(memory, vq->used + offsetof(struct vring_used, idx),
				 vq->next_used + 1))
		return VQ_RING_UNREACHABLE;
	vq->next_used++;
	return VQ_OK;
}

enum vq_result virtqueue_wants_interrupt(const struct virtqueue *vq,
					 const struct guest_memory *memory, bool *wanted)
{
	uint16_t flags;

	/*
	 * Pairs with the driver's barrier between clearing the flag and reading the used index:
	 * either the driver sees the new index, or the device sees the cleared flag.
	 */
	atomic_thread_fence(memory_order_seq_cst);
	if (guest_memory_load16(memory, vq->avail + offsetof(struct vring_avail, flags), &flags))
		return VQ_RING_UNREACHABLE;
	*wanted = !(flags & VRING_AVAIL_F_NO_INTERRUPT);
	return VQ_OK;
}
