// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a host process meets that touches a page which its guest has for itself.
 *
 * R2: no access gets through. R5: and none brings down more than itself: user space gets SIGSEGV, a
 * system call that copies from or to the page -EFAULT, and the process, the guest and the host go
 * on. (What the kernel does by its own mapping is pkvm_reclaim's.) R3: once the VM is dead the
 * memory is the process's again, zeroed where it was private.
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

/* After whatever the host tried, the guest's pages are as they were. */
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

/* What the guest has not touched is still the host's. */
TEST_F(private, rest_is_the_hosts)
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

	/* The guest takes the page by looking at it. */
	uint64_t value;

	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + PAGES / 2 * self->page, &value));
	EXPECT_EQ(A64_RET, (uint32_t)value);
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(code, PVM_EXEC));
	expect_untouched(_metadata, self->vcpu);
}

/* The fault is no way to an endless loop, nor does it wear off. */
TEST_F(private, again_and_again)
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

/* From a page that is the host's on into one that is not: as far as it goes, then no further. */
TEST_F(private, write_across_the_border)
{
	/* The last page is the guest's now, the one below it still the host's. */
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

/* KVM's own reads and writes of user memory are no exception. */
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

/* R3: private memory comes back as zeroes, all of it. */
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

	/* And it is the process's own again, to be written and to be called with. */
	memset(mem, 0x11, PAGES * self->page);
	EXPECT_EQ(0x1111111111111111UL, READ_ONCE(mem[words - 1]));
}

/* The code's page, which the guest never wrote, is the guest's all the same. */
TEST_F(private, code_is_zero_after_death)
{
	size_t left = 0;

	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->vm.code, PVM_READ));
	pvm_kill(&self->vm);
	for (size_t i = 0; i < self->vm.code_size; i++)
		left += READ_ONCE(self->vm.code[i]) != 0;
	EXPECT_EQ(0, left);
}

/* What was shared is kept; what was shared and taken back is private, and zeroed. */
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

/* Memory that came back is as good as new: another protected VM may have it. */
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

/* An unmapped page stays the guest's: what the process gets there next is another page. */
TEST_F(private, unmapped_while_private)
{
	ASSERT_EQ(self->mem, mmap(self->mem, self->page, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
	expect_untouched(_metadata, self->vcpu);
}

/* MADV_DONTNEED drops the mapping, not the guest's page. */
TEST_F(private, madvise_dontneed)
{
	ASSERT_EQ(0, madvise(self->mem, self->page, MADV_DONTNEED));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
	expect_untouched(_metadata, self->vcpu);
}

TEST_HARNESS_MAIN
