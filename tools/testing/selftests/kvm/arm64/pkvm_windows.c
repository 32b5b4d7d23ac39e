// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: memslots with KVM_MEM_ARM_STANDALONE, which come and go while a VM runs.
 *
 * R1: what is in a window is the host's, and never a guest's own. R2: a protected guest sees it
 * where it has a guard, once it has enrolled; elsewhere the slot does nothing. When a slot goes, or
 * the memory behind it, nothing is held. Most tests run on a VM that is not protected, too, where
 * such a slot is one like others. What happens at the same time is in pkvm_window_races, other
 * memory behind windows in pkvm_window_memory, and the Android Emulator's use in pkvm_emulator.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/sizes.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"
#include "pvm_window.h"

#define BLOCK		SZ_2M
#define SIZE		(2 * BLOCK)
#define PAGES		16

/* The IPAs of windows, which the guest guards. */
#define NR_PLACES	3
#define PLACE(i)	(PVM_WINDOW_IPA + (uint64_t)(i) * 4 * BLOCK)
/* An IPA that it does not. */
#define BARE_IPA	0x300000000UL

#define EC_IABT_CUR	0x21
#define INSN_BR_X0	0xd61f0000
#define ESR_EC(esr)	((esr) >> 26 & 0x3f)

FIXTURE(window) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	void *area;
	uint8_t *mem;
	bool protected;
};

FIXTURE_VARIANT(window) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(window, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(window, np) { .type = 0 };

static uint8_t *aligned(void *area)
{
	return (uint8_t *)(((uintptr_t)area + BLOCK - 1) & ~(BLOCK - 1UL));
}

FIXTURE_SETUP(window)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->protected = variant->type == KVM_VM_TYPE_ARM_PROTECTED;
	self->area = mmap(NULL, SIZE + BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	ASSERT_NE(MAP_FAILED, self->area);
	self->mem = aligned(self->area);
	ASSERT_EQ(0, madvise(self->mem, SIZE, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, pvm_create(&self->vm, variant->type, 2, PAGES * self->page));
	self->vcpu = &self->vm.vcpus[0];
	if (!self->protected)
		return;

	ASSERT_EQ(0, pvm_enroll(&self->vm));
	for (unsigned int i = 0; i < NR_PLACES; i++)
		ASSERT_LT(0, pvm_window_guard(self->vcpu, PLACE(i), SIZE));
}

FIXTURE_TEARDOWN(window)
{
	if (!pvm_host_is_protected())
		return;
	pvm_free(&self->vm);
	EXPECT_EQ(0, pvm_window_returned(self->mem, PAGES * self->page));
	munmap(self->area, SIZE + BLOCK);
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
}

static void expect_mmio(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			uint64_t ipa)
{
	EXPECT_EQ(-EPROTO, pvm_store(vcpu, ipa, 0x1234));
	EXPECT_EQ(ipa, vcpu->run->mmio.phys_addr);
	EXPECT_EQ(1, vcpu->run->mmio.is_write);
	EXPECT_EQ(0x34, vcpu->run->mmio.data[0]);
	ASSERT_EQ(0, pvm_run(vcpu));
}

/* Rule: a slot can be added and deleted at any time, and guest and host see the same memory. */
TEST_F(window, comes_and_goes)
{
	expect_mmio(_metadata, self->vcpu, PVM_WINDOW_IPA);
	for (unsigned int round = 0; round < 3; round++) {
		ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
		pvm_window_fill(self->mem, PAGES);
		EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
		ASSERT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA + 8, 42 + round));
		EXPECT_EQ(42 + round, READ_ONCE(pvm_window_word(self->mem, 0)[1]));
		if (self->protected)
			EXPECT_EQ(PAGES, pvm_window_pages(&self->vm));
		ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
		EXPECT_EQ(0, pvm_window_pages(&self->vm));
		expect_mmio(_metadata, self->vcpu, PVM_WINDOW_IPA);
	}
	EXPECT_EQ(-EINVAL, pvm_window_del(&self->vm, 0));
	if (self->protected)
		EXPECT_EQ(0, pvm_window_held());
}

