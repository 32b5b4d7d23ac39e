// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fault of a protected VM donates the populated pages around it, too.
 *
 * Rules: a fault donates the pages around it that the VMM has populated, without a gap, in the same
 * 64 KiB and in the same slot. It donates no page at an IPA where the guest has a page or a guard,
 * has relinquished a page, or lost one to a forced reclaim. Each donated page is charged, private
 * (R2), and comes back zeroed (R3). If the pages around cannot be donated, the one page is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET		0x5ec2e75ec2e75ec2UL
#define PAGE		((uint64_t)getpagesize())
/* The most pages that a fault donates, and the first page of the 64 KiB that most tests use. */
#define AROUND		(65536 / PAGE)
#define FIRST		AROUND
#define PAGES		(4 * AROUND)
#define NOBODY		65534
#define ROUNDS		8
#define TIMEOUT		120

FIXTURE(around) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	uint8_t *mem;
};

FIXTURE_SETUP(around)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
	if (AROUND < 4)
		SKIP(return, "a page is too large to have others around");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
	self->mem = self->vm.data;
	ASSERT_EQ(0, pvm_write(PVM_FAULT_AROUND, "Y"));
	/* The first run donates the page with the code. */
	ASSERT_LE(0, pvm_hvc(self->vcpu, HVC_PSCI_VERSION, 0, 0, 0));
}

FIXTURE_TEARDOWN(around)
{
	pvm_write(PVM_FAULT_AROUND, "Y");
	pvm_free(&self->vm);
}

/* What the host writes to a page of the data. */
static uint64_t pattern(uint64_t page)
{
	return 0x405e000000000000UL + page;
}

static uint64_t ipa(uint64_t page)
{
	return PVM_DATA_IPA + page * PAGE;
}

static void populate(uint8_t *mem, uint64_t first, uint64_t nr)
{
	for (uint64_t page = first; page < first + nr; page++)
		WRITE_ONCE(*(uint64_t *)(mem + page * PAGE), pattern(page));
}

/* Have the guest touch a page. How many pages were donated for that, or a negative errno. */
static long touch(struct pvm_vcpu *vcpu, uint64_t page)
{
	long donated = pvm_stat("pages_donated");
	uint64_t value;
	int err = pvm_load(vcpu, ipa(page), &value);

	return err ? err : pvm_stat("pages_donated") - donated;
}

/* How many pages of a range are private. */
static uint64_t nr_private(uint8_t *mem, uint64_t first, uint64_t nr)
{
	uint64_t private = 0;

	for (uint64_t page = first; page < first + nr; page++)
		private += pvm_probe(mem + page * PAGE, PVM_READ) == SEGV_ACCERR;
	return private;
}

/* How many pages of the data the VMM has in memory. */
static uint64_t nr_populated(uint8_t *mem)
{
	unsigned char there[PAGES];
	uint64_t nr = 0;

	if (mincore(mem, PAGES * PAGE, there))
		return -errno;
	for (uint64_t page = 0; page < PAGES; page++)
		nr += there[page] & 1;
	return nr;
}

/* A fault donates all populated pages of the 64 KiB, with their contents, and no others. */
TEST_F(around, populated)
{
	uint64_t value;

	populate(self->mem, 0, PAGES);
	EXPECT_EQ(AROUND, touch(self->vcpu, FIRST + AROUND / 2));
	EXPECT_EQ(AROUND, nr_private(self->mem, FIRST, AROUND));
	EXPECT_EQ(AROUND, nr_private(self->mem, 0, PAGES));
	for (uint64_t page = FIRST; page < FIRST + AROUND; page++) {
		ASSERT_EQ(0, pvm_load(self->vcpu, ipa(page), &value));
		EXPECT_EQ(pattern(page), value);
	}
	EXPECT_EQ(0, touch(self->vcpu, FIRST));
	EXPECT_EQ(AROUND, touch(self->vcpu, FIRST - 1));
	EXPECT_EQ(AROUND, touch(self->vcpu, FIRST + AROUND));
}

