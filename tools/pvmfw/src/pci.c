// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI bus of pci.h.
 */
#include <string.h>

#include "console.h"
#include "mmio.h"
#include "pci.h"

#define SLOTS			32
#define FUNCTIONS		8
#define NO_VENDOR		0xffff

#define HEADER_TYPE(v)		((v) & 0x7f)
#define HEADER_MULTIFUNCTION	0x80
#define HEADER_DEVICE		0

#define BAR_IO			0x1u
#define BAR_TYPE(v)		(((v) >> 1) & 3)
#define BAR_TYPE_32		0
#define BAR_TYPE_64		2
#define BAR_FLAGS		0xfu

static u64 config_of(const struct pci_host *host, unsigned int slot, unsigned int function)
{
	return host->config + ((u64)(slot * FUNCTIONS + function) << host->shift);
}

/* Tell whether there is a function, and of how many its device may consist. */
static bool probe(u64 config, bool *multi)
{
	u8 type;

	if (mmio_read16(config + PCI_VENDOR_ID) == NO_VENDOR)
		return false;
	type = mmio_read8(config + PCI_HEADER_TYPE);
	*multi = type & HEADER_MULTIFUNCTION;
	return HEADER_TYPE(type) == HEADER_DEVICE;
}

/*
 * What BAR @i says: its address and size, and whether it is a memory BAR at all
 * and takes two slots.
 */
struct bar_reading {
	struct pci_bar bar;
	bool memory;
	bool wide;
};

/*
 * Have a function decode no address; what the command register was. It is read
 * once: what it reads as later is only the host's word.
 */
static u16 stop_decoding(u64 config)
{
	u16 command = mmio_read16(config + PCI_COMMAND);

	mmio_write16(config + PCI_COMMAND,
		     (u16)(command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)));
	return command;
}

/*
 * Size BAR @i of a function that decodes nothing, so that the trial value is never
 * an address.
 */
static enum fw_status read_bar(u64 config, unsigned int i, struct bar_reading *r)
{
	u64 reg = config + PCI_BAR0 + 4 * i;
	u32 lo = mmio_read32(reg), hi = 0;
	u64 mask;

	memset(r, 0, sizeof(*r));
	if (lo & BAR_IO)
		return FW_OK;
	r->wide = BAR_TYPE(lo) == BAR_TYPE_64;
	if ((BAR_TYPE(lo) != BAR_TYPE_32 && !r->wide) || (r->wide && i == PCI_BARS - 1))
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
	/* The mask is ones down from the top; anything else is no size. */
	if (!is_power_of_2(r->bar.size))
		return FW_EPCI_BAR;
	return FW_OK;
}

/* The BAR placed so far that @bar is over; NULL if there is none. */
static const struct pci_bar *find_overlap(const struct pci_host *host, const struct pci_bar *bar)
{
	unsigned int i;

	for (i = 0; i < host->count; i++)
		if (range_overlaps(bar->base, bar->size, host->placed[i].bar.base,
				   host->placed[i].bar.size))
			return &host->placed[i].bar;
	return NULL;
}

static enum fw_status record(struct pci_host *host, u64 config, unsigned int index,
			     const struct pci_bar *bar)
{
	if (!is_aligned(bar->base, bar->size) ||
	    !range_inside(bar->base, bar->size, host->window.base, host->window.size) ||
	    find_overlap(host, bar))
		return FW_EPCI_BAR;
	if (host->count == PCI_MAX_BARS)
		return FW_ETOOMANY;
	host->placed[host->count++] = (struct pci_placed){ *bar, config, index };
	return FW_OK;
}

/*
 * The lowest place in the window that is free. The bases only rise, by placed
 * BARs: it ends.
 */
static enum fw_status place(struct pci_host *host, u64 config, unsigned int index,
			    struct pci_bar *bar)
{
	const struct pci_bar *over;

	bar->base = align_up(host->window.base, bar->size);
	for (;;) {
		/* Base 0 means "not placed" and cannot be used. */
		if (!bar->base)
			bar->base = bar->size;
		if (!range_inside(bar->base, bar->size, host->window.base, host->window.size))
			return FW_EPCI_WINDOW;
		over = find_overlap(host, bar);
		if (!over)
			return record(host, config, index, bar);
		bar->base = align_up(over->base + over->size, bar->size);
	}
}

/* A device that does not take its address would answer somewhere else. */
static enum fw_status write_bar(u64 config, unsigned int i, const struct bar_reading *r)
{
	u64 reg = config + PCI_BAR0 + 4 * i, found;

