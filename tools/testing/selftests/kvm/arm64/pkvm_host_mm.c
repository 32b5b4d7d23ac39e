// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's memory management swaps, moves, merges, remaps or truncates a VMM's memory, on its own
 * or as requested.
 *
 * R1: a page of a guest keeps its place and its owner, whatever happens to the VMM's mapping of it.
 * R9: the host does not access it, except to zero the end of a file within the page: that reclaims
 * the page by force. R5: neither the host nor EL2 logs a warning.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/mman.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm_probe.h"
#include "pvm_secret.h"
#include "stress.h"

#define PAGES		4
#define HUGE		(2UL * 1024 * 1024)
#define HUGE_IPA	(PVM_DATA_IPA + (1UL << 30))

FIXTURE(mm) {
	struct pvm_backed s;
	uint8_t *mem;
	size_t page;
	/* The expected fate of the first page. */
	enum pvm_fate fate;
};

FIXTURE_VARIANT(mm) {
	int flags;
};

FIXTURE_VARIANT_ADD(mm, anonymous) { .flags = MAP_PRIVATE };
FIXTURE_VARIANT_ADD(mm, shmem) { .flags = MAP_SHARED };

FIXTURE_SETUP(mm)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_secrets_create(&self->s, variant->flags, PAGES));
	self->mem = self->s.mem;
	self->page = self->s.page;
}

FIXTURE_TEARDOWN(mm)
{
	for (unsigned int i = 1; i < PAGES; i++)
		EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, i));
	EXPECT_EQ(self->fate, pvm_secrets_fate(&self->s, 0));
	EXPECT_EQ(self->fate == PVM_LOST, pvm_backed_forced(&self->s));
	EXPECT_FALSE(pvm_log_complains(self->s.log));
	pvm_backed_free(&self->s);
}

/* The host does not swap a pinned page out, and does not read it before it finds the pin. */
TEST_F(mm, page_out)
{
	ASSERT_EQ(0, stress_add_swap());
	for (int i = 0; i < 20; i++) {
		ASSERT_EQ(0, madvise(self->mem, self->s.size, MADV_COLD));
		ASSERT_EQ(0, madvise(self->mem, self->s.size, MADV_PAGEOUT));
	}
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

/* After MADV_FREE the host may drop a page, but not while the guest owns it. */
TEST_F(mm, lazily_freed)
{
	int ret = madvise(self->mem, self->s.size, MADV_FREE);

	ASSERT_EQ(0, stress_add_swap());
	if (variant->flags == MAP_SHARED) {
		EXPECT_EQ(-1, ret);
		EXPECT_EQ(EINVAL, errno);
		return;
	}
	EXPECT_EQ(0, ret);
	madvise(self->mem, self->s.size, MADV_PAGEOUT);
}

TEST_F(mm, compaction)
{
	for (int i = 0; i < 5; i++)
		ASSERT_EQ(0, pvm_write("/proc/sys/vm/compact_memory", "1"));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

TEST_F(mm, populate)
{
	EXPECT_EQ(0, madvise(self->mem, self->s.size, MADV_POPULATE_READ));
	EXPECT_EQ(0, madvise(self->mem, self->s.size, MADV_POPULATE_WRITE));
	EXPECT_EQ(0, mlock(self->mem, self->s.size));
	EXPECT_EQ(0, munlock(self->mem, self->s.size));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

/* KSM skips pages that it cannot read. */
TEST_F_TIMEOUT(mm, merge, 60)
{
	static const char scans[] = "/sys/kernel/mm/ksm/full_scans";
	uint8_t *own = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long first, now;

	ASSERT_NE(MAP_FAILED, own);
	memset(own, 0x33, 2 * self->page);
	/* KSM needs some memory that it can scan. */
	ASSERT_EQ(0, madvise(own, 2 * self->page, MADV_MERGEABLE));
	ASSERT_EQ(0, madvise(self->mem, self->s.size, MADV_MERGEABLE));
	ASSERT_EQ(0, pvm_write("/sys/kernel/mm/ksm/sleep_millisecs", "1"));
	ASSERT_EQ(0, pvm_write("/sys/kernel/mm/ksm/pages_to_scan", "1000"));
	ASSERT_EQ(0, pvm_write("/sys/kernel/mm/ksm/run", "1"));
	first = pvm_number(scans);
	ASSERT_LE(0, first);
	do {
		usleep(10000);
		now = pvm_number(scans);
	} while (now < first + 3);
	ASSERT_EQ(0, pvm_write("/sys/kernel/mm/ksm/run", "2"));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

/* Make a slot with one huge page, in whose second page the guest stores its secret. */
static uint8_t *huge_slot(struct pvm_backed *s, int advice)
{
	uint8_t *area = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			     -1, 0);
	uint8_t *huge;

	if (area == MAP_FAILED)
		return NULL;
	huge = area + -(uintptr_t)area % HUGE;
	if (madvise(huge, HUGE, advice))
		return NULL;
	memset(huge, 0x22, HUGE);
	if (pvm_set_slot(&s->vm, PVM_FREE_SLOT, 0, HUGE_IPA, HUGE, huge) ||
	    pvm_store(s->vcpu, HUGE_IPA + s->page, PVM_SECRET))
		return NULL;
	return huge;
}

/* The host does not collapse pinned pages into a huge page. */
TEST_F(mm, collapse)
{
	uint8_t *huge = huge_slot(&self->s, MADV_NOHUGEPAGE);
	uint64_t value = 0;

	ASSERT_NE(NULL, huge);
	/* The memory has small pages, and the guest owns some: 64 KiB at most. */
	ASSERT_EQ(0, madvise(huge, HUGE, MADV_HUGEPAGE));

	EXPECT_EQ(-1, madvise(huge, HUGE, MADV_COLLAPSE));
	EXPECT_EQ(0, pvm_load(self->s.vcpu, HUGE_IPA + self->page, &value));
	EXPECT_EQ(PVM_SECRET, value);
	EXPECT_EQ(0x22, READ_ONCE(huge[HUGE / 4]));
	EXPECT_EQ(0x22, READ_ONCE(huge[HUGE - 1]));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(huge + self->page, PVM_READ));
}

/* The guest owns the first pages of a huge page. The host keeps the rest, split or not. */
TEST_F(mm, split)
{
	uint8_t *huge = huge_slot(&self->s, MADV_HUGEPAGE);
	uint64_t value = 0;

	ASSERT_NE(NULL, huge);

	ASSERT_EQ(0, mprotect(huge, self->page, PROT_READ));
	ASSERT_EQ(0, munmap(huge + HUGE / 2, self->page));
	ASSERT_EQ(0, madvise(huge, HUGE / 2, MADV_PAGEOUT));
	EXPECT_EQ(0, pvm_load(self->s.vcpu, HUGE_IPA + self->page, &value));
	EXPECT_EQ(PVM_SECRET, value);
	EXPECT_EQ(0x22, READ_ONCE(huge[HUGE / 4]));
	EXPECT_EQ(0x22, READ_ONCE(huge[HUGE - 1]));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(huge + self->page, PVM_READ));
}

/* mremap() moves the mapping, and accesses at the new address fault. */
TEST_F(mm, remapped)
{
	uint8_t *to = mmap(NULL, self->s.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT_NE(MAP_FAILED, to);
	ASSERT_EQ(to, mremap(self->mem, self->s.size, self->s.size, MREMAP_MAYMOVE | MREMAP_FIXED,
			     to));
	EXPECT_EQ(SEGV_MAPERR, pvm_probe(self->mem, PVM_READ));
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(to + i * self->page, PVM_WRITE));
}

TEST_F(mm, unmapped)
{
	ASSERT_EQ(0, munmap(self->mem, self->s.size));
	EXPECT_EQ(SEGV_MAPERR, pvm_probe(self->mem, PVM_READ));
}

TEST_F(mm, forbidden)
{
	ASSERT_EQ(0, mprotect(self->mem, self->s.size, PROT_NONE));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	for (unsigned int i = 0; i < PAGES; i++)
		EXPECT_EQ(PVM_KEPT, pvm_secrets_fate(&self->s, i));
	ASSERT_EQ(0, mprotect(self->mem, self->s.size, PROT_READ | PROT_WRITE));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
}

/* A hole in the file removes the page from the file, but the guest keeps it. */
TEST_F(mm, hole)
{
	uint64_t value = PVM_SECRET;
	int ret = madvise(self->mem, self->page, MADV_REMOVE);

	if (variant->flags == MAP_PRIVATE) {
		EXPECT_EQ(-1, ret);
		EXPECT_EQ(EINVAL, errno);
		return;
	}
	ASSERT_EQ(0, ret);
	EXPECT_EQ(sizeof(value), pread(self->s.fd, &value, sizeof(value), 0));
	EXPECT_EQ(0, value);
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_WRITE));
}

