/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PCI transport of a virtio 1.x device. Rule: the host bridge's lock protects the device;
 * an invalid access of the driver is ignored or makes the device fail until it is reset.
 */
#ifndef VMM_VIRTIO_PCI_H
#define VMM_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"
#include "pci.h"
#include "virtqueue.h"

#define VIRTIO_MAX_QUEUES	4

#define VIRTIO_FEATURE(bit)	((uint64_t)1 << (bit))

struct virtio_pci;

/* All are called with the host bridge's lock held. */
struct virtio_ops {
	/* The driver has notified the device of available chains in a queue. */
	void (*notify)(struct virtio_pci *virtio, struct virtqueue *vq);
	/* The driver has written to device configuration, which this may change; may be NULL. */
	void (*config_write)(struct virtio_pci *virtio, uint32_t offset, unsigned int length,
			     uint64_t value);
	/* The driver has reset the device; may be NULL. */
	void (*reset)(struct virtio_pci *virtio);
};

struct virtio_pci {
	struct pci_function pci;
	const struct virtio_ops *ops;
	const struct guest_memory *memory;
	const char *name;
	uint64_t device_features;
	uint64_t required_features;
	const void *config;
	unsigned int config_size;
	unsigned int nr_queues;
	unsigned int config_window;
	unsigned int complaints;
	uint8_t config_generation;

	/* State that a reset by the driver clears. */
	uint64_t driver_features;
	uint32_t device_feature_select;
	uint32_t driver_feature_select;
	uint16_t queue_select;
	uint8_t status;
	uint8_t isr;
	bool warned_no_bus_master;
	struct virtqueue queue[VIRTIO_MAX_QUEUES];
};

/* A type of device, as its transport needs to know it. */
struct virtio_type {
	const char *name;
	uint16_t device_id;
	uint32_t pci_class;
	/* Feature bits of the type; the transport adds those that it needs. */
	uint64_t features;
	/* The driver may use memory without VIRTIO_F_ACCESS_PLATFORM. */
	bool platform_optional;
	/* Device configuration, little-endian; the driver can only read it, or as @ops says. */
	const void *config;
	unsigned int config_size;
	unsigned int nr_queues;
	const struct virtio_ops *ops;
};

/**
 * virtio_pci_init() - Initialise a virtio device that can be plugged in.
 * @virtio: filled in, except for the interrupt line, which the caller sets
 * @type: its type; name, configuration and handlers must outlive the device
 * @memory: guest memory
 *
 * Return: 0, or -ENOSPC if configuration space has no room for the capabilities.
 */
int virtio_pci_init(struct virtio_pci *virtio, const struct virtio_type *type,
		    const struct guest_memory *memory);

/**
 * virtio_pci_has_feature() - Check whether a feature was negotiated.
 * @virtio: the device; the host bridge's lock is held
 * @bit: number of the feature bit
 *
 * Return: true if device and driver have agreed on it.
 */
bool virtio_pci_has_feature(const struct virtio_pci *virtio, unsigned int bit);

/**
 * virtio_pci_fail() - Stop the device until its driver, which broke the protocol, resets it.
 * @virtio: the device; the host bridge's lock is held
 * @reason: what the driver did, for the message on standard error
 *
 * Sets DEVICE_NEEDS_RESET and raises a configuration interrupt. The VMM continues.
 */
void virtio_pci_fail(struct virtio_pci *virtio, const char *reason);

/**
 * virtio_pci_notify() - Look for available chains in a queue, as if the driver had notified.
 * @virtio: the device; the host bridge's lock is held
 * @queue: number of the queue
 *
 * Does nothing unless the driver has started device and queue.
 */
void virtio_pci_notify(struct virtio_pci *virtio, unsigned int queue);

/**
 * virtio_pci_failed() - Check whether the device waits for a reset.
 * @virtio: the device; the host bridge's lock is held
 *
 * Return: true from virtio_pci_fail() on, until the driver resets the device.
 */
bool virtio_pci_failed(const struct virtio_pci *virtio);

/**
 * virtio_pci_config_changed() - Interrupt the driver after device configuration has changed.
 * @virtio: the device; the host bridge's lock is held
 */
void virtio_pci_config_changed(struct virtio_pci *virtio);

/**
 * virtio_pci_used() - Interrupt the driver after chains were used, if it wants that.
 * @virtio: the device; the host bridge's lock is held
 * @vq: the queue
 */
void virtio_pci_used(struct virtio_pci *virtio, struct virtqueue *vq);

#endif /* VMM_VIRTIO_PCI_H */
