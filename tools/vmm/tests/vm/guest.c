// SPDX-License-Identifier: GPL-2.0-only
/*
 * A hostile guest for vm.py: it uses the block device with pages that it does not share and with
 * invalid rings, gives pages to the balloon that it keeps, and accesses all registers. It powers
 * off if the VMM behaves as it must, and resets otherwise.
 *
 * It runs with its MMU off, so its accesses bypass the caches. That works under QEMU, which has
 * no caches.
 */
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/psci.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "access.h"
#include "guest.h"

#define UART		0x3f8UL
#define UART_SCRATCH	0x3ffUL
#define CAM		0x10000UL
#define CAM_BUS_SIZE	0x10000UL
#define DISK_CONFIG	(CAM + (1UL << 11))
#define BALLOON_CONFIG	(CAM + (2UL << 11))
/* Of the only device. */
#define BAR		0x2000000UL
#define BAR_ISR		(BAR + 0x1000)
#define BAR_NOTIFY	(BAR + 0x3000)

/* The first root port for windows, its bus, and the PCI window behind RAM of 256 MiB. */
#define PORT_CONFIG	(CAM + (16UL << 11))
#define WINDOW_CONFIG	(CAM + CAM_BUS_SIZE)
#define WINDOW		0x90000000UL
#define WINDOW_MOVED	(WINDOW + 0x200000UL)
#define WINDOW_WORD	0x0123456789abcdefUL

#define PAGE_SIZE	0x1000UL
#define MAX_CPUS		8

/* The parameter: number of the case, and whether the VM is protected. */
#define CASE_MASK	0xff
#define PROTECTED	0x100

enum {
	CASE_CORRECT,
	CASE_PRIVATE_PART,
	CASE_PRIVATE_DATA,
	CASE_UNSHARED_LATER,
	CASE_BAD_CHAINS,
	CASE_MMIO_EVERYWHERE,
	CASE_RESET,
	CASE_SPIN,
	CASE_SMP,
	CASE_UNDECODABLE,
	CASE_DISK_ERROR,
	CASE_NOTHING,
	CASE_WINDOW,
	CASE_BALLOON,
};

/* Separate pages, so that each can be shared and unshared by itself. */
enum { DESC, AVAIL, USED, HEADER, STATUS, DATA, NR_PAGES };

static alignas(PAGE_SIZE) uint8_t pages[NR_PAGES][PAGE_SIZE];
static uint64_t cpu_done[MAX_CPUS];

#define QUEUE_SIZE	16
/* The device status, as a driver starts the device step by step. */
#define DRIVER		(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define FEATURES_OK	(DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define DRIVER_OK	(FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK)

static uint8_t device_status(void)
{
	return read8(BAR + VIRTIO_PCI_COMMON_STATUS);
}

static void print(const char *text)
{
	while (*text)
		write8(UART, *text++);
}

static noreturn void fail(const char *why)
{
	print("guest: ");
	print(why);
	print("\n");
	hypercall(PSCI_0_2_FN_SYSTEM_RESET, 0, 0, 0);
	for (;;)
		;
}

void guest_exception(void)
{
	fail("exception");
}

static void check(bool right, const char *why)
{
	if (!right)
		fail(why);
}

static bool is_protected(void)
{
	return parameter & PROTECTED;
}

static void share(unsigned int page)
{
	if (is_protected())
		check(!hypercall(ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
				 (uintptr_t)pages[page], 0, 0), "MEM_SHARE failed");
}

static void unshare(unsigned int page)
{
	if (is_protected())
		check(!hypercall(ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
				 (uintptr_t)pages[page], 0, 0), "MEM_UNSHARE failed");
}

static void share_all_but(unsigned int page)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		if (i != page)
			share(i);
	}
}

static uint64_t at(unsigned int page)
{
	return (uintptr_t)pages[page];
}

static void fill(unsigned int page, uint8_t value)
{
	unsigned int i;

	for (i = 0; i < PAGE_SIZE; i++)
		write8(at(page) + i, value);
}

static bool filled(unsigned int page, unsigned int length, uint8_t value)
{
	unsigned int i;

	for (i = 0; i < length; i++) {
		if (read8(at(page) + i) != value)
			return false;
	}
	return true;
}

