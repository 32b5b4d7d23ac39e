// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI bus (pci.h).
 */
#include <string.h>

#include "mmio.h"
#include "pci.h"

#define SLOTS			32
#define FUNCTIONS		8
#define NO_VENDOR		0xffff

#define HEADER_MULTIFUNCTION	0x80

#define BAR_TYPE(v)		((v) & PCI_BASE_ADDRESS_MEM_TYPE_MASK)
#define BAR_FLAGS		0xfu

static u64 config_of(const struct pci_host *host, unsigned int slot, unsigned int function)
{
	return host->config + ((u64)(slot * FUNCTIONS + function) << host->shift);
}

/*
 * Whether there is a function. Sets @multi if its slot may have more functions, and @is_device
 * if it is a device and not a bridge.
 */
static bool probe(u64 config, bool *multi, bool *is_device)
{
	u8 type;

	if (mmio_read16(config + PCI_VENDOR_ID) == NO_VENDOR)
		return false;
	type = mmio_read8(config + PCI_HEADER_TYPE);
	*multi = type & HEADER_MULTIFUNCTION;
	*is_device = (type & PCI_HEADER_TYPE_MASK) == PCI_HEADER_TYPE_NORMAL;
	return true;
}

/**
 * struct bar_reading - A BAR as the device reports it.
 * @bar: its address, 0 if it has none, and its size
 * @memory: it is a memory BAR
 * @wide: it is a 64-bit BAR, which takes two registers
 */
struct bar_reading {
	struct pci_bar bar;
	bool memory;
	bool wide;
};

/*
 * Turn off address decoding and bus mastering of a function; returns what its command
 * register was. The register is not read back: the host could answer anything.
 */
static u16 stop_decoding(u64 config)
{
	u16 command = mmio_read16(config + PCI_COMMAND);

	mmio_write16(config + PCI_COMMAND,
		     (u16)(command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
					      PCI_COMMAND_MASTER)));
	return command;
}

/*
 * Read address and size of BAR @i. The function must not decode addresses, as sizing writes
 * all ones to the BAR.
 */
static enum fw_status read_bar(u64 config, unsigned int i, struct bar_reading *r)
{
	u64 reg = config + PCI_BASE_ADDRESS_0 + 4 * i;
	u32 lo = mmio_read32(reg), hi = 0;
	u64 mask;

	memset(r, 0, sizeof(*r));
	if (lo & PCI_BASE_ADDRESS_SPACE_IO)
		return FW_OK;
	r->wide = BAR_TYPE(lo) == PCI_BASE_ADDRESS_MEM_TYPE_64;
	if ((BAR_TYPE(lo) != PCI_BASE_ADDRESS_MEM_TYPE_32 && !r->wide) ||
	    (r->wide && i == PCI_STD_NUM_BARS - 1))
		return FW_EPCI_BAR;

	mmio_write32(reg, ~0u);
	mask = mmio_read32(reg) & ~BAR_FLAGS;
	mmio_write32(reg, lo);
	if (r->wide) {
		hi = mmio_read32(reg + 4);
		mmio_write32(reg + 4, ~0u);
		mask |= (u64)mmio_read32(reg + 4) << 32;
		mmio_write32(reg + 4, hi);
	} else if (mask) {
		mask |= 0xffffffff00000000ull;
	}
	if (!mask)
		return FW_OK;
	r->memory = true;
	r->bar.base = (lo & ~BAR_FLAGS) | (u64)hi << 32;
	r->bar.size = ~mask + 1;
	/* The upper bits of a valid mask are all ones, the others zero. */
	if (!is_power_of_2(r->bar.size))
		return FW_EPCI_BAR;
	return FW_OK;
}

/* A BAR of the function, placed so far, that @bar overlaps; NULL if there is none. */
static const struct pci_bar *find_overlap(const struct pci_dev *dev, const struct pci_bar *bar)
{
	unsigned int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (dev->bar[i].size && range_overlaps(bar->base, bar->size, dev->bar[i].base,
						       dev->bar[i].size))
			return &dev->bar[i];
	return NULL;
}

/*
 * Find the lowest free address in the window. The loop ends: the base only rises, each time
 * past a placed BAR.
 */
static enum fw_status place(const struct pci_host *host, const struct pci_dev *dev,
			    struct pci_bar *bar)
{
	const struct pci_bar *over;

