// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the guest can change only the writable bits of configuration space; a BAR answers at
 * its address and nowhere else; no access, at any offset and of any width, exceeds a function's
 * arrays.
 */
#include "test.h"

#include <errno.h>

#include <linux/pci_regs.h>

#include "pci.h"

#define SLOT		3
#define CONFIG(reg)	((SLOT << 11) + (reg))
#define BAR_SIZE	0x2000U

struct fixture {
	struct pci_host host;
	struct pci_function function;
	unsigned int bar;
	uint32_t offset;
	unsigned int length;
	uint64_t value;
	unsigned int calls;
	unsigned int config_calls;
	bool line;
};

static struct fixture *fixture_of(struct pci_function *function)
{
	return (struct fixture *)((char *)function - offsetof(struct fixture, function));
}

static uint64_t bar_read(struct pci_function *function, unsigned int bar, uint32_t offset,
			 unsigned int length)
{
	struct fixture *f = fixture_of(function);

	/* What struct pci_function_ops promises. */
	assert_true(offset % length == 0 && offset + length <= BAR_SIZE);
	f->bar = bar;
	f->offset = offset;
	f->length = length;
	f->calls++;
	return f->value;
}

static void bar_write(struct pci_function *function, unsigned int bar, uint32_t offset,
		      unsigned int length, uint64_t value)
{
	bar_read(function, bar, offset, length);
	fixture_of(function)->value = value;
}

static void config_access(struct pci_function *function, unsigned int offset, unsigned int length)
{
	assert_true(offset + length <= PCI_CONFIG_SIZE && length <= 4);
	fixture_of(function)->config_calls++;
}

static const struct pci_function_ops ops = {
	.bar_read = bar_read,
	.bar_write = bar_write,
	.config_read = config_access,
	.config_written = config_access,
};

static void set_line(void *opaque, unsigned int spi, bool level)
{
	(void)spi;
	((struct fixture *)opaque)->line = level;
}

static const struct pci_ids ids = {
	.vendor = 0x1234,
	.device = 0x5678,
	.subsystem_vendor = 0x9abc,
	.subsystem = 0xdef0,
	.class = 0x018000,
	.revision = 7,
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	pci_host_init(&f->host, 0);
	pci_function_init(&f->function, &ids, &ops);
	f->function.irq.set = set_line;
	f->function.irq.controller = f;
	pci_function_add_bar(&f->function, 1, BAR_SIZE);
	assert_int_equal(pci_host_plug(&f->host, SLOT, &f->function), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static uint32_t get(struct fixture *f, uint64_t offset, unsigned int length)
{
	return pci_config_read(&f->host, offset, length);
}

static void put(struct fixture *f, uint64_t offset, unsigned int length, uint32_t value)
{
	pci_config_write(&f->host, offset, length, value);
}

static void test_header(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, CONFIG(PCI_VENDOR_ID), 4), 0x56781234);
	assert_int_equal(get(f, CONFIG(PCI_DEVICE_ID), 2), 0x5678);
	assert_int_equal(get(f, CONFIG(PCI_CLASS_REVISION), 4), 0x01800007);
	assert_int_equal(get(f, CONFIG(PCI_HEADER_TYPE), 1), PCI_HEADER_TYPE_NORMAL);
	assert_int_equal(get(f, CONFIG(PCI_SUBSYSTEM_VENDOR_ID), 4), 0xdef09abc);
	assert_int_equal(get(f, CONFIG(PCI_INTERRUPT_PIN), 1), 1);
	assert_int_equal(get(f, CONFIG(PCI_COMMAND), 2), 0);
}

/* Configuration space reads as all ones where there is no function. */
static void test_absent(void **state)
{
	struct fixture *f = *state;
	unsigned int slot, function;

	for (slot = 0; slot < 32; slot++) {
		for (function = 0; function < 8; function++) {
			if (slot == SLOT && !function)
				continue;
			assert_int_equal(get(f, slot << 11 | function << 8, 4), 0xffffffff);
			put(f, slot << 11 | function << 8, 4, 0);
		}
	}
	/* A conventional function has no extended configuration space. */
	/* Other buses have no functions. */
	assert_int_equal(get(f, 0x10000 + CONFIG(PCI_VENDOR_ID), 4), 0xffffffff);
	assert_int_equal(get(f, PCI_CAM_SIZE - 4, 4), 0xffffffff);
	assert_int_equal(f->config_calls, 0);
}

