// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes all code that reads the device tree. Rule: a tree is refused, or all ranges that were
 * taken from it are valid and do not overlap, and the kernel's tree passes the firmware's own
 * checks and describes the same platform.
 */
#include <stdlib.h>
#include <string.h>

#include "devtree.h"
#include "fake_map.h"
#include "fuzz.h"
#include "guest.h"
#include "layout.h"

static u64 tree[GUEST_TREE_SIZE / 8];

static void check_payload(const struct platform *p, const struct payload *image)
{
	if (image->size)
		FUZZ_RULE(range_inside(image->base, image->size, RAM_BASE, p->ram_size) &&
			  !platform_is_reserved(p, image->base, image->size));
}

/* The UART must be mapped. */
static void check_uart(const struct platform *p)
{
	unsigned int i;

	for (i = 0; i < fake_map.count; i++) {
		const struct memmap_range *r = &fake_map.range[i];

		if (r->kind == MEMMAP_DEVICE &&
		    range_inside(p->uart_base, UART_SIZE, r->base, r->size))
			return;
	}
	FUZZ_RULE(false);
}

/* The DMA pool is mapped only if the firmware uses it as its static pool. */
static void check_pool(const struct platform *p, bool static_pool)
{
	unsigned int i;

	for (i = 0; i < fake_map.count; i++) {
		const struct memmap_range *r = &fake_map.range[i];

		if (r->base && r->base == p->swiotlb.base)
			FUZZ_RULE(r->size == p->swiotlb.size &&
				  r->kind == (static_pool ? MEMMAP_DATA : MEMMAP_UNMAPPED));
	}
}

/*
 * The command line is that of the configuration, or that of the host if the configuration
 * allows it, or empty; and printable.
 */
static void check_cmdline(const char *text, const struct fw_config *config)
{
	if (config->cmdline)
		FUZZ_RULE(!strcmp(text, config->cmdline));
	else if (!config->host_cmdline)
		FUZZ_RULE(!*text);
	for (; *text; text++)
		FUZZ_RULE(*text >= ' ' && *text <= '~');
}

/* Reserved ranges are in RAM, do not overlap, and are reserved in the kernel's tree too. */
static void check_reserved(const struct platform *p, const struct platform *again)
{
	unsigned int i, j;

	FUZZ_RULE(again->reserved_count == p->reserved_count);
	for (i = 0; i < p->reserved_count; i++) {
		const struct reserved *r = &p->reserved[i];

		FUZZ_RULE(r->size && is_aligned(r->base | r->size, PAGE_SIZE) &&
			  range_inside(r->base, r->size, RAM_BASE, p->ram_size));
		for (j = 0; j < again->reserved_count; j++)
			if (again->reserved[j].base == r->base &&
			    again->reserved[j].size == r->size &&
			    again->reserved[j].no_map == r->no_map)
				break;
		FUZZ_RULE(j < again->reserved_count);
		for (j = 0; j < i; j++)
			FUZZ_RULE(!range_overlaps(r->base, r->size, p->reserved[j].base,
						  p->reserved[j].size));
	}
	if (p->swiotlb.base)
		FUZZ_RULE(!platform_is_reserved(p, p->swiotlb.base, p->swiotlb.size));
}

static void check_platform(const struct platform *p)
{
	unsigned int i, j;

	check_uart(p);
	check_payload(p, &p->kernel);
	check_payload(p, &p->initrd);
	if (p->swiotlb.base)
		FUZZ_RULE(range_inside(p->swiotlb.base, p->swiotlb.size, RAM_BASE, p->ram_size));
	for (i = 0; i < fake_map.count; i++)
		for (j = 0; j < i; j++) {
			const struct memmap_range *a = &fake_map.range[i];
			const struct memmap_range *b = &fake_map.range[j];

			FUZZ_RULE(!range_overlaps(a->base, a->size, b->base, b->size));
		}
}

static void run(const void *fdt, size_t size, bool static_pool, const struct fw_config *config)
{
	static struct guest guest;
	struct platform p, again;

	if (devtree_check(fdt, size) != FW_OK)
		return;
	fake_map_reset_at(static_pool ? RAM_BASE : RAM_BASE + size / 64 * FDT_MAX_SIZE,
			  FDT_MAX_SIZE);
	if (platform_parse(fdt, &p) != FW_OK ||
	    platform_memmap(&p, static_pool, &fake_map) != FW_OK)
		return;
	check_platform(&p);
	check_pool(&p, static_pool);
	if (guest_parse(fdt, &p, config, &fake_map, &guest) != FW_OK)
		return;
	check_cmdline(guest.cmdline, config);
	FUZZ_RULE(guest_write(&guest, &p, tree, sizeof(tree)) == FW_OK);
	FUZZ_RULE(devtree_check(tree, sizeof(tree)) == FW_OK);
	FUZZ_RULE(platform_parse(tree, &again) == FW_OK);
	FUZZ_RULE(again.ram_size == p.ram_size && again.uart_base == p.uart_base &&
		  again.window_base == p.window_base && again.swiotlb.size == p.swiotlb.size &&
		  again.high_base == p.high_base && again.high_size == p.high_size &&
		  again.config_shift == p.config_shift && again.config_size == p.config_size &&
		  again.last_bus == p.last_bus);
	check_reserved(&p, &again);
}

int fuzz_one_input(const u8 *data, size_t size)
{
	static const struct fw_config configs[] = {
		{ .host_cmdline = true }, { .cmdline = "quiet" }, { 0 },
	};
	/* An aligned allocation of its size, so that ASan finds a read beyond it. */
	u8 *fdt = malloc(size + 1);
	unsigned int i;

	FUZZ_RULE(fdt);
	memcpy(fdt, data, size);
	/* With a hypervisor that can share memory, and with one that cannot. */
	for (i = 0; i < ARRAY_SIZE(configs); i++)
		run(fdt, size, i % 2, &configs[i]);
	free(fdt);
	return 0;
}
