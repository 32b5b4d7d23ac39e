/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A split virtqueue as the device uses it. The driver is not trusted.
 *
 * Rule: each field of a ring is read once, and the copy is checked before it is used. The caller
 * holds the lock of the device.
 */
#ifndef VMM_VIRTQUEUE_H
#define VMM_VIRTQUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define VIRTQUEUE_MAX_SIZE	256

/* Results of functions on a queue; the driver causes all errors. */
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

/* A checked copy of a descriptor chain, which the driver cannot change. */
struct vq_chain {
	uint16_t head;
	/* Buffers that the device reads come first, then those that it writes. */
	unsigned int nr_readable;
	unsigned int nr_buffers;
	uint64_t readable_length;
	uint64_t writable_length;
	struct vq_buffer buffer[VIRTQUEUE_MAX_SIZE];
};

/**
 * vq_result_string() - Get the message for a result.
 * @result: the result
 *
 * Return: a constant string.
 */
const char *vq_result_string(enum vq_result result);

/**
 * virtqueue_reset() - Put a queue into the state after power-on.
 * @vq: the queue
 */
void virtqueue_reset(struct virtqueue *vq);

/**
 * virtqueue_enable() - Check the addresses of the rings, and enable the queue.
 * @vq: the queue; its size and addresses are set
 * @memory: guest memory
 *
 * Return: VQ_OK; VQ_RING_ADDRESS if a ring is misaligned or not in guest memory, when nothing
 * has changed.
 */
enum vq_result virtqueue_enable(struct virtqueue *vq, const struct guest_memory *memory);

/**
 * virtqueue_available() - Get the number of chains that the driver has made available.
 * @vq: an enabled queue
 * @memory: guest memory
 * @count: set to the number, at most the size of the queue
 *
 * Return: VQ_OK; VQ_AVAIL_INDEX if the driver claims more chains than the queue has entries;
 * VQ_RING_UNREACHABLE if the guest does not share the ring.
 */
enum vq_result virtqueue_available(const struct virtqueue *vq, const struct guest_memory *memory,
				   unsigned int *count);

/**
 * virtqueue_pop() - Take the next chain.
 * @vq: an enabled queue with an available chain, by virtqueue_available()
 * @memory: guest memory
 * @chain: set to a copy of the chain; undefined on an error
 *
 * All buffers of the copy lie in guest memory, but the guest may not share them.
 *
 * Return: VQ_OK, or the error of the chain, which then stays in the queue.
 */
enum vq_result virtqueue_pop(struct virtqueue *vq, const struct guest_memory *memory,
			     struct vq_chain *chain);

/**
 * virtqueue_push() - Return a chain to the driver.
 * @vq: an enabled queue
 * @memory: guest memory
 * @head: head of the chain
 * @written: bytes that the device wrote to it
 *
 * Return: VQ_OK; VQ_RING_UNREACHABLE if the guest does not share the ring.
 */
enum vq_result virtqueue_push(struct virtqueue *vq, const struct guest_memory *memory,
			      uint16_t head, uint32_t written);

/**
 * virtqueue_wants_interrupt() - Check whether the driver wants an interrupt for used chains.
 * @vq: an enabled queue
 * @memory: guest memory
 * @wanted: set to the answer
 *
 * Return: VQ_OK; VQ_RING_UNREACHABLE if the guest does not share the ring.
 */
enum vq_result virtqueue_wants_interrupt(const struct virtqueue *vq,
					 const struct guest_memory *memory, bool *wanted);

#endif /* VMM_VIRTQUEUE_H */
