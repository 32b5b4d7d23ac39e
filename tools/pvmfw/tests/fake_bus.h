/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A PCI bus and a UART for the unit tests, which implement the functions of mmio.h:
 * configuration space of bus 0, and BARs of devices. Rule: an access to an address where no
 * device is fails the test, as it would hang or fault in the VM.
 */
#ifndef PVMFW_FAKE_BUS_H
#define PVMFW_FAKE_BUS_H

#include "platform.h"
#include "types.h"

#define FAKE_CONFIG	0x10000000ull
#define FAKE_WINDOW	0x20000000ull
#define FAKE_WINDOW_SIZE 0x100000ull

/** Address of the UART's registers. */
#define FAKE_UART	0x3f8ull

/**
 * struct fake_uart - A 16550 that only sends.
 * @fifo: it has a FIFO of 16 bytes
 * @busy: how many more reads of its line status find it busy
 * @polls: reads of its line status so far
 * @room: bytes that it takes before it must be polled again
 * @sent: bytes sent so far
 * @lost: bytes lost because there was no room
 * @text: the first bytes that were sent
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

/** The only UART; fake_bus_reset() does not change it. */
extern struct fake_uart fake_uart;

/**
 * struct fake_fn - A PCI function.
 * @present: it exists
 * @config: its configuration space
 * @bar_mask: for each BAR the bits that can be written; 0: there is no such BAR
 * @sticky: writes to its BARs are ignored
 * @forgets: for each BAR: it can be sized, but an address written to it is lost
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

/** log2 of the bytes of configuration space per function; fake_bus_reset() selects ECAM. */
extern unsigned int fake_bus_shift;

/** Called before each access, like a fault handler; NULL after fake_bus_reset(). */
extern void (*fake_bus_touch)(u64 addr);

/**
 * fake_bus_reset() - Remove all functions; functions are addressed by ECAM.
 */
void fake_bus_reset(void);

/**
 * fake_bus_platform() - Describe this bus as platform_parse() would.
 *
 * Return: a platform with only the fields for PCI filled in.
 */
struct platform fake_bus_platform(void);

/**
 * fake_bus_add() - Add a function to the bus.
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
 * @offset: offset of the field in bytes
 * @value: the value
 */
void fake_bus_set32(struct fake_fn *fn, unsigned int offset, u32 value);

/**
 * fake_bus_get32() - Read a field of the configuration space.
 * @fn: the function
 * @offset: offset of the field in bytes
 *
 * Return: the value.
 */
u32 fake_bus_get32(const struct fake_fn *fn, unsigned int offset);

#endif
