// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a window's memory is mapped exactly where its BAR answers, and nowhere else; whatever the
 * guest writes to configuration space, what is mapped lies in the windows of the host bridge and
 * no two windows overlap; an operation that fails changes nothing.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "windows.h"

#define ALL_EVENTS	(PCI_EXP_SLTSTA_PDC | PCI_EXP_SLTSTA_DLLSC)
#define HEADER_LENGTH	64

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t size;
	} sizes[] = {
		{ "4096", 0x1000 }, { "4K", 0x1000 }, { "64K", 0x10000 }, { "1M", 0x100000 },
		{ "512M", 0x20000000 }, { "1G", 0x40000000 }, { "1024M", 0x40000000 },
	};
	static const char *const bad[] = {
		"", "0", "K", "1", "2048", "4097", "3K", "6M", "2G", "1T", "-4096", "+4096",
		" 4096", "4096 ", "0x1000", "4KB", "4k", "4.0K", "18446744073709551616",
		"99999999999999999999G", "4194304K", "18014398509481984K",
	};
	uint64_t size;
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		assert_int_equal(window_parse_size(sizes[i].text, &size), 0);
		assert_int_equal(size, sizes[i].size);
	}
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		if (window_parse_size(bad[i], &size) != -EINVAL)
			fail_msg("accepted: '%s'", bad[i]);
	}
}

/* An empty slot has no function; a port is one that pciehp of Linux takes. */
static void test_port(void **state)
{
	struct fixture *f = *state;
	unsigned int slot;

	for (slot = 1; slot <= WINDOW_SLOTS; slot++) {
		assert_int_equal(get(f, PORT(slot, PCI_HEADER_TYPE), 1), PCI_HEADER_TYPE_BRIDGE);
		assert_int_equal(get(f, PORT(slot, PCI_CLASS_REVISION), 4) >> 8, 0x060400);
		assert_int_equal(get(f, PORT(slot, PCI_CAPABILITY_LIST), 1), EXPRESS);
		assert_int_equal(get(f, PORT(slot, EXPRESS), 1), PCI_CAP_ID_EXP);
		assert_int_equal(get(f, PORT(slot, EXPRESS + PCI_EXP_FLAGS), 2), 0x142);
		assert_int_equal(get(f, PORT(slot, EXPRESS + PCI_EXP_SLTCAP), 4) >> 19, slot);
		assert_int_equal(get(f, PORT(slot, EXPRESS + PCI_EXP_SLTSTA), 2), 0);
		assert_int_equal(get(f, PORT(slot, PCI_INTERRUPT_PIN), 1), 1);
		assert_int_equal(get(f, CHILD(BUS(slot), PCI_VENDOR_ID), 4), 0xffffffff);
	}
}

static void test_function(void **state)
{
	struct fixture *f = *state;
	unsigned int slot, function;

	assert_int_equal(add(f, 3), 3);
	assert_int_equal(get(f, CHILD(3, PCI_VENDOR_ID), 4), 0x11101af4);
	assert_int_equal(get(f, CHILD(3, PCI_CLASS_REVISION), 4), 0x05000001);
	assert_int_equal(get(f, CHILD(3, PCI_INTERRUPT_PIN), 1), 0);
	put(f, CHILD(3, PCI_BASE_ADDRESS_2), 4, 0xffffffff);
	put(f, CHILD(3, PCI_BASE_ADDRESS_3), 4, 0xffffffff);
	assert_int_equal(get(f, CHILD(3, PCI_BASE_ADDRESS_2), 4), 0xffff000c);
	assert_int_equal(get(f, CHILD(3, PCI_BASE_ADDRESS_3), 4), 0xffffffff);
	put(f, CHILD(3, PCI_BASE_ADDRESS_0), 4, 0xffffffff);
	assert_int_equal(get(f, CHILD(3, PCI_BASE_ADDRESS_0), 4), 0);
	/* It is the only function on its bus. */
	for (slot = 0; slot < 32; slot++) {
		for (function = 0; function < 8; function++) {
			if (slot || function)
				assert_int_equal(get(f, CHILD(3, slot << 11 | function << 8), 4),
						 0xffffffff);
		}
	}
}

