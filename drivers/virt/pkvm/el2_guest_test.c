// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest shares and unshares pages, and dies. Keeps R1, R2 (the host can access only shared
 * pages), R3 (private pages are zeroed) and R7 (EL2 refuses invalid calls and changes nothing).
 */
#include <linux/arm-smccc.h>

#include "el2_guest.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define HYP_MEMINFO	ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID
#define FEATURES	ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID

#define TEST_IPA	((u64)EL2_TEST_GFN << PAGE_SHIFT)

#define SECRET		0x5ec2e75ec2e75ec2ULL

static u64 guest_read(struct kunit *test, struct el2_guest *g, u64 ipa)
{
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, ipa, 0, 0),
			EL2_EXIT_PARKED);
	return el2_guest_result(g, 0);
}

static void guest_write(struct kunit *test, struct el2_guest *g, u64 ipa, u64 value)
{
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_WRITE, 0, ipa, value, 0),
			EL2_EXIT_PARKED);
}

/* Donate a page to the guest at TEST_IPA, and have the guest store a secret in it. */
static struct page *guest_page(struct kunit *test, struct el2_guest *g)
{
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	guest_write(test, g, TEST_IPA, SECRET);
	return page;
}

/* Rule: a guest runs from donated pages, and the host can access only those that it shares. */
static void guest_runs(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);

	el2_expect_lost(test, g->code);
	el2_expect_lost(test, page);
	KUNIT_EXPECT_EQ(test, guest_read(test, g, TEST_IPA), SECRET);
	KUNIT_EXPECT_TRUE(test, el2_readable(g->mailbox));
}

/* Rule: an access to a missing page exits with its IPA, and succeeds after a donation. */
static void guest_faults(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	u64 pattern = *(u64 *)page_address(page);

	/* The guest has not enrolled in the MMIO guard, so EL2 reports the access as MMIO. */
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, TEST_IPA + 8, 0, 0),
			EL2_EXIT_MMIO);
	KUNIT_EXPECT_EQ(test, el2_guest_fault_ipa(g), TEST_IPA);
	KUNIT_EXPECT_EQ(test, el2_guest_run(test, g), EL2_EXIT_MMIO);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), pattern);
}

/*
 * Rule: guest OWNED => SHARED_OWNED, host NOPAGE => SHARED_BORROWED, and back. The host can access
 * the page only while it is shared, and the guest keeps its contents.
 */
static void guest_shares(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);
	u64 *shared = page_address(page);
	unsigned int i;

	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, i & 1, 0), 0);
		KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 1);
		KUNIT_ASSERT_TRUE(test, el2_readable(page));
		KUNIT_EXPECT_EQ(test, *shared, SECRET + i);
		*shared = SECRET + i + 1;
		KUNIT_EXPECT_EQ(test, guest_read(test, g, TEST_IPA), SECRET + i + 1);

		KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, i & 1, 0), 0);
		KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 1);
		el2_expect_lost(test, page);
		KUNIT_EXPECT_EQ(test, guest_read(test, g, TEST_IPA), SECRET + i + 1);
	}
}

/* Rule: EL2 refuses to share a shared page or to unshare a private one, and changes nothing. */
static void guest_shares_twice(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	el2_expect_lost(test, page);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	el2_expect_lost(test, page);
}

/* Rule (R7): EL2 refuses invalid arguments, and shares and unshares nothing. */
static void guest_share_bad_arguments(struct kunit *test)
{
	static const struct {
		u64 ipa, granules, reserved;
	} args[] = {
		{ TEST_IPA + 1, 0, 0 },
		{ TEST_IPA + PAGE_SIZE / 2, 1, 0 },
		{ TEST_IPA, 0, 1 },
		{ TEST_IPA, 1, ~0ULL },
		{ BIT_ULL(EL2_IPA_BITS), 0, 0 },
		{ BIT_ULL(52), 0, 0 },
		{ TEST_IPA | BIT_ULL(63), 0, 0 },
		{ ~0ULL << PAGE_SHIFT, 1, 0 },
	};
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(args); i++) {
		KUNIT_EXPECT_EQ_MSG(test, el2_guest_hvc(test, g, MEM_SHARE, args[i].ipa,
							args[i].granules, args[i].reserved),
				    SMCCC_RET_INVALID_PARAMETER, "arguments %u", i);
		el2_expect_lost(test, page);
	}

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	for (i = 0; i < ARRAY_SIZE(args); i++) {
		KUNIT_EXPECT_EQ_MSG(test, el2_guest_hvc(test, g, MEM_UNSHARE, args[i].ipa,
							args[i].granules, args[i].reserved),
				    SMCCC_RET_INVALID_PARAMETER, "arguments %u", i);
		KUNIT_EXPECT_TRUE(test, el2_readable(page));
	}
}

/* Rule: MEM_SHARE of a missing page exits to the host, and succeeds after the donation. */
static void guest_shares_missing_page(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, MEM_SHARE, TEST_IPA, 0, 0),
			EL2_EXIT_HVC);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	el2_expect_lost(test, page);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
}

/* Rule (R1): the host can neither donate nor share a page that a guest shares with it. */
static void donate_borrowed_page(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct el2_vm *other = el2_vm_create(test, 1);
	struct el2_vm *unborn = el2_vm_alloc(test, 1);
	struct page *page = guest_page(test, g);
	void *pgd = unborn->pgd;

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN + 1), -EPERM);
	unborn->pgd = page_address(page);
	KUNIT_EXPECT_LT(test, el2_init_vm(unborn), 0);
	unborn->pgd = pgd;
	el2_put();

	KUNIT_ASSERT_EQ(test, el2_load(other, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(other, 0, page, EL2_TEST_GFN), -EPERM);
	el2_put();

	KUNIT_ASSERT_EQ(test, el2_load(g->vm, 0), 0);
	KUNIT_EXPECT_EQ(test, guest_read(test, g, TEST_IPA), SECRET);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0), 0);
}

