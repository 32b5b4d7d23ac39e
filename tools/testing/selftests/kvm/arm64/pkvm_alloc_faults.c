// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each allocation that the host makes for a protected VM fails once: the first of a call, then the
 * second, until the call ends without one that could be made to fail.
 *
 * R7: a call that could not get what it needs returns an error with nothing changed, and works when
 * it is made again; R1: whatever failed, the VM dies and everything comes back. Wants a kernel with
 * CONFIG_FAILSLAB and CONFIG_FAIL_PAGE_ALLOC, such as one with pkvm_debug.config.
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
/* Far enough from the first page to need a table of its own. */
#define FAR		(2UL * 1024 * 1024)
#define DATA_SIZE	(2 * FAR)
#define TIMEOUT		400
/* More allocations than any of these calls makes. */
#define MAX_NTH		4000

struct fixture {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	bool made;
	/* The command is under way, and only has to be gone on with. */
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
		SKIP(return, "the host's allocations cannot be made to fail");

	/* Also those that may wait for memory, of any size; and not a word of each. */
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

/* From here on the n-th allocation of this thread fails, once; none if n is 0. */
static void arm(int fd, int n)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%d", n);

	if (pwrite(fd, text, length, 0) != length)
		abort();
}

/* Whether the allocation came to be, and failed. */
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

/* The call under test with each of its allocations failed in turn, in a new VM each time. */
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
			/* A reason that the VMM can do something with, and it does. */
			ASSERT_TRUE(err == -ENOMEM || err == -EFAULT) {
				TH_LOG("allocation %d: %s", n, strerror(-err));
			}
			ASSERT_EQ(0, run(f)) {
				TH_LOG("again after allocation %d", n);
			}
		}
		if (f->made)
			pvm_free(&f->vm);
		ASSERT_TRUE(balanced()) {
			TH_LOG("allocation %d", n);
		}
	}
	TH_LOG("%u allocations: the call failed for %u, and did without %u", failed + survived,
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

/* Death is not a call that may fail. */
TEST_F_TIMEOUT(faults, death, TIMEOUT)
{
	fail_each(_metadata, self, make_run_and_share, kill_it);
}

TEST_HARNESS_MAIN
