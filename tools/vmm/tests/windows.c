// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fixture of tests of windows (windows.h).
 */
#include "test.h"

#include <stdio.h>

#include "windows.h"

bool in_host_windows(uint64_t address, uint64_t size)
{
	return (address >= PCI_MMIO_BASE && address <= PCI_MMIO_BASE + PCI_MMIO_SIZE - size) ||
	       (address >= HIGH_BASE && address <= HIGH_BASE + PCI_HIGH_SIZE - size);
}

static int fake_map(void *vm, unsigned int number, uint64_t address, void *memory, uint64_t size)
{
	struct fixture *f = vm;
	unsigned int i;

	assert_true(number < WINDOW_SLOTS);
	assert_false(f->slot[number].mapped);
	assert_int_equal(address % WINDOW_MIN_SIZE, 0);
	assert_true(in_host_windows(address, size));
	for (i = 0; i < WINDOW_SLOTS; i++)
		assert_false(f->slot[i].mapped && address < f->slot[i].address + f->slot[i].size &&
			     f->slot[i].address < address + size);
	if (f->map_error)
		return f->map_error;
	f->slot[number].mapped = true;
	f->slot[number].address = address;
	f->slot[number].size = size;
	f->slot[number].memory = memory;
	f->maps++;
	return 0;
}

static int fake_unmap(void *vm, unsigned int number)
{
	struct fixture *f = vm;

	assert_true(number < WINDOW_SLOTS && f->slot[number].mapped);
	if (f->unmap_error)
		return f->unmap_error;
	f->slot[number].mapped = false;
	return 0;
}

static void set_line(void *controller, unsigned int spi, bool level)
{
	((struct fixture *)controller)->line[spi] = level;
}

uint32_t get(struct fixture *f, uint64_t offset, unsigned int length)
{
	return pci_config_read(&f->host, offset, length);
}

void put(struct fixture *f, uint64_t offset, unsigned int length, uint32_t value)
{
	pci_config_write(&f->host, offset, length, value);
}

void set_area(struct fixture *f, unsigned int slot, uint64_t base, uint64_t size)
{
	const uint64_t last = base + size - 1;

	put(f, PORT(slot, PCI_PREF_MEMORY_BASE), 2, base >> 16 & 0xfff0);
	put(f, PORT(slot, PCI_PREF_MEMORY_LIMIT), 2, last >> 16 & 0xfff0);
	put(f, PORT(slot, PCI_PREF_BASE_UPPER32), 4, base >> 32);
	put(f, PORT(slot, PCI_PREF_LIMIT_UPPER32), 4, last >> 32);
}

void set_bar(struct fixture *f, unsigned int bus, uint64_t base)
{
	put(f, CHILD(bus, PCI_BASE_ADDRESS_2), 4, base);
	put(f, CHILD(bus, PCI_BASE_ADDRESS_3), 4, base >> 32);
}

int windows_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct window_mapper mapper = { fake_map, fake_unmap, f };
	unsigned int slot;
	int fd;

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/vmm-window-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	close(fd);

	pci_host_init(&f->host, HIGH_BASE);
	for (slot = 1; slot <= WINDOW_SLOTS; slot++)
		f->windows.port[slot - 1].pci.irq =
			(struct irq_line) { .set = set_line, .controller = f, .spi = slot - 1 };
	assert_int_equal(windows_init(&f->windows, &f->host, &mapper), 0);
	for (slot = 1; slot <= WINDOW_SLOTS; slot++) {
		put(f, PORT(slot, PCI_SECONDARY_BUS), 1, BUS(slot));
		put(f, PORT(slot, PCI_SUBORDINATE_BUS), 1, BUS(slot));
		set_area(f, slot, AREA_OF(slot), AREA);
		/* A window whose base is behind its limit forwards nothing. */
		put(f, PORT(slot, PCI_MEMORY_BASE), 2, 0xfff0);
		put(f, PORT(slot, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	}
	*state = f;
	return 0;
}

int windows_teardown(void **state)
{
	struct fixture *f = *state;

	windows_destroy(&f->windows);
	unlink(f->path);
	free(f);
	return 0;
}

int add(struct fixture *f, unsigned int slot)
{
	const char *why;

	return windows_add(&f->windows, f->path, SIZE, slot, &why);
}

void enable(struct fixture *f, unsigned int bus, uint64_t address)
{
	set_bar(f, bus, address);
	put(f, CHILD(bus, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
}
