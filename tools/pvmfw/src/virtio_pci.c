// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtio transport over PCI (virtio_pci.h).
 */
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "clock.h"
#include "mmio.h"
#include "virtio_pci.h"

/* The first capability follows the header. */
#define CAP_FIRST		PCI_STD_HEADER_SIZEOF
/* More capabilities do not fit into configuration space. */
#define CAP_MAX			48

#define CAP_SIZE		sizeof(struct virtio_pci_cap)
#define CAP_NOTIFY_SIZE		sizeof(struct virtio_pci_notify_cap)
#define COMMON_SIZE		sizeof(struct virtio_pci_common_cfg)

/* VERSION_1 and ACCESS_PLATFORM are in the second word. */
#define FEATURES_WORD		1
#define FEATURES_REQUIRED	(1u << (VIRTIO_F_VERSION_1 - 32) |		\
				 1u << (VIRTIO_F_ACCESS_PLATFORM - 32))

#define RESET_SECONDS		5
#define CONFIG_TRIES		16

/*
 * Read the capability at @cap. The first one of each type counts; types that the driver does
 * not use are skipped.
 */
static enum fw_status read_cap(struct virtio_dev *dev, const struct pci_dev *pci, u64 cap)
{
	u8 type = mmio_read8(pci->config + cap + VIRTIO_PCI_CAP_CFG_TYPE);
	u8 bar = mmio_read8(pci->config + cap + VIRTIO_PCI_CAP_BAR);
	u32 offset, length;
	struct virtio_region *region;
	u64 min_cap = CAP_SIZE, min_length;

	switch (type) {
	case VIRTIO_PCI_CAP_COMMON_CFG:
		region = &dev->common;
		min_length = COMMON_SIZE;
		break;
	case VIRTIO_PCI_CAP_NOTIFY_CFG:
		region = &dev->notify;
		min_cap = CAP_NOTIFY_SIZE;
		min_length = sizeof(u16);
		break;
	case VIRTIO_PCI_CAP_DEVICE_CFG:
		region = &dev->config;
		min_length = sizeof(u32);
		break;
	default:
		return FW_OK;
	}
	if (region->size)
		return FW_OK;

	if (mmio_read8(pci->config + cap + VIRTIO_PCI_CAP_LEN) < min_cap ||
	    cap + min_cap > PCI_CFG_SPACE_SIZE || bar >= PCI_STD_NUM_BARS)
		return FW_EPCI_CAP;
	offset = mmio_read32(pci->config + cap + VIRTIO_PCI_CAP_OFFSET);
	length = mmio_read32(pci->config + cap + VIRTIO_PCI_CAP_LENGTH);
	if (length < min_length || !is_aligned(offset, sizeof(u32)) ||
	    !range_inside(offset, length, 0, pci->bar[bar].size))
		return FW_EPCI_CAP;
	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		dev->notify_multiplier = mmio_read32(pci->config + cap +
						     VIRTIO_PCI_NOTIFY_CAP_MULT);
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
	cap = mmio_read8(pci->config + PCI_CAPABILITY_LIST) & ~3;
	while (cap) {
		/* A circular list exceeds CAP_MAX. */
		if (cap < CAP_FIRST || !tries--)
			return FW_EPCI_CAP;
		id = mmio_read8(pci->config + cap);
		if (id == PCI_CAP_ID_VNDR) {
			if (cap + CAP_SIZE > PCI_CFG_SPACE_SIZE)
				return FW_EPCI_CAP;
			status = read_cap(dev, pci, cap);
			if (status != FW_OK)
				return status;
		}
		cap = mmio_read8(pci->config + cap + PCI_CAP_LIST_NEXT) & ~3;
	}
	return dev->common.size && dev->notify.size ? FW_OK : FW_EPCI_CAP;
}

static u8 device_status(struct virtio_dev *dev)
{
	return mmio_read8(dev->common.base + VIRTIO_PCI_COMMON_STATUS);
}

static void add_status(struct virtio_dev *dev, u8 bits)
{
	mmio_write8(dev->common.base + VIRTIO_PCI_COMMON_STATUS, device_status(dev) | bits);
}

static enum fw_status negotiate(struct virtio_dev *dev)
{
	u64 base = dev->common.base;

	mmio_write32(base + VIRTIO_PCI_COMMON_DFSELECT, FEATURES_WORD);
	if ((mmio_read32(base + VIRTIO_PCI_COMMON_DF) & FEATURES_REQUIRED) != FEATURES_REQUIRED)
		return FW_EVIRTIO_FEATURES;
	mmio_write32(base + VIRTIO_PCI_COMMON_GFSELECT, 0);
	mmio_write32(base + VIRTIO_PCI_COMMON_GF, 0);
	mmio_write32(base + VIRTIO_PCI_COMMON_GFSELECT, FEATURES_WORD);
	mmio_write32(base + VIRTIO_PCI_COMMON_GF, FEATURES_REQUIRED);
	add_status(dev, VIRTIO_CONFIG_S_FEATURES_OK);
	if (!(device_status(dev) & VIRTIO_CONFIG_S_FEATURES_OK))
		return FW_EVIRTIO_FEATURES;
	return FW_OK;
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
	add_status(dev, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	add_status(dev, VIRTIO_CONFIG_S_DRIVER);
	status = negotiate(dev);
	if (status != FW_OK)
		add_status(dev, VIRTIO_CONFIG_S_FAILED);
	return status;
}

u16 virtio_pci_queue_max(struct virtio_dev *dev)
{
	mmio_write16(dev->common.base + VIRTIO_PCI_COMMON_Q_SELECT, 0);
	return mmio_read16(dev->common.base + VIRTIO_PCI_COMMON_Q_SIZE);
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

	mmio_write16(base + VIRTIO_PCI_COMMON_Q_SELECT, 0);
	offset = (u64)mmio_read16(base + VIRTIO_PCI_COMMON_Q_NOFF) * dev->notify_multiplier;
	if (!range_inside(offset, sizeof(u16), 0, dev->notify.size) ||
	    !is_aligned(offset, sizeof(u16)))
		return FW_EVIRTIO_QUEUE;
	*notify = dev->notify.base + offset;

	mmio_write16(base + VIRTIO_PCI_COMMON_Q_MSIX, VIRTIO_MSI_NO_VECTOR);
	mmio_write16(base + VIRTIO_PCI_COMMON_Q_SIZE, size);
	write64(base + VIRTIO_PCI_COMMON_Q_DESCLO, desc);
	write64(base + VIRTIO_PCI_COMMON_Q_AVAILLO, avail);
	write64(base + VIRTIO_PCI_COMMON_Q_USEDLO, used);
	mmio_write16(base + VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	if (mmio_read16(base + VIRTIO_PCI_COMMON_Q_SIZE) != size ||
	    mmio_read16(base + VIRTIO_PCI_COMMON_Q_ENABLE) != 1)
		return FW_EVIRTIO_QUEUE;
	add_status(dev, VIRTIO_CONFIG_S_DRIVER_OK);
	return FW_OK;
}

enum fw_status virtio_pci_read_config64(struct virtio_dev *dev, u64 offset, u64 *value)
{
	u64 generation = dev->common.base + VIRTIO_PCI_COMMON_CFGGENERATION;
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
	return device_status(dev) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

enum fw_status virtio_pci_reset(struct virtio_dev *dev)
{
	u64 deadline = clock_deadline(RESET_SECONDS);

	mmio_write8(dev->common.base + VIRTIO_PCI_COMMON_STATUS, 0);
	while (device_status(dev))
		if (clock_passed(deadline))
			return FW_ETIMEOUT;
	return FW_OK;
}
