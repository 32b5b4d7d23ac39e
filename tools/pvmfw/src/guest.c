// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the kernel needs of the host's device tree (guest.h). Rule: nothing is taken
 * over before it is checked.
 */
#include <string.h>

#include <libfdt.h>

#include "console.h"
#include "devtree.h"
#include "guest.h"
#include "layout.h"

/* The affinity fields of MPIDR_EL1. */
#define MPIDR_AFFINITY		0xff00ffffffull

#define GIC_FRAME_SIZE		0x10000
#define GIC_REDIST_SIZE		0x20000
#define GIC_SPI			0
#define GIC_MAX_SPI		988
#define GIC_INTERRUPT_CELLS	3
#define GIC_MAX_ADDRESS_CELLS	2
#define IRQ_EDGE_RISING		1
#define IRQ_LEVEL_HIGH		4

/*
 * An entry of interrupt-map: PCI address (3 cells), pin, phandle of the GIC, then a GIC
 * address (as many cells as the GIC says) and a GIC interrupt (3 cells).
 */
#define MAP_CHILD_CELLS		5
#define MAP_SLOT_SHIFT		11
#define MAP_FUNCTION_SHIFT	8
/* The valid masks of interrupt-map-mask: slot with or without function, and all pins. */
#define MAP_FUNCTIONS		0xff00u
#define MAP_SLOTS		0xf800u
#define MAP_PINS		7
#define MAP_MASK_CELLS		4

/* How interrupt-map refers to the GIC: its phandle, and the cells of its addresses. */
struct gic_ref {
	u32 phandle;
	u32 address_cells;
};

/* A lone CPU needs no enable-method: nobody has to start it. */
static bool method_is_sound(const void *fdt, int node, bool *missing)
{
	const char *method = devtree_string(fdt, node, "enable-method", sizeof("psci"));

	if (!fdt_getprop(fdt, node, "enable-method", NULL))
		return *missing = true;
	return method && !strcmp(method, "psci");
}

static enum fw_status parse_cpu(const void *fdt, int node, struct guest *guest, bool *missing)
{
	u64 reg;
	u32 i;

	if (guest->cpu_count == GUEST_MAX_CPUS)
		return pr_error(FW_EFDT_CPUS, "more than %u CPUs", GUEST_MAX_CPUS);
	if (!method_is_sound(fdt, node, missing) || !devtree_number(fdt, node, "reg", &reg) ||
	    reg & ~MPIDR_AFFINITY)
		return pr_error(FW_EFDT_CPUS, "CPU %u", guest->cpu_count);
	for (i = 0; i < guest->cpu_count; i++)
		if (guest->cpu[i] == reg)
			return pr_error(FW_EFDT_CPUS, "two CPUs with reg 0x%llx",
					(unsigned long long)reg);
	guest->cpu[guest->cpu_count++] = reg;
	return FW_OK;
}

static enum fw_status parse_cpus(const void *fdt, struct guest *guest)
{
	int parent = fdt_path_offset(fdt, "/cpus"), node;
	enum fw_status status;
	bool missing = false;
	const char *type;

	if (parent < 0)
		return pr_error(FW_EFDT_CPUS, "no CPU");
	fdt_for_each_subnode(node, fdt, parent) {
		type = devtree_string(fdt, node, "device_type", sizeof("cpu"));
		if (!type || strcmp(type, "cpu"))
			continue;
		status = parse_cpu(fdt, node, guest, &missing);
		if (status != FW_OK)
			return status;
	}
	if (missing && guest->cpu_count > 1)
		return pr_error(FW_EFDT_CPUS, "one of several CPUs has no enable-method");
	return guest->cpu_count ? FW_OK : pr_error(FW_EFDT_CPUS, "no CPU");
}

static enum fw_status parse_gic(const void *fdt, struct memmap *map, struct guest *guest,
				struct gic_ref *gic)
{
	int node = fdt_node_offset_by_compatible(fdt, -1, "arm,gic-v3");
	u64 cells, address_cells = 0;
	enum fw_status status;

