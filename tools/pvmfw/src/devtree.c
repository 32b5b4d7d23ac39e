// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checking and reading the device tree of devtree.h.
 */
#include <string.h>

#include <libfdt.h>

#include "console.h"
#include "devtree.h"
#include "layout.h"

/* The first version whose header holds the size of every block. */
#define FDT_VERSION	17

#define MAX_CELLS	2
#define MAX_DEPTH	16

/* One bus of configuration space: 32 devices of 8 functions of 4 KiB. */
#define ECAM_BUS_SIZE	0x100000

/*
 * The first cell of a PCI address: space code, and what must be zero for plain
 * memory.
 */
#define PCI_SPACE(hi)	(((hi) >> 24) & 3)
#define PCI_SPACE_MEM32	2
#define PCI_PREFETCH	0x40000000u
#define PCI_RANGE_CELLS	7

/*
 * Tell whether the property at @offset has a terminated name inside of the
 * strings block.
 */
static bool property_is_sound(const void *fdt, int offset)
{
	const char *name;
	int len;

	return fdt_getprop_by_offset(fdt, offset, &name, &len) && name && len >= 0;
}

enum fw_status devtree_check(const void *fdt, size_t max_size)
{
	int offset = 0, next, depth = 0;
	bool props_over = false, seen_root = false;

	if (max_size < sizeof(struct fdt_header) || fdt_magic(fdt) != FDT_MAGIC)
		return FW_EFDT_HEADER;
	if (fdt_totalsize(fdt) > max_size)
		return FW_EFDT_SIZE;
	if (fdt_version(fdt) < FDT_VERSION || fdt_check_header(fdt) ||
	    !is_aligned(fdt_off_dt_struct(fdt), sizeof(fdt32_t)) ||
	    !is_aligned(fdt_off_mem_rsvmap(fdt), sizeof(fdt64_t)))
		return FW_EFDT_HEADER;
	if (fdt_num_mem_rsv(fdt) < 0)
		return FW_EFDT_STRUCT;

	for (;; offset = next) {
		switch (fdt_next_tag(fdt, offset, &next)) {
		case FDT_BEGIN_NODE:
			if ((seen_root && !depth) || ++depth > MAX_DEPTH)
				return FW_EFDT_STRUCT;
			seen_root = true;
			props_over = false;
			break;
		case FDT_END_NODE:
			if (--depth < 0)
				return FW_EFDT_STRUCT;
			props_over = true;
			break;
		case FDT_PROP:
			if (!depth || props_over || !property_is_sound(fdt, offset))
				return FW_EFDT_STRUCT;
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			/*
			 * After an error libfdt says END too, with a negative
			 * offset.
			 */
			return next >= 0 && !depth && seen_root ? FW_OK : FW_EFDT_STRUCT;
		default:
			return FW_EFDT_STRUCT;
		}
	}
}

static u64 read_cells(const fdt32_t *cell, int cells)
{
	u64 value = 0;

	while (cells--)
		value = value << 32 | fdt32_ld(cell++);
	return value;
}

/*
 * Number of entries of the "reg" of @node, a child of @parent; -1 if it is
 * missing or malformed.
 */
static int reg_count(const void *fdt, int parent, int node)
{
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	int len;

	if (ac < 1 || ac > MAX_CELLS || sc < 1 || sc > MAX_CELLS ||
	    !fdt_getprop(fdt, node, "reg", &len))
		return -1;
	if (len <= 0 || len % ((ac + sc) * (int)sizeof(fdt32_t)))
		return -1;
	return len / ((ac + sc) * (int)sizeof(fdt32_t));
}

/* Entry @i of a "reg" for which reg_count() said that it is there. */
static void reg_entry(const void *fdt, int parent, int node, int i, u64 *base, u64 *size)
{
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	const fdt32_t *cell = fdt_getprop(fdt, node, "reg", NULL);

	cell += i * (ac + sc);
	*base = read_cells(cell, ac);
	*size = read_cells(cell + ac, sc);
}

/*
 * The "reg" of a device right below the root: one that no bus in between
 * translates.
 */
static bool root_device_reg(const void *fdt, int node, u64 *base, u64 *size)
{
	if (fdt_parent_offset(fdt, node) != 0 || reg_count(fdt, 0, node) < 1)
		return false;
	reg_entry(fdt, 0, node, 0, base, size);
	return true;
}

static enum fw_status parse_psci(const void *fdt)
{
	static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2" };
	const char *method;
	unsigned int i;
	int node, len;

