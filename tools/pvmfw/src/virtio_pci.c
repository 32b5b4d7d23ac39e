// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio transport over PCI (virtio_pci.h).
 */
#include <string.h>

#include "clock.h"
#include "mmio.h"
#include "virtio_pci.h"

/* Offsets in a capability: struct virtio_pci_cap of the standard. */
#define CAP_ID_VENDOR		0x09
#define CAP_LEN			2
#define CAP_TYPE		3
#define CAP_BAR			4
#define CAP_OFFSET		8
#define CAP_LENGTH		12
#define CAP_NOTIFY_MULTIPLIER	16
#define CAP_SIZE		16
#define CAP_NOTIFY_SIZE		20
#define CAP_FIRST		0x40
/* More capabilities do not fit into configuration space. */
#define CAP_MAX			48

#define CAP_TYPE_COMMON		1
#define CAP_TYPE_NOTIFY		2
#define CAP_TYPE_DEVICE		4

/* Offsets in the common configuration. */
#define DEVICE_FEATURE_SELECT	0x00
#define DEVICE_FEATURE		0x04
#define DRIVER_FEATURE_SELECT	0x08
#define DRIVER_FEATURE		0x0c
#define DEVICE_STATUS		0x14
#define CONFIG_GENERATION	0x15
#define QUEUE_SELECT		0x16
#define QUEUE_SIZE		0x18
#define QUEUE_MSIX_VECTOR	0x1a
#define QUEUE_ENABLE		0x1c
#define QUEUE_NOTIFY_OFF	0x1e
#define QUEUE_DESC		0x20
#define QUEUE_DRIVER		0x28
#define QUEUE_DEVICE		0x30
#define COMMON_SIZE		0x38

#define STATUS_ACKNOWLEDGE	0x01
#define STATUS_DRIVER		0x02
#define STATUS_DRIVER_OK	0x04
#define STATUS_FEATURES_OK	0x08
#define STATUS_NEEDS_RESET	0x40
#define STATUS_FAILED		0x80

#define NO_VECTOR		0xffff

/* VERSION_1 is bit 32, ACCESS_PLATFORM bit 33: both in the second word. */
#define FEATURES_WORD		1
#define FEATURES_REQUIRED	0x3u

#define RESET_SECONDS		5
#define CONFIG_TRIES		16

/*
 * Read the capability at @cap. The first one of each type counts; types that the driver does
 * not use are skipped.
 */
static enum fw_status read_cap(struct virtio_dev *dev, const struct pci_dev *pci, u64 cap)
{
	u8 type = mmio_read8(pci->config + cap + CAP_TYPE);
	u8 bar = mmio_read8(pci->config + cap + CAP_BAR);
	u32 offset, length;
	struct virtio_region *region;
	u64 min_cap = CAP_SIZE, min_length;

	switch (type) {
	case CAP_TYPE_COMMON:
		region = &dev->common;
		min_length = COMMON_SIZE;
		break;
	case CAP_TYPE_NOTIFY:
		region = &dev->notify;
		min_cap = CAP_NOTIFY_SIZE;
		min_length = sizeof(u16);
		break;
	case CAP_TYPE_DEVICE:
		region = &dev->config;
		min_length = sizeof(u32);
		break;
	default:
		return FW_OK;
	}
	if (region->size)
		return FW_OK;

	if (mmio_read8(pci->config + cap + CAP_LEN) < min_cap || cap + min_cap > PCI_CONFIG_SIZE ||
	    bar >= PCI_BARS)
		return FW_EPCI_CAP;
	offset = mmio_read32(pci->config + cap + CAP_OFFSET);
	length = mmio_read32(pci->config + cap + CAP_LENGTH);
	if (length < min_length || !is_aligned(offset, sizeof(u32)) ||
	    !range_inside(offset, length, 0, pci->bar[bar].size))
		return FW_EPCI_CAP;
	if (type == CAP_TYPE_NOTIFY)
		dev->notify_multiplier = mmio_read32(pci->config + cap + CAP_NOTIFY_MULTIPLIER);
	region->base = pci->bar[bar].base + offset;
	region->size = length;
	return FW_OK;
}

static enum fw_status read_caps(struct virtio_dev *dev, const struct pci_dev *pci)
{
	unsigned int tries = CAP_MAX;
	enum fw_status status;
	u8 cap, id;