static int hold_page(struct page *page, bool hold)
{
	u64 pfn = page_to_pfn(page);

	return hold ? kvm_call_hyp_nvhe(__pkvm_host_hold_page, pfn) :
		      kvm_call_hyp_nvhe(__pkvm_host_release_page, pfn);
}

/*
 * Rule: a page that the host holds stays shared: MEM_UNSHARE of it exits to the host, changes
 * nothing, and succeeds once the host has released the page. The host holds only what a guest
 * shares.
 */
static void guest_unshares_held_page(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, hold_page(page, true), -EPERM);
	KUNIT_EXPECT_EQ(test, hold_page(page, false), -EPERM);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	for (i = 0; i < 2; i++)
		KUNIT_EXPECT_EQ(test, hold_page(page, true), 0);

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, MEM_UNSHARE, TEST_IPA, 0, 0),
			EL2_EXIT_HVC);
	KUNIT_EXPECT_EQ(test, el2_guest_run(test, g), EL2_EXIT_HVC);
	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_EXPECT_EQ(test, *(u64 *)page_address(page), SECRET);

	KUNIT_EXPECT_EQ(test, hold_page(page, false), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);
	el2_expect_lost(test, page);
	KUNIT_EXPECT_EQ(test, hold_page(page, true), -EPERM);
	KUNIT_EXPECT_EQ(test, guest_read(test, g, TEST_IPA), SECRET);
}

/* Rule: EL2 refuses to hold what is no memory, or the host's own. */
static void hold_wrong_page(struct kunit *test)
{
	struct page *page = el2_page(test);

	KUNIT_EXPECT_EQ(test, hold_page(page, true), -EPERM);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_hold_page,
						     PHYS_PFN(0x09000000)), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_hold_page,
						     BIT_ULL(64 - PAGE_SHIFT)), -EINVAL);
}

/* Rule: the death of the guest ends the hold on its page, and the host can use it again. */
static void held_page_of_a_dead_guest(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, hold_page(page, true), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(g->vm), 0);
	KUNIT_ASSERT_EQ(test, el2_reclaim(g->vm, EL2_TEST_GFN, 1), 0);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, hold_page(page, false), -EPERM);
}

/* Rule (R3): the host gets a dead VM's private pages back zeroed, and shared ones as they are. */
static void guest_dies(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = guest_page(test, g);
	struct page *shared = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, shared, EL2_TEST_GFN + 1), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA + PAGE_SIZE, 0, 0), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(g->vm), 0);
	el2_expect_lost(test, page);
	KUNIT_EXPECT_TRUE(test, el2_readable(shared));
	KUNIT_EXPECT_EQ(test, el2_share(shared), -EPERM);

	KUNIT_ASSERT_EQ(test, el2_reclaim(g->vm, EL2_TEST_GFN, 2), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
	KUNIT_EXPECT_TRUE(test, el2_readable(shared));
	el2_expect_owned(test, page);
	el2_expect_owned(test, shared);

	KUNIT_ASSERT_EQ(test, el2_reclaim(g->vm, EL2_CODE_GFN, 2), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(g->code));
	el2_expect_owned(test, g->mailbox);
}

/* Rule: the guest can query the available calls; all others return NOT_SUPPORTED. */
static void guest_queries(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	u64 features;

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_VERSION_FUNC_ID, 0, 0, 0),
			ARM_SMCCC_VERSION_1_1);
	KUNIT_EXPECT_EQ(test, (u32)el2_guest_hvc(test, g, ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID,
						 0, 0, 0),
			ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0);
	KUNIT_EXPECT_EQ(test, (u32)el2_guest_result(g, 3), ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_3);

	features = el2_guest_hvc(test, g, FEATURES, 0, 0, 0);
	KUNIT_EXPECT_TRUE(test, features & BIT(ARM_SMCCC_KVM_FUNC_HYP_MEMINFO));
	KUNIT_EXPECT_TRUE(test, features & BIT(ARM_SMCCC_KVM_FUNC_MEM_SHARE));
	KUNIT_EXPECT_TRUE(test, features & BIT(ARM_SMCCC_KVM_FUNC_MEM_UNSHARE));

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, HYP_MEMINFO, 0, 0, 0), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, HYP_MEMINFO, 1, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, HYP_MEMINFO, 0, 0, 1),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, 0x8600ff00, 0, 0, 0),
			SMCCC_RET_NOT_SUPPORTED);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, KVM_HOST_SMCCC_FUNC(__pkvm_vcpu_load),
					    0, 0, 0), SMCCC_RET_NOT_SUPPORTED);
}

static struct kunit_case el2_guest_cases[] = {
	KUNIT_CASE(guest_runs),
	KUNIT_CASE(guest_faults),
	KUNIT_CASE(guest_shares),
	KUNIT_CASE(guest_shares_twice),
	KUNIT_CASE(guest_share_bad_arguments),
	KUNIT_CASE(guest_shares_missing_page),
	KUNIT_CASE(donate_borrowed_page),
	KUNIT_CASE(guest_unshares_held_page),
	KUNIT_CASE(hold_wrong_page),
	KUNIT_CASE(held_page_of_a_dead_guest),
	KUNIT_CASE(guest_dies),
	KUNIT_CASE(guest_queries),
	{}
};

static struct kunit_suite el2_guest_suite = {
	.name		= "pkvm_el2_guest",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_guest_cases,
};

kunit_test_suite(el2_guest_suite);