static void test_odd_accesses(void **state)
{
	static const struct {
		unsigned int offset;
		unsigned int length;
	} accesses[] = { { 1, 2 }, { 2, 4 }, { 3, 4 }, { 0, 8 }, { 0xfd, 2 }, { 0xfe, 4 } };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(accesses) / sizeof(*accesses); i++) {
		assert_true(pci_config_read(&f->host, CONFIG(accesses[i].offset),
					    accesses[i].length) == UINT64_MAX);
		put(f, CONFIG(accesses[i].offset), accesses[i].length, 0);
	}
	assert_int_equal(f->config_calls, 0);
	assert_int_equal(get(f, CONFIG(0xfc), 4), 0);
}

/* Writing all ones everywhere changes only command, interrupt line and BAR. */
static void test_read_only_bits(void **state)
{
	struct fixture *f = *state;
	uint8_t before[PCI_CONFIG_SIZE];
	unsigned int i;

	memcpy(before, f->function.config, sizeof(before));
	for (i = 0; i < PCI_CONFIG_SIZE; i++)
		put(f, CONFIG(i), 1, 0xff);
	assert_int_equal(get(f, CONFIG(PCI_COMMAND), 2),
			 PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE);
	assert_int_equal(get(f, CONFIG(PCI_INTERRUPT_LINE), 1), 0xff);
	for (i = 0; i < PCI_CONFIG_SIZE; i++) {
		if (i == PCI_COMMAND || i == PCI_COMMAND + 1 || i == PCI_INTERRUPT_LINE ||
		    (i >= PCI_BASE_ADDRESS_1 && i < PCI_BASE_ADDRESS_2))
			continue;
		assert_int_equal(f->function.config[i], before[i]);
	}
}

/* A driver gets the size of a BAR by writing all ones to it. */
static void test_bar_sizing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get(f, CONFIG(PCI_BASE_ADDRESS_1), 4), PCI_MMIO_BASE);
	put(f, CONFIG(PCI_BASE_ADDRESS_1), 4, 0xffffffff);
	assert_int_equal(get(f, CONFIG(PCI_BASE_ADDRESS_1), 4), ~(BAR_SIZE - 1));
	put(f, CONFIG(PCI_BASE_ADDRESS_0), 4, 0xffffffff);
	assert_int_equal(get(f, CONFIG(PCI_BASE_ADDRESS_0), 4), 0);
}

