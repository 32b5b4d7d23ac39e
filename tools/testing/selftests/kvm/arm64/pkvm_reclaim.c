// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forced reclaim: the host's kernel accesses a private page through its own mapping without a
 * check, and the fault handler reclaims the page from the guest.
 *
 * R3: the reclaimed page is zeroed. R5: the host does not oops, hang or lose a page. The guest's
 * next access makes KVM_RUN fail, and the guest never gets another page in its place.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/compiler.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_backed.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	4

FIXTURE(reclaim) {
	struct pvm_backed b;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint8_t *mem;
};

/* The guest owns all pages, each with a secret at its start. */
FIXTURE_SETUP(reclaim)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_backed_create(&self->b, -1, MAP_SHARED, PAGES));
	self->vcpu = self->b.vcpu;
	self->page = self->b.page;
	self->mem = self->b.mem;
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, PVM_DATA_IPA, SECRET, PAGES, self->page));
}

FIXTURE_TEARDOWN(reclaim)
{
	pvm_backed_free(&self->b);
}

/* The guest has lost the first page for good to the host, and has all others. */
static void expect_first_lost(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			      uint8_t *mem)
{
	uint64_t value = 0;

	for (int i = 1; i < PAGES; i++) {
		EXPECT_EQ(0, pvm_load(vcpu, PVM_DATA_IPA + i * getpagesize(), &value));
		EXPECT_EQ(SECRET, value);
		EXPECT_EQ(SEGV_ACCERR, pvm_probe(mem + i * getpagesize(), PVM_READ));
	}
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(vcpu, PVM_DATA_IPA));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_probe(mem, PVM_WRITE));
	EXPECT_EQ(-EFAULT, pvm_load(vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(-EFAULT, pvm_run(vcpu));
}

/* fallocate() zeroes the page in which a hole ends, which reclaims it. */
TEST_F(reclaim, hole)
{
	long forced = pvm_stat("pages_forced");

	ASSERT_EQ(0, pvm_force(self->b.fd, 0));
	EXPECT_EQ(forced + 1, pvm_stat("pages_forced"));
	for (size_t i = 0; i < self->page; i += sizeof(uint64_t))
		ASSERT_EQ(0, READ_ONCE(*(uint64_t *)(self->mem + i)));
	/* The host can use the page in every way. */
	ASSERT_EQ(sizeof(forced), pwrite(self->b.fd, &forced, sizeof(forced), 0));
	EXPECT_EQ(forced, READ_ONCE(*(long *)self->mem));
	expect_first_lost(_metadata, self->vcpu, self->mem);
}

/* R1: the VM dies after a forced reclaim. The host gets each page back once and can donate it. */
TEST_F(reclaim, death_with_a_hole)
{
	struct pvm next;

	for (int i = 0; i < PAGES; i += 2)
		ASSERT_EQ(0, pvm_force(self->b.fd, i * self->page));
	pvm_kill(&self->b.vm);
	EXPECT_EQ(pvm_stat("pages_donated"), pvm_pages_returned());
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
	for (int i = 0; i < PAGES; i++)
		EXPECT_EQ(0, READ_ONCE(*(uint64_t *)(self->mem + i * self->page)));

	ASSERT_EQ(0, pvm_create(&next, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	ASSERT_EQ(0, pvm_set_slot(&next, PVM_DATA_SLOT, 0, PVM_DATA_IPA, self->b.size, self->mem));
	EXPECT_EQ(0, pvm_command(&next.vcpus[0], PVM_FILL, PVM_DATA_IPA, SECRET, PAGES,
				 self->page));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->mem, PVM_READ));
	pvm_free(&next);
}

/* The host can access a shared page, so it reclaims nothing and the guest keeps the page. */
TEST_F(reclaim, shared_page_kept)
{
	long forced = pvm_stat("pages_forced");
	uint64_t value = 0;

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_DATA_IPA));
	ASSERT_EQ(0, pvm_force(self->b.fd, self->page / 2));
	EXPECT_EQ(SECRET, READ_ONCE(*(uint64_t *)self->mem));
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_DATA_IPA));
	EXPECT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	EXPECT_EQ(SECRET, value);
	EXPECT_EQ(forced, pvm_stat("pages_forced"));
}

TEST_HARNESS_MAIN