/* Reset the device and start it with empty rings. */
static void start_device_at(uint64_t config)
{
	write16(config + 4, 6);
	write8(BAR + VIRTIO_PCI_COMMON_STATUS, 0);
	check(device_status() == 0, "the device does not reset");
	write8(BAR + VIRTIO_PCI_COMMON_STATUS, DRIVER);
	write32(BAR + VIRTIO_PCI_COMMON_GFSELECT, 1);
	write32(BAR + VIRTIO_PCI_COMMON_GF, 3);
	write8(BAR + VIRTIO_PCI_COMMON_STATUS, FEATURES_OK);
	check(device_status() == FEATURES_OK, "the device refuses the features");
	write16(BAR + VIRTIO_PCI_COMMON_Q_SELECT, 0);
	write16(BAR + VIRTIO_PCI_COMMON_Q_SIZE, QUEUE_SIZE);
	write32(BAR + VIRTIO_PCI_COMMON_Q_DESCLO, at(DESC));
	write32(BAR + VIRTIO_PCI_COMMON_Q_AVAILLO, at(AVAIL));
	write32(BAR + VIRTIO_PCI_COMMON_Q_USEDLO, at(USED));
	write16(BAR + VIRTIO_PCI_COMMON_Q_ENABLE, 1);
	write8(BAR + VIRTIO_PCI_COMMON_STATUS, DRIVER_OK);
	check(device_status() == DRIVER_OK, "the device does not start");
	fill(AVAIL, 0);
	fill(USED, 0);
}

static void start_device(void)
{
	start_device_at(DISK_CONFIG);
}

static void put_desc(unsigned int index, uint64_t address, uint32_t length, uint16_t flags,
		     uint16_t next)
{
	uint64_t desc = at(DESC) + 16 * index;

	write64(desc, address);
	write32(desc + 8, length);
	write16(desc + 12, flags);
	write16(desc + 14, next);
}

static void submit(uint16_t head)
{
	uint16_t index = read16(at(AVAIL) + 2);

	write16(at(AVAIL) + 4 + 2 * (index % QUEUE_SIZE), head);
	__asm__ volatile("dsb sy" : : : "memory");
	write16(at(AVAIL) + 2, index + 1);
	__asm__ volatile("dsb sy" : : : "memory");
	write16(BAR_NOTIFY, 0);
}

/* Submit a read (type 0) or write (type 1) of one sector. */
static void submit_request(uint32_t type, uint64_t sector)
{
	write32(at(HEADER), type);
	write32(at(HEADER) + 4, 0);
	write64(at(HEADER) + 8, sector);
	write8(at(STATUS), 0xff);
	put_desc(0, at(HEADER), 16, VRING_DESC_F_NEXT, 1);
	put_desc(1, at(DATA), 512, VRING_DESC_F_NEXT | (type ? 0 : VRING_DESC_F_WRITE), 2);
	put_desc(2, at(STATUS), 1, VRING_DESC_F_WRITE, 0);
	submit(0);
}

static uint8_t request(uint32_t type, uint64_t sector)
{
	uint16_t used = read16(at(USED) + 2);

	submit_request(type, sector);
	check(read16(at(USED) + 2) == (uint16_t)(used + 1), "the device does not answer");
	return read8(at(STATUS));
}

/* vm.py fills sector n with n + 1. */
static void check_works(void)
{
	fill(DATA, 0);
	check(request(0, 3) == VIRTIO_BLK_S_OK, "a valid read fails");
	check(filled(DATA, 512, 4), "a valid read returns wrong data");
}

static void check_failed(void)
{
	check(device_status() & VIRTIO_CONFIG_S_NEEDS_RESET, "the device has not failed");
	check(read8(BAR_ISR) & 2, "no configuration interrupt");
	submit(0);
	check(device_status() & VIRTIO_CONFIG_S_NEEDS_RESET,
	      "the device recovers without a reset");
	start_device();
	check_works();
}

static void correct_driver(void)
{
	share_all_but(NR_PAGES);
	start_device();
	check_works();
	fill(DATA, 0x77);
	check(request(1, 5) == VIRTIO_BLK_S_OK, "a valid write fails");
	fill(DATA, 0);
	check(request(0, 5) == VIRTIO_BLK_S_OK && filled(DATA, 512, 0x77), "written data is lost");
}

/* The device fails if a ring, the header or the status is not shared. */
static void private_part(void)
{
	unsigned int part;

	share_all_but(NR_PAGES);
	for (part = DESC; part <= STATUS; part++) {
		start_device();
		unshare(part);
		submit_request(0, 3);
		if (!is_protected())
			continue;
		check(device_status() & VIRTIO_CONFIG_S_NEEDS_RESET,
		      "the device accesses a private page");
		share(part);
		check_failed();
	}
	check_works();
}

/* A request fails if its data is not shared, and the data does not change. */
static void private_data(void)
{
	share_all_but(DATA);
	start_device();
	fill(DATA, 0x5a);
	if (is_protected()) {
		check(request(0, 3) == VIRTIO_BLK_S_IOERR, "the device writes a private page");
		check(filled(DATA, PAGE_SIZE, 0x5a), "a private page has changed");
		check(request(1, 6) == VIRTIO_BLK_S_IOERR, "the device reads a private page");
		check(filled(DATA, PAGE_SIZE, 0x5a), "a private page has changed");
	}
	share(DATA);
	check(request(0, 6) == VIRTIO_BLK_S_OK && filled(DATA, 512, 7),
	      "a private page reached the disk");
	check_works();
}

