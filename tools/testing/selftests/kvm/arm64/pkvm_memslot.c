// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memslots of a protected VM.
 *
 * The host can neither move a guest's pages nor see what the guest wrote, so KVM refuses to move or
 * delete slots after the first run, read-only slots and dirty logging with EPERM. R1: a page behind
 * a slot has one owner. KVM_RUN fails if the page has another owner, is missing, or is neither
 * anonymous nor shmem. User space can correct that and the guest continues.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_backed.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	4
#define NEW_IPA	0xa0000000UL

FIXTURE(slot) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	size_t size;
};

FIXTURE_SETUP(slot)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->size = PAGES * self->page;
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, self->size));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(slot)
{
	pvm_free(&self->vm);
}

/* The guest's memory is at the same IPA and has the same contents. */
static void expect_kept(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu)
{
	uint64_t value = 0;

	EXPECT_EQ(0, pvm_load(vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
}

TEST_F(slot, move_before_run)
{
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, NEW_IPA, self->size,
				  self->vm.data));
	self->vm.data[8] = 0x42;
	ASSERT_EQ(0, pvm_store(self->vcpu, NEW_IPA, SECRET));
	EXPECT_NE(0, pvm_probe(self->vm.data, PVM_READ));
}

TEST_F(slot, delete_before_run)
{
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, 0, NULL));
	/* No slot is there: the store is MMIO outside the channel. */
	EXPECT_EQ(-EPROTO, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(PVM_DATA_IPA, self->vcpu->run->mmio.phys_addr);
}

TEST_F(slot, move_after_run)
{
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, NEW_IPA, self->size,
				       self->vm.data));
	expect_kept(_metadata, self->vcpu);
}

TEST_F(slot, delete_after_run)
{
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, 0, NULL));
	expect_kept(_metadata, self->vcpu);
}

/* After the first run KVM refuses to delete a slot that the guest has not used, too. */
TEST_F(slot, delete_unused_after_run)
{
	ASSERT_EQ(-EIO, pvm_command(self->vcpu, PVM_LOAD, 1UL << 60, 0, 0, 0));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, 0, NULL));
}

TEST_F(slot, add_after_run)
{
	uint8_t *more = mmap(NULL, self->size, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, more);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, NEW_IPA, self->size, more));
	ASSERT_EQ(0, pvm_store(self->vcpu, NEW_IPA, SECRET));
	EXPECT_NE(0, pvm_probe(more, PVM_READ));
	expect_kept(_metadata, self->vcpu);
}

TEST_F(slot, read_only)
{
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_FREE_SLOT, KVM_MEM_READONLY, NEW_IPA,
				       self->page, self->vm.data));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_FREE_SLOT,
				       KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES, NEW_IPA,
				       self->page, self->vm.data));
	/* The refused call made no slot. */
	EXPECT_EQ(-EPROTO, pvm_store(self->vcpu, NEW_IPA, SECRET));
}

TEST_F(slot, dirty_log_of_new_slot)
{
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_FREE_SLOT, KVM_MEM_LOG_DIRTY_PAGES, NEW_IPA,
				       self->page, self->vm.data));
}

TEST_F(slot, dirty_log_of_old_slot)
{
	struct kvm_dirty_log log = { .slot = PVM_DATA_SLOT, .dirty_bitmap = self->vm.code };

	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES,
				       PVM_DATA_IPA, self->size, self->vm.data));
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, KVM_MEM_LOG_DIRTY_PAGES,
				       PVM_DATA_IPA, self->size, self->vm.data));
	EXPECT_EQ(-1, ioctl(self->vm.fd, KVM_GET_DIRTY_LOG, &log));
	expect_kept(_metadata, self->vcpu);
}

/* R1: the guest owns the page at the first IPA at which it accesses it, and at no other. */
TEST_F(slot, page_behind_two_slots)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, NEW_IPA, self->size,
				  self->vm.data));
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, NEW_IPA, &value));
	/* Another KVM_RUN fails too. */
	EXPECT_EQ(-EFAULT, pvm_run(self->vcpu));
}

/* MEM_SHARE at the second IPA fails too: EL2 requests a page that the guest already owns. */
TEST_F(slot, page_behind_two_slots_shared)
{
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, NEW_IPA, self->size,
				  self->vm.data));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(-EFAULT, pvm_command(self->vcpu, PVM_HVC, HVC_MEM_SHARE, NEW_IPA, 0, 0));
	/* The page at the first IPA is still shared. */
	EXPECT_EQ(0, pvm_probe(self->vm.data, PVM_WRITE));
}

