// SPDX-License-Identifier: GPL-2.0-only
/*
 * Forced reclaim: the host takes a page back from a live guest after an access of its kernel. Keeps
 * R1, R3 (the page is zeroed), and that the guest never reads zeroes or another page in its place:
 * guest OWNED => POISONED, host NOPAGE => OWNED.
 */
#include <linux/arm-smccc.h>

#include "el2_guest.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID

#define TEST_IPA	((u64)EL2_TEST_GFN << PAGE_SHIFT)

/* Rule: the host owns the page, zeroed; its gfn takes no other page, and the guest faults. */
static void force_private(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	struct page *neighbour = el2_page(test);
	struct page *other = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, neighbour, EL2_TEST_GFN + 1), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, TEST_IPA, 0, 0),
			EL2_EXIT_PARKED);

	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(page)), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
	el2_expect_owned(test, page);
	el2_expect_lost(test, neighbour);

	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, other, EL2_TEST_GFN), -EHWPOISON);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(other));
	el2_expect_owned(test, other);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), -EHWPOISON);
	el2_expect_owned(test, page);

	KUNIT_EXPECT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, TEST_IPA, 0, 0),
			EL2_EXIT_MMIO);
	KUNIT_EXPECT_EQ(test, el2_guest_fault_ipa(g), TEST_IPA);
}

/* Rule: a guest can neither share nor unshare a page that the host reclaimed by force. */
static void force_then_share(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(page)), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	el2_expect_owned(test, page);
}

/* Rule: a kernel access without a fixup reclaims the page, and reads zeroes. */
static void force_by_plain_access(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, EL2_TEST_GFN), 0);
	el2_expect_lost(test, page);
	KUNIT_EXPECT_EQ(test, READ_ONCE(*(u64 *)page_address(page)), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
	el2_expect_owned(test, page);
}

/* Rule (R7): EL2 refuses to reclaim a page that is not private to a guest, and changes nothing. */
static void force_refused(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *hyp_vm = virt_to_page(vm->hyp_vm);
	struct page *own = el2_page(test);
	struct page *page = el2_page(test);
	static const u64 no_memory[] = {
		0x09000000 >> PAGE_SHIFT, BIT_ULL(48 - PAGE_SHIFT), ~0ULL,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(no_memory); i++)
		KUNIT_EXPECT_EQ(test, el2_force_reclaim(no_memory[i]), -EINVAL);

	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(own)), -EPERM);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(own));
	el2_expect_owned(test, own);

	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(virt_to_page(vm->kvm))), -EPERM);
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(hyp_vm)), -EPERM);
	el2_expect_lost(test, hyp_vm);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page) | BIT_ULL(64 - PAGE_SHIFT)),
			-EINVAL);
	el2_expect_lost(test, page);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page)), -EPERM);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0), 0);
}

/* Rule: a VM with poisoned gfns can die, and the host gets each page back once. */
static void force_and_die(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);
	struct page *second = el2_page(test);
	struct page *third = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, second, PTRS_PER_PTE), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, third, 1), 0);
	el2_put();

	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page)), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page)), -EPERM);
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(second)), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(second));
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 0, 2), 0);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, PTRS_PER_PTE, 1), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(third));
	el2_vm_destroy(test, vm);
	el2_expect_owned(test, page);
	el2_expect_owned(test, second);
}

/* Rule (R5): EL2 loses no page, and the host gets the tables of poisoned gfns back. */
static void force_and_finalize(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, EL2_TEST_GFN), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(page)), 0);
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, EL2_TEST_GFN, 1), 0);
	el2_vm_destroy(test, vm);
	el2_expect_owned(test, page);
}

static struct kunit_case el2_force_cases[] = {
	KUNIT_CASE(force_private),
	KUNIT_CASE(force_then_share),
	KUNIT_CASE(force_by_plain_access),
	KUNIT_CASE(force_refused),
	KUNIT_CASE(force_and_die),
	KUNIT_CASE(force_and_finalize),
	{}
};

static struct kunit_suite el2_force_suite = {
	.name		= "pkvm_el2_force",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_force_cases,
};

kunit_test_suite(el2_force_suite);
