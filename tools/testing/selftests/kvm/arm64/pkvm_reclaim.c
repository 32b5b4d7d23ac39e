// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's kernel touches a private page through a mapping of its own, or tries again what cannot
 * work: the page is taken back from the guest by force.
 *
 * R3: what comes back is zeroed. R5: nobody oopses, hangs or loses track of a page; the guest finds
 * out at its next access, which is an error for its VMM, and never sees another page in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	4

FIXTURE(reclaim) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	size_t size;
	int fd;
	uint8_t *mem;
};

FIXTURE_VARIANT(reclaim) {
	int flags;
};

FIXTURE_VARIANT_ADD(reclaim, anonymous) { .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(reclaim, shmem) { .flags = MAP_SHARED };

/* The guest owns all pages, each with a secret at its start. */
FIXTURE_SETUP(reclaim)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	self->size = PAGES * self->page;
	self->fd = memfd_create("memory", MFD_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, self->size));
	self->mem = mmap(NULL, self->size, PROT_READ | PROT_WRITE, variant->flags, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->mem);

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	self->vcpu = &self->vm.vcpus[0];
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->size,
				  self->mem));
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, PAGES, self->page));
}

FIXTURE_TEARDOWN(reclaim)
{
	pvm_free(&self->vm);
	munmap(self->mem, self->size);
	close(self->fd);
}

/* The guest has all pages but the first; the first is lost to it for good, and the host's. */
static void expect_first_lost(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			      uint8_t *mem)
{
	uint64_t value = 0;

	for (int i = 1; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(vcpu, PVM_DATA_IPA + i * getpagesize(), &value));
		EXPECT_EQ(SECRET, value);
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(mem + i * getpagesize(), PVM_READ));
	}
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_probe(mem, PVM_WRITE));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(-EFAULT, pvm_run(vcpu));
}

/* access_remote_vm() copies through the kernel's mapping. */
TEST_F(reclaim, proc_mem_read)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	uint64_t value = SECRET;

	ASSERT_LE(0, fd);
	EXPECT_EQ(sizeof(value), pread(fd, &value, sizeof(value), (uintptr_t)self->mem));
	EXPECT_EQ(0, value);
	close(fd);
	expect_first_lost(_metadata, self->vcpu, self->mem);
}

TEST_F(reclaim, proc_mem_write)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	const uint64_t value = 0x405e;

	ASSERT_LE(0, fd);
	EXPECT_EQ(sizeof(value), pwrite(fd, &value, sizeof(value), (uintptr_t)self->mem));
	close(fd);
	EXPECT_EQ(value, READ_ONCE(*(uint64_t *)self->mem));
	EXPECT_EQ(0, READ_ONCE(((uint64_t *)self->mem)[1]));
	expect_first_lost(_metadata, self->vcpu, self->mem);
}

/* shmem's read() copies from the page cache. A page that is anonymous is not in there. */
TEST_F(reclaim, read_of_the_file)
{
	uint64_t value = SECRET;

	EXPECT_EQ(sizeof(value), pread(self->fd, &value, sizeof(value), 0));
	EXPECT_EQ(0, value);
	if (variant->flags == MAP_SHARED) {
		expect_first_lost(_metadata, self->vcpu, self->mem);
		return;
	}
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
}

/* A futex on the page ends in success or in an error, not in a loop that no signal gets out of. */
TEST_F(reclaim, futex_lock_pi)
{
	EXPECT_EQ(0, syscall(SYS_futex, self->mem, FUTEX_LOCK_PI, 0, NULL, NULL, 0));
	EXPECT_EQ(gettid(), READ_ONCE(*(uint32_t *)self->mem) & FUTEX_TID_MASK);
	EXPECT_EQ(0, syscall(SYS_futex, self->mem, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0));
	expect_first_lost(_metadata, self->vcpu, self->mem);
}

TEST_F(reclaim, futex_wake_op)
{
	uint32_t other = 0;

	EXPECT_EQ(0, syscall(SYS_futex, &other, FUTEX_WAKE_OP, 1, 1UL, self->mem,
			     FUTEX_OP(FUTEX_OP_SET, 7, FUTEX_OP_CMP_EQ, 0)));
	EXPECT_EQ(7, READ_ONCE(*(uint32_t *)self->mem));
	expect_first_lost(_metadata, self->vcpu, self->mem);
}

/* fork() copies pinned anonymous memory at once, the guest's code with it; shmem it shares. */
TEST_F(reclaim, fork)
{
	uint64_t value;
	int status;
	pid_t child;

	child = fork();
	ASSERT_LE(0, child);
	if (!child) {
		bool shmem = variant->flags == MAP_SHARED;

		_exit(pvm_probe(self->mem, PVM_READ) != (shmem ? SEGV_ACCERR : 0));
	}
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	if (variant->flags == MAP_PRIVATE)
		EXPECT_EQ(0, READ_ONCE(*(uint64_t *)self->mem));
}

/* R1: the VM dies with a hole; every page comes back once, and may go out again. */
TEST_F(reclaim, death_with_a_hole)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t value = SECRET;
	struct pvm next;

	ASSERT_LE(0, fd);
	for (int i = 0; i < PAGES; i += 2)
		ASSERT_EQ(sizeof(value), pread(fd, &value, sizeof(value),
					       (uintptr_t)self->mem + i * self->page));
	close(fd);
	pvm_kill(&self->vm);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
	for (int i = 0; i < PAGES; i++)
		EXPECT_EQ(0, READ_ONCE(*(uint64_t *)(self->mem + i * self->page)));

	ASSERT_EQ(0, pvm_create(&next, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&next, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->size, self->mem));
	EXPECT_EQ(0, pvm_command(&next.vcpus[0], PVM_FILL, PVM_DATA_IPA, SECRET, PAGES,
				 self->page));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	pvm_free(&next);
}

/* A shared page is no reason to take anything: the guest keeps it, and so does the host. */
TEST_F(reclaim, not_of_a_shared_page)
{
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	uint64_t value = 0;

	ASSERT_LE(0, fd);
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(sizeof(value), pread(fd, &value, sizeof(value), (uintptr_t)self->mem));
	EXPECT_EQ(SECRET, value);
	close(fd);
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
}

TEST_HARNESS_MAIN
