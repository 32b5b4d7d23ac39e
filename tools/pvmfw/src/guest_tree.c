// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that the kernel gets, written from front to back from checked
 * values alone (guest.h). Seeds for random numbers are not among them: the host
 * would know them.
 *
 * libfdt's writer is asked to go on after an error: every call goes through
 * check(), which keeps the first one.
 */
#include <stdio.h>

#include <libfdt.h>

#include "guest.h"
#include "layout.h"

#define GIC_PHANDLE		1
#define POOL_PHANDLE		2
#define GIC_SPI			0
#define GIC_PPI			1
#define IRQ_LEVEL_HIGH		4
#define PCI_MEM32		0x02000000
#define PCI_MEM64		0x03000000
#define PCI_PREFETCH		0x40000000
#define PCI_RANGE_CELLS		7
#define MAP_SLOT_SHIFT		11
#define MAP_FUNCTION_SHIFT	8
#define MAP_ENTRY_CELLS		8

struct writer {
	void *fdt;
	int err;
};

static void check(struct writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

static void begin(struct writer *w, const char *name)
{
	check(w, fdt_begin_node(w->fdt, name));
}

/* A node that is named after its address. */
static void begin_at(struct writer *w, const char *name, u64 addr)
{
	char full[32];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)addr);
	begin(w, full);
}

static void end(struct writer *w)
{
	check(w, fdt_end_node(w->fdt));
}

/* Room for a property of @count cells; NULL after an error. */
static fdt32_t *put_room(struct writer *w, const char *name, unsigned int count)
{
	void *where = NULL;

	check(w, fdt_property_placeholder(w->fdt, name, (int)(count * sizeof(fdt32_t)), &where));
	return w->err ? NULL : where;
}

static void fill(fdt32_t *cell, const u32 *value, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		cell[i] = cpu_to_fdt32(value[i]);
}

static void put_cells(struct writer *w, const char *name, const u32 *value, unsigned int count)
{
	fdt32_t *cell = put_room(w, name, count);

	if (cell)
		fill(cell, value, count);
}

static void put_u32(struct writer *w, const char *name, u32 value)
{
	put_cells(w, name, &value, 1);
}

static void put_u64(struct writer *w, const char *name, u64 value)
{
	put_cells(w, name, (const u32[]){ (u32)(value >> 32), (u32)value }, 2);
}

/* Address and size, two cells each. */
static void put_reg(struct writer *w, const char *name, u64 base, u64 size)
{
	const u32 cells[] = { (u32)(base >> 32), (u32)base, (u32)(size >> 32), (u32)size };

	put_cells(w, name, cells, ARRAY_SIZE(cells));
}

static void put_string(struct writer *w, const char *name, const char *value)
{
	check(w, fdt_property_string(w->fdt, name, value));
}

static void put_empty(struct writer *w, const char *name)
{
	check(w, fdt_property(w->fdt, name, "", 0));
}

static void put_sizes(struct writer *w, u32 address_cells, u32 size_cells)
{
	put_u32(w, "#address-cells", address_cells);
	put_u32(w, "#size-cells", size_cells);
}

static void chosen_node(struct writer *w, const struct guest *guest, const struct platform *p)
{
	char path[32];

	begin(w, "chosen");
	snprintf(path, sizeof(path), "/uart@%llx", (unsigned long long)p->uart_base);
	put_string(w, "stdout-path", path);
	if (guest->cmdline[0])
		put_string(w, "bootargs", guest->cmdline);
	if (p->initrd.size) {
		put_u64(w, "linux,initrd-start", p->initrd.base);
		put_u64(w, "linux,initrd-end", p->initrd.base + p->initrd.size);
	}
	end(w);
}

/* Where it is, and no more: what the host wanted with it is not the kernel's business. */
static void reserved_node(struct writer *w, const struct reserved *r)
{
	begin_at(w, "reserved", r->base);
	put_reg(w, "reg", r->base, r->size);
	if (r->no_map)
		put_empty(w, "no-map");
	end(w);
}

static void pool_node(struct writer *w, const struct swiotlb *pool)
{
	begin(w, "restricted_dma_reserved");
	put_string(w, "compatible", "restricted-dma-pool");
	if (pool->base) {
		put_reg(w, "reg", pool->base, pool->size);
	} else {
		put_u64(w, "size", pool->size);
		put_u64(w, "alignment", pool->align);
	}
	put_u32(w, "phandle", POOL_PHANDLE);
	end(w);
}

static void memory_nodes(struct writer *w, const struct platform *p)
{
	unsigned int i;

	begin_at(w, "memory", RAM_BASE);
	put_string(w, "device_type", "memory");
	put_reg(w, "reg", RAM_BASE, p->ram_size);
	end(w);
	if (!p->swiotlb.size && !p->reserved_count)
		return;
	begin(w, "reserved-memory");
	put_sizes(w, 2, 2);
	put_empty(w, "ranges");
	for (i = 0; i < p->reserved_count; i++)
		reserved_node(w, &p->reserved[i]);
	if (p->swiotlb.size)
		pool_node(w, &p->swiotlb);
	end(w);
}

static void cpu_nodes(struct writer *w, const struct guest *guest)
{
	u32 i;

	begin(w, "cpus");
	put_sizes(w, 2, 0);
	for (i = 0; i < guest->cpu_count; i++) {
		begin_at(w, "cpu", guest->cpu[i]);
		put_string(w, "device_type", "cpu");
		put_string(w, "compatible", "arm,armv8");
		put_string(w, "enable-method", "psci");
		put_u64(w, "reg", guest->cpu[i]);
		end(w);
	}
	end(w);
}

