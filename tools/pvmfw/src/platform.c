// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the firmware itself uses of the device tree (platform.h), except for PCI.
 * Rule: nothing is used before it is checked.
 */
#include <string.h>

#include <libfdt.h>

#include "console.h"
#include "devtree.h"
#include "layout.h"
#include "platform.h"

/* Limit of memory ranges, all memory nodes together. */
#define MAX_MEMORY	16

static const char pool_compatible[] = "restricted-dma-pool";

static enum fw_status parse_psci(const void *fdt)
{
	static const char *const compatible[] = { "arm,psci-1.0", "arm,psci-0.2" };
	const char *method;
	unsigned int i;
	int node;

	for (i = 0; i < ARRAY_SIZE(compatible); i++) {
		node = fdt_node_offset_by_compatible(fdt, -1, compatible[i]);
		if (node < 0)
			continue;
		method = devtree_string(fdt, node, "method", sizeof("hvc"));
		if (method && !strcmp(method, "hvc"))
			return FW_OK;
	}
	return pr_error(FW_EFDT_PSCI, NULL);
}

/* Ranges of memory, in the order of the tree. */
struct memory {
	unsigned int count;
	u64 base[MAX_MEMORY];
	u64 size[MAX_MEMORY];
};

/* Add all ranges of a memory node to @m, except for empty ones. */
static enum fw_status read_memory(const void *fdt, int node, struct memory *m)
{
	int i, n = devtree_reg_count(fdt, 0, node);
	u64 base, size;

	if (fdt_parent_offset(fdt, node) != 0 || n < 1)
		return pr_error(FW_EFDT_MEMORY, "memory has no ranges");
	for (i = 0; i < n; i++) {
		devtree_reg(fdt, 0, node, i, &base, &size);
		if (!size)
			continue;
		if (base < FW_IMAGE_BASE)
			return pr_error(FW_EFDT_MEMORY, "memory starts at 0x%llx",
					(unsigned long long)base);
		if (!is_aligned(base, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE) ||
		    !range_inside(base, size, 0, (u64)1 << VA_BITS))
			return pr_error(FW_EFDT_MEMORY, "memory of 0x%llx bytes",
					(unsigned long long)size);
		if (m->count == MAX_MEMORY)
			return pr_error(FW_ETOOMANY, "memory");
		m->base[m->count] = base;
		m->size[m->count++] = size;
	}
	return FW_OK;
}

/*
 * RAM reaches from RAM_BASE to the first gap, in one range or several. Memory nodes may
 * also cover the firmware's region below RAM_BASE, which the kernel does not get. Memory
 * behind a gap is not used.
 */
static enum fw_status parse_memory(const void *fdt, struct platform *p)
{
	struct memory m = { 0 };
	enum fw_status status;
	u64 end = RAM_BASE;
	unsigned int i;
	int node = -1;

	for (;;) {
		node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory",
						     sizeof("memory"));
		if (node < 0)
			break;
		status = read_memory(fdt, node, &m);
		if (status != FW_OK)
			return status;
	}
	for (i = 0; i < m.count;) {
		if (m.base[i] <= end && m.base[i] + m.size[i] > end) {
			end = m.base[i] + m.size[i];
			i = 0;
		} else {
			i++;
		}
	}
	for (i = 0; i < m.count; i++)
		if (m.base[i] > end)
			pr_info("memory at 0x%llx is not used", (unsigned long long)m.base[i]);
	p->ram_size = end - RAM_BASE;
	if (p->ram_size < FDT_MAX_SIZE)
		return pr_error(FW_EFDT_MEMORY, "memory of 0x%llx bytes",
				(unsigned long long)p->ram_size);
	return FW_OK;
}

bool platform_is_reserved(const struct platform *p, u64 base, u64 size)
{
	unsigned int i;

	for (i = 0; i < p->reserved_count; i++)
		if (range_overlaps(base, size, p->reserved[i].base, p->reserved[i].size))
			return true;
	return false;
}

/*
 * Reserve the part of a range that is RAM, in whole pages, merged with the reserved ranges
 * that it overlaps. The kernel's tree describes no memory outside of RAM.
 */
static enum fw_status reserve(struct platform *p, u64 base, u64 size, bool no_map)
{
	const u64 ram_end = RAM_BASE + p->ram_size;
	unsigned int i = 0;
	u64 end;

	if (size > UINT64_MAX - base)
		return pr_error(FW_EFDT_RESERVED, "0x%llx bytes at 0x%llx",
				(unsigned long long)size, (unsigned long long)base);
	end = base + size;
	if (!size || end <= RAM_BASE || base >= ram_end)
		return FW_OK;
	base = base < RAM_BASE ? RAM_BASE : align_down(base, PAGE_SIZE);
	end = end > ram_end ? ram_end : align_up(end, PAGE_SIZE);
	while (i < p->reserved_count) {
		const struct reserved *r = &p->reserved[i];

		if (!range_overlaps(base, end - base, r->base, r->size)) {
			i++;
			continue;
		}
		if (r->base < base)
			base = r->base;
		if (r->base + r->size > end)
			end = r->base + r->size;
		no_map |= r->no_map;
		p->reserved[i] = p->reserved[--p->reserved_count];
		i = 0;
	}
	if (p->reserved_count == PLATFORM_MAX_RESERVED)
		return pr_error(FW_ETOOMANY, "reserved memory at 0x%llx",
				(unsigned long long)base);
	p->reserved[p->reserved_count++] = (struct reserved){ base, end - base, no_map };
	return FW_OK;
}

