/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI bus for the unit tests, behind the mmio functions: configuration space of
 * bus 0, and BARs that lead to a device. An access to an address where nothing is fails
 * the test, as it would hang or fault in the VM.
 */
#ifndef PVMFW_FAKE_BUS_H
#define PVMFW_FAKE_BUS_H

#include "platform.h"
#include "types.h"

#define FAKE_CONFIG	0x10000000ull
#define FAKE_WINDOW	0x20000000ull
#define FAKE_WINDOW_SIZE 0x100000ull

/** Where the UART's registers are. */
#define FAKE_UART	0x3f8ull

/**
 * struct fake_uart - A 16550 that sends, and nothing else.
 * @fifo: it has one, of 16 bytes
 * @busy: how often it says so before it has room
 * @polls: reads of its line status
 * @room: bytes that it takes
 * @sent: bytes that it took
 * @lost: bytes for which there was no room
 * @text: the first of those that it took
 */
struct fake_uart {
	bool fifo;
	unsigned int busy;
	unsigned int polls;
	unsigned int room;
	unsigned int sent;
	unsigned int lost;
	char text[128];
};

/** The one UART; a reset of the bus leaves it alone. */
extern struct fake_uart fake_uart;

/**
 * struct fake_fn - A PCI function.
 * @present: it is there
 * @config: its configuration space
 * @bar_mask: by BAR: the bits that can be written; 0: there is no such BAR
 * @sticky: it forgets what is written to its BARs
 * @forgets: by BAR: it has a size but takes no address
 * @read: reads @size bytes at @offset into BAR 0
 * @write: writes @size bytes at @offset into BAR 0
 */
struct fake_fn {
	bool present;
	u8 config[256];
	u32 bar_mask[6];
	bool sticky;
	bool forgets[6];
	u32 (*read)(u64 offset, unsigned int size);
	void (*write)(u64 offset, u32 value, unsigned int size);
};

/** The functions of bus 0, by device and function number. */
extern struct fake_fn fake_bus[32][8];

/** log2 of the bytes of configuration space of a function; a reset makes it ECAM. */
extern unsigned int fake_bus_shift;

/** What happens before each access, as a fault may; NULL, also after a reset: nothing. */
extern void (*fake_bus_touch)(u64 addr);

/**
 * fake_bus_reset() - Remove all functions; functions are addressed by ECAM.
 */
void fake_bus_reset(void);

/**
 * fake_bus_platform() - What the device tree says of this bus.
 *
 * Return: a platform with nothing but PCI.
 */
struct platform fake_bus_platform(void);

/**
 * fake_bus_add() - Put a function on the bus.
 * @slot: device number
 * @function: function number
 * @vendor: vendor ID
 * @device: device ID
 *
 * Return: the function, without BARs.
 */
struct fake_fn *fake_bus_add(unsigned int slot, unsigned int function, u16 vendor, u16 device);

/**
 * fake_bus_set32() - Set a field of the configuration space.
 * @fn: the function
 * @offset: where
 * @value: the value
 */
void fake_bus_set32(struct fake_fn *fn, unsigned int offset, u32 value);

/**
 * fake_bus_get32() - Read a field of the configuration space.
 * @fn: the function
 * @offset: where
 *
 * Return: the value.
 */
u32 fake_bus_get32(const struct fake_fn *fn, unsigned int offset);

#endif