/* The architecture fixes PSCI and the interrupts of the timer. */
static void constant_nodes(struct writer *w)
{
	static const u32 ppis[] = { 13, 14, 11, 10 };
	u32 cells[3 * ARRAY_SIZE(ppis)];
	unsigned int i;

	begin(w, "psci");
	put_string(w, "compatible", "arm,psci-1.0");
	put_string(w, "method", "hvc");
	end(w);
	for (i = 0; i < ARRAY_SIZE(ppis); i++) {
		cells[3 * i] = GIC_PPI;
		cells[3 * i + 1] = ppis[i];
		cells[3 * i + 2] = IRQ_LEVEL_HIGH;
	}
	begin(w, "timer");
	put_string(w, "compatible", "arm,armv8-timer");
	put_cells(w, "interrupts", cells, ARRAY_SIZE(cells));
	put_empty(w, "always-on");
	end(w);
}

static void gic_node(struct writer *w, const struct guest *guest)
{
	const u32 reg[] = {
		(u32)(guest->dist_base >> 32), (u32)guest->dist_base, 0, (u32)guest->dist_size,
		(u32)(guest->redist_base >> 32), (u32)guest->redist_base,
		(u32)(guest->redist_size >> 32), (u32)guest->redist_size,
	};

	begin_at(w, "intc", guest->dist_base);
	put_string(w, "compatible", "arm,gic-v3");
	put_empty(w, "interrupt-controller");
	put_u32(w, "#interrupt-cells", 3);
	put_u32(w, "#address-cells", 0);
	put_cells(w, "reg", reg, ARRAY_SIZE(reg));
	put_u32(w, "phandle", GIC_PHANDLE);
	end(w);
}

static void uart_node(struct writer *w, const struct guest *guest, const struct platform *p)
{
	const u32 irq[] = { GIC_SPI, guest->uart_spi, guest->uart_trigger };

	begin_at(w, "uart", p->uart_base);
	put_string(w, "compatible", "ns16550a");
	put_reg(w, "reg", p->uart_base, UART_SIZE);
	put_u32(w, "clock-frequency", guest->uart_clock);
	put_cells(w, "interrupts", irq, ARRAY_SIZE(irq));
	end(w);
}

static void put_interrupt_map(struct writer *w, const struct guest *guest)
{
	const u32 mask[] = { guest->irq_mask, 0, 0, 7 };
	fdt32_t *cell;
	u32 i;

	put_u32(w, "#interrupt-cells", 1);
	cell = put_room(w, "interrupt-map", guest->irq_count * MAP_ENTRY_CELLS);
	for (i = 0; cell && i < guest->irq_count; i++, cell += MAP_ENTRY_CELLS) {
		const struct guest_irq *irq = &guest->irq[i];
		const u32 entry[MAP_ENTRY_CELLS] = {
			irq->slot << MAP_SLOT_SHIFT | irq->function << MAP_FUNCTION_SHIFT, 0, 0,
			irq->pin, GIC_PHANDLE, GIC_SPI, irq->spi, IRQ_LEVEL_HIGH,
		};

		fill(cell, entry, MAP_ENTRY_CELLS);
	}
	put_cells(w, "interrupt-map-mask", mask, ARRAY_SIZE(mask));
}

static void pci_node(struct writer *w, const struct guest *guest, const struct platform *p)
{
	const u32 ranges[2 * PCI_RANGE_CELLS] = {
		PCI_MEM32, 0, (u32)p->window_base, 0, (u32)p->window_base,
		0, (u32)p->window_size,
		PCI_MEM64 | (p->high_prefetch ? PCI_PREFETCH : 0),
		(u32)(p->high_base >> 32), (u32)p->high_base,
		(u32)(p->high_base >> 32), (u32)p->high_base,
		(u32)(p->high_size >> 32), (u32)p->high_size,
	};

	if (!p->has_pci)
		return;
	begin_at(w, "pci", p->config_base);
	put_string(w, "compatible", platform_pci_compatible(p));
	put_string(w, "device_type", "pci");
	put_sizes(w, 3, 2);
	put_cells(w, "bus-range", (const u32[]){ 0, 0 }, 2);
	put_reg(w, "reg", p->config_base, p->config_size);
	put_cells(w, "ranges", ranges, p->high_size ? ARRAY_SIZE(ranges) : PCI_RANGE_CELLS);
	if (guest->irq_count)
		put_interrupt_map(w, guest);
	put_empty(w, "dma-coherent");
	if (p->swiotlb.size)
		put_u32(w, "memory-region", POOL_PHANDLE);
	end(w);
}

enum fw_status guest_write(const struct guest *guest, const struct platform *p, void *buffer,
			   size_t size)
{
	struct writer w = { .fdt = buffer };

	/* Without a header in it, libfdt's other functions must not see the buffer. */
	if (fdt_create(buffer, (int)size))
		return FW_ENOMEM;
	check(&w, fdt_finish_reservemap(buffer));
	begin(&w, "");
	put_string(&w, "compatible", "linux,dummy-virt");
	put_string(&w, "model", "pvmfw");
	put_sizes(&w, 2, 2);
	put_u32(&w, "interrupt-parent", GIC_PHANDLE);
	chosen_node(&w, guest, p);
	memory_nodes(&w, p);
	cpu_nodes(&w, guest);
	constant_nodes(&w);
	gic_node(&w, guest);
	uart_node(&w, guest, p);
	pci_node(&w, guest, p);
	end(&w);
	check(&w, fdt_finish(buffer));
	return w.err ? FW_ENOMEM : FW_OK;
}