static void unshared_later(void)
{
	unsigned int i;

	share_all_but(NR_PAGES);
	start_device();
	for (i = 0; i < 20; i++) {
		check_works();
		unshare(DATA);
		fill(DATA, i);
		if (is_protected())
			check(request(0, 3) == VIRTIO_BLK_S_IOERR,
			      "the device writes an unshared page");
		check(!is_protected() || filled(DATA, PAGE_SIZE, i), "an unshared page changed");
		share(DATA);
	}
	check_works();
}

static void bad_chains(void)
{
	static const struct {
		uint64_t address;
		uint32_t length;
		uint16_t flags;
		uint16_t next;
	} chains[] = {
		{ 0x80400000, 16, VRING_DESC_F_NEXT, 0 },
		{ 0x80400000, 16, VRING_DESC_F_NEXT, QUEUE_SIZE },
		{ 0x80400000, 16, 4, 0 },
		{ 0x80400000, 0, 0, 0 },
		{ 0x80400000, 0xffffffff, 0, 0 },
		{ 0x3f8, 8, VRING_DESC_F_WRITE, 0 },
		{ 0xfffffffffffffff0, 16, 0, 0 },
		{ 0x80400000, 16, 0, 0 },
	};
	unsigned int i;

	share_all_but(NR_PAGES);
	start_device();
	for (i = 0; i < sizeof(chains) / sizeof(*chains); i++) {
		put_desc(0, chains[i].address, chains[i].length, chains[i].flags, chains[i].next);
		submit(0);
		check_failed();
	}
	submit(QUEUE_SIZE);
	check_failed();
	write16(at(AVAIL) + 2, 0x8000);
	write16(BAR_NOTIFY, 0);
	check_failed();
}

static void touch(uint64_t address)
{
	write8(address, read8(address));
	write16(address, read16(address));
	write32(address, read32(address));
	write64(address, read64(address));
}

/* Access all registers, and addresses without any; aligned, as the MMU is off. */
static void mmio_everywhere(void)
{
	static const uint64_t nowhere[] = {
		0, 0x400, 0x8000, 0x1100000, 0x10000000, 0x50000000, 0x7f000000, 0x4000000000,
	};
	uint64_t address;
	unsigned int i;

	share_all_but(NR_PAGES);
	for (i = 0; i < sizeof(nowhere) / sizeof(*nowhere); i++) {
		touch(nowhere[i]);
		check(read32(nowhere[i]) == 0xffffffff, "an address without a device answers");
	}
	for (address = CAM; address < CAM + CAM_BUS_SIZE; address += 0x100)
		touch(address);
	for (address = DISK_CONFIG; address < DISK_CONFIG + 0x200; address += 8)
		touch(address);
	for (address = BAR; address < BAR + 0x4000; address += 0x1000) {
		for (i = 0; i < 0x100; i += 8)
			touch(address + i);
	}
	write32(DISK_CONFIG + 0x10, BAR);
	start_device();
	check_works();
}

/* The disk has a sector that the VMM cannot read. */
static void disk_error(void)
{
	share_all_but(NR_PAGES);
	start_device();
	check(request(0, 3) == VIRTIO_BLK_S_OK, "a good sector cannot be read");
	check(request(0, 300) == VIRTIO_BLK_S_IOERR, "reading the bad sector succeeds");
	check(request(0, 3) == VIRTIO_BLK_S_OK, "a good sector cannot be read after the error");
}

static void guard(uint64_t address, unsigned int nr_pages)
{
	unsigned int i;

	for (i = 0; i < nr_pages; i++)
		check(!hypercall(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID,
				 address + i * PAGE_SIZE, 0, 0), "MMIO_GUARD_MAP failed");
}

