// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device tree that the guest gets, in the shape of crosvm's, written from front to
 * back by libfdt.
 *
 * libfdt's writer remembers its first error only as far as the caller looks:
 * every call goes through check(), which keeps the first one.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libfdt.h>

#include "devtree.h"
#include "layout.h"

/* The cells of an address that a device below the controller would have. */
#define GIC_ADDRESS_CELLS	2
#define GIC_PHANDLE		1
#define DMA_POOL_PHANDLE	2
#define DMA_POOL_ALIGNMENT	0x200000UL
#define GIC_SPI			0
#define GIC_PPI			1
#define IRQ_LEVEL_HIGH		4
#define UART_CLOCK_HZ		1843200

/* Cells of an interrupt-map entry: child address, pin, parent, its interrupt. */
#define PCI_ADDRESS_CELLS	3
#define MAP_ENTRY_CELLS		(8 + GIC_ADDRESS_CELLS)
#define PCI_SLOT_SHIFT		11
#define PCI_RANGE_CELLS		7
#define PCI_RANGE_MEM32		0x02000000
#define PCI_RANGE_PREFETCH64	0x43000000

struct writer {
	void *fdt;
	int err;
};

static void check(struct writer *writer, int err)
{
	if (!writer->err)
		writer->err = err;
}

static void begin(struct writer *writer, const char *name)
{
	check(writer, fdt_begin_node(writer->fdt, name));
}

static void end(struct writer *writer)
{
	check(writer, fdt_end_node(writer->fdt));
}

static void put_empty(struct writer *writer, const char *name)
{
	check(writer, fdt_property(writer->fdt, name, "", 0));
}

static void put_bytes(struct writer *writer, const char *name, const void *bytes, size_t size)
{
	check(writer, fdt_property(writer->fdt, name, bytes, size));
}

static void put_string(struct writer *writer, const char *name, const char *string)
{
	check(writer, fdt_property_string(writer->fdt, name, string));
}

static void put_u32(struct writer *writer, const char *name, uint32_t value)
{
	check(writer, fdt_property_u32(writer->fdt, name, value));
}

static void put_u64(struct writer *writer, const char *name, uint64_t value)
{
	check(writer, fdt_property_u64(writer->fdt, name, value));
}

static void put_u32_array(struct writer *writer, const char *name, const uint32_t *values,
			  size_t count)
{
	fdt32_t *cells = NULL;
	void *where;
	size_t i;

	check(writer, fdt_property_placeholder(writer->fdt, name, count * sizeof(*cells), &where));
	if (writer->err)
		return;
	cells = where;
	for (i = 0; i < count; i++)
		cells[i] = cpu_to_fdt32(values[i]);
}

static void put_u64_array(struct writer *writer, const char *name, const uint64_t *values,
			  size_t count)
{
	fdt64_t *cells = NULL;
	void *where;
	size_t i;

	check(writer, fdt_property_placeholder(writer->fdt, name, count * sizeof(*cells), &where));
	if (writer->err)
		return;
	for (i = 0; i < count; i++) {
		fdt64_t cell = cpu_to_fdt64(values[i]);

		/* Cells are aligned to 32 bits only. */
		memcpy((char *)where + i * sizeof(cell), &cell, sizeof(cell));
	}
}

static void chosen_node(struct writer *writer, const struct devtree_config *config)
{
	begin(writer, "chosen");
	put_string(writer, "stdout-path", "/U6_16550A@3f8");
	if (config->cmdline)
		put_string(writer, "bootargs", config->cmdline);
	if (config->initrd_size) {
		put_u64(writer, "linux,initrd-start", config->initrd_address);
		put_u64(writer, "linux,initrd-end",
			config->initrd_address + config->initrd_size);
	}
	if (config->has_seed) {
		put_u64(writer, "kaslr-seed", config->kaslr_seed);
		put_bytes(writer, "rng-seed", config->seed, sizeof(config->seed));
	}
	end(writer);
}

static void config_node(struct writer *writer, const struct devtree_config *config)
{
	if (!config->kernel_size)
		return;
	begin(writer, "config");
	put_u32(writer, "kernel-address", config->kernel_address);
	put_u32(writer, "kernel-size", config->kernel_size);
	end(writer);
}

static void memory_node(struct writer *writer, const struct devtree_config *config)
{
	const uint64_t reg[] = { config->memory_base, config->memory_size };

	begin(writer, "memory");
	put_string(writer, "device_type", "memory");
	put_u64_array(writer, "reg", reg, 2);
	end(writer);
}

/*
 * A protected guest shares this pool with the host and nothing else: PCI devices
 * name it and so are kept to it. The guest chooses where it lies, unless it could
 * not make use of that.
 */
static void reserved_memory_node(struct writer *writer, const struct devtree_config *config)
{
	const uint64_t reg[] = { config->dma_pool_address, config->dma_pool_size };

	if (!config->dma_pool_size)
		return;
	begin(writer, "reserved-memory");
	put_u32(writer, "#address-cells", 2);
	put_u32(writer, "#size-cells", 2);
	put_empty(writer, "ranges");
	begin(writer, "restricted_dma_reserved");
	put_string(writer, "compatible", "restricted-dma-pool");
	if (config->dma_pool_address) {
		put_u64_array(writer, "reg", reg, 2);
	} else {
		put_u64(writer, "size", config->dma_pool_size);
		put_u64(writer, "alignment", DMA_POOL_ALIGNMENT);
	}
	put_u32(writer, "phandle", DMA_POOL_PHANDLE);
	end(writer);
	end(writer);
}

