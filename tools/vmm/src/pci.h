/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI host bridge: mapped configuration space, memory BARs, INTx. Functions are on bus 0, or
 * behind a bridge on bus 0.
 *
 * Rule: one lock protects the buses and all functions on them. The guest changes only the bits
 * of configuration space that are writable.
 */
#ifndef VMM_PCI_H
#define VMM_PCI_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/pci_regs.h>

#include "irq.h"
#include "layout.h"

/* Vendors, named as in the kernel's pci_ids.h. */
#define PCI_VENDOR_ID_REDHAT_QUMRANET	0x1af4
#define PCI_VENDOR_ID_REDHAT		0x1b36

#define PCI_CONFIG_SIZE	256
#define PCI_NR_BARS	6

/* The register of configuration space that holds BAR @bar. */
static inline unsigned int pci_bar_register(unsigned int bar)
{
	return PCI_BASE_ADDRESS_0 + 4 * bar;
}

/* Whether an access of @length bytes, not 0, is at a multiple of its length. */
static inline bool pci_naturally_aligned(uint64_t offset, unsigned int length)
{
	return !(offset % length);
}

struct pci_function;

/* All are called with the host bridge's lock held. */
struct pci_function_ops {
	/*
	 * An access to a BAR: @length is 1, 2, 4 or 8, @offset is a multiple of it, and all of
	 * the access lies in the BAR. NULL for a bridge, which has none.
	 */
	uint64_t (*bar_read)(struct pci_function *function, unsigned int bar, uint32_t offset,
			     unsigned int length);
	void (*bar_write)(struct pci_function *function, unsigned int bar, uint32_t offset,
			  unsigned int length, uint64_t value);
	/* Before @length bytes at @offset of configuration space are read; or NULL. */
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
	/* Mask of the bits that the guest may change. */
	uint8_t writable[PCI_CONFIG_SIZE];
	/* Mask of the bits that the guest clears by writing a one. */
	uint8_t clearable[PCI_CONFIG_SIZE];
	uint32_t bar_size[PCI_NR_BARS];
	/* The BAR of @bar_size takes the next register, too. */
	bool bar_is_wide[PCI_NR_BARS];
	/* The header is that of a bridge to another bus, on which there is @child or nothing. */
	bool is_bridge;
	struct pci_function *child;
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
	/* Where the window for 64-bit BARs starts; 0 if there is none. */
	uint64_t high_base;
	/* Next free address of the memory window, for BARs of functions that are plugged in. */
	uint32_t next_bar;
};

/**
 * pci_host_init() - Make an empty bus.
 * @host: filled in
 * @high_base: where the window for 64-bit BARs starts, 0 for none
 */
void pci_host_init(struct pci_host *host, uint64_t high_base);

/**
 * pci_function_init() - Fill in the header of a function's configuration space.
 * @function: filled in, except for @irq
 * @ids: IDs and class for the header
 * @ops: handlers of accesses
 */
void pci_function_init(struct pci_function *function, const struct pci_ids *ids,
		       const struct pci_function_ops *ops);

/**
 * pci_function_add_bar() - Add a 32-bit memory BAR to a function.
 * @function: the function, not yet plugged in
 * @bar: 0 to 5
 * @size: bytes, a power of two, at least 4096
 */
void pci_function_add_bar(struct pci_function *function, unsigned int bar, uint32_t size);

/**
 * pci_function_add_wide_bar() - Add a 64-bit memory BAR without side effects to a function.
 * @function: the function, not yet plugged in
 * @bar: 0 to 4; takes the registers of BARs @bar and @bar + 1
 * @size: bytes, a power of two, at least 4096
 *
 * The guest assigns its address.
 */
void pci_function_add_wide_bar(struct pci_function *function, unsigned int bar, uint32_t size);

