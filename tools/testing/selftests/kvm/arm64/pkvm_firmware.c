// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected VMs that start in a firmware, which the boot loader left in the host's memory, and the
 * flags of KVM_CAP_ARM_PROTECTED_VM for it.
 *
 * Run as pkvm_firmware FILE. FILE has the firmware, which begins with the test guest's code.
 *
 * Rules: EL2 copies the firmware to the IPA that the VMM set, over whatever the VMM wrote there,
 * and vCPU 0 starts in it (R5). Its pages are private (R2) and zeroed at the VM's death (R3). The
 * pristine copy does not change.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SET_FW_IPA		KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA
#define INFO			KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO

#define FW_IPA			0x7fc00000UL
#define FW_SLOT			PVM_FREE_SLOT
#define JUNK			0x6a
#define IPA_SIZE		0x10000000000UL
#define RACES			16

struct info {
	uint64_t firmware_size;
	uint64_t reserved[7];
};

static const char *firmware_path;

FIXTURE(firmware) {
	struct pvm vm;
	uint8_t *pristine;
	size_t size;
	uint8_t *mem;
};

static int enable(struct pvm *vm, uint32_t flags, uint64_t arg0, uint64_t arg1)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_ARM_PROTECTED_VM, .flags = flags, .args = { arg0, arg1 },
	};

	return ioctl(vm->fd, KVM_ENABLE_CAP, &cap) ? -errno : 0;
}

FIXTURE_SETUP(firmware)
{
	struct stat stat;
	int fd;

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_NE(NULL, firmware_path);
	fd = open(firmware_path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, fstat(fd, &stat));
	self->size = stat.st_size;
	ASSERT_EQ(0, self->size % getpagesize());
	self->pristine = mmap(NULL, self->size, PROT_READ, MAP_PRIVATE, fd, 0);
	ASSERT_NE(MAP_FAILED, self->pristine);
	close(fd);

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, 0));
	self->mem = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	memset(self->mem, JUNK, self->size);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA, self->size, self->mem));
}

FIXTURE_TEARDOWN(firmware)
{
	pvm_free(&self->vm);
	munmap(self->mem, self->size);
	munmap(self->pristine, self->size);
}

/* Overwrite the code in the slot where the VMM lets vCPU 0 start. */
static void spoil_code(struct pvm *vm)
{
	memset(vm->code, JUNK, vm->code_size);
}

static uint64_t word(const uint8_t *memory, size_t at)
{
	return *(const uint64_t *)(memory + at);
}

TEST_F(firmware, info)
{
	struct info info;

	memset(&info, JUNK, sizeof(info));
	ASSERT_EQ(0, enable(&self->vm, INFO, (uintptr_t)&info, 0));
	EXPECT_EQ(self->size, info.firmware_size);
	for (unsigned int i = 0; i < 7; i++)
		EXPECT_EQ(0, info.reserved[i]);
	EXPECT_EQ(-EFAULT, enable(&self->vm, INFO, 0, 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, INFO, (uintptr_t)&info, 1));
}

TEST_F(firmware, bad_ipa)
{
	struct pvm np;

	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, FW_IPA + 1, 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, FW_IPA + getpagesize() / 2, 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, ~0UL, 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, -(uint64_t)getpagesize(), 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, 1UL << 52, 0));
	EXPECT_EQ(-EINVAL, enable(&self->vm, SET_FW_IPA, FW_IPA, 1));
	EXPECT_EQ(-EINVAL, enable(&self->vm, 2, FW_IPA, 0));

	ASSERT_EQ(0, pvm_create(&np, 0, 1, 0));
	EXPECT_EQ(-EINVAL, enable(&np, SET_FW_IPA, FW_IPA, 0));
	pvm_free(&np);
}

