// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows of a protected VM, all at once: the VMM adds and deletes slots, the host's memory
 * management takes and changes what is behind them, three vCPUs access them, and a fourth one
 * removes and puts guards. Pages that the guest owns lie between the windows.
 *
 * R1, R2: a page of a window is never taken for the guest's own, nor the other way round. R5:
 * nothing fails but accesses where there is no guard, and nothing is held at the end, also if the
 * VMM is killed in the middle.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <linux/mman.h>
#include <linux/sizes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"
#include "pvm_window.h"

#define BLOCK		SZ_2M
#define SIZE		(2 * BLOCK)
#define NR_SLOTS	2U
#define NR_VCPUS	4U
#define SECONDS		4
#define TIMEOUT		120

#define WINDOW(i)	(PVM_WINDOW_IPA + (uint64_t)(i) * 2 * SIZE)
#define ALL_WINDOWS	(NR_SLOTS * 2 * SIZE)
#define SECRET(i)	(0x5ec2e75ec2e70000UL + (i))

struct race {
	struct pvm vm;
	/* The memory of all windows, and where the host has it again. */
	uint8_t *mem;
	int fd;
	uint64_t page;
	int end;
	int failed;
	unsigned int next_vcpu;
};

static void fail(struct race *race, const char *what, long ret)
{
	printf("# %s: %ld\n", what, ret);
	WRITE_ONCE(race->failed, 1);
	WRITE_ONCE(race->end, 1);
}

static void *change_slots(void *arg)
{
	struct race *race = arg;
	unsigned int seed = 1;
	int ret;

	while (!READ_ONCE(race->end)) {
		unsigned int i = rand_r(&seed) % NR_SLOTS;
		uint64_t size = (1 + rand_r(&seed) % (SIZE / race->page)) * race->page;

		ret = pvm_window_add(&race->vm, i, WINDOW(i), rand_r(&seed) % 2 ? SIZE : size,
				     race->mem);
		if (ret)
			fail(race, "add", ret);
		usleep(rand_r(&seed) % 4000);
		ret = pvm_window_del(&race->vm, i);
		if (ret)
			fail(race, "delete", ret);
	}
	return NULL;
}

static void *change_memory(void *arg)
{
	struct race *race = arg;
	unsigned int seed = 2;

	while (!READ_ONCE(race->end)) {
		uint64_t at = rand_r(&seed) % (SIZE / race->page) * race->page;
		uint64_t len = (1 + rand_r(&seed) % 8) * race->page;

		len = len < SIZE - at ? len : SIZE - at;
		switch (rand_r(&seed) % 5) {
		case 0:
			madvise(race->mem + at, len, MADV_DONTNEED);
			break;
		case 1:
			fallocate(race->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, len);
			break;
		case 2:
			madvise(race->mem, BLOCK, MADV_COLLAPSE);
			break;
		case 3:
			madvise(race->mem + at, len, MADV_PAGEOUT);
			break;
		case 4:
			WRITE_ONCE(*(uint64_t *)(race->mem + at), at);
			break;
		}
		usleep(rand_r(&seed) % 2000);
	}
	return NULL;
}

/* Access windows from one vCPU, and see that its own page stays its own. */
static void *access_windows(void *arg)
{
	struct race *race = arg;
	unsigned int i = __atomic_fetch_add(&race->next_vcpu, 1, __ATOMIC_RELAXED);
	struct pvm_vcpu *vcpu = &race->vm.vcpus[i];
	uint64_t own = PVM_DATA_IPA + i * race->page, value;
	unsigned int seed = 3 + i;
	int ret;

	ret = pvm_store(vcpu, own, SECRET(i));
	while (!ret && !READ_ONCE(race->end)) {
		uint64_t ipa = WINDOW(rand_r(&seed) % NR_SLOTS) +
			       rand_r(&seed) % (SIZE / race->page) * race->page;

		/* No guard there at the moment: an external abort. */
		ret = pvm_command(vcpu, PVM_FILL, ipa, 42 + i, 16, race->page);
		if (!ret || ret == -EIO)
			ret = pvm_load(vcpu, ipa, &value);
		if (!ret && (value & ~0xffffUL) == SECRET(0))
			ret = -EUCLEAN;
		if (ret && ret != -EIO)
			break;
		ret = pvm_load(vcpu, own, &value);
		if (!ret && value != SECRET(i))
			ret = -EBADMSG;
	}
	if (ret)
		fail(race, "vCPU", ret);
	return NULL;
}

