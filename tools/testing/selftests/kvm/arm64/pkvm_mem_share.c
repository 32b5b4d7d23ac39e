// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_SHARE and MEM_UNSHARE of one page, checked by accesses of the guest and of the host.
 *
 * R2: the host can access a page only while its guest shares it. R5, R7: EL2 refuses an invalid
 * call with INVALID_PARAMETER and changes nothing. After every refusal the test checks the host's
 * access and what the guest reads.
 */
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/compiler.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define SECRET	0x5ec2e75ec2e75ec2UL
#define PAGES	4

/* The page is private: the host cannot read it, and the guest still reads the secret. */
static void expect_private(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			   uint64_t ipa, uint64_t *mem)
{
	uint64_t value = 0;

	EXPECT_EQ(SEGV_ACCERR, pvm_probe(mem, PVM_READ));
	EXPECT_EQ(0, pvm_load(vcpu, ipa, &value));
	EXPECT_EQ(SECRET, value);
}

/* The page is shared: guest and host each read what the other writes. */
static void expect_shared(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			  uint64_t ipa, uint64_t *mem)
{
	uint64_t value = 0;

	ASSERT_EQ(0, pvm_probe(mem, PVM_READ));
	ASSERT_EQ(0, pvm_store(vcpu, ipa, 0x1234));
	EXPECT_EQ(0x1234, READ_ONCE(*mem));
	WRITE_ONCE(*mem, SECRET);
	ASSERT_EQ(0, pvm_load(vcpu, ipa, &value));
	EXPECT_EQ(SECRET, value);
}

FIXTURE(share) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint64_t ipa;
	uint64_t *mem;
};

FIXTURE_SETUP(share)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, PAGES * self->page));
	self->vcpu = &self->vm.vcpus[0];
	self->ipa = PVM_DATA_IPA;
	self->mem = (uint64_t *)self->vm.data;
}

FIXTURE_TEARDOWN(share)
{
	pvm_free(&self->vm);
}

/* R2: the guest shares and unshares a page repeatedly. Each step keeps the contents. */
TEST_F(share, round_trip)
{
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(0, pvm_store(self->vcpu, self->ipa, SECRET));
		expect_private(_metadata, self->vcpu, self->ipa, self->mem);

		ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa));
		EXPECT_EQ(1, self->vcpu->results[1]);
		EXPECT_EQ(SECRET, READ_ONCE(*self->mem));
		expect_shared(_metadata, self->vcpu, self->ipa, self->mem);

		ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, self->ipa));
		EXPECT_EQ(1, self->vcpu->results[1]);
		expect_private(_metadata, self->vcpu, self->ipa, self->mem);
	}
}

/* A number of granules of 0 means 1. */
TEST_F(share, one_granule)
{
	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_MEM_SHARE, self->ipa, 1, 0));
	EXPECT_EQ(1, self->vcpu->results[1]);
	expect_shared(_metadata, self->vcpu, self->ipa, self->mem);

	ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_MEM_UNSHARE, self->ipa, 1, 0));
	EXPECT_EQ(1, self->vcpu->results[1]);
	expect_private(_metadata, self->vcpu, self->ipa, self->mem);
}

/*
 * EL2 has the host donate a page that the guest shares before its first access, unnoticed by the
 * guest. The page keeps the contents that the host wrote.
 */
TEST_F(share, untouched_page)
{
	long donated = pvm_stat("pages_donated");
	uint64_t value;

	self->mem[0] = 0xabcd;
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa));
	EXPECT_EQ(1, self->vcpu->results[1]);
	ASSERT_EQ(0, pvm_load(self->vcpu, self->ipa, &value));
	EXPECT_EQ(0xabcd, value);
	expect_shared(_metadata, self->vcpu, self->ipa, self->mem);
	/* The code's page was donated too, by the first command. */
	EXPECT_EQ(donated + 2, pvm_stat("pages_donated"));
}

/* MEM_SHARE shares exactly the named page. */
TEST_F(share, neighbours_stay_private)
{
	size_t words = self->page / sizeof(uint64_t);

	for (int i = 0; i < PAGES; i++)
		ASSERT_EQ(0, pvm_store(self->vcpu, self->ipa + i * self->page, SECRET));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa + self->page));

	expect_private(_metadata, self->vcpu, self->ipa, self->mem);
	expect_shared(_metadata, self->vcpu, self->ipa + self->page, self->mem + words);
	expect_private(_metadata, self->vcpu, self->ipa + 2 * self->page, self->mem + 2 * words);
	expect_private(_metadata, self->vcpu, self->ipa + 3 * self->page, self->mem + 3 * words);
	/* The host cannot read the last byte before or the first byte behind it. */
	EXPECT_EQ(SEGV_ACCERR, pvm_probe((char *)self->mem + self->page - 1, PVM_READ));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe((char *)self->mem + 2 * self->page, PVM_READ));
}

/* The guest shares and unshares the page with its code while it runs. */
TEST_F(share, page_it_runs_from)
{
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, PVM_CODE_IPA));
	EXPECT_EQ(0, pvm_probe(self->vm.code, PVM_READ));
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, PVM_CODE_IPA));
	EXPECT_EQ(SEGV_ACCERR, pvm_probe(self->vm.code, PVM_READ));
	EXPECT_EQ(0, pvm_store(self->vcpu, self->ipa, SECRET));
}

TEST_F(share, refuses_shared_page)
{
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(self->vcpu, self->ipa));
	expect_shared(_metadata, self->vcpu, self->ipa, self->mem);

	/* EL2 did not count the refused call: one unshare makes the page private. */
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, self->ipa));
	expect_private(_metadata, self->vcpu, self->ipa, self->mem);
}

