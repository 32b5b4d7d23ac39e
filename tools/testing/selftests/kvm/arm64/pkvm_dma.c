// SPDX-License-Identifier: GPL-2.0-only
/*
 * DMA of a device to memory that is private to a guest.
 *
 * R9: a device behind an SMMU can access the memory that the host may access, and nothing else. The
 * device is QEMU's edu, a PCI function that copies between a buffer of its own and any address. The
 * test drives it from user space through its BAR. The host has no stage 1 for it
 * (iommu.passthrough=1), so that only the hypervisor's stage-2 can block an access.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/compiler.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"

#define EDU_ID		0x11e81234U
#define PCI_COMMAND	4
#define PCI_MEMORY	2
#define PCI_MASTER	4

/* Registers of the device: 64 bits wide from 0x80 on. */
#define EDU_BAR_SIZE	0x100000
#define EDU_SRC		(0x80 / 8)
#define EDU_DST		(0x88 / 8)
#define EDU_COUNT	(0x90 / 8)
#define EDU_COMMAND	(0x98 / 8)
#define EDU_BUFFER	0x40000UL
#define EDU_START	1
#define EDU_TO_MEMORY	2

#define SECRET		0x5ec2e75ec2e75ec2UL
#define PATTERN		0xd0d0d0d0d0d0d0d0UL

/* A fault donates memory around it, aligned to so many bytes, if the host has touched it. */
#define FAULT_AROUND	0x10000
#define DATA_SIZE	(2 * FAULT_AROUND)

/* The device takes a tenth of a second for a copy, so several of them race the guest. */
#define MAX_DEVICES	8
#define RACES		1000

FIXTURE(dma) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint8_t *mem;
	uint8_t *own;
	uint64_t *bars[MAX_DEVICES];
	int nr_bars;
	uint64_t *bar;
};

static int open_resource(const char *device, const char *name, int flags)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, name);
	return open(path, flags);
}

/* Make an edu device a bus master, and map its BAR. Return NULL if the device is not an edu. */
static uint64_t *map_edu(const char *device)
{
	int config = open_resource(device, "config", O_RDWR), fd;
	void *bar = MAP_FAILED;
	uint16_t command;
	uint32_t id;

	if (config >= 0 && pread(config, &id, sizeof(id), 0) == sizeof(id) && id == EDU_ID &&
	    pread(config, &command, sizeof(command), PCI_COMMAND) == sizeof(command)) {
		command |= PCI_MEMORY | PCI_MASTER;
		if (pwrite(config, &command, sizeof(command), PCI_COMMAND) == sizeof(command)) {
			fd = open_resource(device, "resource0", O_RDWR | O_SYNC);
			bar = mmap(NULL, EDU_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			close(fd);
		}
	}
	close(config);

	return bar == MAP_FAILED ? NULL : bar;
}

/* Find all edu devices, and map their BARs. Return their number. */
static int map_edus(uint64_t **bars)
{
	DIR *devices = opendir("/sys/bus/pci/devices");
	struct dirent *entry;
	int nr = 0;

	while (devices && nr < MAX_DEVICES && (entry = readdir(devices))) {
		bars[nr] = map_edu(entry->d_name);
		if (bars[nr])
			nr++;
	}
	if (devices)
		closedir(devices);

	return nr;
}

/* Get the physical address of a page of this process; 0 if it is not known. */
static uint64_t physical(const void *p)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, sizeof(entry), (uintptr_t)p / getpagesize() * sizeof(entry)) !=
	    sizeof(entry) || !(entry >> 63))
		entry = 0;
	close(fd);

	return (entry & ((1UL << 55) - 1)) * getpagesize();
}

static bool is_busy(uint64_t *bar)
{
	return READ_ONCE(bar[EDU_COMMAND]) & EDU_START;
}

static void start(uint64_t *bar, uint64_t src, uint64_t dst, uint64_t command)
{
	WRITE_ONCE(bar[EDU_SRC], src);
	WRITE_ONCE(bar[EDU_DST], dst);
	WRITE_ONCE(bar[EDU_COUNT], sizeof(uint64_t));
	WRITE_ONCE(bar[EDU_COMMAND], command | EDU_START);
}

static void copy(uint64_t *bar, uint64_t src, uint64_t dst, uint64_t command)
{
	start(bar, src, dst, command);
	while (is_busy(bar))
		;
}

/* Have the device read 8 bytes at @from and write them to @to. */
static void relay(uint64_t *bar, uint64_t from, uint64_t to)
{
	copy(bar, from, EDU_BUFFER, 0);
	copy(bar, EDU_BUFFER, to, EDU_TO_MEMORY);
}

FIXTURE_SETUP(dma)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->nr_bars = map_edus(self->bars);
	if (!self->nr_bars)
		SKIP(return, "there is no edu device");
	self->bar = self->bars[0];

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, DATA_SIZE));
	self->vcpu = &self->vm.vcpus[0];
	self->mem = self->vm.data;
	/* Beyond what a fault of the guest on the first page donates with it, but in the block. */
	self->own = self->mem + FAULT_AROUND;
	memset(self->mem, 0, DATA_SIZE);
}