	if (node < 0 || fdt_parent_offset(fdt, node) != 0 || devtree_reg_count(fdt, 0, node) < 2 ||
	    !devtree_number(fdt, node, "#interrupt-cells", &cells) ||
	    cells != GIC_INTERRUPT_CELLS)
		return pr_error(FW_EFDT_GIC, NULL);
	if (fdt_getprop(fdt, node, "#address-cells", NULL) &&
	    (!devtree_number(fdt, node, "#address-cells", &address_cells) ||
	     address_cells > GIC_MAX_ADDRESS_CELLS))
		return pr_error(FW_EFDT_GIC, "#address-cells");
	gic->phandle = fdt_get_phandle(fdt, node);
	gic->address_cells = (u32)address_cells;
	devtree_reg(fdt, 0, node, 0, &guest->dist_base, &guest->dist_size);
	devtree_reg(fdt, 0, node, 1, &guest->redist_base, &guest->redist_size);
	if (guest->dist_size != GIC_FRAME_SIZE || guest->redist_size % GIC_REDIST_SIZE ||
	    guest->redist_size / GIC_REDIST_SIZE < guest->cpu_count ||
	    !is_aligned(guest->dist_base, GIC_FRAME_SIZE) ||
	    !is_aligned(guest->redist_base, GIC_FRAME_SIZE) || guest->dist_base >= RAM_BASE ||
	    guest->redist_base >= RAM_BASE)
		return pr_error(FW_EFDT_GIC, "bad registers");
	status = memmap_add(map, guest->dist_base, guest->dist_size, MEMMAP_UNMAPPED,
			    "GIC distributor", NULL);
	if (status == FW_OK)
		status = memmap_add(map, guest->redist_base, guest->redist_size, MEMMAP_UNMAPPED,
				    "GIC redistributors", NULL);
	return status == FW_OK ? FW_OK : pr_error(status, "GIC");
}

/* Read an interrupt specifier of the GIC; only a shared one (SPI) is accepted. */
static bool read_spi(const fdt32_t *cell, u32 *spi, u32 *trigger)
{
	*spi = fdt32_ld(cell + 1);
	*trigger = fdt32_ld(cell + 2);
	return fdt32_ld(cell) == GIC_SPI && *spi < GIC_MAX_SPI &&
	       (*trigger == IRQ_LEVEL_HIGH || *trigger == IRQ_EDGE_RISING);
}

/* Find again the node whose registers platform_parse() took. */
static enum fw_status parse_uart(const void *fdt, const struct platform *p, struct guest *guest)
{
	const fdt32_t *cell;
	u64 base, size, clock;
	int node = -1, len;

	for (;;) {
		node = fdt_node_offset_by_compatible(fdt, node, "ns16550a");
		if (node < 0)
			return pr_error(FW_EFDT_UART, "no ns16550a at its address");
		if (devtree_root_reg(fdt, node, &base, &size) && base == p->uart_base)
			break;
	}
	cell = fdt_getprop(fdt, node, "interrupts", &len);
	if (!cell || len != GIC_INTERRUPT_CELLS * (int)sizeof(*cell) ||
	    !read_spi(cell, &guest->uart_spi, &guest->uart_trigger))
		return pr_error(FW_EFDT_IRQ, "UART");
	if (!devtree_number(fdt, node, "clock-frequency", &clock) || !clock || clock > UINT32_MAX)
		return pr_error(FW_EFDT_UART, "clock-frequency");
	guest->uart_clock = (u32)clock;
	return FW_OK;
}

/* INTx is level-triggered, and the GIC's address in an entry must be 0. */
static bool read_map_entry(const fdt32_t *cell, const struct gic_ref *gic, struct guest_irq *irq)
{
	const fdt32_t *parent = cell + MAP_CHILD_CELLS;
	u32 hi = fdt32_ld(cell), trigger;

	irq->slot = hi >> MAP_SLOT_SHIFT;
	irq->function = hi >> MAP_FUNCTION_SHIFT & 7;
	irq->pin = fdt32_ld(cell + 3);
	return !(hi & ~MAP_FUNCTIONS) && !fdt32_ld(cell + 1) &&
	       !fdt32_ld(cell + 2) && irq->pin >= 1 && irq->pin <= 4 &&
	       fdt32_ld(cell + 4) == gic->phandle &&
	       !devtree_cells(parent, (int)gic->address_cells) &&
	       read_spi(parent + gic->address_cells, &irq->spi, &trigger) &&
	       trigger == IRQ_LEVEL_HIGH;
}

