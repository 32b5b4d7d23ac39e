// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses of a VMM to a private page of its guest, by itself and by system calls.
 *
 * R2: no access succeeds. R5: user space gets SIGSEGV, a system call that copies from or to the
 * page fails with EFAULT, and process, guest and host go on. (pkvm_reclaim tests the kernel's
 * accesses through its own mapping.) R3: after the VM's death the process can use the memory again,
 * zeroed where it was private.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	8
#define A64_RET	0xd65f03c0U

FIXTURE(private) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint8_t *mem;
};

/* The guest owns the first half of the pages, each with a secret at its start. */
FIXTURE_SETUP(private)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * self->page));
	self->vcpu = &self->vm.vcpus[0];
	self->mem = self->vm.data;
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, PAGES / 2,
				 self->page));
}

FIXTURE_TEARDOWN(private)
{
	pvm_free(&self->vm);
}

/* The host's accesses have not changed the guest's pages. */
static void expect_untouched(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu)
{
	for (int i = 0; i < PAGES / 2; i++) {
		uint64_t value = 0;

		EXPECT_EQ(0, pvm_load(vcpu, PVM_DATA_IPA + i * getpagesize(), &value));
		EXPECT_EQ(SECRET, value);
	}
}

TEST_F(private, read)
{
	for (int i = 0; i < PAGES / 2; i++) {
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + i * self->page, PVM_READ));
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + (i + 1) * self->page - 1, PVM_READ));
	}
	expect_untouched(_metadata, self->vcpu);
}

TEST_F(private, write)
{
	for (int i = 0; i < PAGES / 2; i++) {
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + i * self->page, PVM_WRITE));
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + i * self->page + 7, PVM_WRITE));
	}
	expect_untouched(_metadata, self->vcpu);
}

/* The host still owns pages that the guest has not accessed. */
TEST_F(private, untouched_pages_accessible)
{
	EXPECT_EQ(0, pvm_probe(self->mem + PAGES / 2 * self->page, PVM_WRITE));
	EXPECT_EQ(0, pvm_probe(self->mem + PAGES * self->page - 1, PVM_READ));
	expect_untouched(_metadata, self->vcpu);
}

TEST_F(private, exec)
{
	uint8_t *code = self->mem + PAGES / 2 * self->page;
	const uint32_t ret = A64_RET;

	memcpy(code, &ret, sizeof(ret));
	ASSERT_EQ(0, mprotect(code, self->page, PROT_READ | PROT_WRITE | PROT_EXEC));
	__builtin___clear_cache((char *)code, (char *)code + sizeof(ret));
	ASSERT_EQ(0, pvm_probe(code, PVM_EXEC));

	/* The host donates the page at this access of the guest. */
	uint64_t value;

	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + PAGES / 2 * self->page, &value));
	EXPECT_EQ(A64_RET, (uint32_t)value);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(code, PVM_EXEC));
	expect_untouched(_metadata, self->vcpu);
}

/* Repeated accesses fail each time, and none hangs. */
TEST_F(private, repeated_accesses)
{
	for (int i = 0; i < 1000; i++)
		ASSERT_EQ(SEGV_ACCERR, pvm_probe(self->mem, i & 1 ? PVM_WRITE : PVM_READ));
	expect_untouched(_metadata, self->vcpu);
}

TEST_F(private, pipe_from_and_to)
{
	char byte = 'x';
	int ends[2];

	ASSERT_EQ(0, pipe(ends));
	EXPECT_EQ(-1, write(ends[1], self->mem, 16));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(1, write(ends[1], &byte, 1));
	EXPECT_EQ(-1, read(ends[0], self->mem, 1));
	EXPECT_EQ(EFAULT, errno);
	close(ends[0]);
	close(ends[1]);
	expect_untouched(_metadata, self->vcpu);
}

/* write() from a host page into a private page copies only the part in the host page. */
TEST_F(private, write_across_the_border)
{
	/* The guest owns the last page now, and the host the one before. */
	uint8_t *last = self->mem + (PAGES - 1) * self->page;
	int fd = memfd_create("file", MFD_CLOEXEC);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, pvm_store(self->vcpu, PVM_DATA_IPA + (PAGES - 1) * self->page, SECRET));
	EXPECT_EQ((ssize_t)self->page, write(fd, last - self->page, 2 * self->page));
	EXPECT_EQ(-1, write(fd, last, self->page));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	expect_untouched(_metadata, self->vcpu);
}

TEST_F(private, file_from_and_to)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	struct stat stat;

	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, self->mem, 2 * self->page, 0));
	EXPECT_EQ(EFAULT, errno);
	ASSERT_EQ(0, fstat(fd, &stat));
	EXPECT_EQ(0, stat.st_size);

	ASSERT_EQ(4, pwrite(fd, "file", 4, 0));
	EXPECT_EQ(-1, pread(fd, self->mem, 4, 0));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	expect_untouched(_metadata, self->vcpu);
}