/* The guest runs the pristine copy, although the VMM wrote junk there and set another pc. */
TEST_F(firmware, starts_in_firmware)
{
	struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
	uint64_t value;

	spoil_code(&self->vm);
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	for (size_t at = 0; at < self->size; at += getpagesize()) {
		ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
		EXPECT_EQ(word(self->pristine, at), value);
		ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at + getpagesize() - 8, &value));
		EXPECT_EQ(word(self->pristine, at + getpagesize() - 8), value);
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem + at, PVM_READ));
	}
	EXPECT_EQ(-EBUSY, enable(&self->vm, SET_FW_IPA, FW_IPA + self->size, 0));
}

/* A fault donates no page of the firmware together with others. */
TEST_F(firmware, faults_around)
{
	size_t page = getpagesize(), around = 0x10000 / page;
	size_t last = 2 + self->size / page, end = (last / around + 1) * around;
	long donated = pvm_stat("pages_donated");
	uint64_t value;
	uint8_t *mem;

	if (around < 4)
		SKIP(return, "a page is too large to have others around");

	mem = mmap(NULL, end * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	memset(mem, JUNK, end * page);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, 0, 0, NULL));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA, end * page, mem));
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA + 2 * page, 0));

	/* The first page of the firmware, where the vCPU starts, and the two in front of it. */
	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], FW_IPA, &value));
	EXPECT_EQ(0x6a6a6a6a6a6a6a6aUL, value);
	EXPECT_EQ(donated + 3, pvm_stat("pages_donated"));
	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], FW_IPA + last * page, &value));
	EXPECT_EQ(0x6a6a6a6a6a6a6a6aUL, value);
	EXPECT_EQ(donated + 3 + (long)(end - last), pvm_stat("pages_donated"));
	pvm_kill(&self->vm);
	munmap(mem, end * page);
}

/* Without SET_FW_IPA, vCPU 0 starts at the VMM's pc, and the slot has what the VMM wrote. */
TEST_F(firmware, only_on_request)
{
	uint64_t value;

	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], FW_IPA, &value));
	EXPECT_EQ(0x6a6a6a6a6a6a6a6aUL, value);
	EXPECT_EQ(-EBUSY, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
}

/* The last SET_FW_IPA applies, with IPAs up to the last page of the IPA space. */
TEST_F(firmware, moves)
{
	uint64_t last = IPA_SIZE - self->size, value;

	spoil_code(&self->vm);
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, last, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, 0, 0, NULL));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, last, self->size, self->mem));
	ASSERT_EQ(0, pvm_load(&self->vm.vcpus[0], last + self->size - 8, &value));
	EXPECT_EQ(word(self->pristine, self->size - 8), value);
}

/* A guest's writes to its firmware do not change the pristine copy. */
TEST_F(firmware, stays_pristine)
{
	uint64_t value;

	for (unsigned int i = 0; i < 3; i++) {
		struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
		size_t at = self->size - 8;

		ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
		ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
		EXPECT_EQ(word(self->pristine, at), value);
		ASSERT_EQ(0, pvm_store(vcpu, FW_IPA + at, PVM_CODE_IPA + i));
		ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
		EXPECT_EQ(PVM_CODE_IPA + i, value);

		pvm_kill(&self->vm);
		EXPECT_EQ(0, pvm_probe(self->mem + at, PVM_READ));
		EXPECT_EQ(0, *(uint64_t *)(self->mem + at));
		pvm_free(&self->vm);
		ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
		memset(self->mem, JUNK, self->size);
		ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA, self->size, self->mem));
	}
}

/* The VMM maps other memory behind the slot while the VM runs: EL2 fills that as well. */
TEST_F(firmware, remapped)
{
	struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
	size_t page = getpagesize();
	uint64_t value;
	uint8_t *mem;

	spoil_code(&self->vm);
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	ASSERT_EQ(0, pvm_load(vcpu, FW_IPA, &value));
	for (size_t at = page; at < self->size; at += page) {
		mem = mmap(self->mem + at, page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		ASSERT_EQ(self->mem + at, mem);
		memset(mem, JUNK + 1, page);
		ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
		EXPECT_EQ(word(self->pristine, at), value);
	}
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, FW_SLOT, 0, 0, 0, NULL));
	EXPECT_EQ(-EPERM, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA + self->size, self->size,
				       self->mem));
}