/*
 * The mask says whether an entry is for one function or for a whole device. Some trees repeat
 * the mask for each entry; the first one counts, as it does for Linux.
 */
static bool read_map_mask(const void *fdt, int node, u32 *mask)
{
	const fdt32_t *cell;
	int len;

	*mask = MAP_FUNCTIONS;
	cell = fdt_getprop(fdt, node, "interrupt-map-mask", &len);
	if (!cell)
		return true;
	if (len < MAP_MASK_CELLS * (int)sizeof(*cell))
		return false;
	*mask = fdt32_ld(cell) & MAP_FUNCTIONS;
	return (*mask == MAP_FUNCTIONS || *mask == MAP_SLOTS) &&
	       (fdt32_ld(cell + 3) & MAP_PINS) == MAP_PINS;
}

static enum fw_status parse_pci_irqs(const void *fdt, const struct platform *p,
				     const struct gic_ref *gic, struct guest *guest)
{
	const u32 entry_cells = MAP_CHILD_CELLS + gic->address_cells + GIC_INTERRUPT_CELLS;
	const u32 entry_size = entry_cells * (u32)sizeof(fdt32_t);
	int node = fdt_node_offset_by_compatible(fdt, -1, platform_pci_compatible(p)), len;
	const fdt32_t *cell;
	u32 i, j, count;

	cell = fdt_getprop(fdt, node, "interrupt-map", &len);
	if (!cell)
		return FW_OK;
	if ((u32)len % entry_size)
		return pr_error(FW_EFDT_IRQ, "interrupt-map");
	if (len && !read_map_mask(fdt, node, &guest->irq_mask))
		return pr_error(FW_EFDT_IRQ, "interrupt-map-mask");
	count = (u32)len / entry_size;
	if (count > GUEST_MAX_IRQS)
		return pr_error(FW_EFDT_IRQ, "interrupt-map of %u entries", count);
	for (i = 0; i < count; i++) {
		struct guest_irq *irq = &guest->irq[i];

		if (!read_map_entry(cell + i * entry_cells, gic, irq))
			return pr_error(FW_EFDT_IRQ, "interrupt-map, entry %u", i);
		for (j = 0; j < i; j++)
			if (guest->irq[j].slot == irq->slot && guest->irq[j].pin == irq->pin &&
			    guest->irq[j].function == irq->function)
				return pr_error(FW_EFDT_IRQ, "interrupt-map, slot %u twice",
						irq->slot);
	}
	guest->irq_count = count;
	return FW_OK;
}

/*
 * A command line from the host could turn off what the digests protect, so it is used only
 * if the configuration allows it, and checked only for length and printable characters. A
 * command line that is not used is not read.
 */
static enum fw_status parse_cmdline(const void *fdt, const struct fw_config *config,
				    struct guest *guest)
{
	int node = fdt_path_offset(fdt, "/chosen");
	const char *text = config->cmdline, *at;

	if (!text) {
		if (!config->host_cmdline || node < 0 || !fdt_getprop(fdt, node, "bootargs", NULL))
			return FW_OK;
		text = devtree_string(fdt, node, "bootargs", CONFIG_MAX_CMDLINE);
		if (!text)
			return pr_error(FW_EFDT_CMDLINE, NULL);
		for (at = text; *at; at++)
			if (*at < ' ' || *at > '~')
				return pr_error(FW_EFDT_CMDLINE, "character 0x%02x", (u8)*at);
	}
	memcpy(guest->cmdline, text, strlen(text) + 1);
	return FW_OK;
}

enum fw_status guest_parse(const void *fdt, const struct platform *p,
			   const struct fw_config *config, struct memmap *map,
			   struct guest *guest)
{
	struct gic_ref gic = { 0 };
	enum fw_status status;

	memset(guest, 0, sizeof(*guest));
	status = parse_cpus(fdt, guest);
	if (status == FW_OK)
		status = parse_gic(fdt, map, guest, &gic);
	if (status == FW_OK)
		status = parse_uart(fdt, p, guest);
	if (status == FW_OK && p->has_pci)
		status = parse_pci_irqs(fdt, p, &gic, guest);
	if (status == FW_OK)
		status = parse_cmdline(fdt, config, guest);
	return status;
}