/* Rule: the capability is told of this VM, and each mistake has its errno and makes no slot. */
TEST_F(window, errors)
{
	struct kvm_userspace_memory_region2 region = {
		.slot = PVM_FREE_SLOT,
		.flags = KVM_MEM_ARM_STANDALONE,
		.guest_phys_addr = PVM_WINDOW_IPA,
		.memory_size = SIZE,
		.userspace_addr = (uintptr_t)self->mem,
	};

	EXPECT_EQ(1, ioctl(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_STANDALONE_MEM));
	EXPECT_EQ(1, ioctl(self->vm.kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_STANDALONE_MEM));

	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, 0, self->mem));
	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA + 8, SIZE, self->mem));
	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE - 8, self->mem));
	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem + 8));
	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0xffff - PVM_FREE_SLOT, PVM_WINDOW_IPA, SIZE,
					  self->mem));
	EXPECT_EQ(-EFAULT, pvm_window_add(&self->vm, 0, 1UL << 52, SIZE, self->mem));
	EXPECT_EQ(-EEXIST, pvm_window_add(&self->vm, 0, PVM_DATA_IPA, SIZE, self->mem));
	expect_mmio(_metadata, self->vcpu, PVM_WINDOW_IPA);

	/* Of another slot the flag is not changed, nor is another one of this slot. */
	EXPECT_EQ(-EINVAL, pvm_set_slot(&self->vm, PVM_DATA_SLOT, KVM_MEM_ARM_STANDALONE,
					PVM_DATA_IPA, PAGES * self->page, self->vm.data));
	EXPECT_EQ(0, ioctl(self->vm.fd, KVM_SET_USER_MEMORY_REGION2, &region));
	EXPECT_EQ(-EINVAL, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, PVM_WINDOW_IPA, SIZE,
					self->mem));
	EXPECT_EQ(-EEXIST, pvm_window_add(&self->vm, 1, PVM_WINDOW_IPA + SIZE - self->page, SIZE,
					  self->mem));
	EXPECT_EQ(-EINVAL, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE / 2, self->mem));
	if (self->protected) {
		EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_FREE_SLOT + 1,
					       KVM_MEM_ARM_STANDALONE | KVM_MEM_READONLY, PLACE(1),
					       SIZE, self->mem));
		EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_FREE_SLOT,
					       KVM_MEM_ARM_STANDALONE | KVM_MEM_LOG_DIRTY_PAGES,
					       PVM_WINDOW_IPA, SIZE, self->mem));
		EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, 0, 0, NULL));
	}
	pvm_window_fill(self->mem, PAGES);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));

	/* Moved, it is at the new place alone. */
	EXPECT_EQ(0, pvm_window_add(&self->vm, 0, PLACE(1), SIZE, self->mem));
	expect_mmio(_metadata, self->vcpu, PVM_WINDOW_IPA);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PLACE(1), PAGES));
}

