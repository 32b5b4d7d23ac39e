// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes the guest's device tree (devtree.h), with the same nodes as crosvm's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devtree.h"
#include "fdt_writer.h"
#include "layout.h"

/* The GIC's own #address-cells, which entries of interrupt-map must have too. */
#define GIC_ADDRESS_CELLS	2
#define GIC_PHANDLE		1
#define DMA_POOL_PHANDLE	2
#define DMA_POOL_ALIGNMENT	0x200000UL
#define GIC_SPI			0
#define GIC_PPI			1
#define IRQ_LEVEL_HIGH		4
#define UART_CLOCK_HZ		1843200

/* Cells of an interrupt-map entry: PCI address, pin, phandle and address of the GIC, interrupt. */
#define PCI_ADDRESS_CELLS	3
#define MAP_ENTRY_CELLS		(8 + GIC_ADDRESS_CELLS)
#define PCI_SLOT_SHIFT		11
#define PCI_RANGE_CELLS		7
#define PCI_RANGE_MEM32		0x02000000
#define PCI_RANGE_PREFETCH64	0x43000000

static void chosen_node(struct fdt_writer *w, const struct devtree_config *config)
{
	fdtw_begin(w, "chosen");
	fdtw_string(w, "stdout-path", "/U6_16550A@3f8");
	if (config->cmdline)
		fdtw_string(w, "bootargs", config->cmdline);
	if (config->initrd_size) {
		fdtw_u64(w, "linux,initrd-start", config->initrd_address);
		fdtw_u64(w, "linux,initrd-end", config->initrd_address + config->initrd_size);
	}
	if (config->has_seed) {
		fdtw_u64(w, "kaslr-seed", config->kaslr_seed);
		fdtw_bytes(w, "rng-seed", config->seed, sizeof(config->seed));
	}
	fdtw_end(w);
}

static void config_node(struct fdt_writer *w, const struct devtree_config *config)
{
	if (!config->kernel_size)
		return;
	fdtw_begin(w, "config");
	fdtw_u32(w, "kernel-address", config->kernel_address);
	fdtw_u32(w, "kernel-size", config->kernel_size);
	fdtw_end(w);
}

static void memory_node(struct fdt_writer *w, const struct devtree_config *config)
{
	const uint64_t reg[] = { config->memory_base, config->memory_size };

	fdtw_begin(w, "memory");
	fdtw_string(w, "device_type", "memory");
	fdtw_u64s(w, "reg", reg, 2);
	fdtw_end(w);
}

/*
 * The only memory that a protected guest shares with the host for DMA: the PCI node refers to
 * it, so the guest's drivers use it for all PCI devices. The guest chooses its address, unless
 * the configuration has one.
 */
static void reserved_memory_node(struct fdt_writer *w, const struct devtree_config *config)
{
	const uint64_t reg[] = { config->dma_pool_address, config->dma_pool_size };

	if (!config->dma_pool_size)
		return;
	fdtw_begin(w, "reserved-memory");
	fdtw_sizes(w, 2, 2);
	fdtw_empty(w, "ranges");
	fdtw_begin(w, "restricted_dma_reserved");
	fdtw_string(w, "compatible", "restricted-dma-pool");
	if (config->dma_pool_address) {
		fdtw_u64s(w, "reg", reg, 2);
	} else {
		fdtw_u64(w, "size", config->dma_pool_size);
		fdtw_u64(w, "alignment", DMA_POOL_ALIGNMENT);
	}
	fdtw_u32(w, "phandle", DMA_POOL_PHANDLE);
	fdtw_end(w);
	fdtw_end(w);
}

/* KVM gives vCPU n the affinity n for n below 16. */
static void cpu_nodes(struct fdt_writer *w, const struct devtree_config *config)
{
	unsigned int i;
	char name[16];

	fdtw_begin(w, "cpus");
	fdtw_sizes(w, 1, 0);
	for (i = 0; i < config->nr_vcpus; i++) {
		snprintf(name, sizeof(name), "cpu@%u", i);
		fdtw_begin(w, name);
		fdtw_string(w, "device_type", "cpu");
		fdtw_string(w, "compatible", "arm,armv8");
		fdtw_string(w, "enable-method", "psci");
		fdtw_u32(w, "reg", i);
		fdtw_end(w);
	}
	fdtw_end(w);
}

static void psci_node(struct fdt_writer *w)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	fdtw_begin(w, "psci");
	fdtw_bytes(w, "compatible", compatible, sizeof(compatible));
	fdtw_string(w, "method", "hvc");
	fdtw_end(w);
}

static void timer_node(struct fdt_writer *w)
{
	static const uint32_t interrupts[] = {
		GIC_PPI, TIMER_PPI_SECURE, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_PHYS, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_VIRT, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_HYP, IRQ_LEVEL_HIGH,
	};

	fdtw_begin(w, "timer");
	fdtw_string(w, "compatible", "arm,armv8-timer");
	fdtw_u32s(w, "interrupts", interrupts, sizeof(interrupts) / sizeof(*interrupts));
	fdtw_empty(w, "always-on");
	fdtw_end(w);
}

