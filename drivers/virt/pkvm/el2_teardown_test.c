// SPDX-License-Identifier: GPL-2.0-only
/*
 * Teardown of a VM, in the order that EL2 requires: start, reclaim until the guest owns no page,
 * finalize until done. Keeps R1, R3 (private pages are zeroed), R5 (any other order is an error)
 * and R6 (each call is bounded).
 */
#include <asm/kvm_pkvm_kunit.h>

#include "el2_kunit.h"

/* Rule (R3): guest OWNED => NOPAGE, zeroed; host NOPAGE => OWNED. */
static void reclaim(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 7), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	el2_expect_lost(test, page);
	KUNIT_ASSERT_EQ(test, el2_reclaim(vm, 7, 1), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
	el2_expect_owned(test, page);
}

/* Rule: a reclaim returns exactly the pages in its range, and skips holes. */
static void reclaim_range(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page[4];
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = el2_page(test);
		KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page[i], 100 + 2 * i), 0);
	}
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);

	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 0, PKVM_RECLAIM_MAX_GRANULES), 0);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 101, 4), 0);
	el2_expect_lost(test, page[0]);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page[1]));
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page[2]));
	el2_expect_lost(test, page[3]);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 101, 4), 0);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 100, PKVM_RECLAIM_MAX_GRANULES), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page[0]));
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page[3]));
}

/* Rule (R5, R6): EL2 refuses a reclaim of an empty, too long or invalid range. */
static void reclaim_refused(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	u64 end = BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, end - 1), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);

	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle,
						     end - PKVM_RECLAIM_MAX_GRANULES - 1,
						     PKVM_RECLAIM_MAX_GRANULES + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle, 0,
						     ~0ULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, ~0ULL, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, end, 1), -ERANGE);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle,
						     end - 1, 2), -ERANGE);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, 0, end - 1, 1),
			-ENOENT);
	el2_expect_lost(test, page);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, end - 1, 1), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
}

/* Rule: the host can neither reclaim pages of a live VM nor finalize it. */
static void live_vm_not_reclaimed(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_start_teardown(vm), -EBUSY);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle, 0, 1),
			-EPERM);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EPERM);
	el2_put();
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle, 0, 1),
			-EPERM);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EPERM);
	el2_expect_lost(test, page);
}

/* Rule: EL2 adds no vCPU to a dying VM, loads none of it, and starts its teardown once. */
static void dying_vm_stays_dying(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 2);

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 1), -ENOENT);
	KUNIT_EXPECT_TRUE(test, el2_readable(virt_to_page(vm->hyp_vcpu[1])));
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, vm->handle),
			-EINVAL);
}

/* Rule: EL2 refuses to finalize a VM while its guest owns a page. */
static void finalize_needs_reclaim(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 3), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EBUSY);
	el2_expect_lost(test, page);
	KUNIT_ASSERT_EQ(test, el2_reclaim(vm, 3, 1), 0);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EAGAIN);
}

/* Rule: every call refuses the handle of a dead VM. */
static void dead_handle_refused(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	pkvm_handle_t handle = vm->handle;
	int ret;

	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	do {
		ret = el2_finalize(vm);
	} while (ret == -EAGAIN);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, vm->metadata, 0);

	vm->handle = handle;
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, handle), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 0, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -ENOENT);
	vm->handle = 0;
}

/* Rule (R6): each step returns a bounded number of pages. */
static void finalize_is_bounded(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);
	unsigned long bound = PKVM_TEARDOWN_MAX_PAGES + pkvm_kunit_hyp_vcpu_size() / PAGE_SIZE;
	unsigned long before;
	unsigned int i;
	int ret;

	/* Donate a page in each of many tables, so that EL2 has many pages to return. */
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	for (i = 0; i < 40; i++)
		KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, el2_page(test), (u64)i * PTRS_PER_PTE), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	for (i = 0; i < 40; i++)
		KUNIT_ASSERT_EQ(test, el2_reclaim(vm, (u64)i * PTRS_PER_PTE, 1), 0);

	KUNIT_EXPECT_GT(test, vm->metadata, 40);
	do {
		before = vm->metadata;
		ret = el2_finalize(vm);
		KUNIT_EXPECT_LE(test, before - vm->metadata, bound);
	} while (ret == -EAGAIN && vm->metadata < before);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, vm->metadata, 0);
}

/* Rule: the host can use returned pages for the next VM, and EL2 loses none in many rounds. */
static void many_vms(struct kunit *test)
{
	struct page *page = el2_page(test);
	struct el2_vm *vm;
	unsigned int i;

	for (i = 0; i < 20; i++) {
		vm = el2_vm_create(test, 1);
		KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
		KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, i), 0);
		el2_put();
		el2_vm_destroy(test, vm);
		KUNIT_ASSERT_TRUE(test, el2_holds_zeroes(page));
		*(u64 *)page_address(page) = i;
	}
	el2_expect_owned(test, page);
}

static struct kunit_case el2_teardown_cases[] = {
	KUNIT_CASE(reclaim),
	KUNIT_CASE(reclaim_range),
	KUNIT_CASE(reclaim_refused),
	KUNIT_CASE(live_vm_not_reclaimed),
	KUNIT_CASE(dying_vm_stays_dying),
	KUNIT_CASE(finalize_needs_reclaim),
	KUNIT_CASE(dead_handle_refused),
	KUNIT_CASE(finalize_is_bounded),
	KUNIT_CASE(many_vms),
	{}
};

static struct kunit_suite el2_teardown_suite = {
	.name		= "pkvm_el2_teardown",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_teardown_cases,
};

kunit_test_suite(el2_teardown_suite);