/* clear_user(), strncpy_from_user(), get_user() and put_user(). */
TEST_F(private, other_system_calls)
{
	struct timespec *time = (void *)self->mem;
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	ASSERT_LE(0, zero);
	EXPECT_EQ(-1, read(zero, self->mem, self->page));
	EXPECT_EQ(EFAULT, errno);
	close(zero);

	EXPECT_EQ(-1, open((char *)self->mem, O_RDONLY));
	EXPECT_EQ(EFAULT, errno);

	EXPECT_EQ(-1, nanosleep(time, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, getrandom(self->mem, 8, GRND_INSECURE));
	EXPECT_EQ(EFAULT, errno);
	expect_untouched(_metadata, self->vcpu);
}

/* KVM's ioctls fail as well when they read or write a private page. */
TEST_F(private, kvm_ioctls)
{
	struct kvm_one_reg reg = { .id = KVM_REG_ARM_PSCI_VERSION, .addr = (uintptr_t)self->mem };
	struct pvm other;

	EXPECT_EQ(-1, ioctl(self->vm.fd, KVM_SET_USER_MEMORY_REGION, self->mem));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-1, ioctl(self->vm.fd, KVM_ARM_PREFERRED_TARGET, self->mem));
	EXPECT_EQ(EFAULT, errno);

	ASSERT_EQ(0, pvm_create(&other, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	EXPECT_EQ(-1, ioctl(other.vcpus[0].fd, KVM_GET_ONE_REG, &reg));
	EXPECT_EQ(EFAULT, errno);
	pvm_free(&other);
	expect_untouched(_metadata, self->vcpu);
}

/* R3: all private memory is zero when the host has it back. */
TEST_F(private, zero_after_death)
{
	size_t words = PAGES / 2 * self->page / 8;
	uint64_t *mem = (uint64_t *)self->mem;
	size_t left = 0;

	/* Fill all of it, not only what the setup wrote. */
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, words, 8));
	pvm_kill(&self->vm);

	ASSERT_EQ(0, pvm_probe(mem, PVM_READ));
	for (size_t i = 0; i < words; i++)
		left += READ_ONCE(mem[i]) != 0;
	EXPECT_EQ(0, left);

	/* The process can write to the memory and pass it to system calls again. */
	memset(mem, 0x11, PAGES * self->page);
	EXPECT_EQ(0x1111111111111111UL, READ_ONCE(mem[words - 1]));
}

/* R3: the page with the code, which the guest never wrote, is zero as well. */
TEST_F(private, code_is_zero_after_death)
{
	size_t left = 0;

	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->vm.code, PVM_READ));
	pvm_kill(&self->vm);
	for (size_t i = 0; i < self->vm.code_size; i++)
		left += READ_ONCE(self->vm.code[i]) != 0;
	EXPECT_EQ(0, left);
}

/* A shared page keeps its contents; one that the guest unshared again is zeroed. */
TEST_F(private, shared_after_death)
{
	uint64_t *mem = (uint64_t *)self->mem;
	size_t words = self->page / 8;

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA + self->page));
	WRITE_ONCE(mem[1], 0x405e);
	WRITE_ONCE(mem[words + 1], 0x405e);
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA + self->page));
	pvm_kill(&self->vm);

	EXPECT_EQ(SECRET, READ_ONCE(mem[0]));
	EXPECT_EQ(0x405e, READ_ONCE(mem[1]));
	EXPECT_EQ(0, READ_ONCE(mem[words]));
	EXPECT_EQ(0, READ_ONCE(mem[words + 1]));
}

/* The host can donate reclaimed memory to another protected VM. */
TEST_F(private, next_vm_takes_it)
{
	struct pvm next;
	uint64_t value;

	pvm_kill(&self->vm);
	ASSERT_EQ(0, pvm_create(&next, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&next, PVM_DATA_SLOT, 0, PVM_DATA_IPA, PAGES * self->page,
				  self->mem));
	ASSERT_EQ(0, pvm_load(&next.vcpus[0], PVM_DATA_IPA, &value));
	EXPECT_EQ(0, value);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	pvm_free(&next);
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_READ));
}

/* The guest keeps a page that the process unmaps. The process gets another page there. */
TEST_F(private, unmapped_while_private)
{
	ASSERT_EQ(self->mem, mmap(self->mem, self->page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
	expect_untouched(_metadata, self->vcpu);
}

/* MADV_DONTNEED drops the mapping, but the guest keeps its page. */
TEST_F(private, madvise_dontneed)
{
	ASSERT_EQ(0, madvise(self->mem, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
	expect_untouched(_metadata, self->vcpu);
}

TEST_HARNESS_MAIN