	/* Refuse a BAR larger than the window first, as the sums below could wrap. */
	if (bar->size > host->window.size)
		return FW_EPCI_WINDOW;
	bar->base = align_up(host->window.base, bar->size);
	for (;;) {
		/* Address 0 means "not placed", so it cannot be used. */
		if (!bar->base)
			bar->base = bar->size;
		if (!range_inside(bar->base, bar->size, host->window.base, host->window.size))
			return FW_EPCI_WINDOW;
		over = find_overlap(dev, bar);
		if (!over)
			return FW_OK;
		bar->base = align_up(over->base + over->size, bar->size);
	}
}

/* Write a BAR and read it back: a device that did not take the address is unusable. */
static enum fw_status write_bar(u64 config, unsigned int i, const struct bar_reading *r)
{
	u64 reg = config + PCI_BASE_ADDRESS_0 + 4 * i, found;

	mmio_write32(reg, (u32)r->bar.base);
	if (r->wide)
		mmio_write32(reg + 4, (u32)(r->bar.base >> 32));
	found = mmio_read32(reg) & ~BAR_FLAGS;
	if (r->wide)
		found |= (u64)mmio_read32(reg + 4) << 32;
	return found == r->bar.base ? FW_OK : FW_EPCI_BAR;
}

/* Call @visit for every function of the bus, in order, until it returns true. */
static bool visit_functions(const struct pci_host *host,
			    bool (*visit)(struct pci_dev *dev, bool is_device, u32 id), u32 id,
			    struct pci_dev *dev)
{
	bool multi, is_device, more;

	for (dev->slot = 0; dev->slot < SLOTS; dev->slot++) {
		more = true;
		for (dev->function = 0; dev->function < FUNCTIONS && more; dev->function++) {
			dev->config = config_of(host, dev->slot, dev->function);
			multi = false;
			if (probe(dev->config, &multi, &is_device) && visit(dev, is_device, id))
				return true;
			if (!dev->function)
				more = multi;
		}
	}
	return false;
}

static bool silence(struct pci_dev *dev, bool is_device, u32 unused)
{
	(void)is_device;
	(void)unused;
	stop_decoding(dev->config);
	return false;
}

static bool is_wanted(struct pci_dev *dev, bool is_device, u32 id)
{
	return is_device && mmio_read32(dev->config + PCI_VENDOR_ID) == id;
}

void pci_init(struct pci_host *host, const struct platform *p)
{
	struct pci_dev dev = { 0 };

	host->config = p->config_base;
	host->shift = p->config_shift;
	host->window = (struct pci_bar){ p->window_base, p->window_size };
	visit_functions(host, silence, 0, &dev);
}

/*
 * Whether a BAR can stay where the host put it. Then it does stay, as not every VMM can move
 * one. No other function decodes addresses, so only BARs of this one can be in its way.
 */
static bool is_placed(const struct pci_host *host, const struct pci_dev *dev,
		      const struct pci_bar *bar)
{
	return bar->base && is_aligned(bar->base, bar->size) &&
	       range_inside(bar->base, bar->size, host->window.base, host->window.size) &&
	       !find_overlap(dev, bar);
}

/* Size all BARs, keep those that are placed, and place the others around them. */
static enum fw_status setup(const struct pci_host *host, struct pci_dev *dev)
{
	struct bar_reading r[PCI_STD_NUM_BARS] = { 0 };
	enum fw_status status;
	unsigned int i;
	u16 command;

	command = stop_decoding(dev->config);
	for (i = 0; i < PCI_STD_NUM_BARS; i += r[i].wide ? 2 : 1) {
		status = read_bar(dev->config, i, &r[i]);
		if (status != FW_OK)
			return status;
	}
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (r[i].memory && is_placed(host, dev, &r[i].bar))
			dev->bar[i] = r[i].bar;
	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (!r[i].memory || dev->bar[i].size)
			continue;
		status = place(host, dev, &r[i].bar);
		if (status == FW_OK)
			status = write_bar(dev->config, i, &r[i]);
		if (status != FW_OK)
			return status;
		dev->bar[i] = r[i].bar;
	}
	mmio_write16(dev->config + PCI_COMMAND,
		     (u16)((command & ~PCI_COMMAND_IO) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	return FW_OK;
}

enum fw_status pci_find(const struct pci_host *host, u16 vendor, u16 device, struct pci_dev *dev)
{
	memset(dev, 0, sizeof(*dev));
	if (!visit_functions(host, is_wanted, (u32)device << 16 | vendor, dev))
		return FW_ENODISK;
	return setup(host, dev);
}