/* Rule (R2): where a protected guest has no guard, the slot does nothing. */
TEST_F(window, no_guard)
{
	uint64_t value;

	if (!self->protected)
		SKIP(return, "guards are for protected VMs");

	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, BARE_IPA, SIZE, self->mem));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, BARE_IPA, &value));
	EXPECT_EQ(BARE_IPA, self->vcpu->exception.far);
	EXPECT_EQ(-EIO, pvm_store(self->vcpu, BARE_IPA, 1));
	/* Nor is it memory for the guest. */
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(self->vcpu, BARE_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_relinquish(self->vcpu, BARE_IPA));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
	/* And no matter what is behind it. */
	ASSERT_EQ(0, munmap(self->mem, self->page));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, BARE_IPA, &value));
	EXPECT_EQ(0, pvm_window_pages(&self->vm));

	/* With a guard on one page, that one is a window, though a huge page is behind it. */
	ASSERT_EQ(0, madvise(self->mem + BLOCK, BLOCK, MADV_HUGEPAGE));
	pvm_window_fill(self->mem + BLOCK, PAGES);
	ASSERT_LT(0, pvm_window_guard(self->vcpu, BARE_IPA + BLOCK + self->page, self->page));
	EXPECT_EQ(0, pvm_load(self->vcpu, BARE_IPA + BLOCK + self->page, &value));
	EXPECT_EQ(pvm_window_pattern(1), value);
	EXPECT_EQ(1, pvm_window_pages(&self->vm));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, BARE_IPA + BLOCK, &value));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, BARE_IPA + BLOCK + 2 * self->page, &value));
	ASSERT_EQ(self->mem, mmap(self->mem, self->page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
}

/* Rule (R2): before ENROLL an access is MMIO, as if there was no slot, guarded or not. */
TEST_F(window, not_enrolled)
{
	struct pvm vm;

	if (!self->protected)
		SKIP(return, "guards are for protected VMs");

	ASSERT_EQ(0, pvm_create(&vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_window_add(&vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	expect_mmio(_metadata, &vm.vcpus[0], PVM_WINDOW_IPA);
	ASSERT_LT(0, pvm_window_guard(&vm.vcpus[0], PVM_WINDOW_IPA, SIZE));
	expect_mmio(_metadata, &vm.vcpus[0], PVM_WINDOW_IPA);
	EXPECT_EQ(0, READ_ONCE(*pvm_window_word(self->mem, 0)));
	EXPECT_EQ(0, pvm_window_pages(&vm));
	ASSERT_EQ(0, pvm_enroll(&vm));
	EXPECT_EQ(0, pvm_store(&vm.vcpus[0], PVM_WINDOW_IPA, 42));
	EXPECT_EQ(42, READ_ONCE(*pvm_window_word(self->mem, 0)));
	pvm_free(&vm);
}

/* Rule (R2): a protected guest executes nothing of a window. */
TEST_F(window, never_executed)
{
	if (!self->protected)
		SKIP(return, "others execute their memory");

	/* RET, and no exception if it is executed. */
	*(uint32_t *)self->mem = 0xd65f03c0;
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(-EIO, pvm_insn(self->vcpu, INSN_BR_X0, PVM_WINDOW_IPA, 0, 0));
		EXPECT_EQ(EC_IABT_CUR, ESR_EC(self->vcpu->exception.esr));
		EXPECT_EQ(PVM_WINDOW_IPA, self->vcpu->exception.far);
		EXPECT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA + 8, 1));
	}
}

/* Rule (R1): the guest's UNMAP takes the page back first, and empties the place. */
TEST_F(window, guest_unmaps)
{
	uint64_t value;

	if (!self->protected)
		SKIP(return, "guards are for protected VMs");

	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	pvm_window_fill(self->mem, PAGES);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
	ASSERT_EQ(0, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, PVM_WINDOW_IPA, 0, 0));
	EXPECT_EQ(PAGES - 1, pvm_window_pages(&self->vm));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + self->page, &value));
	EXPECT_EQ(pvm_window_pattern(1), value);
	ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_UNMAP, PVM_WINDOW_IPA + self->page,
			       BLOCK / self->page - 1));
	EXPECT_EQ(0, pvm_window_pages(&self->vm));
	EXPECT_EQ(0, pvm_window_returned(self->mem, PAGES * self->page));
	/* A guard brings it back. */
	pvm_window_fill(self->mem, PAGES);
	ASSERT_LT(0, pvm_window_guard(self->vcpu, PVM_WINDOW_IPA, BLOCK));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
}