/**
 * pci_function_make_bridge() - Make the header that of a bridge.
 * @function: the function, after pci_function_init(), without BARs
 *
 * It forwards accesses to memory in two windows, one for 32-bit and one for 64-bit addresses,
 * and to configuration space of its secondary bus.
 */
void pci_function_make_bridge(struct pci_function *function);

/**
 * pci_bar_address() - Find out where a BAR of a function behind a bridge answers.
 * @host: the host bridge; its lock is held
 * @bridge: the bridge, which may have no child yet
 * @function: the function
 * @bar: number of the BAR
 * @address: set to the guest physical address
 *
 * Return: true if the BAR answers; false if memory decoding is off, or the address is not
 * forwarded by bridge and host bridge.
 */
bool pci_bar_address(const struct pci_host *host, const struct pci_function *bridge,
		     const struct pci_function *function, unsigned int bar, uint64_t *address);

/**
 * pci_function_add_capability() - Append a capability to a function's list.
 * @function: the function, not yet plugged in
 * @capability: its bytes; this function sets the next pointer
 * @length: number of bytes
 *
 * Return: its offset in configuration space, or -ENOSPC if it does not fit there.
 */
int pci_function_add_capability(struct pci_function *function, const void *capability,
				unsigned int length);

/**
 * pci_host_plug() - Plug a function into bus 0, and assign addresses to its 32-bit BARs.
 * @host: the bus; no vCPU runs yet
 * @slot: device number
 * @function: the function, which must outlive @host
 *
 * Return: 0; -EEXIST if the slot is in use; -EINVAL for a slot that does not exist; -ENOSPC if
 * the memory window has no room for the BARs.
 */
int pci_host_plug(struct pci_host *host, unsigned int slot, struct pci_function *function);

/**
 * pci_set_interrupt() - Set the level of a function's INTA.
 * @function: the function; the host bridge's lock is held
 * @pending: true requests an interrupt, which the guest may have disabled
 */
void pci_set_interrupt(struct pci_function *function, bool pending);

/**
 * pci_bus_master() - Check whether a function may access memory.
 * @function: the function; the host bridge's lock is held
 *
 * Return: the bus master bit of its command register.
 */
bool pci_bus_master(const struct pci_function *function);

/**
 * pci_config_read() - Handle a read of configuration space; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in configuration space
 * @length: bytes
 *
 * Any vCPU thread; takes the lock.
 *
 * Return: the value; all ones if there is no function or the access is not a naturally aligned
 * one of 1, 2 or 4 bytes.
 */
uint64_t pci_config_read(void *device, uint64_t offset, unsigned int length);

/**
 * pci_config_write() - Handle a write to configuration space; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in configuration space
 * @length: bytes
 * @value: the value; bits that are not writable do not change
 *
 * Any vCPU thread; takes the lock.
 */
void pci_config_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

/**
 * pci_memory_read() - Handle a read of the memory window; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in the window
 * @length: bytes
 *
 * Any vCPU thread; takes the lock.
 *
 * Return: the value; all ones if no BAR answers.
 */
uint64_t pci_memory_read(void *device, uint64_t offset, unsigned int length);

/**
 * pci_memory_write() - Handle a write to the memory window; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in the window
 * @length: bytes
 * @value: the value; dropped if no BAR answers
 *
 * Any vCPU thread; takes the lock.
 */
void pci_memory_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

/**
 * pci_high_read() - Handle a read of the window for 64-bit BARs; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in the window
 * @length: bytes
 *
 * Return: as pci_memory_read().
 */
uint64_t pci_high_read(void *device, uint64_t offset, unsigned int length);

/**
 * pci_high_write() - Handle a write to the window for 64-bit BARs; for struct bus_range.
 * @device: struct pci_host
 * @offset: offset in the window
 * @length: bytes
 * @value: the value; dropped if no BAR answers
 *
 * As pci_memory_write().
 */
void pci_high_write(void *device, uint64_t offset, unsigned int length, uint64_t value);

#endif /* VMM_PCI_H */