	for (i = 0; i < ARRAY_SIZE(compatible); i++) {
		node = fdt_node_offset_by_compatible(fdt, -1, compatible[i]);
		if (node < 0)
			continue;
		method = fdt_getprop(fdt, node, "method", &len);
		if (method && len == (int)sizeof("hvc") && !memcmp(method, "hvc", sizeof("hvc")))
			return FW_OK;
	}
	return pr_error(FW_EFDT_PSCI, NULL);
}

/* RAM is one range that starts where the layout says. */
static enum fw_status parse_memory(const void *fdt, struct platform *p)
{
	int node = -1, found = 0;
	u64 base, size;

	for (;;) {
		node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory",
						     sizeof("memory"));
		if (node < 0)
			break;
		if (found++ || fdt_parent_offset(fdt, node) != 0 || reg_count(fdt, 0, node) != 1)
			return pr_error(FW_EFDT_MEMORY, "memory is not one range");
		reg_entry(fdt, 0, node, 0, &base, &size);
	}
	if (!found)
		return pr_error(FW_EFDT_MEMORY, "no memory node");
	if (base != RAM_BASE)
		return pr_error(FW_EFDT_MEMORY, "memory starts at 0x%llx",
				(unsigned long long)base);
	if (size < FDT_MAX_SIZE || !is_aligned(size, PAGE_SIZE) ||
	    !range_inside(base, size, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_MEMORY, "memory of 0x%llx bytes", (unsigned long long)size);
	p->ram_size = size;
	return FW_OK;
}

/* A range that is reserved must be RAM, and reserved once. */
static enum fw_status check_reserved(const struct platform *p, struct memmap *seen, u64 base,
				     u64 size)
{
	if (!range_inside(base, size, RAM_BASE, p->ram_size))
		return pr_error(FW_EFDT_RESERVED, "0x%llx bytes at 0x%llx",
				(unsigned long long)size, (unsigned long long)base);
	switch (memmap_add(seen, base, size, "reserved memory", NULL)) {
	case FW_OK:
		return FW_OK;
	case FW_EOVERLAP:
		return pr_error(FW_EOVERLAP, "reserved memory at 0x%llx", (unsigned long long)base);
	case FW_ETOOMANY:
		return pr_error(FW_ETOOMANY, "reserved memory");
	default:
		return pr_error(FW_ERANGE, "reserved memory at 0x%llx", (unsigned long long)base);
	}
}

static enum fw_status parse_reserved(const void *fdt, const struct platform *p)
{
	struct memmap seen = { 0 };
	int i, n, node, parent;
	enum fw_status status;
	u64 base, size;

	n = fdt_num_mem_rsv(fdt);
	for (i = 0; i < n; i++) {
		if (fdt_get_mem_rsv(fdt, i, &base, &size))
			return pr_error(FW_EFDT_STRUCT, "memory reservation %d", i);
		status = check_reserved(p, &seen, base, size);
		if (status != FW_OK)
			return status;
	}

	parent = fdt_path_offset(fdt, "/reserved-memory");
	if (parent < 0)
		return FW_OK;
	fdt_for_each_subnode(node, fdt, parent) {
		/*
		 * A node without "reg" asks for memory anywhere, which is the
		 * next stage's concern.
		 */
		if (!fdt_getprop(fdt, node, "reg", NULL))
			continue;
		n = reg_count(fdt, parent, node);
		if (n < 1)
			return pr_error(FW_EFDT_STRUCT, "reserved-memory node");
		for (i = 0; i < n; i++) {
			reg_entry(fdt, parent, node, i, &base, &size);
			status = check_reserved(p, &seen, base, size);
			if (status != FW_OK)
				return status;
		}
	}
	return FW_OK;
}

/*
 * The node that /chosen/stdout-path names, up to an optional ":"; negative if
 * there is none.
 */
static int stdout_node(const void *fdt)
{
	int chosen = fdt_path_offset(fdt, "/chosen"), len;
	const char *path, *end;

	if (chosen < 0)
		return chosen;
	path = fdt_getprop(fdt, chosen, "stdout-path", &len);
	if (!path || len <= 0 || path[len - 1])
		return -FDT_ERR_NOTFOUND;
	end = strchr(path, ':');
	return fdt_path_offset_namelen(fdt, path, end ? (int)(end - path) : (int)strlen(path));
}

static enum fw_status parse_uart(const void *fdt, struct platform *p)
{
	static const char compatible[] = "ns16550a";
	int node = stdout_node(fdt), len;
	const fdt32_t *shift;
	u64 size;

