// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory windows of the PCI host bridge and of bridges behind it (pci.h; PCI-to-PCI Bridge
 * Architecture specification 1.2, 3.2.5).
 */
#include <stddef.h>

#include <linux/pci_regs.h>

#include "le.h"
#include "pci.h"

/* A bridge forwards memory in units of 1 MiB; the lower bits of a register say what it can. */
#define BRIDGE_WINDOW_SHIFT	20
#define BRIDGE_WINDOW_MASK	0xfff0
#define BRIDGE_REGISTER_SHIFT	16

void pci_function_make_bridge(struct pci_function *function)
{
	uint8_t *writable = function->writable, *config = function->config;

	function->is_bridge = true;
	config[PCI_HEADER_TYPE] = PCI_HEADER_TYPE_BRIDGE;
	/* The registers that hold subsystem IDs in another header are those of windows here. */
	put_le16(&config[PCI_SUBSYSTEM_VENDOR_ID], 0);
	put_le16(&config[PCI_SUBSYSTEM_ID], 0);
	put_le16(&config[PCI_PREF_MEMORY_BASE], PCI_PREF_RANGE_TYPE_64);
	put_le16(&config[PCI_PREF_MEMORY_LIMIT], PCI_PREF_RANGE_TYPE_64);

	writable[PCI_PRIMARY_BUS] = 0xff;
	writable[PCI_SECONDARY_BUS] = 0xff;
	writable[PCI_SUBORDINATE_BUS] = 0xff;
	put_le16(&writable[PCI_MEMORY_BASE], BRIDGE_WINDOW_MASK);
	put_le16(&writable[PCI_MEMORY_LIMIT], BRIDGE_WINDOW_MASK);
	put_le16(&writable[PCI_PREF_MEMORY_BASE], BRIDGE_WINDOW_MASK);
	put_le16(&writable[PCI_PREF_MEMORY_LIMIT], BRIDGE_WINDOW_MASK);
	put_le32(&writable[PCI_PREF_BASE_UPPER32], UINT32_MAX);
	put_le32(&writable[PCI_PREF_LIMIT_UPPER32], UINT32_MAX);
}

static bool range_inside(uint64_t base, uint64_t size, uint64_t outer, uint64_t outer_size)
{
	return base >= outer && base - outer < outer_size && size <= outer_size - (base - outer);
}

static bool decodes_memory(const struct pci_function *function)
{
	return get_le16(&function->config[PCI_COMMAND]) & PCI_COMMAND_MEMORY;
}

static uint64_t bar_base(const struct pci_function *function, unsigned int bar)
{
	const uint8_t *config = &function->config[pci_bar_register(bar)];
	uint64_t base = get_le32(config) & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;

	if (function->bar_is_wide[bar])
		base |= (uint64_t)get_le32(config + 4) << 32;
	return base;
}

/* Whether [@base, @base + @size) lies in a window from 1 MiB unit @first to @last. */
static bool in_units(uint64_t base, uint64_t size, uint64_t first, uint64_t last)
{
	const uint64_t end = base + (size - 1);

	return end >= base && base >> BRIDGE_WINDOW_SHIFT >= first &&
	       end >> BRIDGE_WINDOW_SHIFT <= last;
}

/* The unit of 1 MiB that a register of a bridge names, with the register for its upper half. */
static uint64_t window_unit(const struct pci_function *bridge, unsigned int reg,
			    unsigned int upper)
{
	uint64_t unit = (get_le16(&bridge->config[reg]) & BRIDGE_WINDOW_MASK) >>
			(BRIDGE_WINDOW_SHIFT - BRIDGE_REGISTER_SHIFT);

	if (upper)
		unit |= (uint64_t)get_le32(&bridge->config[upper]) << (32 - BRIDGE_WINDOW_SHIFT);
	return unit;
}