	if (!(mmio_read16(pci->config + PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return FW_EPCI_CAP;
	cap = mmio_read8(pci->config + PCI_CAP_PTR) & ~3;
	while (cap) {
		/* A circular list exceeds CAP_MAX. */
		if (cap < CAP_FIRST || !tries--)
			return FW_EPCI_CAP;
		id = mmio_read8(pci->config + cap);
		if (id == CAP_ID_VENDOR) {
			if (cap + CAP_SIZE > PCI_CONFIG_SIZE)
				return FW_EPCI_CAP;
			status = read_cap(dev, pci, cap);
			if (status != FW_OK)
				return status;
		}
		cap = mmio_read8(pci->config + cap + 1) & ~3;
	}
	return dev->common.size && dev->notify.size ? FW_OK : FW_EPCI_CAP;
}

static void add_status(struct virtio_dev *dev, u8 bits)
{
	u64 reg = dev->common.base + DEVICE_STATUS;

	mmio_write8(reg, mmio_read8(reg) | bits);
}

static enum fw_status negotiate(struct virtio_dev *dev)
{
	u64 base = dev->common.base;

	mmio_write32(base + DEVICE_FEATURE_SELECT, FEATURES_WORD);
	if ((mmio_read32(base + DEVICE_FEATURE) & FEATURES_REQUIRED) != FEATURES_REQUIRED)
		return FW_EVIRTIO_FEATURES;
	mmio_write32(base + DRIVER_FEATURE_SELECT, 0);
	mmio_write32(base + DRIVER_FEATURE, 0);
	mmio_write32(base + DRIVER_FEATURE_SELECT, FEATURES_WORD);
	mmio_write32(base + DRIVER_FEATURE, FEATURES_REQUIRED);
	add_status(dev, STATUS_FEATURES_OK);
	return mmio_read8(base + DEVICE_STATUS) & STATUS_FEATURES_OK ? FW_OK : FW_EVIRTIO_FEATURES;
}

enum fw_status virtio_pci_init(struct virtio_dev *dev, const struct pci_dev *pci)
{
	enum fw_status status;

	memset(dev, 0, sizeof(*dev));
	status = read_caps(dev, pci);
	if (status == FW_OK)
		status = virtio_pci_reset(dev);
	if (status != FW_OK)
		return status;
	add_status(dev, STATUS_ACKNOWLEDGE);
	add_status(dev, STATUS_DRIVER);
	status = negotiate(dev);
	if (status != FW_OK)
		add_status(dev, STATUS_FAILED);
	return status;
}

u16 virtio_pci_queue_max(struct virtio_dev *dev)
{
	mmio_write16(dev->common.base + QUEUE_SELECT, 0);
	return mmio_read16(dev->common.base + QUEUE_SIZE);
}

static void write64(u64 reg, u64 value)
{
	mmio_write32(reg, (u32)value);
	mmio_write32(reg + 4, (u32)(value >> 32));
}

enum fw_status virtio_pci_start(struct virtio_dev *dev, u16 size, u64 desc, u64 avail, u64 used,
				u64 *notify)
{
	u64 base = dev->common.base, offset;

	mmio_write16(base + QUEUE_SELECT, 0);
	offset = (u64)mmio_read16(base + QUEUE_NOTIFY_OFF) * dev->notify_multiplier;
	if (!range_inside(offset, sizeof(u16), 0, dev->notify.size) ||
	    !is_aligned(offset, sizeof(u16)))
		return FW_EVIRTIO_QUEUE;
	*notify = dev->notify.base + offset;

	mmio_write16(base + QUEUE_MSIX_VECTOR, NO_VECTOR);
	mmio_write16(base + QUEUE_SIZE, size);
	write64(base + QUEUE_DESC, desc);
	write64(base + QUEUE_DRIVER, avail);
	write64(base + QUEUE_DEVICE, used);
	mmio_write16(base + QUEUE_ENABLE, 1);
	if (mmio_read16(base + QUEUE_SIZE) != size || mmio_read16(base + QUEUE_ENABLE) != 1)
		return FW_EVIRTIO_QUEUE;
	add_status(dev, STATUS_DRIVER_OK);
	return FW_OK;
}

enum fw_status virtio_pci_read_config64(struct virtio_dev *dev, u64 offset, u64 *value)
{
	u64 generation = dev->common.base + CONFIG_GENERATION;
	unsigned int tries;

	if (!range_inside(offset, sizeof(u64), 0, dev->config.size))
		return FW_EPCI_CAP;
	for (tries = 0; tries < CONFIG_TRIES; tries++) {
		u8 before = mmio_read8(generation);
		u64 lo = mmio_read32(dev->config.base + offset);
		u64 hi = mmio_read32(dev->config.base + offset + 4);

		if (mmio_read8(generation) == before) {
			*value = hi << 32 | lo;
			return FW_OK;
		}
	}
	return FW_EVIRTIO_CONFIG;
}

bool virtio_pci_needs_reset(struct virtio_dev *dev)
{
	return mmio_read8(dev->common.base + DEVICE_STATUS) & STATUS_NEEDS_RESET;
}

enum fw_status virtio_pci_reset(struct virtio_dev *dev)
{
	u64 deadline = clock_deadline(RESET_SECONDS);

	mmio_write8(dev->common.base + DEVICE_STATUS, 0);
	while (mmio_read8(dev->common.base + DEVICE_STATUS))
		if (clock_passed(deadline))
			return FW_ETIMEOUT;
	return FW_OK;
}
