/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio balloon: the guest gives memory back to the host, as much as the host asks for, and
 * free pages without being asked. Rule: the VMM takes only guest memory, in whole pages of the
 * host, and of a protected guest only pages that it has relinquished.
 */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_balloon.h>

#include "virtio_pci.h"

/* Page numbers of one request: 16 MiB. Linux sends at most 256. */
#define BALLOON_MAX_PAGES	4096
/* The statistics that this VMM knows. Newer ones are ignored. */
#define BALLOON_STATS		10

/* What virtio_balloon_get_state() tells. */
struct balloon_state {
	/* Bytes that the host wants, and that the guest says it has put into the balloon. */
	uint64_t target;
	uint64_t actual;
	/* Statistics of the guest, by VIRTIO_BALLOON_S_*, as of @age_ms before. */
	bool known[BALLOON_STATS];
	uint64_t value[BALLOON_STATS];
	uint64_t age_ms;
};

struct virtio_balloon {
	struct virtio_pci virtio;
	struct pci_host *host;
	struct virtio_balloon_config config;
	/* The buffer by which the driver answers the next question for statistics. */
	bool has_question;
	uint16_t question;
	/* Signalled when the driver has answered. */
	pthread_cond_t answered;
	uint64_t answered_ms;
	bool known[BALLOON_STATS];
	uint64_t value[BALLOON_STATS];
	/* The request that is being handled; too large for the stack. */
	struct vq_chain chain;
	uint32_t pages[BALLOON_MAX_PAGES];
};

/**
 * virtio_balloon_init() - Initialise the device.
 * @balloon: filled in
 * @memory: guest memory
 * @host: the host bridge that the caller plugs it in
 * @target: bytes that the guest is to put into the balloon
 * @protected_vm: the guest is protected: a driver must share what the device accesses
 *
 * Return: as virtio_pci_init(), or the negative errno of pthread_cond_init().
 */
int virtio_balloon_init(struct virtio_balloon *balloon, const struct guest_memory *memory,
			struct pci_host *host, uint64_t target, bool protected_vm);

/**
 * virtio_balloon_set_target() - Tell the guest how much memory it is to give back.
 * @balloon: the device, plugged in
 * @target: bytes, at most the guest's memory
 *
 * Any thread; takes the host bridge's lock. The guest follows in its own time, or not at all.
 *
 * Return: 0, or -EINVAL if @target is not a multiple of 4 KiB or exceeds the guest's memory.
 */
int virtio_balloon_set_target(struct virtio_balloon *balloon, uint64_t target);

/**
 * virtio_balloon_get_state() - Get the size of the balloon and the guest's statistics.
 * @balloon: the device, plugged in
 * @timeout_ms: how long to wait for statistics of now; after that, the last ones are told
 * @state: filled in
 *
 * Any thread; takes the host bridge's lock.
 */
void virtio_balloon_get_state(struct virtio_balloon *balloon, unsigned int timeout_ms,
			      struct balloon_state *state);

/**
 * virtio_balloon_stat_name() - Get the name of a statistic.
 * @tag: VIRTIO_BALLOON_S_*, below BALLOON_STATS
 *
 * Return: a constant string.
 */
const char *virtio_balloon_stat_name(unsigned int tag);

#endif /* VMM_VIRTIO_BALLOON_H */
