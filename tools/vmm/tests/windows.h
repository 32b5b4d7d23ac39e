/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A bus with the root ports of windows, as a guest that boots sets it up, and a mapper that checks
 * what it is told.
 */
#ifndef VMM_TESTS_WINDOWS_H
#define VMM_TESTS_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/pci_regs.h>

#include "window.h"

#define HIGH_BASE	0x100000000UL
#define SIZE		0x10000UL
#define EXPRESS		PCI_STD_HEADER_SIZEOF
/* What a guest that boots gives to the ports: each a bus, and 2 MiB of the upper window. */
#define BUS(slot)	(slot)
#define AREA		0x200000UL
#define AREA_OF(slot)	(HIGH_BASE + (slot) * AREA)
#define PORT(slot, reg)	((uint64_t)((WINDOW_FIRST_PORT + (slot) - 1) << 11) + (reg))
#define CHILD(bus, reg)	((uint64_t)((bus) << 16) + (reg))

struct fixture {
	struct pci_host host;
	struct windows windows;
	char path[32];
	/* What the mapper was told. */
	struct {
		bool mapped;
		uint64_t address;
		uint64_t size;
		uint8_t *memory;
	} slot[WINDOW_SLOTS];
	int map_error;
	int unmap_error;
	unsigned int maps;
	bool line[WINDOW_SLOTS];
};

/* cmocka's setup and teardown; windows_setup() sets *@state to a struct fixture. */
int windows_setup(void **state);
int windows_teardown(void **state);

/* Whether all of a range lies in one of the host bridge's windows. */
bool in_host_windows(uint64_t address, uint64_t size);

/* Read and write configuration space, at PORT() or CHILD(). */
uint32_t get(struct fixture *f, uint64_t offset, unsigned int length);
void put(struct fixture *f, uint64_t offset, unsigned int length, uint32_t value);

/* Have the port of a slot forward these addresses in its upper window. */
void set_area(struct fixture *f, unsigned int slot, uint64_t base, uint64_t size);
void set_bar(struct fixture *f, unsigned int bus, uint64_t base);

/* Do as a guest that uses the window on a bus: place the BAR, then enable it. */
void enable(struct fixture *f, unsigned int bus, uint64_t address);

/* windows_add() of the file of @f. */
int add(struct fixture *f, unsigned int slot);

#endif /* VMM_TESTS_WINDOWS_H */
