// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: donated pages are pinned, so KVM charges them to RLIMIT_MEMLOCK of a process without
 * CAP_IPC_LOCK. At the limit KVM_RUN fails with ENOMEM, and the guest continues once the limit is
 * raised. KVM uncharges a page at once if its donation failed, and all others when the VM dies.
 */
#include <errno.h>
#include <linux/compiler.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	16
#define NOBODY	65534

/* VmPin of this process in pages. */
static long charged_pages(void)
{
	return pvm_proc_number("/proc/self/status", "VmPin") * 1024 / getpagesize();
}

static int set_limit(long pages)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return -errno;
	limit.rlim_cur = pages * getpagesize();
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

FIXTURE(memlock) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
};

/* Make the VM as root, which may open /dev/kvm, then drop to nobody, without capabilities. */
FIXTURE_SETUP(memlock)
{
	const struct rlimit limit = { 2 * PAGES * getpagesize(), 2 * PAGES * getpagesize() };

	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	ASSERT_EQ(0, charged_pages());
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * self->page));
	self->vcpu = &self->vm.vcpus[0];
	ASSERT_EQ(0, setrlimit(RLIMIT_MEMLOCK, &limit));
	ASSERT_EQ(0, setresuid(NOBODY, NOBODY, NOBODY));
}

FIXTURE_TEARDOWN(memlock)
{
	pvm_free(&self->vm);
}

TEST_F(memlock, charged_and_uncharged)
{
	/* KVM has charged one page for the code. */
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, 5, self->page));
	EXPECT_EQ(6, charged_pages());
	/* A shared page still is the guest's, so KVM still charges it. */
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(6, charged_pages());
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA + 5 * self->page));
	EXPECT_EQ(7, charged_pages());
	pvm_kill(&self->vm);
	EXPECT_EQ(0, charged_pages());
}

TEST_F(memlock, limit_reached_and_raised)
{
	uint64_t value;

	ASSERT_EQ(0, set_limit(4));
	EXPECT_EQ(-ENOMEM, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, PAGES,
				       self->page));
	EXPECT_EQ(4, charged_pages());
	/* The guest has the last page within the limit. The next one still is the host's. */
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->vm.data + 2 * self->page, PVM_READ));
	EXPECT_EQ(0, pvm_probe(self->vm.data + 3 * self->page, PVM_WRITE));
	/* Another KVM_RUN fails too, and changes no charge. */
	EXPECT_EQ(-ENOMEM, pvm_run(self->vcpu));
	EXPECT_EQ(4, charged_pages());

	ASSERT_EQ(0, set_limit(5));
	EXPECT_EQ(-ENOMEM, pvm_run(self->vcpu));
	EXPECT_EQ(5, charged_pages());

	ASSERT_EQ(0, set_limit(PAGES + 1));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(PAGES + 1, charged_pages());
	for (int i = 0; i < PAGES; i++) {
		ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + i * self->page, &value));
		EXPECT_EQ(SECRET, value);
	}
	pvm_kill(&self->vm);
	EXPECT_EQ(0, charged_pages());
}

/* If MEM_SHARE needs the page, KVM_RUN fails, and the guest sees no error. */
TEST_F(memlock, limit_reached_by_share)
{
	ASSERT_EQ(0, set_limit(1));
	EXPECT_EQ(-ENOMEM, pvm_command(self->vcpu, PVM_HVC, HVC_MEM_SHARE, PVM_DATA_IPA, 0, 0));
	EXPECT_EQ(1, charged_pages());
	ASSERT_EQ(0, set_limit(2));
	EXPECT_EQ(0, pvm_run(self->vcpu));
	EXPECT_EQ(HVC_SUCCESS, self->vcpu->results[0]);
	EXPECT_EQ(1, self->vcpu->results[1]);
	EXPECT_EQ(0, pvm_probe(self->vm.data, PVM_WRITE));
	EXPECT_EQ(2, charged_pages());
}

/* With a limit of 0 the first instruction fails, since the code needs a page. */
TEST_F(memlock, no_page_at_all)
{
	ASSERT_EQ(0, set_limit(0));
	EXPECT_EQ(-ENOMEM, pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(0, charged_pages());
	EXPECT_EQ(0, pvm_probe(self->vm.code, PVM_READ));
}

/* KVM uncharges a page whose donation fails for another reason. */
TEST_F(memlock, failed_fault_costs_nothing)
{
	ASSERT_EQ(0, mprotect(self->vm.data, self->page, PROT_NONE));
	for (int i = 0; i < 3 * PAGES; i++)
		ASSERT_EQ(-EFAULT, i ? pvm_run(self->vcpu) :
			  pvm_store(self->vcpu, PVM_DATA_IPA, SECRET));
	EXPECT_EQ(1, charged_pages());
}

/* Pinned memory has the limit for itself, as has what the process locks. */
TEST_F(memlock, apart_from_mlock)
{
	ASSERT_EQ(0, set_limit(PAGES + 1));
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, PAGES, self->page));
	EXPECT_EQ(PAGES + 1, charged_pages());

	EXPECT_EQ(0, mlock(&self->page, 1));
	EXPECT_EQ(PAGES + 1, charged_pages());
	pvm_kill(&self->vm);
	EXPECT_EQ(0, charged_pages());
	EXPECT_EQ(1, pvm_proc_number("/proc/self/status", "VmLck") * 1024 / getpagesize());
	EXPECT_EQ(0, munlock(&self->page, 1));
}

TEST_HARNESS_MAIN