	if (node < 0 || fdt_node_check_compatible(fdt, node, compatible))
		node = fdt_node_offset_by_compatible(fdt, -1, compatible);
	if (node < 0)
		return pr_error(FW_EFDT_UART, "no %s", compatible);
	shift = fdt_getprop(fdt, node, "reg-shift", &len);
	if (shift && (len != (int)sizeof(*shift) || fdt32_ld(shift)))
		return pr_error(FW_EFDT_UART, "reg-shift is not 0");
	if (!root_device_reg(fdt, node, &p->uart_base, &size) || size < UART_SIZE ||
	    !range_inside(p->uart_base, UART_SIZE, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_UART, "bad registers");
	return FW_OK;
}

/* The first window for 32-bit memory that is not prefetchable. */
static bool parse_pci_window(const void *fdt, int node, struct platform *p)
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
		u32 hi = fdt32_ld(cell);
		u64 bus = read_cells(cell + 1, 2);

		if (PCI_SPACE(hi) != PCI_SPACE_MEM32 || hi & PCI_PREFETCH)
			continue;
		p->window_base = read_cells(cell + 3, 2);
		p->window_size = read_cells(cell + 5, 2);
		return bus == p->window_base && p->window_size &&
		       range_inside(bus, p->window_size, 0, (u64)1 << 32);
	}
	return false;
}

static enum fw_status parse_pci(const void *fdt, struct platform *p)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "pci-host-ecam-generic");
	const fdt32_t *bus;
	int len;

	if (node == -FDT_ERR_NOTFOUND)
		return FW_OK;
	if (node < 0)
		return pr_error(FW_EFDT_PCI, "unreadable");
	bus = fdt_getprop(fdt, node, "bus-range", &len);
	if (bus && (len != 2 * (int)sizeof(*bus) || fdt32_ld(bus)))
		return pr_error(FW_EFDT_PCI, "bus-range does not start at 0");
	if (!root_device_reg(fdt, node, &p->ecam_base, &p->ecam_size) ||
	    p->ecam_size < ECAM_BUS_SIZE || !is_aligned(p->ecam_base, PAGE_SIZE) ||
	    !range_inside(p->ecam_base, p->ecam_size, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_PCI, "bad configuration space");
	/* Only bus 0 is looked at. */
	p->ecam_size = ECAM_BUS_SIZE;
	if (!parse_pci_window(fdt, node, p))
		return pr_error(FW_EFDT_PCI, "bad memory window");
	p->has_pci = true;
	return FW_OK;
}

enum fw_status devtree_parse(const void *fdt, struct platform *p)
{
	enum fw_status status;

	memset(p, 0, sizeof(*p));
	status = parse_psci(fdt);
	if (status == FW_OK)
		status = parse_memory(fdt, p);
	if (status == FW_OK)
		status = parse_reserved(fdt, p);
	if (status == FW_OK)
		status = parse_uart(fdt, p);
	if (status == FW_OK)
		status = parse_pci(fdt, p);
	return status;
}

static enum fw_status add(struct memmap *map, u64 base, u64 size, const char *name)
{
	const char *clash = "no other";
	enum fw_status status = memmap_add(map, base, size, name, &clash);

	if (status == FW_EOVERLAP)
		return pr_error(status, "%s and %s", name, clash);
	return status == FW_OK ? FW_OK : pr_error(status, "%s", name);
}

enum fw_status platform_memmap(const struct platform *p, struct memmap *map)
{
	u64 uart = align_down(p->uart_base, PAGE_SIZE);
	u64 uart_end = align_up(p->uart_base + UART_SIZE, PAGE_SIZE);
	enum fw_status status;

	if (!is_aligned(p->window_base, PAGE_SIZE) ||
	    !is_aligned(p->window_size, PAGE_SIZE))
		return pr_error(FW_EALIGN, "PCI window");

	status = add(map, FW_IMAGE_BASE, BLOCK_SIZE, "firmware image");
	if (status == FW_OK)
		status = add(map, FW_SCRATCH_BASE, FW_SCRATCH_SIZE, "firmware scratch");
	if (status == FW_OK)
		status = add(map, RAM_BASE, p->ram_size, "RAM");
	if (status == FW_OK)
		status = add(map, uart, uart_end - uart, "UART");
	if (status == FW_OK && p->has_pci)
		status = add(map, p->ecam_base, p->ecam_size, "PCI configuration space");
	if (status == FW_OK && p->has_pci)
		status = add(map, p->window_base, p->window_size, "PCI window");
	return status;
}