TEST_F(share, refuses_to_unshare_private_page)
{
	ASSERT_EQ(0, pvm_store(self->vcpu, self->ipa, SECRET));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(self->vcpu, self->ipa));
	expect_private(_metadata, self->vcpu, self->ipa, self->mem);

	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa));
	ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, self->ipa));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(self->vcpu, self->ipa));
	expect_private(_metadata, self->vcpu, self->ipa, self->mem);
}

/* EL2 does not request a page from the host for MEM_UNSHARE: the page stays the host's. */
TEST_F(share, refuses_to_unshare_untouched_page)
{
	uint64_t value;

	/* The host donates the page with the code at the first command. */
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_CODE_IPA, &value));

	long donated = pvm_stat("pages_donated");

	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(self->vcpu, self->ipa));
	EXPECT_EQ(donated, pvm_stat("pages_donated"));
	EXPECT_EQ(0, pvm_probe((void *)self->mem, PVM_WRITE));
}

/*
 * Invalid arguments, for both calls and on a private and a shared page. Neither page may change.
 * The other arguments are valid, so only the invalid one can be the reason for the refusal.
 */
FIXTURE(argument) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	size_t page;
	uint64_t ipa;
	uint64_t *mem;
};

FIXTURE_VARIANT(argument) {
	uint64_t offset;
	uint64_t granules;
	uint64_t reserved;
};

FIXTURE_VARIANT_ADD(argument, ipa_one_off) { .offset = 1 };
FIXTURE_VARIANT_ADD(argument, ipa_a_word_off) { .offset = 8 };
FIXTURE_VARIANT_ADD(argument, ipa_half_a_granule_off) { .offset = 0x800 };
FIXTURE_VARIANT_ADD(argument, ipa_end_of_granule) { .offset = 0xfff };
FIXTURE_VARIANT_ADD(argument, ipa_beyond_48_bits) { .offset = 1UL << 48 };
FIXTURE_VARIANT_ADD(argument, ipa_beyond_52_bits) { .offset = 1UL << 52 };
FIXTURE_VARIANT_ADD(argument, ipa_negative) { .offset = 1UL << 63 };
FIXTURE_VARIANT_ADD(argument, reserved) { .reserved = 1 };
FIXTURE_VARIANT_ADD(argument, reserved_in_high_half) { .reserved = 1UL << 63 };
FIXTURE_VARIANT_ADD(argument, reserved_one_granule) { .granules = 1, .reserved = 1 };

FIXTURE_SETUP(argument)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->page = getpagesize();
	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 2 * self->page));
	self->vcpu = &self->vm.vcpus[0];
	self->ipa = PVM_DATA_IPA;
	self->mem = (uint64_t *)self->vm.data;

	ASSERT_EQ(0, pvm_store(self->vcpu, self->ipa, SECRET));
	ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, self->ipa + self->page));
}

FIXTURE_TEARDOWN(argument)
{
	pvm_free(&self->vm);
}

TEST_F(argument, refused)
{
	const uint32_t calls[] = { HVC_MEM_SHARE, HVC_MEM_UNSHARE };
	size_t words = self->page / sizeof(uint64_t);
	uint64_t shared = self->ipa + self->page;

	for (int i = 0; i < 2; i++) {
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, calls[i], self->ipa + variant->offset,
				  variant->granules, variant->reserved));
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, calls[i], shared + variant->offset,
				  variant->granules, variant->reserved));
		expect_private(_metadata, self->vcpu, self->ipa, self->mem);
		expect_shared(_metadata, self->vcpu, shared, self->mem + words);
	}
}

/* IPAs that never have memory. EL2 refuses both calls without an exit to the VMM. */
FIXTURE(no_memory) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	int ipa_bits;
};

FIXTURE_SETUP(no_memory)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 1, 0));
	self->vcpu = &self->vm.vcpus[0];
	self->ipa_bits = ioctl(self->vm.kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	ASSERT_LT(31, self->ipa_bits);
}

FIXTURE_TEARDOWN(no_memory)
{
	pvm_free(&self->vm);
}

static void expect_refused(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			   uint64_t ipa)
{
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(vcpu, ipa));
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_unshare(vcpu, ipa));
}

TEST_F(no_memory, outside_every_slot)
{
	expect_refused(_metadata, self->vcpu, PVM_DATA_IPA);
	expect_refused(_metadata, self->vcpu, 0);
	expect_refused(_metadata, self->vcpu, PVM_CODE_IPA - getpagesize());
	expect_refused(_metadata, self->vcpu, PVM_CODE_IPA + self->vm.code_size);
}

/* An IPA that the guest uses for MMIO. */
TEST_F(no_memory, mmio)
{
	expect_refused(_metadata, self->vcpu, PVM_CHANNEL_IPA);
	/* The IPA still is MMIO, since this command reached the guest. */
	EXPECT_EQ(HVC_INVALID_PARAMETER, pvm_share(self->vcpu, PVM_CHANNEL_IPA));
}

TEST_F(no_memory, ends_of_the_ipa_space)
{
	uint64_t end = 1UL << self->ipa_bits;

	expect_refused(_metadata, self->vcpu, end - getpagesize());
	expect_refused(_metadata, self->vcpu, end);
	expect_refused(_metadata, self->vcpu, end + getpagesize());
	expect_refused(_metadata, self->vcpu, end + PVM_CODE_IPA);
	expect_refused(_metadata, self->vcpu, (uint64_t)-getpagesize());
}

TEST_HARNESS_MAIN
