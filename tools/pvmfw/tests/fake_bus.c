// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PCI bus and the UART (fake_bus.h).
 */
#include "fake_bus.h"
#include "layout.h"
#include "mmio.h"
#include "pci.h"
#include "testing.h"

struct fake_fn fake_bus[32][8];
unsigned int fake_bus_shift;
void (*fake_bus_touch)(u64 addr);
struct fake_uart fake_uart;

void fake_bus_reset(void)
{
	memset(fake_bus, 0, sizeof(fake_bus));
	fake_bus_shift = PCI_ECAM_SHIFT;
	fake_bus_touch = NULL;
}

static u64 config_size(void)
{
	return (u64)ARRAY_SIZE(fake_bus) * ARRAY_SIZE(fake_bus[0]) << fake_bus_shift;
}

struct platform fake_bus_platform(void)
{
	return (struct platform){
		.has_pci = true,
		.config_base = FAKE_CONFIG,
		.config_size = config_size(),
		.config_shift = fake_bus_shift,
		.window_base = FAKE_WINDOW,
		.window_size = FAKE_WINDOW_SIZE,
	};
}

u32 fake_bus_get32(const struct fake_fn *fn, unsigned int offset)
{
	u32 value;

	memcpy(&value, fn->config + offset, sizeof(value));
	return value;
}

void fake_bus_set32(struct fake_fn *fn, unsigned int offset, u32 value)
{
	memcpy(fn->config + offset, &value, sizeof(value));
}

struct fake_fn *fake_bus_add(unsigned int slot, unsigned int function, u16 vendor, u16 device)
{
	struct fake_fn *fn = &fake_bus[slot][function];

	fn->present = true;
	fake_bus_set32(fn, PCI_VENDOR_ID, (u32)device << 16 | vendor);
	if (function)
		fake_bus[slot][0].config[PCI_HEADER_TYPE] |= 0x80;
	return fn;
}

/* Find the function for @offset in the bus's configuration space; *@reg is the rest. */
static struct fake_fn *find(u64 offset, u64 *reg)
{
	*reg = offset & (((u64)1 << fake_bus_shift) - 1);
	return &fake_bus[offset >> (fake_bus_shift + 3)][offset >> fake_bus_shift & 7];
}

static u32 config_read(u64 offset, unsigned int size)
{
	const struct fake_fn *fn;
	u32 value = 0;
	u64 reg;

	fn = find(offset, &reg);
	if (!fn->present)
		return ~0u;
	if (reg + size <= sizeof(fn->config))
		memcpy(&value, fn->config + reg, size);
	return value;
}

static void config_write(u64 offset, u32 value, unsigned int size)
{
	struct fake_fn *fn;
	unsigned int bar;
	u64 reg;

	fn = find(offset, &reg);
	bar = (unsigned int)(reg - PCI_BASE_ADDRESS_0) / 4;
	assert_true(fn->present);
	if (reg == PCI_COMMAND) {
		assert_int_equal(size, 2);
		memcpy(fn->config + reg, &value, size);
	} else if (reg >= PCI_BASE_ADDRESS_0 && bar < 6) {
		u32 old = fake_bus_get32(fn, (unsigned int)reg);

		assert_int_equal(size, 4);
		/* A BAR must not move while its device decodes it. */
		assert_false(fn->config[PCI_COMMAND] & PCI_COMMAND_MEMORY);
		if (fn->forgets[bar] && value != ~0u)
			value = 0;
		if (!fn->sticky)
			fake_bus_set32(fn, (unsigned int)reg, (value & fn->bar_mask[bar]) |
				       (old & ~fn->bar_mask[bar] & 0xf));
	} else {
		fail_msg("write to configuration register 0x%x", (unsigned int)reg);
	}
}

/* Find the function whose BAR 0 holds @addr; *@offset is its offset in the BAR. */
static const struct fake_fn *decode(u64 addr, u64 *offset)
{
	unsigned int i;

	for (i = 0; i < 32 * 8; i++) {
		const struct fake_fn *fn = &fake_bus[i / 8][i % 8];
		u64 base = fake_bus_get32(fn, PCI_BASE_ADDRESS_0) & ~0xfull;

		if (fn->present && fn->read && fn->config[PCI_COMMAND] & PCI_COMMAND_MEMORY &&
		    range_inside(addr, 1, base, (u32)-fn->bar_mask[0])) {
			*offset = addr - base;
			return fn;
		}
	}
	fail_msg("nothing at 0x%llx", (unsigned long long)addr);
	return NULL;
}

/* Read line status or FIFO identification. Unless busy, the transmitter is empty. */
static u32 uart_read(u64 reg)
{
	if (reg == 2)
		return fake_uart.fifo ? 0xc1 : 1;
	assert_int_equal(reg, 5);
	fake_uart.polls++;
	if (fake_uart.busy) {
		fake_uart.busy--;
		return 0;
	}
	fake_uart.room = fake_uart.fifo ? 16 : 1;
	return 0x20;
}

static void uart_write(u64 reg, u32 value)
{
	if (reg)
		return;
	if (!fake_uart.room) {
		fake_uart.lost++;
		return;
	}
	fake_uart.room--;
	if (fake_uart.sent < sizeof(fake_uart.text))
		fake_uart.text[fake_uart.sent] = (char)value;
	fake_uart.sent++;
}

static u32 bus_read(u64 addr, unsigned int size)
{
	const struct fake_fn *fn;
	u64 offset;

	if (fake_bus_touch)
		fake_bus_touch(addr);
	if (range_inside(addr, size, FAKE_UART, UART_SIZE))
		return uart_read(addr - FAKE_UART);
	assert_true(is_aligned(addr, size));
	if (range_inside(addr, size, FAKE_CONFIG, config_size()))
		return config_read(addr - FAKE_CONFIG, size);
	fn = decode(addr, &offset);
	return fn->read(offset, size);
}

static void bus_write(u64 addr, u32 value, unsigned int size)
{
	const struct fake_fn *fn;
	u64 offset;

	if (fake_bus_touch)
		fake_bus_touch(addr);
	if (range_inside(addr, size, FAKE_UART, UART_SIZE)) {
		uart_write(addr - FAKE_UART, value);
		return;
	}
	assert_true(is_aligned(addr, size));
	if (range_inside(addr, size, FAKE_CONFIG, config_size())) {
		config_write(addr - FAKE_CONFIG, value, size);
		return;
	}
	fn = decode(addr, &offset);
	fn->write(offset, value, size);
}

u8 mmio_read8(u64 addr)
{
	return (u8)bus_read(addr, 1);
}

u16 mmio_read16(u64 addr)
{
	return (u16)bus_read(addr, 2);
}

u32 mmio_read32(u64 addr)
{
	return bus_read(addr, 4);
}

void mmio_write8(u64 addr, u8 value)
{
	bus_write(addr, value, 1);
}

void mmio_write16(u64 addr, u16 value)
{
	bus_write(addr, value, 2);
}

void mmio_write32(u64 addr, u32 value)
{
	bus_write(addr, value, 4);
}
