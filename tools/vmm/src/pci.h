/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI host bridge with one bus: mapped configuration space, 32-bit memory
 * BARs, INTx.
 */
#ifndef VMM_PCI_H
#define VMM_PCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "irq.h"
#include "layout.h"

#define PCI_CONFIG_SIZE	256
#define PCI_NR_BARS	6

struct pci_function;

/* All are called with the host bridge's lock held. */
struct pci_function_ops {
	/*
	 * An access to a BAR: @length is 1, 2, 4 or 8, @offset a multiple of it,
	 * and both lie inside the BAR.
	 */
	uint64_t (*bar_read)(struct pci_function *function, unsigned int bar, uint32_t offset,
			     unsigned int length);
	void (*bar_write)(struct pci_function *function, unsigned int bar, uint32_t offset,
			  unsigned int length, uint64_t value);
	/* Before @length bytes at @offset of configuration space are read. */
	void (*config_read)(struct pci_function *function, unsigned int offset,
			    unsigned int length);
	/* After @length bytes at @offset of configuration space were written. */
	void (*config_written)(struct pci_function *function, unsigned int offset,
			       unsigned int length);
};

struct pci_function {
	const struct pci_function_ops *ops;
	struct irq_line irq;
	bool interrupt;
	uint8_t config[PCI_CONFIG_SIZE];
	/* Bits that the guest may change. */
	uint8_t writable[PCI_CONFIG_SIZE];
	uint32_t bar_size[PCI_NR_BARS];
	unsigned int last_capability;
	unsigned int config_end;
};

struct pci_ids {
	uint16_t vendor;
	uint16_t device;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
	uint32_t class;
	uint8_t revision;
};

struct pci_host {
	pthread_mutex_t lock;
	struct pci_function *slot[PCI_SLOTS];
	/* Next free address of the memory window, for BARs at power-on. */
	uint32_t next_bar;
};

/**
 * pci_host_init() - An empty bus.
 * @host: what to fill in
 */
void pci_host_init(struct pci_host *host);

/**
 * pci_function_init() - Fill in the header of a function's configuration space.
 * @function: what to fill in; @irq is left alone
 * @ids: what the header says it is
 * @ops: how it answers
 */
void pci_function_init(struct pci_function *function, const struct pci_ids *ids,
		       const struct pci_function_ops *ops);

/**
 * pci_function_add_bar() - Give the function a 32-bit memory BAR.
 * @function: the function, not yet plugged in
 * @bar: 0 to 5
 * @size: bytes, a power of two, at least 4096
 */
void pci_function_add_bar(struct pci_function *function, unsigned int bar, uint32_t size);

/**
 * pci_function_add_capability() - Append a capability to the list.
 * @function: the function, not yet plugged in
 * @capability: its bytes; the next pointer is filled in here
 * @length: how many
 *
 * Return: its offset in configuration space, or -ENOSPC.
 */
int pci_function_add_capability(struct pci_function *function, const void *capability,
				unsigned int length);

/**
 * pci_host_plug() - Plug a function in, and give its BARs addresses.
 * @host: the bus; no vCPU runs yet
 * @slot: device number
 * @function: the function, which the caller keeps
 *
 * Return: 0; -EEXIST when the slot is taken; -EINVAL for a slot that is not
 * there; -ENOSPC when the memory window has no room for the BARs.
 */
int pci_host_plug(struct pci_host *host, unsigned int slot, struct pci_function *function);

/**
 * pci_set_interrupt() - Drive the function's INTA.
 * @function: the function; the host bridge's lock is held
 * @pending: true asks for an interrupt, which the guest may have disabled
 */
void pci_set_interrupt(struct pci_function *function, bool pending);

/**
 * pci_bus_master() - May the function touch memory?
 * @function: the function; the host bridge's lock is held
 *
 * Return: the bus master bit of its command register.
 */
bool pci_bus_master(const struct pci_function *function);

/**
 * pci_config_read() - The guest reads configuration space; for struct bus_range.
 * @device: struct pci_host
 * @offset: into configuration space
 * @length: bytes
 *
 * Return: the value; all ones where there is no function, and for an access
 * that is not a naturally aligned one of 1, 2 or 4 bytes.
 */
uint64_t pci_config_read(void *device, uint64_t offset, unsigned int length);

/**
 * pci_config_write() - The guest writes configuration space; for struct bus_range.
 * @device: struct pci_host
 * @offset: into configuration space
 * @length: bytes
 * @value: what it writes; bits that are not writable stay as they are
 */
void pci_config_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

/**
 * pci_memory_read() - The guest reads the memory window; for struct bus_range.
 * @device: struct pci_host
 * @offset: into the window
 * @length: bytes
 *
 * Return: the value; all ones where no BAR answers.
 */
uint64_t pci_memory_read(void *device, uint64_t offset, unsigned int length);

/**
 * pci_memory_write() - The guest writes the memory window; for struct bus_range.
 * @device: struct pci_host
 * @offset: into the window
 * @length: bytes
 * @value: what it writes; dropped where no BAR answers
 */
void pci_memory_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

#endif /* VMM_PCI_H */
