// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test makes each allocation of the host for a protected VM fail: first the first allocation of
 * a call, then in a new VM the second, until the call completes without a failed allocation.
 *
 * R7: a call without the memory that it needs returns an error, changes nothing, and succeeds when
 * repeated. R1: whatever failed, the VM can die and the host gets all pages back. The kernel needs
 * CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC, as in pkvm_debug.config.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define FAILSLAB	"/sys/kernel/debug/failslab/"
#define FAIL_PAGE	"/sys/kernel/debug/fail_page_alloc/"

#define SECRET		0x5ec2e75ec2e75ec2UL
/* The distance of a page that needs another last-level table. */
#define FAR		(2UL * 1024 * 1024)
#define DATA_SIZE	(2 * FAR)
#define TIMEOUT		400
/* More allocations than any of these calls makes. */
#define MAX_NTH		4000

struct fixture {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	bool made;
	/* The vCPU has the command, so repeating the call continues it. */
	bool begun;
	void *extra;
};

FIXTURE(faults) {
	struct fixture f;
	int nth;
	int log;
};

FIXTURE_SETUP(faults)
{
	char path[64];

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");
	if (access(FAILSLAB, F_OK) || access(FAIL_PAGE, F_OK))
		SKIP(return, "needs CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC");

	/* Allocations that may wait for memory fail too, those of any size, and without a log. */
	ASSERT_EQ(0, pvm_write(FAILSLAB "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, pvm_write(FAIL_PAGE "ignore-gfp-wait", "N"));
	ASSERT_EQ(0, pvm_write(FAIL_PAGE "ignore-gfp-highmem", "N"));
	ASSERT_EQ(0, pvm_write(FAIL_PAGE "min-order", "0"));
	ASSERT_EQ(0, pvm_write(FAILSLAB "verbose", "0"));
	ASSERT_EQ(0, pvm_write(FAIL_PAGE "verbose", "0"));
	snprintf(path, sizeof(path), "/proc/self/task/%d/fail-nth", gettid());
	self->nth = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, self->nth);
	self->log = pvm_log_open();
	ASSERT_LE(0, self->log);
	self->f.extra = mmap(NULL, FAR, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	ASSERT_NE(MAP_FAILED, self->f.extra);
}

FIXTURE_TEARDOWN(faults)
{
	EXPECT_FALSE(pvm_log_complains(self->log));
	close(self->nth);
	close(self->log);
	munmap(self->f.extra, FAR);
}

/* Make the n-th allocation of this thread from here on fail, once; none if n is 0. */
static void arm(int fd, int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fd, text, length, 0) != length)
		abort();
}

/* Stop failing allocations. Return whether one failed. */
static bool disarm(int fd)
{
	char text[16] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		abort();
	arm(fd, 0);
	return !atoi(text);
}

static int make(struct fixture *f)
{
	int err = pvm_create(&f->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, DATA_SIZE);

	f->vcpu = &f->vm.vcpus[0];
	f->made = !err;
	return err;
}

static int make_and_run(struct fixture *f)
{
	int err = make(f);

	return err ? err : pvm_store(f->vcpu, PVM_DATA_IPA, SECRET);
}

static int make_run_and_share(struct fixture *f)
{
	int err = make_and_run(f);

	if (!err && pvm_share(f->vcpu, PVM_DATA_IPA))
		err = -EPROTO;
	return err ? err : pvm_store(f->vcpu, PVM_DATA_IPA + getpagesize(), SECRET);
}

static int nothing(struct fixture *f)
{
	return 0;
}

static int first_run(struct fixture *f)
{
	int err = f->begun ? pvm_run(f->vcpu) : pvm_store(f->vcpu, PVM_DATA_IPA, SECRET);

	f->begun = true;
	return err;
}

static int touch(struct fixture *f)
{
	int err = f->begun ? pvm_run(f->vcpu) : pvm_store(f->vcpu, PVM_DATA_IPA + FAR, SECRET);

	f->begun = true;
	return err;
}

