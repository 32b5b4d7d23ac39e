// SPDX-License-Identifier: GPL-2.0-only
/*
 * Times the memory of windows (Documentation/virt/kvm/arm/pkvm-vmm.rst): the VMM's first one has
 * single pages of the host behind it, the second one huge pages. Both are there from the start.
 *
 * Before it enrolls in the MMIO guard, the guest writes to the windows: then the VMM carries out
 * the accesses, so that the host's pages are populated when the benchmarks begin.
 */
#include <linux/arm-smccc.h>
#include <linux/pci_regs.h>
#include <linux/pkvm.h>

#include "guest.h"

/* Configuration space: 256 bytes for each function, of which the ports are the first of a slot. */
#define CONFIG			0x10000UL
#define SLOT_SHIFT		11
#define BUS_SHIFT		16
/* The port of the first window, and the bus behind it, from which the others are counted. */
#define FIRST_PORT		16
#define FIRST_BUS		1
#define IVSHMEM			0x11101af4U
#define BAR			(PCI_BASE_ADDRESS_0 + 2 * 4)

#define WINDOW_SIZE		0x400000UL
#define WINDOW_PAGES		(WINDOW_SIZE / GRANULE)
#define BLOCK_SIZE		0x200000UL
#define BLOCK_PAGES		(BLOCK_SIZE / GRANULE)
/* Where the guest puts the windows, in the PCI memory window for 32 bits. */
#define WINDOW(number)		(0x2000000UL + (number) * WINDOW_SIZE)

static u64 port(u64 number)
{
	return CONFIG + ((FIRST_PORT + number) << SLOT_SHIFT);
}

static u64 function(u64 number)
{
	return CONFIG + ((FIRST_BUS + number) << BUS_SHIFT);
}

/* One instruction each, for which the hardware provides a syndrome. */
static unsigned int config_read(u64 address)
{
	unsigned int value;

	asm volatile("ldr %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
	return value;
}

static void config_write(u64 address, unsigned int value)
{
	asm volatile("str %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

/* Let accesses to memory reach a function, or not: the VMM maps or unmaps a window. Timed. */
static u64 set_memory(u64 where, bool on)
{
	return time_store(on ? PCI_COMMAND_MEMORY : 0, where + PCI_COMMAND);
}

static bool place(u64 number, u64 step)
{
	const unsigned int bus = FIRST_BUS + number;
	const u64 base = WINDOW(number), end = base + WINDOW_SIZE - 1;

	config_write(port(number) + PCI_PRIMARY_BUS, bus << 8 | bus << 16);
	config_write(port(number) + PCI_MEMORY_BASE, base >> 16 | (end >> 16 & 0xfff0) << 16);
	set_memory(port(number), true);
	if (config_read(function(number)) != IVSHMEM)
		return false;

	config_write(function(number) + BAR, base);
	set_memory(function(number), true);
	for (u64 at = 0; at < WINDOW_SIZE; at += step)
		time_store(1, base + at);
	return true;
}

bool windows_populate(void)
{
	return place(0, GRANULE) && place(1, BLOCK_SIZE);
}

static void guard(u64 address, u64 pages)
{
	while (pages) {
		u64 regs[4] = { ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID, address, pages };

		time_hvc(regs);
		if (regs[0] || !regs[1])
			guest_fail("guarding windows:", regs[0]);
		address += regs[1] * GRANULE;
		pages -= regs[1];
	}
}

void windows_guard(void)
{
	guard(port(0) & -GRANULE, 1);
	guard(function(0), 1);
	guard(function(1), 1);
	guard(WINDOW(0), 2 * WINDOW_PAGES);
}

static void bench_faults(void)
{
	for (u64 i = 0; i < WINDOW_PAGES; i++)
		samples[i] = time_store(i, WINDOW(0) + i * GRANULE);
	report("window_fault", WINDOW_PAGES);
}

/* The samples of a block are their mean. */
static void bench_block_faults(void)
{
	for (u64 block = 0; block < WINDOW_PAGES; block += BLOCK_PAGES) {
		u64 sum = 0;

		for (u64 i = block; i < block + BLOCK_PAGES; i++)
			sum += time_store(i, WINDOW(1) + i * GRANULE);
		for (u64 i = block; i < block + BLOCK_PAGES; i++)
			samples[i] = sum / BLOCK_PAGES;
	}
	report("window_block", WINDOW_PAGES);
}

/* The function stops to decode memory, so that the VMM deletes the memslot of the window. */
static void bench_remove(const char *name, u64 number)
{
	samples[0] = (set_memory(function(number), false) - watch) / WINDOW_PAGES + watch;
	report(name, 1);
}

void windows_bench(void)
{
	bench_faults();
	bench_block_faults();
	bench_remove("window_remove", 0);
	bench_remove("window_remove_block", 1);
}