/* The host faults in only the page that the guest touched. */
TEST_F(around, not_populated)
{
	populate(self->mem, 0, 1);
	EXPECT_EQ(1, nr_populated(self->mem));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 1));
	EXPECT_EQ(2, nr_populated(self->mem));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(3, nr_populated(self->mem));
}

/* The donated pages end before a missing page. If the guest touches that, it is donated alone. */
TEST_F(around, holes)
{
	uint64_t last = FIRST + AROUND - 1;

	populate(self->mem, 0, PAGES);
	ASSERT_EQ(0, madvise(self->mem + FIRST * PAGE, PAGE, MADV_DONTNEED));
	ASSERT_EQ(0, madvise(self->mem + last * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_EQ(1, touch(self->vcpu, FIRST));
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, FIRST + 1));
	EXPECT_EQ(PAGES - 1, nr_populated(self->mem));
	EXPECT_EQ(1, touch(self->vcpu, last));

	ASSERT_EQ(0, madvise(self->mem + PAGE, PAGE, MADV_DONTNEED));
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, FIRST - 1));
	EXPECT_EQ(0, pvm_probe(self->mem, PVM_READ));
	EXPECT_EQ(1, touch(self->vcpu, 0));
}

/* A page that the VMM has only read is the zero page, which is not donated. */
TEST_F(around, zero_page)
{
	populate(self->mem, FIRST, AROUND);
	ASSERT_EQ(0, madvise(self->mem + (FIRST + 2) * PAGE, PAGE, MADV_DONTNEED));
	EXPECT_EQ(0, READ_ONCE(self->mem[(FIRST + 2) * PAGE]));
	EXPECT_EQ(2, touch(self->vcpu, FIRST));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 2) * PAGE, PVM_READ));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(AROUND - 3, touch(self->vcpu, FIRST + 3));
}

/* The donated pages end at the edges of the slot, also if the memory behind it continues. */
TEST_F(around, slot_edges)
{
	uint64_t nr = AROUND - 2, first = PVM_DATA_IPA + PAGES * PAGE + PAGE, value;
	long donated;
	uint8_t *mem;

	mem = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	populate(mem, 0, PAGES);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, first, nr * PAGE,
				  mem + AROUND * PAGE));
	donated = pvm_stat("pages_donated");
	ASSERT_EQ(0, pvm_load(self->vcpu, first + PAGE, &value));
	EXPECT_EQ(pattern(AROUND + 1), value);
	EXPECT_EQ(donated + nr, pvm_stat("pages_donated"));
	EXPECT_EQ(nr, nr_private(mem, AROUND, nr));
	EXPECT_EQ(nr, nr_private(mem, 0, PAGES));
	pvm_kill(&self->vm);
	munmap(mem, PAGES * PAGE);
}

/* Pages of a memfd count as populated if the VMM has mapped them. */
TEST_F(around, shmem)
{
	uint64_t first = PVM_DATA_IPA + PAGES * PAGE, value;
	int fd = memfd_create("memory", MFD_CLOEXEC);
	long donated = pvm_stat("pages_donated");
	uint8_t *mem;

	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, AROUND * PAGE));
	mem = mmap(NULL, AROUND * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, mem);
	populate(mem, 0, AROUND);
	ASSERT_EQ(0, pvm_set_slot(&self->vm, PVM_FREE_SLOT, 0, first, AROUND * PAGE, mem));
	ASSERT_EQ(0, pvm_load(self->vcpu, first + PAGE, &value));
	EXPECT_EQ(pattern(1), value);
	EXPECT_EQ(donated + AROUND, pvm_stat("pages_donated"));
	EXPECT_EQ(AROUND, nr_private(mem, 0, AROUND));
	pvm_kill(&self->vm);
	munmap(mem, AROUND * PAGE);
	close(fd);
}