static bool bridge_forwards(const struct pci_function *bridge, uint64_t base, uint64_t size)
{
	return decodes_memory(bridge) &&
	       (in_units(base, size, window_unit(bridge, PCI_MEMORY_BASE, 0),
			 window_unit(bridge, PCI_MEMORY_LIMIT, 0)) ||
		in_units(base, size,
			 window_unit(bridge, PCI_PREF_MEMORY_BASE, PCI_PREF_BASE_UPPER32),
			 window_unit(bridge, PCI_PREF_MEMORY_LIMIT, PCI_PREF_LIMIT_UPPER32)));
}

static bool host_forwards(const struct pci_host *host, uint64_t base, uint64_t size)
{
	return range_inside(base, size, PCI_MMIO_BASE, PCI_MMIO_SIZE) ||
	       (host->high_base && range_inside(base, size, host->high_base, PCI_HIGH_SIZE));
}

bool pci_bar_address(const struct pci_host *host, const struct pci_function *bridge,
		     const struct pci_function *function, unsigned int bar, uint64_t *address)
{
	uint64_t size = function->bar_size[bar];

	*address = bar_base(function, bar);
	return decodes_memory(function) && bridge_forwards(bridge, *address, size) &&
	       host_forwards(host, *address, size);
}

/* Whether a BAR of a function, on bus 0 or behind @bridge, contains all of an access. */
static bool bar_contains(const struct pci_host *host, const struct pci_function *bridge,
			 const struct pci_function *function, unsigned int bar,
			 uint64_t address, unsigned int length, uint32_t *offset)
{
	uint64_t size = function->bar_size[bar], base;

	if (!bridge)
		base = bar_base(function, bar);
	else if (!pci_bar_address(host, bridge, function, bar, &base))
		return false;
	if (!size || !decodes_memory(function) || !range_inside(address, length, base, size))
		return false;
	*offset = address - base;
	return true;
}

/*
 * The function and BAR that contain all of [@address, @address + @length), or NULL. The guest
 * may place BARs anywhere: a BAR outside of the window is not reachable, and of two that
 * overlap the one in the lower slot answers.
 */
static struct pci_function *decode(struct pci_host *host, uint64_t address, unsigned int length,
				   unsigned int *bar, uint32_t *offset)
{
	unsigned int slot;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		struct pci_function *function = host->slot[slot];
		const struct pci_function *bridge = NULL;

		if (function && function->is_bridge) {
			bridge = function;
			function = bridge->child;
		}
		if (!function)
			continue;
		for (*bar = 0; *bar < PCI_NR_BARS; ++*bar) {
			if (bar_contains(host, bridge, function, *bar, address, length, offset))
				return function;
		}
	}
	return NULL;
}

static uint64_t memory_read(struct pci_host *host, uint64_t address, unsigned int length)
{
	struct pci_function *function;
	uint64_t value = ~0ULL;
	uint32_t inside;
	unsigned int bar;

	if (!pci_naturally_aligned(address, length))
		return value;
	pthread_mutex_lock(&host->lock);
	function = decode(host, address, length, &bar, &inside);
	if (function)
		value = function->ops->bar_read(function, bar, inside, length);
	pthread_mutex_unlock(&host->lock);
	return value;
}

static void memory_write(struct pci_host *host, uint64_t address, unsigned int length,
			 uint64_t value)
{
	struct pci_function *function;
	uint32_t inside;
	unsigned int bar;

	if (!pci_naturally_aligned(address, length))
		return;
	pthread_mutex_lock(&host->lock);
	function = decode(host, address, length, &bar, &inside);
	if (function)
		function->ops->bar_write(function, bar, inside, length, value);
	pthread_mutex_unlock(&host->lock);
}

uint64_t pci_memory_read(void *device, uint64_t offset, unsigned int length)
{
	return memory_read(device, PCI_MMIO_BASE + offset, length);
}

void pci_memory_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	memory_write(device, PCI_MMIO_BASE + offset, length, value);
}

uint64_t pci_high_read(void *device, uint64_t offset, unsigned int length)
{
	struct pci_host *host = device;

	return memory_read(host, host->high_base + offset, length);
}

void pci_high_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct pci_host *host = device;

	memory_write(host, host->high_base + offset, length, value);
}