static void test_bar_access(void **state)
{
	struct fixture *f = *state;

	/* The BAR does not answer until memory decoding is on. */
	assert_true(pci_memory_read(&f->host, 0, 4) == UINT64_MAX);
	assert_int_equal(f->calls, 0);

	put(f, CONFIG(PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	f->value = 0x42;
	assert_int_equal(pci_memory_read(&f->host, 0x1ffc, 4), 0x42);
	assert_int_equal(f->bar, 1);
	assert_int_equal(f->offset, 0x1ffc);
	pci_memory_write(&f->host, 0x10, 2, 0x99);
	assert_int_equal(f->value, 0x99);
	assert_int_equal(f->length, 2);
	assert_int_equal(f->calls, 2);

	/* Accesses behind the BAR, across its end, and misaligned. */
	assert_true(pci_memory_read(&f->host, BAR_SIZE, 4) == UINT64_MAX);
	assert_true(pci_memory_read(&f->host, BAR_SIZE - 2, 4) == UINT64_MAX);
	assert_true(pci_memory_read(&f->host, 2, 4) == UINT64_MAX);
	pci_memory_write(&f->host, 1, 8, 0);
	assert_int_equal(f->calls, 2);
}

/* The guest may move a BAR. Outside of the window it does not answer. */
static void test_bar_moves(void **state)
{
	struct fixture *f = *state;

	put(f, CONFIG(PCI_COMMAND), 2, PCI_COMMAND_MEMORY);
	put(f, CONFIG(PCI_BASE_ADDRESS_1), 4, PCI_MMIO_BASE + 0x100000);
	assert_true(pci_memory_read(&f->host, 0, 4) == UINT64_MAX);
	assert_int_equal(pci_memory_read(&f->host, 0x100008, 4), 0);
	assert_int_equal(f->offset, 8);

	put(f, CONFIG(PCI_BASE_ADDRESS_1), 4, 0xffffe000);
	assert_true(pci_memory_read(&f->host, 0, 4) == UINT64_MAX);
	put(f, CONFIG(PCI_BASE_ADDRESS_1), 4, 0);
	assert_true(pci_memory_read(&f->host, 0, 4) == UINT64_MAX);
	assert_int_equal(f->calls, 1);
}

static void test_interrupt(void **state)
{
	struct fixture *f = *state;

	pci_set_interrupt(&f->function, true);
	assert_true(f->line);
	assert_true(get(f, CONFIG(PCI_STATUS), 2) & PCI_STATUS_INTERRUPT);
	put(f, CONFIG(PCI_COMMAND), 2, PCI_COMMAND_INTX_DISABLE);
	assert_false(f->line);
	assert_true(get(f, CONFIG(PCI_STATUS), 2) & PCI_STATUS_INTERRUPT);
	put(f, CONFIG(PCI_COMMAND), 2, 0);
	assert_true(f->line);
	pci_set_interrupt(&f->function, false);
	assert_false(f->line);
	assert_false(get(f, CONFIG(PCI_STATUS), 2) & PCI_STATUS_INTERRUPT);
}

static void test_bus_master(void **state)
{
	struct fixture *f = *state;

	assert_false(pci_bus_master(&f->function));
	put(f, CONFIG(PCI_COMMAND), 2, PCI_COMMAND_MASTER);
	assert_true(pci_bus_master(&f->function));
}

static void test_capabilities(void **state)
{
	uint8_t capability[18] = { PCI_CAP_ID_VNDR, 0x77, 18 };
	struct fixture *f = *state;
	int first, second, last = 0;

	assert_false(get(f, CONFIG(PCI_STATUS), 2) & PCI_STATUS_CAP_LIST);
	first = pci_function_add_capability(&f->function, capability, sizeof(capability));
	second = pci_function_add_capability(&f->function, capability, sizeof(capability));
	assert_int_equal(first, PCI_STD_HEADER_SIZEOF);
	assert_int_equal(second % 4, 0);
	assert_true(second >= first + (int)sizeof(capability));
	assert_true(get(f, CONFIG(PCI_STATUS), 2) & PCI_STATUS_CAP_LIST);
	assert_int_equal(get(f, CONFIG(PCI_CAPABILITY_LIST), 1), first);
	assert_int_equal(get(f, CONFIG(first + PCI_CAP_LIST_NEXT), 1), second);
	assert_int_equal(get(f, CONFIG(second + PCI_CAP_LIST_NEXT), 1), 0);
	while (last >= 0)
		last = pci_function_add_capability(&f->function, capability, sizeof(capability));
	assert_int_equal(last, -ENOSPC);
}

static void test_plug_refuses(void **state)
{
	struct fixture *f = *state;
	struct pci_function other;

	pci_function_init(&other, &ids, &ops);
	assert_int_equal(pci_host_plug(&f->host, SLOT, &other), -EEXIST);
	assert_int_equal(pci_host_plug(&f->host, 32, &other), -EINVAL);
	pci_function_add_bar(&other, 0, PCI_MMIO_SIZE);
	assert_int_equal(pci_host_plug(&f->host, 5, &other), -ENOSPC);
}

/* BARs are aligned to their size and do not overlap. */
static void test_bar_placement(void **state)
{
	struct fixture *f = *state;
	struct fixture other = { };
	uint32_t base;

	pci_function_init(&other.function, &ids, &ops);
	pci_function_add_bar(&other.function, 0, 0x10000);
	assert_int_equal(pci_host_plug(&f->host, 4, &other.function), 0);
	base = pci_config_read(&f->host, (4 << 11) + PCI_BASE_ADDRESS_0, 4);
	assert_int_equal(base, PCI_MMIO_BASE + 0x10000);
}

/* The checks in the handlers above hold for random configuration and memory accesses. */
static void test_random_accesses(void **state)
{
	static const unsigned int lengths[] = { 1, 2, 4, 8 };
	struct fixture *f = *state;
	unsigned int i;

	srand(3);
	for (i = 0; i < 200000; i++) {
		unsigned int length = lengths[rand() % 4];
		uint64_t offset = rand() % PCI_CAM_SIZE;

		if (rand() % 2)
			offset = CONFIG(rand() % 0x120);
		if (offset + length > PCI_CAM_SIZE)
			continue;
		pci_config_write(&f->host, offset, length, rand());
		pci_config_read(&f->host, offset, length);
		offset = rand() % (PCI_MMIO_SIZE - 8);
		pci_memory_write(&f->host, offset, length, rand());
		pci_memory_read(&f->host, offset, length);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_header),
		TEST(test_absent),
		TEST(test_odd_accesses),
		TEST(test_read_only_bits),
		TEST(test_bar_sizing),
		TEST(test_bar_access),
		TEST(test_bar_moves),
		TEST(test_interrupt),
		TEST(test_bus_master),
		TEST(test_capabilities),
		TEST(test_plug_refuses),
		TEST(test_bar_placement),
		TEST(test_random_accesses),
	};

	return cmocka_run_group_tests_name("pci", tests, NULL, NULL);
}