/* Rule (R1): a page is a guest's own or in a window: the second one of the two fails. */
TEST_F(window, own_memory)
{
	uint64_t value;

	if (!self->protected)
		SKIP(return, "others own no memory");

	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA, 0x5ec3e7));
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, self->page, self->vm.data));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	/* The access is made again, and is MMIO now. */
	EXPECT_EQ(-EPROTO, pvm_run(self->vcpu));
	ASSERT_EQ(0, pvm_run(self->vcpu));

	/* Shared by the guest it is no page of the host either. */
	ASSERT_EQ(0, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, self->page, self->vm.data));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	EXPECT_EQ(-EPROTO, pvm_run(self->vcpu));
	ASSERT_EQ(0, pvm_run(self->vcpu));
	ASSERT_EQ(0, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(0x5ec3e7, value);

	/* And the other way round. */
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, self->page,
				    self->vm.data + self->page));
	EXPECT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA, 42));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA + self->page, &value));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(42, self->vcpu->results[0]);
}

/* Rule: the same memory can be at several places, which go in any order. */
TEST_F(window, places)
{
	static const unsigned int orders[][NR_PLACES] = {
		{ 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 },
	};

	pvm_window_fill(self->mem, PAGES);
	for (size_t o = 0; o < ARRAY_SIZE(orders); o++) {
		for (unsigned int i = 0; i < NR_PLACES; i++)
			ASSERT_EQ(0, pvm_window_add(&self->vm, i, PLACE(i), SIZE, self->mem));
		for (unsigned int i = 0; i < NR_PLACES; i++)
			EXPECT_EQ(0, pvm_window_check(self->vcpu, PLACE(i), PAGES));
		for (unsigned int i = 0; i < NR_PLACES; i++) {
			ASSERT_EQ(0, pvm_window_del(&self->vm, orders[o][i]));
			expect_mmio(_metadata, self->vcpu, PLACE(orders[o][i]));
			for (unsigned int j = i + 1; j < NR_PLACES; j++)
				EXPECT_EQ(0, pvm_window_check(self->vcpu, PLACE(orders[o][j]),
							      PAGES));
		}
		EXPECT_EQ(0, pvm_window_pages(&self->vm));
	}
	/* And ranges of the host that overlap in part. */
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PLACE(0), SIZE / 2, self->mem));
	ASSERT_EQ(0, pvm_window_add(&self->vm, 1, PLACE(1), SIZE / 2, self->mem + 2 * self->page));
	ASSERT_EQ(0, pvm_store(self->vcpu, PLACE(1), 42));
	EXPECT_EQ(42, READ_ONCE(*pvm_window_word(self->mem, 2)));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	ASSERT_EQ(0, pvm_store(self->vcpu, PLACE(1), 43));
	EXPECT_EQ(43, READ_ONCE(*pvm_window_word(self->mem, 2)));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 1));
}

/* Rule: any memory can be in a window, and what the host takes of it the guest loses. */
static void expect_backed(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu, int fd)
{
	struct pvm *vm = vcpu->vm;
	uint8_t *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	uint64_t value;

	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, pvm_window_add(vm, 0, PVM_WINDOW_IPA, SIZE, mem));
	pvm_window_fill(mem, PAGES);
	EXPECT_EQ(0, pvm_window_check(vcpu, PVM_WINDOW_IPA, PAGES));
	ASSERT_EQ(0, pvm_store(vcpu, PVM_WINDOW_IPA, 42));
	EXPECT_EQ(sizeof(value), pread(fd, &value, sizeof(value), 0));
	EXPECT_EQ(42, value);

	/* Punched out, it is a page of zeroes; beyond the end there is none. */
	ASSERT_EQ(0, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, BLOCK));
	EXPECT_EQ(0, pvm_load(vcpu, PVM_WINDOW_IPA, &value));
	EXPECT_EQ(0, value);
	ASSERT_EQ(0, ftruncate(fd, 0));
	EXPECT_EQ(0, pvm_window_pages(vm));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, PVM_WINDOW_IPA, &value));
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	EXPECT_EQ(0, pvm_run(vcpu));
	EXPECT_EQ(0, vcpu->results[0]);
	ASSERT_EQ(0, munmap(mem, SIZE));
	EXPECT_EQ(0, pvm_window_pages(vm));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, PVM_WINDOW_IPA, &value));
	ASSERT_EQ(0, pvm_window_del(vm, 0));
	EXPECT_EQ(-EPROTO, pvm_run(vcpu));
	ASSERT_EQ(0, pvm_run(vcpu));
}