static void test_bus_numbers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, 2), 2);
	assert_int_equal(add(f, 5), 5);
	put(f, PORT(2, PCI_SECONDARY_BUS), 1, 77);
	assert_int_equal(get(f, CHILD(2, PCI_VENDOR_ID), 4), 0xffffffff);
	assert_int_equal(get(f, CHILD(77, PCI_VENDOR_ID), 4), 0x11101af4);
	/* Two ports to one bus: one of them answers. */
	put(f, PORT(5, PCI_SECONDARY_BUS), 1, 77);
	enable(f, 77, AREA_OF(2));
	assert_true(f->slot[1].mapped);
	assert_false(f->slot[4].mapped);
	/* Bus 0 is the one on which the ports are. */
	put(f, PORT(2, PCI_SECONDARY_BUS), 1, 0);
	assert_int_equal(get(f, CHILD(0, PCI_VENDOR_ID), 4), 0xffffffff);
}

/* A window is mapped while memory decoding of function and port is on, and not before. */
static void test_mapped(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(add(f, 1), 1);
	set_bar(f, 1, AREA_OF(1));
	assert_false(f->slot[0].mapped);
	put(f, CHILD(1, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	assert_true(f->slot[0].mapped);
	assert_int_equal(f->slot[0].address, AREA_OF(1));
	assert_int_equal(f->slot[0].size, SIZE);
	put(f, PORT(1, PCI_COMMAND), 2, 0);
	assert_false(f->slot[0].mapped);
	put(f, PORT(1, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	assert_true(f->slot[0].mapped);
	put(f, CHILD(1, PCI_COMMAND), 2, PCI_COMMAND_MASTER);
	assert_false(f->slot[0].mapped);
}

static void test_moves(void **state)
{
	struct fixture *f = *state;
	unsigned int maps;

	assert_int_equal(add(f, 1), 1);
	enable(f, 1, AREA_OF(1));
	enable(f, 1, AREA_OF(1) + AREA - SIZE);
	assert_int_equal(f->slot[0].address, AREA_OF(1) + AREA - SIZE);
	maps = f->maps;
	/* What changes nothing maps nothing. */
	enable(f, 1, AREA_OF(1) + AREA - SIZE);
	put(f, CHILD(1, PCI_INTERRUPT_LINE), 1, 7);
	assert_int_equal(f->maps, maps);
	/* The lower window, forwarded as memory that is not prefetchable. */
	put(f, PORT(1, PCI_MEMORY_BASE), 2, PCI_MMIO_BASE >> 16);
	put(f, PORT(1, PCI_MEMORY_LIMIT), 2, PCI_MMIO_BASE >> 16);
	enable(f, 1, PCI_MMIO_BASE + SIZE);
	assert_true(f->slot[0].mapped);
	assert_int_equal(f->slot[0].address, PCI_MMIO_BASE + SIZE);
}

static void test_not_forwarded(void **state)
{
	struct fixture *f = *state;
	static const uint64_t bases[] = {
		0, SIZE, RAM_BASE, GIC_DIST_BASE, HIGH_BASE - SIZE, HIGH_BASE, AREA_OF(2),
		AREA_OF(1) - SIZE, AREA_OF(1) + AREA, 1UL << 63, -SIZE,
	};
	unsigned int i;

	assert_int_equal(add(f, 1), 1);
	for (i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		enable(f, 1, bases[i]);
		assert_false(f->slot[0].mapped);
	}
	/* The port forwards everything, the host bridge does not. */
	set_area(f, 1, 0, 0);
	put(f, PORT(1, PCI_PREF_BASE_UPPER32), 4, 0);
	put(f, PORT(1, PCI_PREF_LIMIT_UPPER32), 4, UINT32_MAX);
	put(f, PORT(1, PCI_PREF_MEMORY_LIMIT), 2, 0xfff0);
	for (i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		enable(f, 1, bases[i]);
		assert_int_equal(f->slot[0].mapped, in_host_windows(bases[i], SIZE));
	}
	/* An area that ends before it begins. */
	enable(f, 1, AREA_OF(1));
	assert_true(f->slot[0].mapped);
	set_area(f, 1, AREA_OF(1) + AREA, 0);
	assert_false(f->slot[0].mapped);
}

/* Two windows may not be at one place: the first one stays until it goes. */
static void test_overlap(void **state)
{
	struct fixture *f = *state;

	set_area(f, 1, AREA_OF(1), 2 * AREA);
	set_area(f, 2, AREA_OF(1), 2 * AREA);
	assert_int_equal(add(f, 1), 1);
	assert_int_equal(add(f, 2), 2);
	enable(f, 2, AREA_OF(1));
	enable(f, 1, AREA_OF(1));
	assert_true(f->slot[1].mapped);
	assert_false(f->slot[0].mapped);
	assert_int_equal(windows_remove(&f->windows, 2), 0);
	assert_true(f->slot[0].mapped);
	assert_false(f->slot[1].mapped);
}

/* The guest reads and writes a window also where it is not mapped, as before ENROLL. */
static void test_emulated(void **state)
{
	struct fixture *f = *state;
	const uint64_t offset = AREA_OF(1) - HIGH_BASE;
	uint8_t byte = 0;
	int fd;

	assert_int_equal(add(f, 1), 1);
	assert_true(pci_high_read(&f->host, offset, 4) == UINT64_MAX);
	enable(f, 1, AREA_OF(1));
	pci_high_write(&f->host, offset + 8, 8, 0x1122334455667788);
	assert_true(pci_high_read(&f->host, offset + 8, 8) == 0x1122334455667788);
	assert_int_equal(pci_high_read(&f->host, offset + 0xa, 2), 0x5566);
	assert_int_equal(pci_high_read(&f->host, offset + SIZE - 1, 1), 0);
	assert_true(pci_high_read(&f->host, offset + SIZE, 1) == UINT64_MAX);
	assert_true(pci_high_read(&f->host, offset + 2, 4) == UINT64_MAX);
	fd = open(f->path, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, 8), 1);
	assert_int_equal(byte, 0x88);
	close(fd);
	assert_int_equal(windows_remove(&f->windows, 1), 0);
	assert_true(pci_high_read(&f->host, offset + 8, 8) == UINT64_MAX);
}

/* What is behind the end of a file that has become shorter reads as all ones. */
static void test_truncated(void **state)
{
	struct fixture *f = *state;
	const uint64_t offset = AREA_OF(1) - HIGH_BASE;

	assert_int_equal(guest_memory_guard(), 0);
	assert_int_equal(add(f, 1), 1);
	enable(f, 1, AREA_OF(1));
	assert_int_equal(truncate(f->path, 0), 0);
	assert_true(pci_high_read(&f->host, offset, 4) == UINT64_MAX);
	pci_high_write(&f->host, offset, 4, 1);
}

/*
 * When the guest cannot access what a file lacks, so much stays in its address space as the file
 * has; each vCPU hears of that once. A file that is long enough changes nothing.
 */
static void test_repair(void **state)
{
	struct fixture *f = *state;
	const uint64_t page = sysconf(_SC_PAGESIZE), offset = AREA_OF(1) - HIGH_BASE;
	unsigned int seen = 0, other = 0;

	assert_int_equal(guest_memory_guard(), 0);
	assert_int_equal(add(f, 1), 1);
	enable(f, 1, AREA_OF(1));
	assert_false(windows_repair(&f->windows, &seen));
	assert_int_equal(truncate(f->path, SIZE - page - 1), 0);
	assert_true(windows_repair(&f->windows, &seen));
	assert_false(windows_repair(&f->windows, &seen));
	assert_true(windows_repair(&f->windows, &other));
	assert_false(windows_repair(&f->windows, &other));
	assert_true(f->slot[0].mapped);
	assert_true(f->slot[0].address == AREA_OF(1));
	assert_true(f->slot[0].size == SIZE - page);
	assert_true(pci_high_read(&f->host, offset + SIZE - page - 8, 8) == 0);
	pci_high_write(&f->host, offset + SIZE - page, 8, 1);
	assert_true(pci_high_read(&f->host, offset + SIZE - page, 8) == UINT64_MAX);

	f->unmap_error = -ENOMEM;
	assert_int_equal(truncate(f->path, 0), 0);
	assert_false(windows_repair(&f->windows, &seen));
	assert_true(f->slot[0].size == SIZE - page);
	f->unmap_error = 0;
	assert_true(windows_repair(&f->windows, &seen));
	assert_false(f->slot[0].mapped);
	assert_int_equal(windows_remove(&f->windows, 1), 0);
}

/* A guest that enables events gets an interrupt for a window that comes or goes. */
static void test_events(void **state)
{
	struct fixture *f = *state;
	const uint64_t control = PORT(4, EXPRESS + PCI_EXP_SLTCTL);
	const uint64_t status = PORT(4, EXPRESS + PCI_EXP_SLTSTA);
	const uint64_t link = PORT(4, EXPRESS + PCI_EXP_LNKSTA);

	assert_int_equal(add(f, 4), 4);
	assert_int_equal(get(f, status, 2), ALL_EVENTS | PCI_EXP_SLTSTA_PDS);
	assert_true(get(f, link, 2) & PCI_EXP_LNKSTA_DLLLA);
	assert_false(f->line[3]);
	put(f, control, 2, PCI_EXP_SLTCTL_HPIE);
	assert_false(f->line[3]);
	put(f, control, 2, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_PDCE);
	assert_true(f->line[3]);
	put(f, status, 2, PCI_EXP_SLTSTA_PDC);
	assert_int_equal(get(f, status, 2), PCI_EXP_SLTSTA_DLLSC | PCI_EXP_SLTSTA_PDS);
	assert_false(f->line[3]);
	put(f, control, 2, PCI_EXP_SLTCTL_HPIE | PCI_EXP_SLTCTL_DLLSCE);
	assert_true(f->line[3]);
	put(f, PORT(4, PCI_COMMAND), 2, PCI_COMMAND_INTX_DISABLE);
	assert_false(f->line[3]);
	put(f, PORT(4, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	put(f, status, 2, 0xffff);
	assert_int_equal(get(f, status, 2), PCI_EXP_SLTSTA_PDS);
	assert_false(f->line[3]);

	assert_int_equal(windows_remove(&f->windows, 4), 0);
	assert_true(f->line[3]);
	assert_int_equal(get(f, status, 2), ALL_EVENTS);
	assert_false(get(f, link, 2) & PCI_EXP_LNKSTA_DLLLA);
	/* A zero clears nothing, and only bits of the slot's state are cleared. */
	put(f, status, 2, 0);
	assert_int_equal(get(f, status, 2), ALL_EVENTS);
}

/* In the registers of a port the guest changes only what a bridge has to let it change. */
static void test_read_only_bits(void **state)
{
	struct fixture *f = *state;
	static const uint8_t changes[HEADER_LENGTH] = {
		[PCI_COMMAND] = 0x06, [PCI_COMMAND + 1] = 0x04,
		[PCI_PRIMARY_BUS] = 0xff, [PCI_SECONDARY_BUS] = 0xff, [PCI_SUBORDINATE_BUS] = 0xff,
		[PCI_MEMORY_BASE] = 0xf0, [PCI_MEMORY_BASE + 1] = 0xff,
		[PCI_MEMORY_LIMIT] = 0xf0, [PCI_MEMORY_LIMIT + 1] = 0xff,
		[PCI_PREF_MEMORY_BASE] = 0xf0, [PCI_PREF_MEMORY_BASE + 1] = 0xff,
		[PCI_PREF_MEMORY_LIMIT] = 0xf0, [PCI_PREF_MEMORY_LIMIT + 1] = 0xff,
		[PCI_PREF_BASE_UPPER32] = 0xff, [PCI_PREF_BASE_UPPER32 + 1] = 0xff,
		[PCI_PREF_BASE_UPPER32 + 2] = 0xff, [PCI_PREF_BASE_UPPER32 + 3] = 0xff,
		[PCI_PREF_LIMIT_UPPER32] = 0xff, [PCI_PREF_LIMIT_UPPER32 + 1] = 0xff,
		[PCI_PREF_LIMIT_UPPER32 + 2] = 0xff, [PCI_PREF_LIMIT_UPPER32 + 3] = 0xff,
		[PCI_INTERRUPT_LINE] = 0xff,
	};
	uint8_t zero, one;
	unsigned int i;

	for (i = 0; i < HEADER_LENGTH; i++) {
		put(f, PORT(1, i), 1, 0);
		zero = get(f, PORT(1, i), 1);
		put(f, PORT(1, i), 1, 0xff);
		one = get(f, PORT(1, i), 1);
		assert_int_equal(zero ^ one, changes[i]);
	}
}

static void test_slots(void **state)
{
	struct fixture *f = *state;
	const char *why;
	unsigned int slot;

	assert_int_equal(add(f, 2), 2);
	assert_int_equal(add(f, 2), -EEXIST);
	assert_int_equal(add(f, WINDOW_SLOTS + 1), -EINVAL);
	assert_int_equal(add(f, WINDOW_ANY_SLOT), 1);
	for (slot = 3; slot <= WINDOW_SLOTS; slot++)
		assert_int_equal(add(f, WINDOW_ANY_SLOT), slot);
	assert_int_equal(windows_add(&f->windows, f->path, SIZE, WINDOW_ANY_SLOT, &why), -ENOSPC);
	assert_string_equal(why, "all slots are in use");
	assert_int_equal(windows_remove(&f->windows, 5), 0);
	assert_int_equal(windows_remove(&f->windows, 5), -ENOENT);
	assert_int_equal(add(f, WINDOW_ANY_SLOT), 5);
	assert_int_equal(windows_remove(&f->windows, 0), -ENOENT);
	assert_int_equal(windows_remove(&f->windows, WINDOW_SLOTS + 1), -ENOENT);
}

static void test_bad_files(void **state)
{
	struct fixture *f = *state;
	char fifo[64];
	const char *why;

	assert_int_equal(windows_add(&f->windows, "/none", SIZE, 0, &why), -ENOENT);
	assert_null(why);
	assert_int_equal(windows_add(&f->windows, "/tmp", SIZE, 0, &why), -EISDIR);
	assert_int_equal(windows_add(&f->windows, "/dev/null", SIZE, 0, &why), -EINVAL);
	assert_string_equal(why, "not a regular file");
	assert_int_equal(windows_add(&f->windows, f->path, 2 * SIZE, 0, &why), -EINVAL);
	assert_string_equal(why, "the file is shorter than the window");
	snprintf(fifo, sizeof(fifo), "%s.fifo", f->path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(windows_add(&f->windows, fifo, SIZE, 0, &why), -EINVAL);
	unlink(fifo);
	assert_int_equal(get(f, CHILD(1, PCI_VENDOR_ID), 4), 0xffffffff);
	assert_int_equal(get(f, PORT(1, EXPRESS + PCI_EXP_SLTSTA), 2), 0);
}

/* KVM refuses: a window that cannot be mapped is there, one that cannot be unmapped stays. */
static void test_mapper_fails(void **state)
{
	struct fixture *f = *state;
	struct window_info info;

	assert_int_equal(add(f, 1), 1);
	f->map_error = -ENOSPC;
	enable(f, 1, AREA_OF(1));
	assert_int_equal(windows_get(&f->windows, 1, &info), 0);
	assert_false(info.mapped);
	free(info.path);
	f->map_error = 0;
	enable(f, 1, AREA_OF(1));
	assert_true(f->slot[0].mapped);

	f->unmap_error = -ENOMEM;
	assert_int_equal(windows_remove(&f->windows, 1), -ENOMEM);
	assert_int_equal(get(f, CHILD(1, PCI_VENDOR_ID), 4), 0x11101af4);
	enable(f, 1, AREA_OF(1) + SIZE);
	assert_int_equal(windows_get(&f->windows, 1, &info), 0);
	assert_true(info.mapped);
	assert_int_equal(info.address, AREA_OF(1));
	assert_string_equal(info.path, f->path);
	free(info.path);
	f->unmap_error = 0;
	assert_int_equal(windows_remove(&f->windows, 1), 0);
	assert_false(f->slot[0].mapped);
}

static void test_again_and_again(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 2000; i++) {
		assert_int_equal(add(f, 1), 1);
		/* Nothing of the last one is left. */
		assert_int_equal(get(f, CHILD(1, PCI_COMMAND), 2), 0);
		assert_int_equal(get(f, CHILD(1, PCI_BASE_ADDRESS_2), 4), 0xc);
		enable(f, 1, AREA_OF(1));
		assert_int_equal(windows_remove(&f->windows, 1), 0);
	}
	assert_int_equal(f->maps, 2000);
}

/* The checks of the mapper hold for random writes, and for windows that come and go. */
static void test_random(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	srand(5);
	for (i = 0; i < 100000; i++) {
		unsigned int slot = 1 + rand() % WINDOW_SLOTS, reg = rand() % HEADER_LENGTH;
		uint64_t where = rand() % 2 ? PORT(slot, reg) : CHILD(rand() % 12, reg);

		switch (rand() % 8) {
		case 0:
			add(f, slot);
			break;
		case 1:
			windows_remove(&f->windows, slot);
			break;
		case 2:
			set_area(f, slot, AREA_OF(1 + rand() % 4), AREA << rand() % 3);
			put(f, PORT(slot, PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
			put(f, PORT(slot, PCI_SECONDARY_BUS), 1, BUS(slot));
			break;
		case 3:
		case 4:
			enable(f, slot, AREA_OF(1 + rand() % 4) + rand() % 4 * SIZE);
			break;
		default:
			put(f, where & ~3ULL, 4, rand());
			break;
		}
		pci_high_write(&f->host, rand() % (8 * AREA) & ~7ULL, 8, rand());
	}
	assert_true(f->maps > 1000);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, windows_setup, windows_teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(test_sizes),
		TEST(test_port),
		TEST(test_function),
		TEST(test_bus_numbers),
		TEST(test_mapped),
		TEST(test_moves),
		TEST(test_not_forwarded),
		TEST(test_overlap),
		TEST(test_emulated),
		TEST(test_truncated),
		TEST(test_repair),
		TEST(test_events),
		TEST(test_read_only_bits),
		TEST(test_slots),
		TEST(test_bad_files),
		TEST(test_mapper_fails),
		TEST(test_again_and_again),
		TEST(test_random),
	};

	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
