/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device's side of a split virtqueue.
 */
#ifndef VMM_VIRTQUEUE_H
#define VMM_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define VIRTQUEUE_MAX_SIZE	256

/* What can be wrong with a queue; all but the first are the driver's doing. */
enum vq_result {
	VQ_OK,
	VQ_RING_ADDRESS,
	VQ_RING_UNREACHABLE,
	VQ_AVAIL_INDEX,
	VQ_HEAD,
	VQ_NEXT,
	VQ_LOOP,
	VQ_FLAGS,
	VQ_ORDER,
	VQ_ZERO_LENGTH,
	VQ_TOO_LONG,
	VQ_BUFFER_ADDRESS,
	NR_VQ_RESULTS,
};

struct virtqueue {
	bool enabled;
	/* A power of two, at most VIRTQUEUE_MAX_SIZE. */
	uint16_t size;
	uint16_t next_avail;
	uint16_t next_used;
	/* Guest physical addresses. */
	uint64_t desc;
	uint64_t avail;
	uint64_t used;
};

struct vq_buffer {
	uint64_t address;
	uint32_t length;
};

/* A copy of a descriptor chain: what was checked cannot change any more. */
struct vq_chain {
	uint16_t head;
	/* Those that the device reads come first, then those that it writes. */
	unsigned int nr_readable;
	unsigned int nr_buffers;
	uint64_t readable_length;
	uint64_t writable_length;
	struct vq_buffer buffer[VIRTQUEUE_MAX_SIZE];
};

/**
 * vq_result_string() - Say what is wrong.
 * @result: not VQ_OK
 *
 * Return: a phrase for a message.
 */
const char *vq_result_string(enum vq_result result);

/**
 * virtqueue_reset() - Back to the state after power-on.
 * @vq: the queue
 */
void virtqueue_reset(struct virtqueue *vq);

/**
 * virtqueue_enable() - Check where the driver put the rings, and start.
 * @vq: the queue, its size and addresses set
 * @memory: guest memory
 *
 * Return: VQ_OK; VQ_RING_ADDRESS with nothing changed if a ring is misaligned
 * or not in guest memory.
 */
enum vq_result virtqueue_enable(struct virtqueue *vq, const struct guest_memory *memory);

/**
 * virtqueue_available() - How many chains the driver has made available.
 * @vq: an enabled queue
 * @memory: guest memory
 * @count: how many, at most the queue's size
 *
 * Return: VQ_OK, VQ_AVAIL_INDEX or VQ_RING_UNREACHABLE.
 */
enum vq_result virtqueue_available(const struct virtqueue *vq, const struct guest_memory *memory,
				   unsigned int *count);

/**
 * virtqueue_pop() - Take the next chain.
 * @vq: an enabled queue for which virtqueue_available() counts one more chain
 * @memory: guest memory
 * @chain: where to copy it; undefined on error
 *
 * Each field is read once, copied, and then checked; all buffers lie in guest
 * memory, though they need not be shared.
 *
 * Return: VQ_OK, or what is wrong with the chain, which then stays in the queue.
 */
enum vq_result virtqueue_pop(struct virtqueue *vq, const struct guest_memory *memory,
			     struct vq_chain *chain);

/**
 * virtqueue_push() - Hand a chain back.
 * @vq: an enabled queue
 * @memory: guest memory
 * @head: the chain's head
 * @written: how many bytes the device wrote into it
 *
 * Return: VQ_OK or VQ_RING_UNREACHABLE.
 */
enum vq_result virtqueue_push(struct virtqueue *vq, const struct guest_memory *memory,
			      uint16_t head, uint32_t written);

/**
 * virtqueue_wants_interrupt() - Does the driver ask to be told of used chains?
 * @vq: an enabled queue
 * @memory: guest memory
 * @wanted: the answer
 *
 * Return: VQ_OK or VQ_RING_UNREACHABLE.
 */
enum vq_result virtqueue_wants_interrupt(const struct virtqueue *vq,
					 const struct guest_memory *memory, bool *wanted);

#endif /* VMM_VIRTQUEUE_H */