static int share(struct fixture *f)
{
	int err = f->begun ? pvm_run(f->vcpu) :
		  pvm_command(f->vcpu, PVM_HVC, HVC_MEM_SHARE, PVM_DATA_IPA + FAR, 0, 0);

	f->begun = true;
	return err ? err : (int)(int64_t)f->vcpu->results[0];
}

static int add_slot(struct fixture *f)
{
	return pvm_set_slot(&f->vm, PVM_FREE_SLOT, 0, PVM_DATA_IPA + (1UL << 30), FAR, f->extra);
}

static int make_and_add_slot(struct fixture *f)
{
	int err = make(f);

	return err ? err : add_slot(f);
}

static int delete_slot(struct fixture *f)
{
	return pvm_set_slot(&f->vm, PVM_FREE_SLOT, 0, PVM_DATA_IPA + (1UL << 30), 0, f->extra);
}

static int kill_it(struct fixture *f)
{
	pvm_kill(&f->vm);
	return 0;
}

static bool balanced(void)
{
	return pvm_stat("pages_donated") == pvm_pages_returned() &&
	       pvm_stat("metadata_pages_donated") == pvm_stat("metadata_pages_returned") &&
	       pvm_stat("vms_created") == pvm_stat("vms_destroyed");
}

/* Make the call under test, with a different allocation failing in a new VM each time. */
static void fail_each(struct __test_metadata *const _metadata, FIXTURE_DATA(faults) * self,
		      int (*prepare)(struct fixture *f), int (*run)(struct fixture *f))
{
	unsigned int failed = 0, survived = 0;
	bool injected = true;

	for (int n = 1; injected; n++) {
		struct fixture *f = &self->f;
		int err;

		ASSERT_GT(MAX_NTH, n);
		f->made = false;
		f->begun = false;
		ASSERT_EQ(0, prepare(f));

		arm(self->nth, n);
		err = run(f);
		injected = disarm(self->nth);

		if (!injected)
			ASSERT_EQ(0, err);
		survived += injected && !err;
		failed += injected && err;
		if (err) {
			/* The VMM can repeat the call after these errors. */
			ASSERT_TRUE(err == -ENOMEM || err == -EFAULT) {
				TH_LOG("allocation %d: %s", n, strerror(-err));
			}
			ASSERT_EQ(0, run(f)) {
				TH_LOG("the repeated call after allocation %d", n);
			}
		}
		if (f->made)
			pvm_free(&f->vm);
		ASSERT_TRUE(balanced()) {
			TH_LOG("allocation %d", n);
		}
	}
	TH_LOG("%u failed allocations: %u failed the call, %u did not", failed + survived,
	       failed, survived);
	EXPECT_LT(0, failed + survived);
}

TEST_F_TIMEOUT(faults, create, TIMEOUT)
{
	fail_each(_metadata, self, nothing, make);
}

TEST_F_TIMEOUT(faults, first_run, TIMEOUT)
{
	fail_each(_metadata, self, make, first_run);
}

TEST_F_TIMEOUT(faults, page, TIMEOUT)
{
	fail_each(_metadata, self, make_and_run, touch);
}

TEST_F_TIMEOUT(faults, share, TIMEOUT)
{
	fail_each(_metadata, self, make_and_run, share);
}

TEST_F_TIMEOUT(faults, slot, TIMEOUT)
{
	fail_each(_metadata, self, make, add_slot);
}

TEST_F_TIMEOUT(faults, slot_of_a_running_vm, TIMEOUT)
{
	fail_each(_metadata, self, make_and_run, add_slot);
}

TEST_F_TIMEOUT(faults, slot_deleted, TIMEOUT)
{
	fail_each(_metadata, self, make_and_add_slot, delete_slot);
}

/* The death of a VM must not fail. */
TEST_F_TIMEOUT(faults, death, TIMEOUT)
{
	fail_each(_metadata, self, make_run_and_share, kill_it);
}

TEST_HARNESS_MAIN