TEST_F(window, memfd)
{
	int fd = memfd_create("window", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	expect_backed(_metadata, self->vcpu, fd);
	close(fd);
}

TEST_F(window, file)
{
	char path[] = "/tmp/window.XXXXXX";
	int fd = mkstemp(path);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, unlink(path));
	ASSERT_EQ(0, ftruncate(fd, SIZE));
	expect_backed(_metadata, self->vcpu, fd);
	close(fd);
}

/* Rule: pages of a device, and a place without memory, fail at the access and not before. */
TEST_F(window, no_memory)
{
	int fd = open("/dev/mem", O_RDWR | O_CLOEXEC);
	uint64_t value;
	void *device;

	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_NONE));
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	ASSERT_LE(0, fd);

	/* The RTC of QEMU's virt machine. */
	device = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0x9010000);
	close(fd);
	ASSERT_NE(MAP_FAILED, device);
	ASSERT_EQ(0, pvm_window_add(&self->vm, 1, PLACE(1), self->page, device));
	if (!self->protected) {
		EXPECT_EQ(0, pvm_load(self->vcpu, PLACE(1), &value));
		munmap(device, self->page);
		return;
	}
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PLACE(1), &value));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 1));
	EXPECT_EQ(-EPROTO, pvm_run(self->vcpu));
	ASSERT_EQ(0, pvm_run(self->vcpu));
	munmap(device, self->page);
}

/* Rule: a page that was only read is one of zeroes, and the first write gives the guest its own. */
TEST_F(window, read_before_write)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + i * self->page, &value));
		EXPECT_EQ(0, value);
	}
	for (unsigned int i = 0; i < PAGES; i += 2)
		ASSERT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA + i * self->page,
				       pvm_window_pattern(i)));
	for (unsigned int i = 0; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + i * self->page, &value));
		EXPECT_EQ(i % 2 ? 0 : pvm_window_pattern(i), value);
		EXPECT_EQ(value, READ_ONCE(*pvm_window_word(self->mem, i)));
	}

	/* What the host may only read, the guest may not write. */
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	EXPECT_EQ(-EFAULT, pvm_store(self->vcpu, PVM_WINDOW_IPA, 1));
	ASSERT_EQ(0, mprotect(self->mem, self->page, PROT_READ | PROT_WRITE));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(1, READ_ONCE(*pvm_window_word(self->mem, 0)));
}

/* Rule: the host's memory management may do anything to the memory, and the guest sees that. */
TEST_F(window, host_mm)
{
	uint64_t value;
	int status;
	pid_t pid;

	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	pvm_window_fill(self->mem, PAGES);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));

	ASSERT_EQ(0, madvise(self->mem, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA, &value));
	EXPECT_EQ(0, value);
	pvm_window_fill(self->mem, 1);

	/* The child of a fork() has the contents of that moment, the guest goes on in its own. */
	pid = fork();
	if (!pid) {
		sleep(1);
		_exit(READ_ONCE(*pvm_window_word(self->mem, 1)) != pvm_window_pattern(1));
	}
	ASSERT_LT(0, pid);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_WINDOW_IPA + self->page, 42));
	EXPECT_EQ(42, READ_ONCE(*pvm_window_word(self->mem, 1)));
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	pvm_window_fill(self->mem, PAGES);

	/* Without swap this writes nothing out, but it takes the pages from the page tables. */
	ASSERT_EQ(0, madvise(self->mem, PAGES * self->page, MADV_PAGEOUT));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
	ASSERT_EQ(0, pvm_write("/proc/sys/vm/compact_memory", "1"));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
}