/*
 * Skip a node without "reg": it reserves no particular memory. Also skip the DMA pool, which
 * parse_swiotlb() reads.
 */
static enum fw_status reserve_node(const void *fdt, int parent, int node, struct platform *p)
{
	bool no_map = fdt_getprop(fdt, node, "no-map", NULL);
	enum fw_status status = FW_OK;
	u64 base, size;
	int i, n;

	if (!fdt_getprop(fdt, node, "reg", NULL) ||
	    !fdt_node_check_compatible(fdt, node, pool_compatible))
		return FW_OK;
	n = devtree_reg_count(fdt, parent, node);
	if (n < 1)
		return pr_error(FW_EFDT_STRUCT, "reserved-memory node");
	for (i = 0; i < n && status == FW_OK; i++) {
		devtree_reg(fdt, parent, node, i, &base, &size);
		status = reserve(p, base, size, no_map);
	}
	return status;
}

static enum fw_status parse_reserved(const void *fdt, struct platform *p)
{
	int i, n, node, parent;
	enum fw_status status;
	u64 base, size;

	n = fdt_num_mem_rsv(fdt);
	for (i = 0; i < n; i++) {
		if (fdt_get_mem_rsv(fdt, i, &base, &size))
			return pr_error(FW_EFDT_STRUCT, "memory reservation %d", i);
		status = reserve(p, base, size, false);
		if (status != FW_OK)
			return status;
	}

	parent = fdt_path_offset(fdt, "/reserved-memory");
	if (parent < 0)
		return FW_OK;
	fdt_for_each_subnode(node, fdt, parent) {
		status = reserve_node(fdt, parent, node, p);
		if (status != FW_OK)
			return status;
	}
	return FW_OK;
}

/*
 * The offset of the node that /chosen/stdout-path names, up to an optional ":"; negative
 * if there is none.
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
	if (!devtree_root_reg(fdt, node, &p->uart_base, &size) || size < UART_SIZE ||
	    !range_inside(p->uart_base, UART_SIZE, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_UART, "bad registers");
	/*
	 * When the exception handler reports that a page of a device cannot be guarded, it must
	 * not access another page of the UART that is not guarded yet.
	 */
	if (p->uart_base % PAGE_SIZE + UART_SIZE > PAGE_SIZE)
		return pr_error(FW_EFDT_UART, "registers at 0x%llx leave their page",
				(unsigned long long)p->uart_base);
	return FW_OK;
}

/* Refuse an image or DMA pool in reserved memory: the kernel would write to or free it. */
static enum fw_status check_not_reserved(const struct platform *p, u64 base, u64 size,
					 const char *name)
{
	if (platform_is_reserved(p, base, size))
		return pr_error(FW_EOVERLAP, "%s and reserved memory", name);
	return FW_OK;
}

/*
 * Read the DMA pool. It has a fixed range only where the hypervisor cannot share memory at
 * run time; otherwise a size suffices.
 */
static enum fw_status parse_swiotlb(const void *fdt, struct platform *p)
{
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int node = fdt_node_offset_by_compatible(fdt, -1, pool_compatible);
	struct swiotlb *s = &p->swiotlb;

	if (node == -FDT_ERR_NOTFOUND)
		return FW_OK;
	if (parent < 0 || node < 0 || fdt_parent_offset(fdt, node) != parent ||
	    fdt_node_offset_by_compatible(fdt, node, pool_compatible) != -FDT_ERR_NOTFOUND)
		return pr_error(FW_EFDT_SWIOTLB, "not exactly one node in reserved-memory");

	if (devtree_reg_count(fdt, parent, node) == 1) {
		devtree_reg(fdt, parent, node, 0, &s->base, &s->size);
		s->align = PAGE_SIZE;
	} else if (fdt_getprop(fdt, node, "reg", NULL) ||
		   !devtree_number(fdt, node, "size", &s->size)) {
		return pr_error(FW_EFDT_SWIOTLB, "neither range nor size");
	} else if (!devtree_number(fdt, node, "alignment", &s->align)) {
		s->align = PAGE_SIZE;
	}
	if (!s->size || s->size > p->ram_size || !is_aligned(s->size, PAGE_SIZE) ||
	    !is_power_of_2(s->align) || s->align < PAGE_SIZE || s->align > p->ram_size ||
	    !is_aligned(s->base, PAGE_SIZE) ||
	    (s->base && !range_inside(s->base, s->size, RAM_BASE, p->ram_size)))
		return pr_error(FW_EFDT_SWIOTLB, "0x%llx bytes at 0x%llx",
				(unsigned long long)s->size, (unsigned long long)s->base);
	return check_not_reserved(p, s->base, s->size, "DMA pool");
}

