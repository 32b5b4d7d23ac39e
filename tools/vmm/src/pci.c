// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI host bridge (pci.h). Configuration space has the layout of configuration mechanism #1
 * (PCI Local Bus specification 3.0, 3.2.2.3.2).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "le.h"
#include "pci.h"

#define CAM_BUS_SHIFT		16
#define CAM_SLOT_SHIFT		11
#define CAM_FUNCTION_SHIFT	8
#define CAM_FUNCTION_SIZE	PCI_CONFIG_SIZE
#define CAM_SLOT_MASK		0x1f
#define CAM_FUNCTION_MASK	0x7
/* A bridge forwards memory in units of 1 MiB; the lower bits of a register say what it can. */
#define BRIDGE_WINDOW_SHIFT	20
#define BRIDGE_WINDOW_MASK	0xfff0
#define BRIDGE_REGISTER_SHIFT	16
#define PCI_INTERRUPT_PIN_A	1
#define CAPABILITY_ALIGNMENT	4

static unsigned int bar_register(unsigned int bar)
{
	return PCI_BASE_ADDRESS_0 + 4 * bar;
}

static bool naturally_aligned(uint64_t offset, unsigned int length)
{
	return !(offset % length);
}

void pci_host_init(struct pci_host *host, uint64_t high_base)
{
	memset(host, 0, sizeof(*host));
	pthread_mutex_init(&host->lock, NULL);
	host->next_bar = PCI_MMIO_BASE;
	host->high_base = high_base;
}