/* KVM gives vCPU n the affinity n as long as there are at most 16. */
static void cpu_nodes(struct writer *writer, const struct devtree_config *config)
{
	unsigned int i;
	char name[16];

	begin(writer, "cpus");
	put_u32(writer, "#address-cells", 1);
	put_u32(writer, "#size-cells", 0);
	for (i = 0; i < config->nr_vcpus; i++) {
		snprintf(name, sizeof(name), "cpu@%u", i);
		begin(writer, name);
		put_string(writer, "device_type", "cpu");
		put_string(writer, "compatible", "arm,armv8");
		put_string(writer, "enable-method", "psci");
		put_u32(writer, "reg", i);
		end(writer);
	}
	end(writer);
}

static void psci_node(struct writer *writer)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2";

	begin(writer, "psci");
	put_bytes(writer, "compatible", compatible, sizeof(compatible));
	put_string(writer, "method", "hvc");
	end(writer);
}

static void timer_node(struct writer *writer)
{
	static const uint32_t interrupts[] = {
		GIC_PPI, TIMER_PPI_SECURE, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_PHYS, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_VIRT, IRQ_LEVEL_HIGH,
		GIC_PPI, TIMER_PPI_HYP, IRQ_LEVEL_HIGH,
	};

	begin(writer, "timer");
	put_string(writer, "compatible", "arm,armv8-timer");
	put_u32_array(writer, "interrupts", interrupts,
		      sizeof(interrupts) / sizeof(*interrupts));
	put_empty(writer, "always-on");
	end(writer);
}

static void gic_node(struct writer *writer, const struct devtree_config *config)
{
	const uint64_t redist_size = GIC_REDIST_SIZE * config->nr_vcpus;
	const uint64_t reg[] = {
		GIC_DIST_BASE, GIC_DIST_SIZE, GIC_DIST_BASE - redist_size, redist_size,
	};

	begin(writer, "intc");
	put_string(writer, "compatible", "arm,gic-v3");
	put_empty(writer, "interrupt-controller");
	put_u32(writer, "#interrupt-cells", 3);
	put_u32(writer, "#address-cells", GIC_ADDRESS_CELLS);
	put_u32(writer, "#size-cells", 2);
	put_u64_array(writer, "reg", reg, 4);
	put_u32(writer, "phandle", GIC_PHANDLE);
	end(writer);
}

static void uart_node(struct writer *writer)
{
	static const uint32_t interrupts[] = { GIC_SPI, UART_SPI, IRQ_LEVEL_HIGH };
	static const uint64_t reg[] = { UART_BASE, UART_SIZE };

	begin(writer, "U6_16550A@3f8");
	put_string(writer, "compatible", "ns16550a");
	put_u64_array(writer, "reg", reg, 2);
	put_u32(writer, "clock-frequency", UART_CLOCK_HZ);
	put_u32_array(writer, "interrupts", interrupts, 3);
	end(writer);
}

static void pci_node(struct writer *writer, const struct devtree_config *config)
{
	static const uint32_t map_mask[] = { (PCI_SLOTS - 1) << PCI_SLOT_SHIFT, 0, 0, 7 };
	static const uint64_t reg[] = { PCI_CAM_BASE, PCI_CAM_SIZE };
	static const uint32_t bus_range[] = { 0, 0 };
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

	begin(writer, "pci");
	put_string(writer, "compatible", "pci-host-cam-generic");
	put_string(writer, "device_type", "pci");
	put_u32(writer, "#address-cells", PCI_ADDRESS_CELLS);
	put_u32(writer, "#size-cells", 2);
	put_u32(writer, "#interrupt-cells", 1);
	put_u32_array(writer, "bus-range", bus_range, 2);
	put_u64_array(writer, "reg", reg, 2);
	put_u32_array(writer, "ranges", ranges, (has_high ? 2 : 1) * PCI_RANGE_CELLS);
	put_u32_array(writer, "interrupt-map", map, entry - map);
	put_u32_array(writer, "interrupt-map-mask", map_mask, 4);
	put_empty(writer, "dma-coherent");
	if (config->dma_pool_size)
		put_u32(writer, "memory-region", DMA_POOL_PHANDLE);
	end(writer);
}

int devtree_build(const struct devtree_config *config, void *buffer, size_t size)
{
	struct writer writer = { .fdt = buffer };

	/* Without a header in it, libfdt's other functions must not see the buffer. */
	if (fdt_create(buffer, size))
		return -ENOSPC;
	check(&writer, fdt_finish_reservemap(buffer));
	begin(&writer, "");
	put_string(&writer, "compatible", "linux,dummy-virt");
	put_string(&writer, "model", "pkvm-vmm");
	put_u32(&writer, "#address-cells", 2);
	put_u32(&writer, "#size-cells", 2);
	put_u32(&writer, "interrupt-parent", GIC_PHANDLE);
	chosen_node(&writer, config);
	config_node(&writer, config);
	memory_node(&writer, config);
	reserved_memory_node(&writer, config);
	cpu_nodes(&writer, config);
	psci_node(&writer);
	timer_node(&writer);
	gic_node(&writer, config);
	uart_node(&writer);
	pci_node(&writer, config);
	end(&writer);
	check(&writer, fdt_finish(buffer));
	return writer.err ? -ENOSPC : (int)fdt_totalsize(buffer);
}
