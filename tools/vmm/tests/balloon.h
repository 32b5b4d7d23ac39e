/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio balloon and its driver, for tests: the driver uses registers and rings only.
 */
#ifndef VMM_TEST_BALLOON_H
#define VMM_TEST_BALLOON_H

#include "rings.h"

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "virtio_balloon.h"

#define SLOT		2
#define QUEUE_SIZE	16
#define NR_QUEUES	4
#define TARGET		0x200000UL

/* Offsets in the BAR, as virtio_pci.c lays it out. */
#define COMMON		0x0000
#define ISR		0x1000
#define CONFIG		0x2000
#define NOTIFY		0x3000

/* The rings of each queue, arrays of the driver, and memory that it gives away. */
#define RINGS(queue)	(RAM_BASE + 0x10000 + 0x4000 * (queue))
#define AVAIL(queue)	(RINGS(queue) + 0x1000)
#define USED(queue)	(RINGS(queue) + 0x2000)
#define ARRAY		(RAM_BASE + 0x40000)
#define FREE		(RAM_BASE + 0x100000)
#define FREE_PAGES	8
#define FREE_PAGE(n)	(FREE + (n) * TEST_PAGE)
#define NUMBER(address)	((uint32_t)((address) >> VIRTIO_BALLOON_PFN_SHIFT))

/* What the driver leaves in the free pages. */
#define PATTERN		0xa5

/* Offsets in the configuration. */
#define ACTUAL		offsetof(struct virtio_balloon_config, actual)
#define NUM_PAGES	offsetof(struct virtio_balloon_config, num_pages)

#define BASIC		VIRTIO_FEATURE(VIRTIO_F_VERSION_1)
#define PLATFORM	VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM)
#define STATISTICS	VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ)
#define REPORTING	VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING)
#define ALL_FEATURES	(BASIC | PLATFORM | STATISTICS | REPORTING)
#define STATUS_READY	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
			 VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_RUNNING	(STATUS_READY | VIRTIO_CONFIG_S_DRIVER_OK)

enum { INFLATE, DEFLATE, STATS, REPORT };

/**
 * struct balloon - The device, and what its driver knows.
 * @memory:	the guest's memory.
 * @host:	the PCI host that the device is at.
 * @balloon:	the device.
 * @next_avail:	index of the next entry of the available ring, for each queue.
 * @line:	whether the device asserts its interrupt line.
 */
struct balloon {
	struct guest_memory memory;
	struct pci_host host;
	struct virtio_balloon balloon;
	uint16_t next_avail[NR_QUEUES];
	bool line;
};

uint64_t balloon_get(struct balloon *f, uint32_t offset, unsigned int length);
void balloon_put(struct balloon *f, uint32_t offset, unsigned int length, uint64_t value);
uint8_t balloon_status(struct balloon *f);
uint32_t balloon_config(struct balloon *f, unsigned int offset);
uint16_t balloon_used(struct balloon *f, unsigned int queue);
bool balloon_prepare_driver(struct balloon *f, uint64_t features);
bool balloon_start_driver(struct balloon *f, uint64_t features);
int balloon_setup(void **state);
int balloon_setup_not_protected(void **state);
int balloon_setup_without_stats(void **state);
int balloon_teardown(void **state);
void balloon_set_desc(struct balloon *f, unsigned int queue, unsigned int index, uint64_t address,
		      uint32_t length, uint16_t flags);
void balloon_submit(struct balloon *f, unsigned int queue);
void balloon_send_numbers(struct balloon *f, unsigned int queue, const uint32_t *numbers,
			  unsigned int count, uint32_t length);
void balloon_assert_discarded(struct balloon *f, unsigned int pages);
void balloon_assert_works(struct balloon *f);
void balloon_assert_failed(struct balloon *f);

#endif /* VMM_TEST_BALLOON_H */