void pci_function_init(struct pci_function *function, const struct pci_ids *ids,
		       const struct pci_function_ops *ops)
{
	uint8_t *config = function->config;

	function->ops = ops;
	function->interrupt = false;
	memset(function->config, 0, sizeof(function->config));
	memset(function->writable, 0, sizeof(function->writable));
	memset(function->clearable, 0, sizeof(function->clearable));
	memset(function->bar_size, 0, sizeof(function->bar_size));
	memset(function->bar_is_wide, 0, sizeof(function->bar_is_wide));
	function->is_bridge = false;
	function->child = NULL;
	function->last_capability = 0;
	function->config_end = PCI_STD_HEADER_SIZEOF;

	put_le16(&config[PCI_VENDOR_ID], ids->vendor);
	put_le16(&config[PCI_DEVICE_ID], ids->device);
	put_le32(&config[PCI_CLASS_REVISION], ids->class << 8 | ids->revision);
	put_le16(&config[PCI_SUBSYSTEM_VENDOR_ID], ids->subsystem_vendor);
	put_le16(&config[PCI_SUBSYSTEM_ID], ids->subsystem);
	config[PCI_INTERRUPT_PIN] = PCI_INTERRUPT_PIN_A;

	put_le16(&function->writable[PCI_COMMAND],
		 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	function->writable[PCI_INTERRUPT_LINE] = 0xff;
}

void pci_function_add_bar(struct pci_function *function, unsigned int bar, uint32_t size)
{
	function->bar_size[bar] = size;
	put_le32(&function->config[bar_register(bar)],
		 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_32);
	put_le32(&function->writable[bar_register(bar)], ~(size - 1));
}

void pci_function_add_wide_bar(struct pci_function *function, unsigned int bar, uint32_t size)
{
	function->bar_size[bar] = size;
	function->bar_is_wide[bar] = true;
	put_le32(&function->config[bar_register(bar)],
		 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
		 PCI_BASE_ADDRESS_MEM_PREFETCH);
	put_le64(&function->writable[bar_register(bar)], ~((uint64_t)size - 1));
}

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

int pci_function_add_capability(struct pci_function *function, const void *capability,
				unsigned int length)
{
	unsigned int offset = function->config_end;
	uint8_t *config = function->config;

	if (length > PCI_CONFIG_SIZE - offset)
		return -ENOSPC;
	memcpy(&config[offset], capability, length);
	config[offset + PCI_CAP_LIST_NEXT] = 0;
	if (function->last_capability)
		config[function->last_capability + PCI_CAP_LIST_NEXT] = offset;
	else
		config[PCI_CAPABILITY_LIST] = offset;
	put_le16(&config[PCI_STATUS], get_le16(&config[PCI_STATUS]) | PCI_STATUS_CAP_LIST);

	function->last_capability = offset;
	function->config_end = offset + (length + CAPABILITY_ALIGNMENT - 1) / CAPABILITY_ALIGNMENT *
					CAPABILITY_ALIGNMENT;
	return offset;
}

int pci_host_plug(struct pci_host *host, unsigned int slot, struct pci_function *function)
{
	const uint64_t window_end = PCI_MMIO_BASE + PCI_MMIO_SIZE;
	unsigned int bar;

	if (slot >= PCI_SLOTS)
		return -EINVAL;
	if (host->slot[slot])
		return -EEXIST;
	for (bar = 0; bar < PCI_NR_BARS; bar++) {
		uint64_t size = function->bar_size[bar];
		uint64_t base = (host->next_bar + size - 1) & ~(size - 1);

		if (!size || function->bar_is_wide[bar])
			continue;
		if (base + size > window_end)
			return -ENOSPC;
		put_le32(&function->config[bar_register(bar)],
			 base | get_le32(&function->config[bar_register(bar)]));
		host->next_bar = base + size;
	}
	host->slot[slot] = function;
	return 0;
}

static void update_interrupt(struct pci_function *function)
{
	uint16_t command = get_le16(&function->config[PCI_COMMAND]);
	uint16_t status = get_le16(&function->config[PCI_STATUS]);

	if (function->interrupt)
		status |= PCI_STATUS_INTERRUPT;
	else
		status &= ~PCI_STATUS_INTERRUPT;
	put_le16(&function->config[PCI_STATUS], status);
	irq_line_set(&function->irq, function->interrupt && !(command & PCI_COMMAND_INTX_DISABLE));
}

void pci_set_interrupt(struct pci_function *function, bool pending)
{
	function->interrupt = pending;
	update_interrupt(function);
}

bool pci_bus_master(const struct pci_function *function)
{
	return get_le16(&function->config[PCI_COMMAND]) & PCI_COMMAND_MASTER;
}

/*
 * The function at an offset of configuration space, or NULL. Only function 0 of a slot exists,
 * and behind a bridge only slot 0. Of two bridges to the same bus the one in the lower slot
 * answers.
 */
static struct pci_function *config_function(struct pci_host *host, uint64_t offset)
{
	unsigned int slot = offset >> CAM_SLOT_SHIFT & CAM_SLOT_MASK;
	unsigned int bus = offset >> CAM_BUS_SHIFT;

	if (offset >> CAM_FUNCTION_SHIFT & CAM_FUNCTION_MASK)
		return NULL;
	if (!bus)
		return host->slot[slot];
	if (slot)
		return NULL;
	for (; slot < PCI_SLOTS; slot++) {
		const struct pci_function *bridge = host->slot[slot];

		if (bridge && bridge->is_bridge && bridge->config[PCI_SECONDARY_BUS] == bus)
			return bridge->child;
	}
	return NULL;
}

static bool config_access_valid(uint64_t offset, unsigned int length)
{
	return length <= 4 && naturally_aligned(offset, length);
}

uint64_t pci_config_read(void *device, uint64_t offset, unsigned int length)
{
	struct pci_host *host = device;
	struct pci_function *function;
	uint64_t value = ~0ULL;

	if (!config_access_valid(offset, length))
		return value;
	pthread_mutex_lock(&host->lock);
	function = config_function(host, offset);
	if (function) {
		offset %= CAM_FUNCTION_SIZE;
		function->ops->config_read(function, offset, length);
		value = 0;
		memcpy(&value, &function->config[offset], length);
		value = le64toh(value);
	}
	pthread_mutex_unlock(&host->lock);
	return value;
}

void pci_config_write(void *device, uint64_t offset, unsigned int length, uint64_t value)
{
	struct pci_host *host = device;
	struct pci_function *function;
	unsigned int i;

	if (!config_access_valid(offset, length))
		return;
	pthread_mutex_lock(&host->lock);
	function = config_function(host, offset);
	if (function) {
		offset %= CAM_FUNCTION_SIZE;
		for (i = 0; i < length; i++) {
			uint8_t *byte = &function->config[offset + i];
			uint8_t mask = function->writable[offset + i];
			uint8_t written = value >> 8 * i;

			*byte = (*byte & ~mask) | (written & mask);
			*byte &= ~(written & function->clearable[offset + i]);
		}
		function->ops->config_written(function, offset, length);
		update_interrupt(function);
	}
	pthread_mutex_unlock(&host->lock);
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
	const uint8_t *config = &function->config[bar_register(bar)];
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

	if (!naturally_aligned(address, length))
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

	if (!naturally_aligned(address, length))
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
