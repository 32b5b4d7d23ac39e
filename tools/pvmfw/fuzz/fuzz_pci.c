// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the PCI and virtio transport code with a host that answers each read of a register
 * anew, with any value.
 *
 * Rules: the scan ends; the driver accesses only the configuration space of bus 0, and
 * addresses in the window that a BAR of the device covers; no two BARs overlap; a BAR is not
 * written while its function may decode addresses.
 *
 * The first byte of the input selects CAM or ECAM, the next four the slots that are not
 * empty; the others are what reads return.
 */
#include <string.h>

#include "fuzz.h"
#include "mmio.h"
#include "pci.h"
#include "virtio_pci.h"

#define CONFIG		0x1000000ull
#define FUNCTIONS	256
#define WINDOW		0x2000000ull
#define WINDOW_SIZE	0x100000ull

static struct fuzz_input input;
static struct pci_host host;
static struct pci_dev dev;
static u32 present;
/* log2 of the bytes of configuration space per function. */
static unsigned int shift;
/* A device was found. Before that the window must not be accessed. */
static bool found;
/* For each function: it may decode the addresses in its BARs. */
static bool decodes[FUNCTIONS];
/* For each function: its vendor ID read as valid, so the driver knows that it exists. */
static bool seen[FUNCTIONS];

static bool is_config(u64 addr, unsigned int size)
{
	return range_inside(addr, size, CONFIG, (u64)FUNCTIONS << shift);
}

static unsigned int function_of(u64 addr)
{
	return (unsigned int)((addr - CONFIG) >> shift);
}

static void check_access(u64 addr, unsigned int size)
{
	unsigned int i;

	FUZZ_RULE(is_aligned(addr, size));
	if (is_config(addr, size))
		return;
	FUZZ_RULE(found && range_inside(addr, size, WINDOW, WINDOW_SIZE));
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		if (range_inside(addr, size, dev.bar[i].base, dev.bar[i].size))
			return;
	FUZZ_RULE(false);
}

static u64 read_any(u64 addr, unsigned int size)
{
	check_access(addr, size);
	if (is_config(addr, size) && !(present >> function_of(addr) / 8 & 1))
		return ~0ull;
	return fuzz_take(&input, size);
}

u8 mmio_read8(u64 addr)
{
	return (u8)read_any(addr, 1);
}

u16 mmio_read16(u64 addr)
{
	u16 value = (u16)read_any(addr, 2);

	if (is_config(addr, 2) && addr % PCI_CFG_SPACE_SIZE == PCI_VENDOR_ID && value != 0xffff)
		seen[function_of(addr)] = true;
	return value;
}

u32 mmio_read32(u64 addr)
{
	return (u32)read_any(addr, 4);
}

void mmio_write8(u64 addr, u8 value)
{
	(void)value;
	check_access(addr, 1);
}

void mmio_write16(u64 addr, u16 value)
{
	check_access(addr, 2);
	if (is_config(addr, 2) && addr % PCI_CFG_SPACE_SIZE == PCI_COMMAND)
		decodes[function_of(addr)] = value & PCI_COMMAND_MEMORY;
}

void mmio_write32(u64 addr, u32 value)
{
	(void)value;
	check_access(addr, 4);
	if (is_config(addr, 4))
		FUZZ_RULE(!decodes[function_of(addr)]);
}

static void check_apart(const struct pci_bar *a, const struct pci_bar *b)
{
	FUZZ_RULE(!a->size || !b->size || !range_overlaps(a->base, a->size, b->base, b->size));
}

/* No function that the driver has seen decodes addresses. */
static void check_silent(void)
{
	unsigned int i;

	for (i = 0; i < FUNCTIONS; i++)
		FUZZ_RULE(!seen[i] || !decodes[i]);
}

static void check_bars(void)
{
	unsigned int i, j;

	for (i = 0; i < PCI_STD_NUM_BARS; i++) {
		if (!dev.bar[i].size)
			continue;
		FUZZ_RULE(range_inside(dev.bar[i].base, dev.bar[i].size, WINDOW, WINDOW_SIZE));
		for (j = 0; j < i; j++)
			check_apart(&dev.bar[i], &dev.bar[j]);
	}
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct platform p = {
		.has_pci = true, .config_base = CONFIG,
		.window_base = WINDOW, .window_size = WINDOW_SIZE,
	};
	struct virtio_dev virtio;
	enum fw_status status;
	u64 value, notify;

	input = (struct fuzz_input){ data, size };
	shift = fuzz_take(&input, 1) % 2 ? PCI_CAM_SHIFT : PCI_ECAM_SHIFT;
	p.config_shift = shift;
	p.config_size = (u64)FUNCTIONS << shift;
	present = (u32)fuzz_take(&input, 4);
	found = false;
	memset(&dev, 0, sizeof(dev));
	memset(decodes, true, sizeof(decodes));
	memset(seen, 0, sizeof(seen));
	pci_init(&host, &p);
	check_silent();
	status = pci_find(&host, VIRTIO_PCI_VENDOR, VIRTIO_PCI_DEVICE_BLK, &dev);
	check_bars();
	found = status == FW_OK;
	if (found && virtio_pci_init(&virtio, &dev) == FW_OK) {
		virtio_pci_queue_max(&virtio);
		virtio_pci_read_config64(&virtio, 0, &value);
		if (virtio_pci_start(&virtio, 16, 0, 0, 0, &notify) == FW_OK)
			mmio_write16(notify, 0);
		virtio_pci_needs_reset(&virtio);
		virtio_pci_reset(&virtio);
	}
	return 0;
}
