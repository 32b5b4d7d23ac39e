// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages of the test cases for EL2: what the host sees of them, and whom they belong to (R1, R2).
 *
 * All functions may sleep.
 */
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/uaccess.h>

#include "el2_kunit.h"

#define EL2_PATTERN	0x5ca1ab1e0ddba11ULL

/**
 * el2_page() - Allocate a page for the test case, filled with a pattern.
 * @test:	The test case; ends if there is no memory.
 *
 * Return: the page, which el2_fixture_exit() frees.
 */
struct page *el2_page(struct kunit *test)
{
	struct el2_fixture *f = test->priv;
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		((u64 *)page_address(page))[i] = EL2_PATTERN;
	list_add(&page->lru, &f->pages);
	return page;
}

static bool el2_holds(struct page *page, u64 value)
{
	unsigned int i;
	u64 found;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		if (copy_from_kernel_nofault(&found, (u64 *)page_address(page) + i, sizeof(found)))
			return false;
		if (found != value)
			return false;
	}
	return true;
}

/**
 * el2_readable() - Check whether the host can read a page.
 * @page:	The page.
 *
 * Return: false if the read aborts.
 */
bool el2_readable(struct page *page)
{
	u64 value;

	return !copy_from_kernel_nofault(&value, page_address(page), sizeof(value));
}

/**
 * el2_holds_pattern() - Check whether a page has the pattern of el2_page().
 * @page:	The page.
 *
 * Return: whether the host reads the pattern in all of the page.
 */
bool el2_holds_pattern(struct page *page)
{
	return el2_holds(page, EL2_PATTERN);
}

/**
 * el2_holds_zeroes() - Check whether a page is zero.
 * @page:	The page.
 *
 * Return: whether the host reads zeroes in all of the page.
 */
bool el2_holds_zeroes(struct page *page)
{
	return el2_holds(page, 0);
}

/**
 * el2_write() - Write to memory that the host may not own.
 * @to:		The address.
 * @value:	The value.
 *
 * Modules cannot call copy_to_kernel_nofault().
 *
 * Return: 0; -EFAULT if the host has no access.
 */
int el2_write(void *to, u64 value)
{
	pagefault_disable();
	__put_kernel_nofault(to, &value, u64, fault);
	pagefault_enable();
	return 0;

fault:
	pagefault_enable();
	return -EFAULT;
}

/**
 * el2_share() - Share a page with EL2.
 * @page:	The page.
 *
 * Return: the result of __pkvm_host_share_hyp().
 */
int el2_share(struct page *page)
{
	return kvm_call_hyp_nvhe(__pkvm_host_share_hyp, page_to_pfn(page));
}

/**
 * el2_unshare() - Unshare a page that is shared with EL2.
 * @page:	The page.
 *
 * Return: the result of __pkvm_host_unshare_hyp().
 */
int el2_unshare(struct page *page)
{
	return kvm_call_hyp_nvhe(__pkvm_host_unshare_hyp, page_to_pfn(page));
}

/**
 * el2_expect_owned() - Expect the host to own a page exclusively.
 * @test:	The test case.
 * @page:	The page.
 *
 * Shares and unshares the page, since EL2 only shares OWNED pages and only unshares shared ones.
 */
void el2_expect_owned(struct kunit *test, struct page *page)
{
	u64 value = 0;

	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, page_address(page), sizeof(value)),
			0);
	KUNIT_EXPECT_EQ(test, el2_write(page_address(page), value), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_share(page), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), 0);
}

/**
 * el2_expect_lost() - Expect a page to be private to another owner: the host cannot use it.
 * @test:	The test case.
 * @page:	The page.
 */
void el2_expect_lost(struct kunit *test, struct page *page)
{
	u64 value = 0;

	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, page_address(page), sizeof(value)),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, el2_write(page_address(page), value), -EFAULT);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
}

MODULE_DESCRIPTION("KUnit tests of the protected KVM hypervisor");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