/* The donated pages end before a page of a file that is not shmem. */
TEST_F(around, page_of_a_file)
{
	uint8_t *mem = self->mem + (FIRST + 2) * PAGE;
	int fd;

	ASSERT_EQ(0, mkdir("/pkvm_fault_around.ramfs", 0700));
	ASSERT_EQ(0, mount("none", "/pkvm_fault_around.ramfs", "ramfs", 0, NULL));
	fd = open("/pkvm_fault_around.ramfs/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	umount2("/pkvm_fault_around.ramfs", MNT_DETACH);
	rmdir("/pkvm_fault_around.ramfs");
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, ftruncate(fd, PAGE));
	ASSERT_EQ(mem, mmap(mem, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0));
	close(fd);
	populate(self->mem, FIRST, AROUND);
	EXPECT_EQ(2, touch(self->vcpu, FIRST));
	EXPECT_EQ(-EFAULT, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(0, pvm_probe(mem, PVM_READ));
}

/* A fault beside a page that the guest shares does not change that page. */
TEST_F(around, shared_neighbour)
{
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, ipa(FIRST + 1)));
	populate(self->mem, FIRST, AROUND);
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, FIRST + AROUND - 1));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 1) * PAGE, PVM_READ));
	EXPECT_EQ(pattern(FIRST + 1), *(uint64_t *)(self->mem + (FIRST + 1) * PAGE));
	EXPECT_EQ(1, touch(self->vcpu, FIRST));
	EXPECT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, ipa(FIRST + 1)));
}

/* Only EL2 knows guards: it donates the pages before one, and the fault succeeds. */
TEST_F(around, guarded_neighbour)
{
	populate(self->mem, 0, PAGES);
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, ipa(FIRST + 1), 0, 0));
	EXPECT_EQ(2, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 1) * PAGE, PVM_WRITE));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 3) * PAGE, PVM_WRITE));
	EXPECT_EQ(0, touch(self->vcpu, FIRST));
	EXPECT_EQ(AROUND - 3, touch(self->vcpu, FIRST + 3));

	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, ipa(2), 0, 0));
	EXPECT_EQ(2, touch(self->vcpu, 1));
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, ipa(2), 0, 0));
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, 2));
}

/* A forced reclaim of one page that a fault donated leaves the other pages to the guest. */
TEST_F(around, one_page_by_force)
{
	int fd = pvm_map_file(self->mem + FIRST * PAGE, AROUND * PAGE);
	uint64_t value;

	ASSERT_LE(0, fd);
	populate(self->mem, FIRST, AROUND);
	ASSERT_EQ(AROUND, touch(self->vcpu, FIRST));
	ASSERT_EQ(0, pvm_force(fd, PAGE));
	close(fd);
	EXPECT_EQ(0, *(uint64_t *)(self->mem + (FIRST + 1) * PAGE));
	EXPECT_EQ(AROUND - 1, nr_private(self->mem, FIRST, AROUND));
	ASSERT_EQ(0, pvm_load(self->vcpu, ipa(FIRST + 2), &value));
	EXPECT_EQ(pattern(FIRST + 2), value);
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, ipa(FIRST + 1), &value));
}

/* A fault beside a poisoned IPA donates no page there. */
TEST_F(around, poisoned_neighbour)
{
	int fd = pvm_map_file(self->mem + (FIRST + 1) * PAGE, PAGE);

	ASSERT_LE(0, fd);
	ASSERT_EQ(1, touch(self->vcpu, FIRST + 1));
	ASSERT_EQ(0, pvm_force(fd, 0));
	populate(self->mem, FIRST, AROUND);
	EXPECT_EQ(1, touch(self->vcpu, FIRST));
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 1) * PAGE, PVM_READ));
	close(fd);
}

/* A fault beside a relinquished page donates no page there, as a balloon requires. */
TEST_F(around, relinquished_neighbour)
{
	populate(self->mem, 0, PAGES);
	ASSERT_EQ(AROUND, touch(self->vcpu, FIRST));
	for (uint64_t page = FIRST + 1; page < FIRST + 4; page++)
		ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, ipa(page)));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 2));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 1) * PAGE, PVM_READ));
	EXPECT_EQ(0, pvm_probe(self->mem + (FIRST + 3) * PAGE, PVM_READ));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 3));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 1));
	pvm_kill(&self->vm);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
}

