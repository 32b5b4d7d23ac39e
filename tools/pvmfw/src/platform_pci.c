// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads the PCI host bridge from the device tree (platform.h). Rule: nothing is used before
 * it is checked.
 */
#include <libfdt.h>

#include "console.h"
#include "devtree.h"
#include "layout.h"
#include "platform.h"

/* Functions of one bus: 32 devices of 8. */
#define BUS_FUNCTIONS	256
#define MAX_BUS		255

/* Fields of the first cell of a PCI address. */
#define PCI_SPACE(hi)	(((hi) >> 24) & 3)
#define PCI_SPACE_MEM32	2
#define PCI_SPACE_MEM64	3
#define PCI_PREFETCH	0x40000000u
#define PCI_RANGE_CELLS	7

/* The kinds of host bridge that the firmware knows. */
static const struct {
	const char *compatible;
	unsigned int shift;
} hosts[] = {
	{ "pci-host-ecam-generic", PCI_ECAM_SHIFT },
	{ "pci-host-cam-generic", PCI_CAM_SHIFT },
};

/*
 * The window in which the firmware places BARs is non-prefetchable and lies below RAM. Its
 * space code may be the 32-bit or the 64-bit one: old crosvm uses the latter.
 */
static bool is_low_window(u32 space, u64 bus, u64 base, u64 size)
{
	return !(space & PCI_PREFETCH) && bus == base && size &&
	       range_inside(base, size, 0, RAM_BASE);
}

/*
 * A window that only the kernel uses lies above RAM, so it overlaps nothing that the
 * firmware has mapped.
 */
static bool is_high_window(const struct platform *p, u32 space, u64 bus, u64 base, u64 size)
{
	return PCI_SPACE(space) == PCI_SPACE_MEM64 && bus == base && size &&
	       base >= RAM_BASE + p->ram_size && size <= UINT64_MAX - base &&
	       is_aligned(base, PAGE_SIZE) && is_aligned(size, PAGE_SIZE);
}

/* Take the first window of each kind and ignore others. */
static bool parse_pci_windows(const void *fdt, int node, struct platform *p)
{
	const fdt32_t *cell;
	int len;

	if (fdt_address_cells(fdt, node) != 3 || fdt_size_cells(fdt, node) != 2 ||
	    fdt_address_cells(fdt, 0) != 2)
		return false;
	cell = fdt_getprop(fdt, node, "ranges", &len);
	if (!cell || len <= 0 || len % (int)(PCI_RANGE_CELLS * sizeof(*cell)))
		return false;
	for (; len; len -= (int)(PCI_RANGE_CELLS * sizeof(*cell)), cell += PCI_RANGE_CELLS) {
		u32 space = fdt32_ld(cell);
		u64 bus = devtree_cells(cell + 1, 2);
		u64 base = devtree_cells(cell + 3, 2), size = devtree_cells(cell + 5, 2);

		if (PCI_SPACE(space) != PCI_SPACE_MEM32 && PCI_SPACE(space) != PCI_SPACE_MEM64)
			continue;
		if (!p->window_size && is_low_window(space, bus, base, size)) {
			p->window_base = base;
			p->window_size = size;
		} else if (!p->high_size && is_high_window(p, space, bus, base, size)) {
			p->high_base = base;
			p->high_size = size;
			p->high_prefetch = space & PCI_PREFETCH;
		}
	}
	return p->window_size;
}

const char *platform_pci_compatible(const struct platform *p)
{
	return hosts[p->config_shift == PCI_ECAM_SHIFT ? 0 : 1].compatible;
}

enum fw_status platform_parse_pci(const void *fdt, struct platform *p)
{
	u32 last_bus = 0;
	const fdt32_t *bus;
	int node = -1, len;
	unsigned int i;
	u64 size;

	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		node = fdt_node_offset_by_compatible(fdt, -1, hosts[i].compatible);
		if (node != -FDT_ERR_NOTFOUND)
			break;
	}
	if (node == -FDT_ERR_NOTFOUND)
		return FW_OK;
	if (node < 0)
		return pr_error(FW_EFDT_PCI, "unreadable");
	bus = fdt_getprop(fdt, node, "bus-range", &len);
	if (bus && (len != 2 * (int)sizeof(*bus) || fdt32_ld(bus)))
		return pr_error(FW_EFDT_PCI, "bus-range does not start at 0");
	if (bus)
		last_bus = fdt32_ld(bus + 1);
	if (last_bus > MAX_BUS)
		return pr_error(FW_EFDT_PCI, "bus-range ends at %u", last_bus);
	size = (u64)(last_bus + 1) * BUS_FUNCTIONS << hosts[i].shift;
	if (!devtree_root_reg(fdt, node, &p->config_base, &p->config_size) ||
	    p->config_size < size ||
	    !is_aligned(p->config_base, PAGE_SIZE) ||
	    !range_inside(p->config_base, p->config_size, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_PCI, "bad configuration space");
	p->config_size = size;
	p->last_bus = last_bus;
	p->config_shift = hosts[i].shift;
	if (!parse_pci_windows(fdt, node, p))
		return pr_error(FW_EFDT_PCI, "bad memory window");
	p->has_pci = true;
	return FW_OK;
}