/* An image must be page-aligned and lie in RAM. */
static bool image_is_sound(const struct platform *p, const struct payload *image)
{
	return image->size && is_aligned(image->base, PAGE_SIZE) &&
	       range_inside(image->base, image->size, RAM_BASE, p->ram_size) &&
	       align_up(image->base + image->size, PAGE_SIZE) <= RAM_BASE + p->ram_size;
}

static enum fw_status parse_kernel(const void *fdt, struct platform *p)
{
	int node = fdt_path_offset(fdt, "/config");
	struct payload *k = &p->kernel;

	if (node < 0 || (!fdt_getprop(fdt, node, "kernel-address", NULL) &&
			 !fdt_getprop(fdt, node, "kernel-size", NULL)))
		return FW_OK;
	if (!devtree_number(fdt, node, "kernel-address", &k->base) ||
	    !devtree_number(fdt, node, "kernel-size", &k->size))
		return pr_error(FW_EFDT_KERNEL, "address or size is malformed");
	if (!image_is_sound(p, k))
		return pr_error(FW_EFDT_KERNEL, "0x%llx bytes at 0x%llx",
				(unsigned long long)k->size, (unsigned long long)k->base);
	return check_not_reserved(p, k->base, k->size, "kernel");
}

static enum fw_status parse_initrd(const void *fdt, struct platform *p)
{
	int node = fdt_path_offset(fdt, "/chosen");
	struct payload *i = &p->initrd;
	u64 end;

	if (node < 0 || (!fdt_getprop(fdt, node, "linux,initrd-start", NULL) &&
			 !fdt_getprop(fdt, node, "linux,initrd-end", NULL)))
		return FW_OK;
	if (!devtree_number(fdt, node, "linux,initrd-start", &i->base) ||
	    !devtree_number(fdt, node, "linux,initrd-end", &end) || end < i->base)
		return pr_error(FW_EFDT_INITRD, "start or end is malformed");
	i->size = end - i->base;
	if (!image_is_sound(p, i))
		return pr_error(FW_EFDT_INITRD, "0x%llx bytes at 0x%llx",
				(unsigned long long)i->size, (unsigned long long)i->base);
	return check_not_reserved(p, i->base, i->size, "initrd");
}

enum fw_status platform_parse(const void *fdt, struct platform *p)
{
	static enum fw_status (*const steps[])(const void *fdt, struct platform *p) = {
		parse_memory, parse_reserved, parse_uart, platform_parse_pci, parse_swiotlb,
		parse_kernel, parse_initrd,
	};
	enum fw_status status;
	unsigned int i;

	memset(p, 0, sizeof(*p));
	status = parse_psci(fdt);
	for (i = 0; i < ARRAY_SIZE(steps) && status == FW_OK; i++)
		status = steps[i](fdt, p);
	return status;
}

static enum fw_status add(struct memmap *map, u64 base, u64 size, enum memmap_kind kind,
			  const char *name)
{
	const char *clash = "another mapping";
	enum fw_status status = memmap_add(map, base, size, kind, name, &clash);

	if (status == FW_EOVERLAP)
		return pr_error(status, "%s and %s", name, clash);
	return status == FW_OK ? FW_OK : pr_error(status, "%s", name);
}

/* Map an image in whole pages; one of size 0 does not exist. */
static enum fw_status add_payload(struct memmap *map, const struct payload *image,
				  const char *name)
{
	if (!image->size)
		return FW_OK;
	return add(map, image->base, align_up(image->size, PAGE_SIZE), MEMMAP_RODATA, name);
}

enum fw_status platform_memmap(const struct platform *p, bool static_pool, struct memmap *map)
{
	u64 uart = align_down(p->uart_base, PAGE_SIZE);
	enum fw_status status;

	status = memmap_shrink_ram(map, RAM_BASE, p->ram_size);
	if (status != FW_OK)
		return pr_error(status, "RAM");
	if (uart != align_down(UART_DEFAULT_BASE, PAGE_SIZE))
		status = add(map, uart, PAGE_SIZE, MEMMAP_DEVICE, "UART");
	if (status == FW_OK && p->has_pci)
		status = add(map, p->config_base, p->config_size, MEMMAP_DEVICE,
			     "PCI configuration space");
	if (status == FW_OK && p->has_pci)
		status = add(map, p->window_base, p->window_size, MEMMAP_DEVICE, "PCI window");
	if (status == FW_OK && p->swiotlb.base)
		status = add(map, p->swiotlb.base, p->swiotlb.size,
			     static_pool ? MEMMAP_DATA : MEMMAP_UNMAPPED, "DMA pool");
	if (status == FW_OK)
		status = add_payload(map, &p->kernel, "kernel");
	if (status == FW_OK)
		status = add_payload(map, &p->initrd, "initrd");
	return status;
}