TEST_F(around, turned_off)
{
	ASSERT_EQ(0, pvm_write(PVM_FAULT_AROUND, "N"));
	populate(self->mem, 0, PAGES);
	EXPECT_EQ(1, touch(self->vcpu, FIRST));
	EXPECT_EQ(1, touch(self->vcpu, FIRST + 1));
	EXPECT_EQ(2, nr_private(self->mem, 0, PAGES));
	ASSERT_EQ(0, pvm_write(PVM_FAULT_AROUND, "Y"));
	EXPECT_EQ(AROUND - 2, touch(self->vcpu, FIRST + 2));
}

/* R3: when the VM has died, the host owns all pages, and they are zeroed. */
TEST_F(around, dies)
{
	populate(self->mem, 0, PAGES);
	for (uint64_t page = 0; page < PAGES; page += AROUND)
		ASSERT_EQ(AROUND, touch(self->vcpu, page + 1));
	EXPECT_EQ(PAGES, nr_private(self->mem, 0, PAGES));
	pvm_kill(&self->vm);
	EXPECT_EQ(0, nr_private(self->mem, 0, PAGES));
	for (uint64_t page = 0; page < PAGES; page++)
		EXPECT_EQ(0, *(uint64_t *)(self->mem + page * PAGE));
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
}

struct work {
	struct pvm_vcpu *vcpu;
	pthread_barrier_t *start;
	uint64_t first;
	int err;
};

static void *fill(void *arg)
{
	struct work *work = arg;

	pthread_barrier_wait(work->start);
	work->err = pvm_command(work->vcpu, PVM_FILL, ipa(work->first), SECRET, PAGES / 2,
				2 * PAGE);
	return NULL;
}

/* R1: two vCPUs that fault on the same 64 KiB get each page once. */
TEST_F_TIMEOUT(around, two_vcpus, TIMEOUT)
{
	long donated;

	for (int round = 0; round < ROUNDS; round++) {
		struct work works[2] = {
			{ .vcpu = &self->vm.vcpus[0], .first = 0 },
			{ .vcpu = &self->vm.vcpus[1], .first = 1 },
		};
		pthread_barrier_t start;
		pthread_t threads[2];

		ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
		populate(self->mem, 0, PAGES);
		donated = pvm_stat("pages_donated");
		ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
		for (int i = 0; i < 2; i++) {
			works[i].start = &start;
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, fill, &works[i]));
		}
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
			EXPECT_EQ(0, works[i].err);
		}
		pthread_barrier_destroy(&start);
		EXPECT_EQ(PAGES, nr_private(self->mem, 0, PAGES));
		EXPECT_EQ(donated + PAGES, pvm_stat("pages_donated"));

		pvm_kill(&self->vm);
		EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
		pvm_free(&self->vm);
		ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, PAGES * PAGE));
		self->mem = self->vm.data;
		ASSERT_LE(0, pvm_hvc(&self->vm.vcpus[0], HVC_PSCI_VERSION, 0, 0, 0));
	}
}

static uint64_t charged_pages(void)
{
	return pvm_proc_number("/proc/self/status", "VmPin") * 1024 / PAGE;
}

static int set_limit(uint64_t pages)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	limit.rlim_cur = pages * PAGE;
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

/* Each page is charged. If only the touched page fits within the limit, it is donated alone. */
TEST_F(around, charge)
{
	const struct rlimit limit = { 2 * PAGES * PAGE, 2 * PAGES * PAGE };

	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
	populate(self->mem, 0, PAGES);
	EXPECT_EQ(1, charged_pages());

	ASSERT_EQ(0, set_limit(AROUND));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa(1), SECRET));
	EXPECT_EQ(2, charged_pages());

	ASSERT_EQ(0, set_limit(2 + AROUND));
	EXPECT_EQ(0, pvm_store(self->vcpu, ipa(FIRST + 1), SECRET));
	EXPECT_EQ(2 + AROUND, charged_pages());
	EXPECT_EQ(-ENOMEM, pvm_store(self->vcpu, ipa(2), SECRET));
	EXPECT_EQ(2 + AROUND, charged_pages());

	ASSERT_EQ(0, set_limit(3 + AROUND));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(3 + AROUND, charged_pages());
	ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, ipa(FIRST)));
	EXPECT_EQ(2 + AROUND, charged_pages());
	pvm_kill(&self->vm);
	EXPECT_EQ(0, charged_pages());
}

TEST_HARNESS_MAIN