	mmio_write32(reg, (u32)r->bar.base);
	if (r->wide)
		mmio_write32(reg + 4, (u32)(r->bar.base >> 32));
	found = mmio_read32(reg) & ~BAR_FLAGS;
	if (r->wide)
		found |= (u64)mmio_read32(reg + 4) << 32;
	return found == r->bar.base ? FW_OK : FW_EPCI_BAR;
}

/* Record those BARs of a function that have an address. */
static enum fw_status record_function(struct pci_host *host, u64 config)
{
	struct bar_reading r;
	enum fw_status status;
	unsigned int i;
	u16 command;

	command = stop_decoding(config);
	for (i = 0; i < PCI_BARS; i += r.wide ? 2 : 1) {
		status = read_bar(config, i, &r);
		if (status == FW_OK && r.memory && r.bar.base)
			status = record(host, config, i, &r.bar);
		if (status != FW_OK)
			return pr_error(status, "PCI function %02x, BAR %u",
					(u32)((config - host->config) >> host->shift), i);
	}
	mmio_write16(config + PCI_COMMAND, command);
	return FW_OK;
}

enum fw_status pci_init(struct pci_host *host, const struct platform *p)
{
	unsigned int slot, function;
	enum fw_status status;
	bool multi, more;

	memset(host, 0, sizeof(*host));
	host->config = p->config_base;
	host->shift = p->config_shift;
	host->window = (struct pci_bar){ p->window_base, p->window_size };

	for (slot = 0; slot < SLOTS; slot++) {
		more = true;
		for (function = 0; function < FUNCTIONS && more; function++) {
			u64 config = config_of(host, slot, function);

			multi = false;
			if (probe(config, &multi)) {
				status = record_function(host, config);
				if (status != FW_OK)
					return status;
			}
			if (!function)
				more = multi;
		}
	}
	return FW_OK;
}

/* What pci_init() found of a BAR; NULL if it had no address then. */
static const struct pci_bar *find_placed(const struct pci_host *host, u64 config,
					 unsigned int index)
{
	unsigned int i;

	for (i = 0; i < host->count; i++)
		if (host->placed[i].config == config && host->placed[i].index == index)
			return &host->placed[i].bar;
	return NULL;
}

/*
 * A BAR that pci_init() has checked must still be the same; one that had no address
 * must still have none, however good the address that it has got since looks: that
 * is another one's.
 */
static enum fw_status setup_bar(struct pci_host *host, u64 config, unsigned int i,
				struct bar_reading *r)
{
	const struct pci_bar *found = find_placed(host, config, i);
	enum fw_status status;

	if (found)
		return r->bar.base == found->base && r->bar.size == found->size ? FW_OK :
		       FW_EPCI_BAR;
	if (r->bar.base)
		return FW_EPCI_BAR;
	status = place(host, config, i, &r->bar);
	return status == FW_OK ? write_bar(config, i, r) : status;
}

static enum fw_status setup(struct pci_host *host, struct pci_dev *dev)
{
	struct bar_reading r;
	enum fw_status status;
	unsigned int i;
	u16 command;

	command = stop_decoding(dev->config);
	for (i = 0; i < PCI_BARS; i += r.wide ? 2 : 1) {
		status = read_bar(dev->config, i, &r);
		if (status == FW_OK && r.memory)
			status = setup_bar(host, dev->config, i, &r);
		if (status != FW_OK)
			return status;
		dev->bar[i] = r.bar;
	}
	mmio_write16(dev->config + PCI_COMMAND,
		     (u16)((command & ~PCI_COMMAND_IO) | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER));
	return FW_OK;
}

enum fw_status pci_find(struct pci_host *host, u16 vendor, u16 device, struct pci_dev *dev)
{
	const u32 id = (u32)device << 16 | vendor;
	bool multi, more;

	memset(dev, 0, sizeof(*dev));
	for (dev->slot = 0; dev->slot < SLOTS; dev->slot++) {
		more = true;
		for (dev->function = 0; dev->function < FUNCTIONS && more; dev->function++) {
			dev->config = config_of(host, dev->slot, dev->function);
			multi = false;
			if (probe(dev->config, &multi) &&
			    mmio_read32(dev->config + PCI_VENDOR_ID) == id)
				return setup(host, dev);
			if (!dev->function)
				more = multi;
		}
	}
	return FW_ENODISK;
}