FIXTURE_TEARDOWN(dma)
{
	pvm_free(&self->vm);
	for (int i = 0; i < self->nr_bars; i++)
		munmap(self->bars[i], EDU_BAR_SIZE);
}

/* DMA to the host's own memory works. Otherwise the other tests would pass without an SMMU. */
TEST_F(dma, host_memory)
{
	uint64_t *from = (uint64_t *)self->mem;
	uint64_t *to = (uint64_t *)(self->mem + self->page);

	WRITE_ONCE(*from, PATTERN);
	WRITE_ONCE(*to, 0);
	relay(self->bar, physical(from), physical(to));
	EXPECT_EQ(PATTERN, READ_ONCE(*to));
}

TEST_F(dma, private_page)
{
	uint64_t *to = (uint64_t *)self->own;
	uint64_t private = physical(self->mem), value = 0;

	ASSERT_NE(0, private);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));

	/* The device does not read it ... */
	WRITE_ONCE(*to, PATTERN);
	relay(self->bar, private, physical(to));
	EXPECT_NE(SECRET, READ_ONCE(*to));

	/* ... nor write to it. */
	copy(self->bar, EDU_BUFFER, private, EDU_TO_MEMORY);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
}

/* A device can access a page while the guest shares it, and no longer. */
TEST_F(dma, shared_page)
{
	uint64_t *to = (uint64_t *)self->own;
	uint64_t shared = physical(self->mem), value = 0;

	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, PATTERN));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	WRITE_ONCE(*to, 0);
	relay(self->bar, shared, physical(to));
	EXPECT_EQ(PATTERN, READ_ONCE(*to));

	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	WRITE_ONCE(*to, 0);
	relay(self->bar, shared, physical(to));
	EXPECT_NE(SECRET, READ_ONCE(*to));
	copy(self->bar, EDU_BUFFER, shared, EDU_TO_MEMORY);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
}

/* If the guest owns one page of a block, devices can still access the rest of the block. */
TEST_F(dma, neighbours)
{
	uint64_t *from = (uint64_t *)self->own;
	uint64_t *to = (uint64_t *)(self->own + self->page);

	WRITE_ONCE(*from, PATTERN);
	WRITE_ONCE(*to, 0);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	relay(self->bar, physical(from), physical(to));
	EXPECT_EQ(PATTERN, READ_ONCE(*to));
}

/* After the death of the VM, devices can access its memory again. */
TEST_F(dma, after_death)
{
	uint64_t *from = (uint64_t *)self->mem;
	uint64_t *to = (uint64_t *)self->own;
	uint64_t private = physical(self->mem);

	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	pvm_kill(&self->vm);
	WRITE_ONCE(*from, PATTERN);
	WRITE_ONCE(*to, 0);
	relay(self->bar, private, physical(to));
	EXPECT_EQ(PATTERN, READ_ONCE(*to));
}

/* A device cannot read the registers of the SMMU, which the hypervisor owns. */
TEST_F(dma, smmu_registers)
{
	uint64_t *to = (uint64_t *)self->mem;

	/* Read IDR0 of QEMU's SMMU. In IDR0 one of the lowest two bits is set, not in PATTERN. */
	WRITE_ONCE(*to, PATTERN);
	copy(self->bar, physical(to), EDU_BUFFER, 0);
	copy(self->bar, 0x09050000UL, EDU_BUFFER, 0);
	copy(self->bar, EDU_BUFFER, physical(to), EDU_TO_MEMORY);
	EXPECT_EQ(0, (uint32_t)READ_ONCE(*to) & 3);
}

/*
 * Devices write to a page all the time while the guest shares and unshares it. The writes succeed
 * while the page is shared, and never while it is private.
 */
TEST_F(dma, race)
{
	uint64_t page = physical(self->mem), value;
	int started = 0, reached = 0;

	WRITE_ONCE(*(uint64_t *)(self->mem + self->page), PATTERN);
	for (int i = 0; i < self->nr_bars; i++)
		copy(self->bars[i], physical(self->mem + self->page), EDU_BUFFER, 0);

	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	while (started < RACES) {
		for (int i = 0; i < self->nr_bars; i++) {
			if (!is_busy(self->bars[i])) {
				start(self->bars[i], EDU_BUFFER, page, EDU_TO_MEMORY);
				started++;
			}
		}
		ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
		usleep(1000);
		ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
		reached += value == PATTERN;
		ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
		ASSERT_EQ(SECRET, value);
	}
	for (int i = 0; i < self->nr_bars; i++) {
		while (is_busy(self->bars[i]))
			;
	}
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
	EXPECT_GT(reached, 0);
}

TEST_HARNESS_MAIN