static void gic_node(struct fdt_writer *w, const struct devtree_config *config)
{
	const uint64_t redist_size = GIC_REDIST_SIZE * config->nr_vcpus;
	const uint64_t reg[] = {
		GIC_DIST_BASE, GIC_DIST_SIZE, GIC_DIST_BASE - redist_size, redist_size,
	};

	fdtw_begin(w, "intc");
	fdtw_string(w, "compatible", "arm,gic-v3");
	fdtw_empty(w, "interrupt-controller");
	fdtw_u32(w, "#interrupt-cells", 3);
	fdtw_sizes(w, GIC_ADDRESS_CELLS, 2);
	fdtw_u64s(w, "reg", reg, 4);
	fdtw_u32(w, "phandle", GIC_PHANDLE);
	fdtw_end(w);
}

static void uart_node(struct fdt_writer *w)
{
	static const uint32_t interrupts[] = { GIC_SPI, UART_SPI, IRQ_LEVEL_HIGH };
	static const uint64_t reg[] = { UART_BASE, UART_SIZE };

	fdtw_begin(w, "U6_16550A@3f8");
	fdtw_string(w, "compatible", "ns16550a");
	fdtw_u64s(w, "reg", reg, 2);
	fdtw_u32(w, "clock-frequency", UART_CLOCK_HZ);
	fdtw_u32s(w, "interrupts", interrupts, 3);
	fdtw_end(w);
}

static void pci_node(struct fdt_writer *w, const struct devtree_config *config)
{
	static const uint32_t map_mask[] = { (PCI_SLOTS - 1) << PCI_SLOT_SHIFT, 0, 0, 7 };
	static const uint64_t reg[] = { PCI_CAM_BASE, PCI_CAM_SIZE };
	const uint32_t bus_range[] = { 0, config->last_bus };
	const uint64_t high = config->memory_base + config->memory_size;
	const uint32_t ranges[2 * PCI_RANGE_CELLS] = {
		PCI_RANGE_MEM32, 0, PCI_MMIO_BASE, 0, PCI_MMIO_BASE, 0, PCI_MMIO_SIZE,
		PCI_RANGE_PREFETCH64, high >> 32, high, high >> 32, high,
		PCI_HIGH_SIZE >> 32, (uint32_t)PCI_HIGH_SIZE,
	};
	const bool has_high = high <= PCI_HIGH_END - PCI_HIGH_SIZE;
	uint32_t map[PCI_SLOTS * MAP_ENTRY_CELLS];
	uint32_t *entry = map;
	unsigned int slot;

	for (slot = 0; slot < PCI_SLOTS; slot++) {
		const uint32_t cells[MAP_ENTRY_CELLS] = {
			slot << PCI_SLOT_SHIFT, 0, 0, 1,
			GIC_PHANDLE, 0, 0, GIC_SPI, PCI_SPI_BASE + slot, IRQ_LEVEL_HIGH,
		};

		if (!(config->pci_slots >> slot & 1))
			continue;
		memcpy(entry, cells, sizeof(cells));
		entry += MAP_ENTRY_CELLS;
	}

	fdtw_begin(w, "pci");
	fdtw_string(w, "compatible", "pci-host-cam-generic");
	fdtw_string(w, "device_type", "pci");
	fdtw_sizes(w, PCI_ADDRESS_CELLS, 2);
	fdtw_u32(w, "#interrupt-cells", 1);
	fdtw_u32s(w, "bus-range", bus_range, 2);
	fdtw_u64s(w, "reg", reg, 2);
	fdtw_u32s(w, "ranges", ranges, (has_high ? 2 : 1) * PCI_RANGE_CELLS);
	fdtw_u32s(w, "interrupt-map", map, entry - map);
	fdtw_u32s(w, "interrupt-map-mask", map_mask, 4);
	fdtw_empty(w, "dma-coherent");
	if (config->dma_pool_size)
		fdtw_u32(w, "memory-region", DMA_POOL_PHANDLE);
	fdtw_end(w);
}

int devtree_build(const struct devtree_config *config, void *buffer, size_t size)
{
	struct fdt_writer w;

	if (fdtw_start(&w, buffer, size))
		return -ENOSPC;
	fdtw_string(&w, "compatible", "linux,dummy-virt");
	fdtw_string(&w, "model", "pkvm-vmm");
	fdtw_sizes(&w, 2, 2);
	fdtw_u32(&w, "interrupt-parent", GIC_PHANDLE);
	chosen_node(&w, config);
	config_node(&w, config);
	memory_node(&w, config);
	reserved_memory_node(&w, config);
	cpu_nodes(&w, config);
	psci_node(&w);
	timer_node(&w);
	gic_node(&w, config);
	uart_node(&w);
	pci_node(&w, config);
	return fdtw_finish(&w) ? -ENOSPC : (int)fdt_totalsize(buffer);
}