/* R1: the host cannot donate a private or shared page of one VM to another VM. */
TEST_F(slot, page_of_another_vm)
{
	struct pvm thief;
	long donated;

	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA + self->page));
	ASSERT_EQ(0, pvm_create(&thief, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&thief, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->size,
				  self->vm.data));
	/* The first run donates the page with the code, which the test does not count. */
	ASSERT_EQ(-EIO, pvm_command(&thief.vcpus[0], PVM_LOAD, 1UL << 60, 0, 0, 0));

	donated = pvm_stat("pages_donated");
	EXPECT_EQ(-EFAULT, pvm_store(&thief.vcpus[0], PVM_DATA_IPA, 0));
	thief.vcpus[0].args[0] = PVM_DATA_IPA + self->page;
	EXPECT_EQ(-EFAULT, pvm_run(&thief.vcpus[0]));
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	pvm_free(&thief);

	/* The death of the other VM does not change these pages. */
	expect_kept(_metadata, self->vcpu);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->vm.data, PVM_READ));
	EXPECT_EQ(0, pvm_probe(self->vm.data + self->page, PVM_WRITE));
}

/* KVM_RUN fails on a slot without memory behind it, and succeeds when the memory is there. */
TEST_F(slot, hole_behind_the_slot)
{
	void *mem = self->vm.data;

	ASSERT_EQ(0, munmap(mem, self->size));
	EXPECT_EQ(-EFAULT, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	ASSERT_EQ(mem, mmap(mem, self->size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	expect_kept(_metadata, self->vcpu);
}

TEST_F(slot, memory_that_cannot_be_written)
{
	uint64_t value;

	ASSERT_EQ(0, mprotect(self->vm.data, self->size, PROT_READ));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	ASSERT_EQ(0, mprotect(self->vm.data, self->size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
}

/* Slots with memory of a memfd or of another file. */
FIXTURE(backing) {
	struct pvm_backed b;
	struct pvm_vcpu *vcpu;
	uint8_t *mem;
};

FIXTURE_VARIANT(backing) {
	bool memfd;
	int flags;
	int expected;
};

/* shmem has no backing store, so the kernel writes no guest page to a disk. */
FIXTURE_VARIANT_ADD(backing, memfd_shared) { .memfd = true, .flags = MAP_SHARED };
FIXTURE_VARIANT_ADD(backing, memfd_private) { .memfd = true, .flags = MAP_PRIVATE };
/* A private mapping has anonymous pages after a write. */
FIXTURE_VARIANT_ADD(backing, file_private) { .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(backing, file_shared) { .flags = MAP_SHARED, .expected = -EFAULT };

/* Open a file on a ramfs, whose pages are not shmem and need no disk. */
static int open_ramfs_file(void)
{
	const char *folder = "/pkvm_memslot.ramfs";
	int fd = -1;

	if (mkdir(folder, 0700) && errno != EEXIST)
		return -1;
	if (mount("none", folder, "ramfs", 0, NULL))
		return -1;
	fd = open("/pkvm_memslot.ramfs/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	/* The mount disappears with the last descriptor and mapping. */
	umount2(folder, MNT_DETACH);
	rmdir(folder);
	return fd;
}

FIXTURE_SETUP(backing)
{
	int fd;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	fd = variant->memfd ? memfd_create("memory", MFD_CLOEXEC) : open_ramfs_file();
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pvm_backed_create(&self->b, fd, variant->flags, PAGES));
	self->vcpu = self->b.vcpu;
	self->mem = self->b.mem;
}

FIXTURE_TEARDOWN(backing)
{
	pvm_backed_free(&self->b);
}

TEST_F(backing, store)
{
	long donated = pvm_stat("pages_donated");

	EXPECT_EQ(variant->expected, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	if (variant->expected) {
		/* KVM donated only the page with the code. The refused page still is the host's. */
		EXPECT_EQ(donated + 1, pvm_stat("pages_donated"));
		EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
		return;
	}
	EXPECT_EQ(donated + 2, pvm_stat("pages_donated"));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	expect_kept(_metadata, self->vcpu);
}

TEST_HARNESS_MAIN