/* A window's memory is where its BAR is, also before ENROLL, when the VMM emulates accesses. */
static void moving_window(void)
{
	uint64_t first, second;

	check(read32(WINDOW_CONFIG) == 0xffffffff, "bus 1 answers without a number");
	write16(PORT_CONFIG + 0x18, 0x100);
	write16(PORT_CONFIG + 0x24, WINDOW >> 16);
	write16(PORT_CONFIG + 0x26, WINDOW_MOVED >> 16);
	write16(PORT_CONFIG + 4, 2);
	check(read32(WINDOW_CONFIG) == 0x11101af4, "there is no window");
	write32(WINDOW_CONFIG + 0x18, WINDOW);
	check(read64(WINDOW) == ~0UL, "a window answers that is not enabled");
	write16(WINDOW_CONFIG + 4, 2);
	write64(WINDOW, WINDOW_WORD);
	check(read64(WINDOW) == WINDOW_WORD, "a window does not keep what was written");
	if (is_protected()) {
		guard(0, 1);
		guard(CAM, 2 * CAM_BUS_SIZE / PAGE_SIZE);
		guard(WINDOW, 1);
		guard(WINDOW_MOVED, 1);
		hypercall(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID, 0, 0, 0);
	}
	/* The VMM could not emulate this. */
	__asm__ volatile("ldp %0, %1, [%2]" : "=r" (first), "=r" (second) : "r" (WINDOW) :
			 "memory");
	check(first == WINDOW_WORD && !second, "a window has other data");
	write32(WINDOW_CONFIG + 0x18, WINDOW_MOVED);
	check(read64(WINDOW) == ~0UL, "a window is where its BAR was");
	check(read64(WINDOW_MOVED) == WINDOW_WORD, "a window does not follow its BAR");
	write16(PORT_CONFIG + 4, 0);
	check(read64(WINDOW_MOVED) == ~0UL, "a port that is off forwards accesses");
	write16(PORT_CONFIG + 4, 2);
	check(read64(WINDOW_MOVED) == WINDOW_WORD, "a window does not come back");
}

static void inflate(uint64_t page_number)
{
	write32(at(HEADER), page_number);
	put_desc(0, at(HEADER), 4, 0, 0);
	submit(0);
}

/* The balloon takes a page only when the guest has relinquished it, and only one of the guest. */
static void lying_balloon(void)
{
	static const uint32_t foreign[] = { 0, 0x7ffff, 0x90000, 0xffffffff };
	unsigned int i;

	share_all_but(DATA);
	start_device_at(BALLOON_CONFIG);
	fill(DATA, 0x5a);
	inflate(at(DATA) / PAGE_SIZE);
	if (is_protected()) {
		check(filled(DATA, PAGE_SIZE, 0x5a), "a page of the guest is gone");
		check(!hypercall(ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID, at(DATA), 0, 0),
		      "MEM_RELINQUISH failed");
		inflate(at(DATA) / PAGE_SIZE);
		check(read16(at(USED) + 2) == 2, "the balloon does not answer");
	}
	check(filled(DATA, PAGE_SIZE, 0), "a page of the balloon is not gone");

	for (i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		inflate(foreign[i]);
		check(device_status() & VIRTIO_CONFIG_S_NEEDS_RESET, "the balloon takes any page");
		start_device_at(BALLOON_CONFIG);
	}
}

static void secondary(uint64_t cpu)
{
	unsigned int i;

	for (i = 0; i < 500; i++)
		write8(UART_SCRATCH, i);
	write64((uintptr_t)&cpu_done[cpu], 1);
	for (;;)
		__asm__ volatile("wfi");
}

static void smp(void)
{
	unsigned int cpu;

	for (cpu = 1; cpu < MAX_CPUS; cpu++)
		check(!hypercall(PSCI_0_2_FN64_CPU_ON, cpu, (uintptr_t)secondary_entry, cpu),
		      "CPU_ON failed");
	for (cpu = 1; cpu < MAX_CPUS; cpu++) {
		while (!read64((uintptr_t)&cpu_done[cpu]))
			write8(UART_SCRATCH, cpu);
	}
}

void guest_main(uint64_t cpu)
{
	if (cpu)
		secondary(cpu);
	switch (parameter & CASE_MASK) {
	case CASE_CORRECT:
		correct_driver();
		break;
	case CASE_PRIVATE_PART:
		private_part();
		break;
	case CASE_PRIVATE_DATA:
		private_data();
		break;
	case CASE_UNSHARED_LATER:
		unshared_later();
		break;
	case CASE_BAD_CHAINS:
		bad_chains();
		break;
	case CASE_MMIO_EVERYWHERE:
		mmio_everywhere();
		break;
	case CASE_RESET:
		hypercall(PSCI_0_2_FN_SYSTEM_RESET, 0, 0, 0);
		break;
	case CASE_SPIN:
		print("guest: spinning\n");
		for (;;)
			;
	case CASE_SMP:
		smp();
		break;
	case CASE_UNDECODABLE:
		__asm__ volatile("ldp x2, x3, [%0]" : : "r" (UART) : "x2", "x3");
		break;
	case CASE_DISK_ERROR:
		disk_error();
		break;
	case CASE_WINDOW:
		moving_window();
		break;
	case CASE_NOTHING:
		break;
	case CASE_BALLOON:
		lying_balloon();
		break;
	default:
		fail("no such case");
	}
	print("guest: done\n");
	hypercall(PSCI_0_2_FN_SYSTEM_OFF, 0, 0, 0);
	for (;;)
		;
}
