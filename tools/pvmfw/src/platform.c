// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the firmware itself uses of the device tree (platform.h).
 */
#include <string.h>

#include <libfdt.h>

#include "console.h"
#include "devtree.h"
#include "layout.h"
#include "platform.h"

#define MAX_RESERVED	16

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
		if (found++ || fdt_parent_offset(fdt, node) != 0 ||
		    devtree_reg_count(fdt, 0, node) != 1)
			return pr_error(FW_EFDT_MEMORY, "memory is not one range");
		devtree_reg(fdt, 0, node, 0, &base, &size);
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

/* Ranges that are reserved, to find those that are reserved twice. */
struct reserved {
	int count;
	u64 base[MAX_RESERVED];
	u64 size[MAX_RESERVED];
};

/* A range that is reserved must be RAM, and reserved once. */
static enum fw_status check_reserved(const struct platform *p, struct reserved *seen, u64 base,
				     u64 size)
{
	enum fw_status status = FW_OK;
	int i;

	if (!range_inside(base, size, RAM_BASE, p->ram_size))
		return pr_error(FW_EFDT_RESERVED, "0x%llx bytes at 0x%llx",
				(unsigned long long)size, (unsigned long long)base);
	if (!size)
		status = FW_ERANGE;
	for (i = 0; i < seen->count && status == FW_OK; i++)
		if (range_overlaps(base, size, seen->base[i], seen->size[i]))
			status = FW_EOVERLAP;
	if (status == FW_OK && seen->count == MAX_RESERVED)
		status = FW_ETOOMANY;
	if (status != FW_OK)
		return pr_error(status, "reserved memory at 0x%llx", (unsigned long long)base);
	seen->base[seen->count] = base;
	seen->size[seen->count++] = size;
	return FW_OK;
}

static enum fw_status parse_reserved(const void *fdt, struct platform *p)
{
	struct reserved seen = { 0 };
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
		n = devtree_reg_count(fdt, parent, node);
		if (n < 1)
			return pr_error(FW_EFDT_STRUCT, "reserved-memory node");
		for (i = 0; i < n; i++) {
			devtree_reg(fdt, parent, node, i, &base, &size);
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
	if (!devtree_root_reg(fdt, node, &p->uart_base, &size) || size < UART_SIZE ||
	    !range_inside(p->uart_base, UART_SIZE, 0, (u64)1 << VA_BITS))
		return pr_error(FW_EFDT_UART, "bad registers");
	/* Who says what is wrong must not need a page that is not there yet. */
	if (p->uart_base % PAGE_SIZE + UART_SIZE > PAGE_SIZE)
		return pr_error(FW_EFDT_UART, "registers at 0x%llx leave their page",
				(unsigned long long)p->uart_base);
	return FW_OK;
}

/*
 * The pool that devices are restricted to. A range of its own is needed only
 * where memory cannot be shared at run time.
 */
static enum fw_status parse_swiotlb(const void *fdt, struct platform *p)
{
	static const char compatible[] = "restricted-dma-pool";
	int parent = fdt_path_offset(fdt, "/reserved-memory");
	int node = fdt_node_offset_by_compatible(fdt, -1, compatible);
	struct swiotlb *s = &p->swiotlb;

	if (node == -FDT_ERR_NOTFOUND)
		return FW_OK;
	if (parent < 0 || node < 0 || fdt_parent_offset(fdt, node) != parent ||
	    fdt_node_offset_by_compatible(fdt, node, compatible) != -FDT_ERR_NOTFOUND)
		return pr_error(FW_EFDT_SWIOTLB, "not one node of reserved-memory");

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
	    !is_aligned(s->base, PAGE_SIZE))
		return pr_error(FW_EFDT_SWIOTLB, "0x%llx bytes at 0x%llx",
				(unsigned long long)s->size, (unsigned long long)s->base);
	return FW_OK;
}

/* An image lies in RAM, behind the device tree, from a page on. */
static bool image_is_sound(const struct platform *p, const struct payload *image)
{
	return image->size && is_aligned(image->base, PAGE_SIZE) &&
	       image->base >= RAM_BASE + FDT_MAX_SIZE &&
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
	return FW_OK;
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
	return FW_OK;
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
	const char *clash = "no other";
	enum fw_status status = memmap_add(map, base, size, kind, name, &clash);

	if (status == FW_EOVERLAP)
		return pr_error(status, "%s and %s", name, clash);
	return status == FW_OK ? FW_OK : pr_error(status, "%s", name);
}

/* Whole pages; @size may be 0 for what is not there. */
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
