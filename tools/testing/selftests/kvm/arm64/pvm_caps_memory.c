// SPDX-License-Identifier: GPL-2.0-only
/*
 * Use of the capabilities for a VM's memory, and their refusal. See pvm_caps.h.
 */
#include <linux/bits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pvm.h"
#include "pvm_caps.h"

#define EXTRA_IPA	0xa0000000UL
#define RING_ENTRIES	1024

const char *pvm_used;

/**
 * pvm_use_check() - End the test if a capability does not work
 * @good: the value of the condition.
 * @what: its text.
 * @file: the source file with the condition.
 * @line: its line there.
 */
void pvm_use_check(bool good, const char *what, const char *file, int line)
{
	if (good)
		return;
	printf("# KVM reports %s, but it does not work: %s:%d: %s; errno: %s\n", pvm_used, file,
	       line, what, strerror(errno));
	exit(EXIT_FAILURE);
}

static void *map_page(uint64_t value)
{
	uint64_t *page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	*page = value;
	return page;
}

static bool loads(struct pvm *vm, uint64_t ipa, uint64_t value)
{
	uint64_t found;

	return !pvm_load(&vm->vcpus[0], ipa, &found) && found == value;
}

static int use_slot(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	vm.data[0] = 0x5a;
	USE_CHECK(loads(&vm, PVM_DATA_IPA, 0x5a));
	pvm_free(&vm);
	return 0;
}

static int use_slot2(unsigned long type, int value)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = PVM_FREE_SLOT,
		.guest_phys_addr = EXTRA_IPA,
		.memory_size = getpagesize(),
		.userspace_addr = (uintptr_t)map_page(0x5b),
	};
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 0));
	USE_CHECK(!ioctl(vm.fd, KVM_SET_USER_MEMORY_REGION2, &region));
	USE_CHECK(loads(&vm, EXTRA_IPA, 0x5b));
	pvm_free(&vm);
	munmap((void *)(uintptr_t)region.userspace_addr, getpagesize());
	return 0;
}

/* Before the VM has run, user space deletes two slots, and adds one in their place. */
static int use_destroy_and_join(unsigned long type, int value)
{
	size_t page = getpagesize();
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 2 * page));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, 0, EXTRA_IPA, page, vm.data));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT + 1, 0, EXTRA_IPA + page, page,
				vm.data + page));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, 0, EXTRA_IPA, 0, vm.data));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT + 1, 0, EXTRA_IPA + page, 0, vm.data));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, 0, EXTRA_IPA, 2 * page, vm.data));
	vm.data[page] = 0x5c;
	USE_CHECK(loads(&vm, EXTRA_IPA + page, 0x5c));
	pvm_free(&vm);
	return 0;
}

static int use_nr_memslots(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	vm.data[0] = 0x5d;
	USE_CHECK(pvm_set_slot(&vm, value, 0, EXTRA_IPA, getpagesize(), vm.data) == -EINVAL);
	USE_CHECK(!pvm_set_slot(&vm, value - 1, 0, EXTRA_IPA, getpagesize(), vm.data));
	USE_CHECK(loads(&vm, EXTRA_IPA, 0x5d));
	pvm_free(&vm);
	return 0;
}

/* If user space maps another page in place of the slot's, the guest reads the new one. */
static int use_sync_mmu(unsigned long type, int value)
{
	struct pvm vm;
	void *other = map_page(0x5e);

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	USE_CHECK(loads(&vm, PVM_DATA_IPA, 0));
	USE_CHECK(mremap(other, getpagesize(), getpagesize(), MREMAP_MAYMOVE | MREMAP_FIXED,
			 vm.data) == vm.data);
	USE_CHECK(loads(&vm, PVM_DATA_IPA, 0x5e));
	pvm_free(&vm);
	return 0;
}

static int use_readonly(unsigned long type, int value)
{
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, getpagesize()));
	vm.data[0] = 0x5f;
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, KVM_MEM_READONLY, EXTRA_IPA, getpagesize(),
				vm.data));
	USE_CHECK(loads(&vm, EXTRA_IPA, 0x5f));
	/* The store exits to user space as MMIO. */
	USE_CHECK(pvm_store(&vm.vcpus[0], EXTRA_IPA, 1) == -EPROTO);
	USE_CHECK(vm.vcpus[0].run->exit_reason == KVM_EXIT_MMIO);
	USE_CHECK(vm.vcpus[0].run->mmio.is_write);
	USE_CHECK(vm.data[0] == 0x5f);
	pvm_free(&vm);
	return 0;
}

static int slot_with(unsigned long type, uint32_t flags)
{
	struct pvm vm;
	int err = pvm_create(&vm, type, 1, getpagesize());

	if (err)
		return err;
	err = pvm_set_slot(&vm, PVM_FREE_SLOT, flags, EXTRA_IPA, getpagesize(), vm.data);
	pvm_free(&vm);
	return err;
}

static int refused_readonly(unsigned long type)
{
	return slot_with(type, KVM_MEM_READONLY);
}