/* Remove guards, have pages of the guest there for a moment, and put the guards again. */
static void *change_guards(void *arg)
{
	struct race *race = arg;
	struct pvm_vcpu *vcpu = &race->vm.vcpus[NR_VCPUS - 1];
	unsigned int seed = 99;
	int64_t ret;

	while (!READ_ONCE(race->end)) {
		uint64_t at = rand_r(&seed) % (SIZE / race->page) * race->page;
		uint64_t ipa = WINDOW(rand_r(&seed) % NR_SLOTS) + at;
		uint64_t nr = 1 + rand_r(&seed) % ((SIZE - at) / race->page);

		ret = pvm_range(vcpu, HVC_RGUARD_UNMAP, ipa, nr);
		if (ret < 0)
			return fail(race, "unguard", ret), NULL;
		/* Nothing gets there but the guest's own memory, and there is none. */
		if (pvm_share(vcpu, ipa) != HVC_INVALID_PARAMETER ||
		    pvm_relinquish(vcpu, ipa) != HVC_INVALID_PARAMETER)
			return fail(race, "memory", ipa), NULL;
		ret = pvm_range(vcpu, HVC_RGUARD_MAP, ipa, nr);
		if (ret < 0)
			return fail(race, "guard", ret), NULL;
	}
	return NULL;
}

static int race_begin(struct race *race, int fd)
{
	*race = (struct race) { .fd = fd, .page = getpagesize() };
	race->mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (race->mem == MAP_FAILED ||
	    pvm_create(&race->vm, KVM_VM_TYPE_ARM_PROTECTED, NR_VCPUS, NR_VCPUS * race->page))
		return -ENOMEM;
	race->vm.zero_ipa = PVM_WINDOW_IPA;
	race->vm.zero_size = ALL_WINDOWS;

	if (pvm_enroll(&race->vm))
		return -EIO;
	for (unsigned int i = 1; i < NR_VCPUS; i++) {
		if (pvm_cpu_on(&race->vm, i))
			return -EIO;
	}
	return pvm_window_guard(&race->vm.vcpus[0], PVM_WINDOW_IPA, ALL_WINDOWS) < 0 ? -EIO : 0;
}

static int race_run(struct race *race)
{
	void *(*const functions[])(void *) = {
		change_slots, change_memory, change_guards, access_windows, access_windows,
		access_windows,
	};
	pthread_t threads[ARRAY_SIZE(functions)];

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		if (pthread_create(&threads[i], NULL, functions[i], race))
			return -ENOMEM;
	}
	for (unsigned int i = 0; i < SECONDS * 10 && !READ_ONCE(race->end); i++)
		usleep(100000);
	WRITE_ONCE(race->end, 1);
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		pthread_join(threads[i], NULL);
	return race->failed ? -EIO : 0;
}

/* No window has any of the memory. */
static int home(int fd)
{
	uint8_t *mem = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	int err = mem == MAP_FAILED ? -errno : pvm_window_returned(mem, SIZE);

	if (mem != MAP_FAILED)
		munmap(mem, SIZE);
	return err;
}

FIXTURE(races) {
	int fd;
	int log;
};

FIXTURE_SETUP(races)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->log = pvm_log_open();
	self->fd = memfd_create("window", MFD_CLOEXEC);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, ftruncate(self->fd, SIZE));
}

FIXTURE_TEARDOWN(races)
{
	if (!pvm_host_is_protected())
		return;
	EXPECT_EQ(0, home(self->fd));
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
	EXPECT_EQ(0, pvm_stat("pages_forced"));
	EXPECT_FALSE(pvm_log_complains(self->log));
	close(self->fd);
}

TEST_F_TIMEOUT(races, all_at_once, TIMEOUT)
{
	struct race race;

	ASSERT_EQ(0, race_begin(&race, self->fd));
	EXPECT_EQ(0, race_run(&race));
	EXPECT_EQ(0, pvm_kvm_stat(race.vm.fd, "protected_bytes_window"));
	pvm_free(&race.vm);
	munmap(race.mem, SIZE);
}

TEST_F_TIMEOUT(races, killed, TIMEOUT)
{
	long before = pvm_stat("metadata_pages_donated") - pvm_stat("metadata_pages_returned");
	struct race race;
	int status;
	pid_t pid;

	for (unsigned int round = 0; round < 4; round++) {
		pid = fork();
		if (!pid)
			_exit(race_begin(&race, self->fd) || race_run(&race));
		ASSERT_LT(0, pid);
		usleep(700000 + round * 130000);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		EXPECT_TRUE(WIFSIGNALED(status));
		for (int i = 0; i < 200 && pvm_stat("metadata_pages_donated") -
		     pvm_stat("metadata_pages_returned") != before; i++)
			usleep(10000);
		EXPECT_EQ(0, home(self->fd));
	}
}

TEST_HARNESS_MAIN
