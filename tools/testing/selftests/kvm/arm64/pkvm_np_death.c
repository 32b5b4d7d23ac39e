// SPDX-License-Identifier: GPL-2.0-only
/*
 * A non-protected VM dies, on a protected host, while the host's memory management unshares pages
 * of it. So that this happens in the middle of its death in every run, the thread that destroys the
 * VM has idle priority, and a second thread on the same CPU spins from the middle on.
 */
#include <linux/compiler.h>
#include <linux/sizes.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

/*
 * The IPA of the VM's first page. The pages are so far from each other that the host unshares only
 * one by each call to EL2. So the death of the VM takes as many calls as it has pages.
 */
#define MEM_IPA		(PVM_DATA_IPA + SZ_256M)
#define STRIDE		SZ_2M
#define PAGES		1024
#define MEM_SIZE	((size_t)PAGES * STRIDE)
/* The host unshares this many pages, the last ones, while the VM dies. */
#define TAKEN_PAGES	16

static int stay_on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static long pages_of_np_vms(void)
{
	return pvm_stat("np_pages_shared") - pvm_stat("np_pages_unshared");
}

/* Two threads on one CPU: one destroys the VM while the other one does not spin. */
struct death {
	struct pvm *vm;
	pthread_t killer;
	pthread_t spinner;
	int failed;
	int spin;
	int end;
};

static void *end_vm(void *arg)
{
	struct sched_param param = {};
	struct death *death = arg;

	if (stay_on_cpu(1) || sched_setscheduler(0, SCHED_IDLE, &param))
		WRITE_ONCE(death->failed, 1);
	pvm_free(death->vm);
	return NULL;
}

static void *spin(void *arg)
{
	struct death *death = arg;

	if (stay_on_cpu(1))
		WRITE_ONCE(death->failed, 1);
	while (!READ_ONCE(death->spin))
		usleep(50);
	while (!READ_ONCE(death->end))
		;
	return NULL;
}

FIXTURE(np_death) {
	struct pvm np;
	struct pvm protected;
	/* The same pages, mapped for the slot of each VM. */
	uint8_t *mem;
	uint8_t *again;
	int memfd;
};

FIXTURE_SETUP(np_death)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->memfd = memfd_create("np_death", MFD_CLOEXEC);
	ASSERT_LE(0, self->memfd);
	ASSERT_EQ(0, ftruncate(self->memfd, MEM_SIZE));
	self->mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->memfd, 0);
	ASSERT_NE(MAP_FAILED, self->mem);
	self->again = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, self->memfd, 0);
	ASSERT_NE(MAP_FAILED, self->again);
	ASSERT_EQ(0, pvm_create(&self->np, 0, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->np, PVM_DATA_SLOT, 0, MEM_IPA, MEM_SIZE,
				  self->mem));
	ASSERT_EQ(0, pvm_create(&self->protected, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&self->protected, PVM_DATA_SLOT, 0, MEM_IPA, MEM_SIZE,
				  self->again));
}

FIXTURE_TEARDOWN(np_death)
{
	pvm_free(&self->protected);
	munmap(self->again, MEM_SIZE);
	munmap(self->mem, MEM_SIZE);
	close(self->memfd);
	EXPECT_EQ(0, pages_of_np_vms());
}

/*
 * Rule (R1): when the host drops a page that it shares with a dying VM, the page is unshared before
 * madvise() returns. So the host can donate it to a protected VM, which EL2 refuses for a page that
 * is still shared.
 */
TEST_F(np_death, page_is_used_again)
{
	struct death death = { .vm = &self->np };
	long shared;

	ASSERT_EQ(0, stay_on_cpu(0));
	for (size_t i = 0; i < MEM_SIZE; i += STRIDE)
		ASSERT_EQ(0, pvm_store(&self->np.vcpus[0], MEM_IPA + i, i));
	ASSERT_EQ(0, pthread_create(&death.spinner, NULL, spin, &death));

	shared = pages_of_np_vms();
	ASSERT_EQ(0, pthread_create(&death.killer, NULL, end_vm, &death));
	while (pages_of_np_vms() == shared)
		;
	WRITE_ONCE(death.spin, 1);

	for (size_t i = MEM_SIZE - TAKEN_PAGES * STRIDE; i < MEM_SIZE; i += STRIDE) {
		EXPECT_EQ(0, madvise(self->mem + i, STRIDE, MADV_DONTNEED));
		EXPECT_EQ(0, pvm_store(&self->protected.vcpus[0], MEM_IPA + i, i));
	}

	/* The death has not come to an end: some pages are still shared. */
	EXPECT_LT(0, pages_of_np_vms());
	WRITE_ONCE(death.end, 1);
	ASSERT_EQ(0, pthread_join(death.killer, NULL));
	ASSERT_EQ(0, pthread_join(death.spinner, NULL));
	EXPECT_EQ(0, death.failed);
}

TEST_HARNESS_MAIN