TEST_F(mm, truncated_to_nothing)
{
	ASSERT_EQ(0, ftruncate(self->s.fd, 0));
	if (variant->flags == MAP_SHARED)
		EXPECT_EQ(-1, pvm_probe(self->mem, PVM_READ));
}

/* The kernel writes zeroes to the rest of the file's last page. */
TEST_F(mm, truncated_to_half_a_page)
{
	ASSERT_EQ(0, ftruncate(self->s.fd, self->page / 2));
	if (variant->flags == MAP_PRIVATE)
		return;
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_READ));
	EXPECT_FALSE(pvm_secrets_in(self->mem, self->page));
	self->fate = PVM_LOST;
}

/* A child without the memory (MADV_DONTFORK) cannot affect the guest. */
TEST_F(mm, fork_without)
{
	int status;
	pid_t child;

	ASSERT_EQ(0, madvise(self->mem, self->s.size, MADV_DONTFORK));
	ASSERT_EQ(0, madvise(self->s.vm.code, self->s.vm.code_size, MADV_DONTFORK));
	child = fork();
	ASSERT_LE(0, child);
	if (!child)
		_exit(pvm_probe(self->mem, PVM_WRITE) != SEGV_MAPERR);
	ASSERT_EQ(child, waitpid(child, &status, 0));
	EXPECT_EQ(0, status);
}

/*
 * UFFDIO_COPY copies with page faults disabled and then again with faults enabled: it fails, and
 * the guest keeps its page. UFFDIO_MOVE moves no pinned page.
 */
TEST_F(mm, userfaultfd)
{
	uint8_t *target = mmap(NULL, self->page, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register area = {
		.range = { (uintptr_t)target, self->page },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_copy copy = {
		.dst = (uintptr_t)target,
		.src = (uintptr_t)self->mem,
		.len = self->page,
	};
	struct uffdio_move move = {
		.dst = (uintptr_t)target,
		.src = (uintptr_t)self->mem,
		.len = self->page,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);

	ASSERT_NE(MAP_FAILED, target);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_API, &api));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_REGISTER, &area));
	EXPECT_EQ(-1, ioctl(fd, UFFDIO_MOVE, &move));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(-1, ioctl(fd, UFFDIO_COPY, &copy));
	EXPECT_EQ(EFAULT, errno);
	close(fd);
	munmap(target, self->page);
}

TEST_HARNESS_MAIN