/* Rule: a huge page is one entry, which goes as a whole and comes back in parts. */
TEST_F(window, huge_page)
{
	const long nr = BLOCK / self->page;
	uint64_t value;

	ASSERT_EQ(0, madvise(self->mem, SIZE, MADV_HUGEPAGE));
	pvm_window_fill(self->mem, PAGES);
	WRITE_ONCE(*pvm_window_word(self->mem, nr - 1), 17);
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, SIZE, self->mem));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
	if (self->protected)
		EXPECT_EQ(nr, pvm_window_pages(&self->vm));

	ASSERT_EQ(0, madvise(self->mem + 3 * self->page, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_window_pages(&self->vm));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + BLOCK - self->page, &value));
	EXPECT_EQ(17, value);
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_WINDOW_IPA + 3 * self->page, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, 3));
	ASSERT_EQ(0, pvm_window_del(&self->vm, 0));
	EXPECT_EQ(0, pvm_window_pages(&self->vm));
	expect_mmio(_metadata, self->vcpu, PVM_WINDOW_IPA);

	if (!self->protected)
		return;

	/* A block that the guest unguards in part. */
	ASSERT_EQ(0, madvise(self->mem + BLOCK, BLOCK, MADV_HUGEPAGE));
	pvm_window_fill(self->mem + BLOCK, PAGES);
	ASSERT_EQ(0, pvm_window_add(&self->vm, 0, PVM_WINDOW_IPA, BLOCK, self->mem + BLOCK));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, PAGES));
	EXPECT_EQ(nr, pvm_window_pages(&self->vm));
	ASSERT_EQ(0, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, PVM_WINDOW_IPA + 5 * self->page, 0, 0));
	EXPECT_EQ(0, pvm_window_pages(&self->vm));
	EXPECT_EQ(-EIO, pvm_load(self->vcpu, PVM_WINDOW_IPA + 5 * self->page, &value));
	EXPECT_EQ(0, pvm_window_check(self->vcpu, PVM_WINDOW_IPA, 5));
	EXPECT_EQ(5, pvm_window_pages(&self->vm));
}

/* Rule: nothing is held when a VM dies with windows, by its VMM's own doing or by SIGKILL. */
TEST_F(window, dies)
{
	int fd = memfd_create("window", MFD_CLOEXEC), status;
	long before = pvm_window_held();
	uint8_t *mem;
	pid_t pid;

	ASSERT_EQ(0, ftruncate(fd, SIZE));
	mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);

	for (int killed = 0; killed < 2; killed++) {
		pid = fork();
		if (!pid) {
			struct pvm vm;

			if (pvm_create(&vm, variant->type, 1, 0) ||
			    (self->protected &&
			     (pvm_enroll(&vm) ||
			      pvm_window_guard(&vm.vcpus[0], PVM_WINDOW_IPA, SIZE) < 0)) ||
			    pvm_window_add(&vm, 0, PVM_WINDOW_IPA, SIZE, mem))
				_exit(1);
			for (size_t at = 0; at < SIZE; at += getpagesize()) {
				if (pvm_store(&vm.vcpus[0], PVM_WINDOW_IPA + at, 1))
					_exit(2);
			}
			if (killed)
				kill(getpid(), SIGKILL);
			pvm_free(&vm);
			_exit(0);
		}
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_EQ(killed ? SIGKILL : 0, status);
		for (int i = 0; i < 100 && pvm_window_held() != before; i++)
			usleep(10000);
		EXPECT_EQ(before, pvm_window_held());
		EXPECT_EQ(0, pvm_window_returned(mem, SIZE));
	}
	munmap(mem, SIZE);
	close(fd);
}

TEST_HARNESS_MAIN
