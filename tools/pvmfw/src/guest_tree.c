// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the kernel's device tree (guest.h), from checked values only. It has no seed for
 * random numbers: the host would know the seed.
 */
#include <stdio.h>

#include "fdt_writer.h"
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

/* Address and size, two cells each. */
static void put_reg(struct fdt_writer *w, const char *name, u64 base, u64 size)
{
	fdtw_u64s(w, name, (const u64[]){ base, size }, 2);
}

static void chosen_node(struct fdt_writer *w, const struct guest *guest, const struct platform *p)
{
	char path[32];

	fdtw_begin(w, "chosen");
	snprintf(path, sizeof(path), "/uart@%llx", (unsigned long long)p->uart_base);
	fdtw_string(w, "stdout-path", path);
	if (guest->cmdline[0])
		fdtw_string(w, "bootargs", guest->cmdline);
	if (p->initrd.size) {
		fdtw_u64(w, "linux,initrd-start", p->initrd.base);
		fdtw_u64(w, "linux,initrd-end", p->initrd.base + p->initrd.size);
	}
	fdtw_end(w);
}

/* The kernel gets the range only; other properties of the host's node are dropped. */
static void reserved_node(struct fdt_writer *w, const struct reserved *r)
{
	fdtw_begin_at(w, "reserved", r->base);
	put_reg(w, "reg", r->base, r->size);
	if (r->no_map)
		fdtw_empty(w, "no-map");
	fdtw_end(w);
}

static void pool_node(struct fdt_writer *w, const struct swiotlb *pool)
{
	fdtw_begin(w, "restricted_dma_reserved");
	fdtw_string(w, "compatible", "restricted-dma-pool");
	if (pool->base) {
		put_reg(w, "reg", pool->base, pool->size);
	} else {
		fdtw_u64(w, "size", pool->size);
		fdtw_u64(w, "alignment", pool->align);
	}
	fdtw_u32(w, "phandle", POOL_PHANDLE);
	fdtw_end(w);
}

static void memory_nodes(struct fdt_writer *w, const struct platform *p)
{
	unsigned int i;

	fdtw_begin_at(w, "memory", RAM_BASE);
	fdtw_string(w, "device_type", "memory");
	put_reg(w, "reg", RAM_BASE, p->ram_size);
	fdtw_end(w);
	if (!p->swiotlb.size && !p->reserved_count)
		return;
	fdtw_begin(w, "reserved-memory");
	fdtw_sizes(w, 2, 2);
	fdtw_empty(w, "ranges");
	for (i = 0; i < p->reserved_count; i++)
		reserved_node(w, &p->reserved[i]);
	if (p->swiotlb.size)
		pool_node(w, &p->swiotlb);
	fdtw_end(w);
}

static void cpu_nodes(struct fdt_writer *w, const struct guest *guest)
{
	u32 i;

	fdtw_begin(w, "cpus");
	fdtw_sizes(w, 2, 0);
	for (i = 0; i < guest->cpu_count; i++) {
		fdtw_begin_at(w, "cpu", guest->cpu[i]);
		fdtw_string(w, "device_type", "cpu");
		fdtw_string(w, "compatible", "arm,armv8");
		fdtw_string(w, "enable-method", "psci");
		fdtw_u64(w, "reg", guest->cpu[i]);
		fdtw_end(w);
	}
	fdtw_end(w);
}

/* PSCI's calls and the timer's interrupts are the same in every VM. */
static void constant_nodes(struct fdt_writer *w)
{
	static const u32 ppis[] = { 13, 14, 11, 10 };
	u32 cells[3 * ARRAY_SIZE(ppis)];
	unsigned int i;

	fdtw_begin(w, "psci");
	fdtw_string(w, "compatible", "arm,psci-1.0");
	fdtw_string(w, "method", "hvc");
	fdtw_end(w);
	for (i = 0; i < ARRAY_SIZE(ppis); i++) {
		cells[3 * i] = GIC_PPI;
		cells[3 * i + 1] = ppis[i];
		cells[3 * i + 2] = IRQ_LEVEL_HIGH;
	}
	fdtw_begin(w, "timer");
	fdtw_string(w, "compatible", "arm,armv8-timer");
	fdtw_u32s(w, "interrupts", cells, ARRAY_SIZE(cells));
	fdtw_empty(w, "always-on");
	fdtw_end(w);
}