/* A page that the guest owns at another IPA cannot become a firmware page. */
TEST_F(firmware, alias)
{
	struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
	uint64_t alias = FW_IPA - self->size, value;
	size_t at = getpagesize();

	spoil_code(&self->vm);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT + 1, 0, alias, self->size, self->mem));
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	ASSERT_EQ(0, pvm_load(vcpu, alias + at, &value));
	EXPECT_EQ(0x6a6a6a6a6a6a6a6aUL, value);
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, FW_IPA + at, &value));
	pvm_kill(&self->vm);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
}

/* A firmware page that the guest relinquishes and accesses again is the pristine copy. */
TEST_F(firmware, relinquished)
{
	struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
	uint64_t at = getpagesize(), value;

	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	ASSERT_EQ(0, pvm_store(vcpu, FW_IPA + at, 42));
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(vcpu, FW_IPA + at));
	EXPECT_EQ(0, *(uint64_t *)(self->mem + at));
	memset(self->mem + at, JUNK, 8);
	ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
	EXPECT_EQ(word(self->pristine, at), value);
}

/* EL2 does not fill a firmware page again that the host reclaimed by force. */
TEST_F(firmware, forced_reclaim)
{
	struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
	uint64_t at = getpagesize(), value = JUNK;
	int fd = pvm_map_file(self->mem + at, at);

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));
	ASSERT_EQ(0, pvm_load(vcpu, FW_IPA + at, &value));
	ASSERT_EQ(0, pvm_force(fd, 0));
	close(fd);
	EXPECT_EQ(0, *(uint64_t *)(self->mem + at));
	memset(self->mem + at, JUNK, 8);
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, FW_IPA + at, &value));
}

/* Write to the memory of a memfd, and punch holes in it, until killed. */
static void race(int fd, uint8_t *mem, size_t size)
{
	size_t page = getpagesize();

	for (unsigned int i = 0;; i++) {
		/* The byte of each word that is never zero in the firmware. */
		for (size_t at = page; at < size; at += page)
			pvm_probe(mem + at + 7, PVM_WRITE);
		if (i % 64 == 0)
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page,
				  size - page);
	}
}

/* A host process writes to the memory and punches holes in it while the guest starts. */
TEST_F(firmware, raced)
{
	size_t page = getpagesize();
	unsigned int found = 0;

	for (unsigned int i = 0; i < RACES; i++) {
		int fd = memfd_create("firmware", MFD_CLOEXEC);
		struct pvm_vcpu *vcpu = &self->vm.vcpus[0];
		uint64_t value;
		uint8_t *mem;
		pid_t pid;

		ASSERT_LE(0, fd);
		ASSERT_EQ(0, ftruncate(fd, self->size));
		mem = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, mem);
		ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, 0, 0, NULL));
		ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA, self->size, mem));
		ASSERT_EQ(0, enable(&self->vm, SET_FW_IPA, FW_IPA, 0));

		pid = fork();
		ASSERT_LE(0, pid);
		if (!pid)
			race(fd, mem, self->size);

		/* The guest may lose pages. Each other page has the firmware's contents. */
		for (size_t at = page; at < self->size; at += page) {
			if (pvm_load(vcpu, FW_IPA + at, &value))
				break;
			EXPECT_EQ(word(self->pristine, at), value);
			found++;
		}
		kill(pid, SIGKILL);
		EXPECT_EQ(pid, waitpid(pid, NULL, 0));
		pvm_free(&self->vm);
		munmap(mem, self->size);
		close(fd);
		ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, 0));
		ASSERT_EQ(0, pvm_set_slot(&self->vm, FW_SLOT, 0, FW_IPA, self->size, self->mem));
	}
	TH_LOG("%u firmware pages had the right contents", found);
	EXPECT_LT(0, found);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
}

int main(int argc, char *argv[])
{
	if (argc > 1 && argv[argc - 1][0] == '/')
		firmware_path = argv[--argc];
	return test_harness_run(argc, argv);
}