static int refused_log(unsigned long type)
{
	return slot_with(type, KVM_MEM_LOG_DIRTY_PAGES);
}

static int enable(struct pvm *vm, uint32_t nr, uint64_t arg)
{
	struct kvm_enable_cap cap = { .cap = nr, .args = { arg } };

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

/* KVM keeps a page in the dirty log until user space clears it there. */
static int use_manual_log(unsigned long type, int value)
{
	uint64_t bitmap = 0;
	struct kvm_dirty_log log = { .slot = PVM_FREE_SLOT, .dirty_bitmap = &bitmap };
	struct kvm_clear_dirty_log clear = {
		.slot = PVM_FREE_SLOT, .num_pages = 64, .dirty_bitmap = &bitmap,
	};
	struct pvm vm;

	USE_CHECK(!pvm_create(&vm, type, 1, 64 * getpagesize()));
	USE_CHECK(!enable(&vm, KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2,
			  KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE));
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, KVM_MEM_LOG_DIRTY_PAGES, EXTRA_IPA,
				64 * getpagesize(), vm.data));
	USE_CHECK(!pvm_store(&vm.vcpus[0], EXTRA_IPA + 3 * getpagesize(), 1));
	USE_CHECK(!ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) && bitmap == BIT(3));
	USE_CHECK(!ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) && bitmap == BIT(3));
	USE_CHECK(ioctl(vm.fd, KVM_CLEAR_DIRTY_LOG, &clear) >= 0);
	USE_CHECK(!ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) && !bitmap);
	USE_CHECK(!pvm_store(&vm.vcpus[0], EXTRA_IPA + 3 * getpagesize(), 2));
	USE_CHECK(!ioctl(vm.fd, KVM_GET_DIRTY_LOG, &log) && bitmap == BIT(3));
	pvm_free(&vm);
	return 0;
}

static int enable_ring(struct pvm *vm)
{
	int err = enable(vm, KVM_CAP_DIRTY_LOG_RING_ACQ_REL,
			 RING_ENTRIES * sizeof(struct kvm_dirty_gfn));

	return err ? err : enable(vm, KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP, 0);
}

/* KVM adds the page that a vCPU writes to the vCPU's dirty ring. */
static int use_ring(unsigned long type, int value)
{
	const struct pvm_setup setup = {
		.type = type, .nr_vcpus = 1, .data_size = getpagesize(), .prepare = enable_ring,
	};
	size_t size = RING_ENTRIES * sizeof(struct kvm_dirty_gfn);
	struct kvm_dirty_gfn *ring;
	struct pvm vm;

	USE_CHECK(value == 1 || value >= (int)size);
	USE_CHECK(!pvm_create_as(&vm, &setup));
	ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vm.vcpus[0].fd,
		    KVM_DIRTY_LOG_PAGE_OFFSET * getpagesize());
	USE_CHECK(ring != MAP_FAILED);
	USE_CHECK(!pvm_set_slot(&vm, PVM_FREE_SLOT, KVM_MEM_LOG_DIRTY_PAGES, EXTRA_IPA,
				getpagesize(), vm.data));
	USE_CHECK(!pvm_store(&vm.vcpus[0], EXTRA_IPA, 1));
	USE_CHECK(ring[0].flags == KVM_DIRTY_GFN_F_DIRTY);
	USE_CHECK(ring[0].slot == PVM_FREE_SLOT && !ring[0].offset);
	ring[0].flags = KVM_DIRTY_GFN_F_RESET;
	USE_CHECK(ioctl(vm.fd, KVM_RESET_DIRTY_RINGS, 0) == 1);
	munmap(ring, size);
	pvm_free(&vm);
	return 0;
}

const struct pvm_cap pvm_memory_caps[] = {
	{ KVM_CAP_USER_MEMORY, "USER_MEMORY", use_slot },
	{ KVM_CAP_USER_MEMORY2, "USER_MEMORY2", use_slot2 },
	{ KVM_CAP_NR_MEMSLOTS, "NR_MEMSLOTS", use_nr_memslots },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, "DESTROY_MEMORY_REGION_WORKS",
	  use_destroy_and_join },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, "JOIN_MEMORY_REGIONS_WORKS", use_destroy_and_join },
	/* Not for a protected VM, whose guest keeps its page if user space maps another one. */
	{ KVM_CAP_SYNC_MMU, "SYNC_MMU", use_sync_mmu },
	{ KVM_CAP_READONLY_MEM, "READONLY_MEM", use_readonly, refused_readonly, -EPERM },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, "MANUAL_DIRTY_LOG_PROTECT2", use_manual_log,
	  refused_log, -EPERM },
	{ KVM_CAP_DIRTY_LOG_RING_ACQ_REL, "DIRTY_LOG_RING_ACQ_REL", use_ring, refused_log, -EPERM },
	{ KVM_CAP_DIRTY_LOG_RING_WITH_BITMAP, "DIRTY_LOG_RING_WITH_BITMAP", use_ring,
	  refused_log, -EPERM },
	{ }
};
