/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtio block device and its driver, for tests: the driver uses configuration space,
 * registers and rings only.
 */
#ifndef VMM_TEST_DISK_H
#define VMM_TEST_DISK_H

#include "rings.h"

#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "virtio_blk.h"

#define SLOT		1
#define DISK_SECTORS	64
#define DISK_SIZE	(DISK_SECTORS * 512)
#define QUEUE_SIZE	16

/* Addresses of the parts of a request, each in a page of its own. */
#define HEADER		BUFFERS
#define STATUS		(BUFFERS + 0x1000)
#define DATA		(BUFFERS + 0x2000)

#define FEATURES	(VIRTIO_FEATURE(VIRTIO_F_VERSION_1) | \
			 VIRTIO_FEATURE(VIRTIO_F_ACCESS_PLATFORM))
#define ALL_STATUS	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
			 VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

/**
 * struct disk - The device, and what its driver knows.
 * @memory:		the guest's memory.
 * @host:		the PCI host that the device is at.
 * @blk:		the device.
 * @next_avail:		index of the next entry of the available ring.
 * @line:		whether the device asserts its interrupt line.
 * @common:		offset in the BAR of the common configuration; these offsets come
 *			from the capabilities.
 * @notify:		offset of the notifications.
 * @notify_multiplier:	bytes between the notifications of two queues.
 * @isr:		offset of the interrupt status.
 * @config:		offset of the configuration of the block device.
 * @window:		offset in configuration space of the capability that reads a BAR.
 */
struct disk {
	struct guest_memory memory;
	struct pci_host host;
	struct virtio_blk blk;
	uint16_t next_avail;
	bool line;
	uint32_t common;
	uint32_t notify;
	uint32_t notify_multiplier;
	uint32_t isr;
	uint32_t config;
	unsigned int window;
};

uint32_t disk_config_get(struct disk *f, unsigned int offset, unsigned int length);
void disk_config_put(struct disk *f, unsigned int offset, unsigned int length,
		     uint32_t value);
uint64_t disk_get(struct disk *f, uint32_t offset, unsigned int length);
void disk_put(struct disk *f, uint32_t offset, unsigned int length, uint64_t value);
uint8_t disk_status(struct disk *f);
void disk_set_status(struct disk *f, uint8_t status);
void disk_accept_features(struct disk *f, uint64_t features);
void disk_set_queue(struct disk *f, uint64_t desc, uint64_t avail, uint64_t used);
void disk_start_driver(struct disk *f, uint64_t features);
int disk_setup(void **state);
int disk_setup_read_only(void **state);
int disk_setup_truncated(void **state);
int disk_setup_full(void **state);
int disk_teardown(void **state);
void disk_put_header(struct disk *f, uint32_t type, uint64_t sector);
void disk_put_without_data(struct disk *f, uint32_t type);
void disk_kick(struct disk *f);
void disk_submit(struct disk *f, uint16_t head);
uint8_t disk_answer(struct disk *f, uint32_t *length);
uint8_t disk_request(struct disk *f, uint32_t type, uint64_t sector, uint32_t length,
		     uint32_t *used);
void disk_assert_sectors(struct disk *f, uint64_t sector, unsigned int count);
void disk_assert_works(struct disk *f);
void disk_assert_failed(struct disk *f);

#endif /* VMM_TEST_DISK_H */
