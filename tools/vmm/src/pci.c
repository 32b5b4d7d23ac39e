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
#define PCI_INTERRUPT_PIN_A	1
#define CAPABILITY_ALIGNMENT	4

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
	put_le32(&function->config[pci_bar_register(bar)],
		 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_32);
	put_le32(&function->writable[pci_bar_register(bar)], ~(size - 1));
}

void pci_function_add_wide_bar(struct pci_function *function, unsigned int bar, uint32_t size)
{
	function->bar_size[bar] = size;
	function->bar_is_wide[bar] = true;
	put_le32(&function->config[pci_bar_register(bar)],
		 PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_TYPE_64 |
		 PCI_BASE_ADDRESS_MEM_PREFETCH);
	put_le64(&function->writable[pci_bar_register(bar)], ~((uint64_t)size - 1));
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
		put_le32(&function->config[pci_bar_register(bar)],
			 base | get_le32(&function->config[pci_bar_register(bar)]));
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
	return length <= 4 && pci_naturally_aligned(offset, length);
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
		if (function->ops->config_read)
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