static void gic_node(struct fdt_writer *w, const struct guest *guest)
{
	const u64 reg[] = { guest->dist_base, guest->dist_size, guest->redist_base,
			    guest->redist_size };

	fdtw_begin_at(w, "intc", guest->dist_base);
	fdtw_string(w, "compatible", "arm,gic-v3");
	fdtw_empty(w, "interrupt-controller");
	fdtw_u32(w, "#interrupt-cells", 3);
	fdtw_u32(w, "#address-cells", 0);
	fdtw_u64s(w, "reg", reg, ARRAY_SIZE(reg));
	fdtw_u32(w, "phandle", GIC_PHANDLE);
	fdtw_end(w);
}

static void uart_node(struct fdt_writer *w, const struct guest *guest, const struct platform *p)
{
	const u32 irq[] = { GIC_SPI, guest->uart_spi, guest->uart_trigger };

	fdtw_begin_at(w, "uart", p->uart_base);
	fdtw_string(w, "compatible", "ns16550a");
	put_reg(w, "reg", p->uart_base, UART_SIZE);
	fdtw_u32(w, "clock-frequency", guest->uart_clock);
	fdtw_u32s(w, "interrupts", irq, ARRAY_SIZE(irq));
	fdtw_end(w);
}

static void put_interrupt_map(struct fdt_writer *w, const struct guest *guest)
{
	const u32 mask[] = { guest->irq_mask, 0, 0, 7 };
	fdt32_t *cell;
	u32 i;

	fdtw_u32(w, "#interrupt-cells", 1);
	cell = fdtw_room(w, "interrupt-map", guest->irq_count * MAP_ENTRY_CELLS);
	for (i = 0; cell && i < guest->irq_count; i++, cell += MAP_ENTRY_CELLS) {
		const struct guest_irq *irq = &guest->irq[i];
		const u32 entry[MAP_ENTRY_CELLS] = {
			irq->slot << MAP_SLOT_SHIFT | irq->function << MAP_FUNCTION_SHIFT, 0, 0,
			irq->pin, GIC_PHANDLE, GIC_SPI, irq->spi, IRQ_LEVEL_HIGH,
		};

		fdtw_fill(cell, entry, MAP_ENTRY_CELLS);
	}
	fdtw_u32s(w, "interrupt-map-mask", mask, ARRAY_SIZE(mask));
}

static void pci_node(struct fdt_writer *w, const struct guest *guest, const struct platform *p)
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
	fdtw_begin_at(w, "pci", p->config_base);
	fdtw_string(w, "compatible", platform_pci_compatible(p));
	fdtw_string(w, "device_type", "pci");
	fdtw_sizes(w, 3, 2);
	fdtw_u32s(w, "bus-range", (const u32[]){ 0, p->last_bus }, 2);
	put_reg(w, "reg", p->config_base, p->config_size);
	fdtw_u32s(w, "ranges", ranges, p->high_size ? ARRAY_SIZE(ranges) : PCI_RANGE_CELLS);
	if (guest->irq_count)
		put_interrupt_map(w, guest);
	fdtw_empty(w, "dma-coherent");
	if (p->swiotlb.size)
		fdtw_u32(w, "memory-region", POOL_PHANDLE);
	fdtw_end(w);
}

enum fw_status guest_write(const struct guest *guest, const struct platform *p, void *buffer,
			   size_t size)
{
	struct fdt_writer w;

	if (fdtw_start(&w, buffer, size))
		return FW_ENOMEM;
	fdtw_string(&w, "compatible", "linux,dummy-virt");
	fdtw_string(&w, "model", "pvmfw");
	fdtw_sizes(&w, 2, 2);
	fdtw_u32(&w, "interrupt-parent", GIC_PHANDLE);
	chosen_node(&w, guest, p);
	memory_nodes(&w, p);
	cpu_nodes(&w, guest);
	constant_nodes(&w);
	gic_node(&w, guest);
	uart_node(&w, guest, p);
	pci_node(&w, guest, p);
	return fdtw_finish(&w) ? FW_ENOMEM : FW_OK;
}
