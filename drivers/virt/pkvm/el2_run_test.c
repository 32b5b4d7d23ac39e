// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_SHARE and MEM_UNSHARE of pages that follow each other in memory, which EL2 changes as runs:
 * whatever the order of the pages in memory, and whatever ends a run, exactly the pages that a call
 * reports change. Keeps R1, R2 and R7.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>

#include "el2_guest.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define MEM_RELINQUISH	ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID

#define NR_PAGES	24U
/* The guest has its pages on both sides of the border of a table. */
#define BEFORE_BORDER	9
#define FIRST_GFN	(2 * PTRS_PER_PTE - BEFORE_BORDER)
/* In a table of its own. */
#define OTHER_GFN	(4 * PTRS_PER_PTE)

#define BLOCK_PAGES	((unsigned int)MAX_ORDER_NR_PAGES)
#define SECRET(i)	(0x5ec2e700U + (i))

/* How the guest's pages follow each other in memory. */
enum layout {
	UP, DOWN, PAIRS, SPREAD, NR_LAYOUTS
};

/* The guest, its pages in the order of its IPAs, and the block of memory that they are from. */
struct run {
	struct el2_guest	*g;
	struct page		*block;
	struct page		*page[NR_PAGES];
};

static u64 ipa_of(unsigned int i)
{
	return (u64)(FIRST_GFN + i) << PAGE_SHIFT;
}

static u64 *word_of(struct run *r, unsigned int i)
{
	return (u64 *)page_address(r->page[i]) + i;
}

/* Allocate the largest contiguous piece of memory. The end of the test case frees it. */
static struct page *alloc_block(struct kunit *test)
{
	struct el2_fixture *f = test->priv;
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, MAX_PAGE_ORDER);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, block);
	split_page(block, MAX_PAGE_ORDER);
	for (i = 0; i < BLOCK_PAGES; i++)
		list_add(&block[i].lru, &f->pages);

	return block;
}

/* Start a guest, and donate it pages of the block, from index @base on, except page @without. */
static void run_init(struct kunit *test, struct run *r, enum layout how, unsigned int base,
		     unsigned int without)
{
	unsigned int i;

	r->g = el2_guest_boot(test);
	r->block = alloc_block(test);
	for (i = 0; i < NR_PAGES; i++) {
		unsigned int at[NR_LAYOUTS] = { i, NR_PAGES - 1 - i, i ^ 1, 2 * i };

		r->page[i] = &r->block[base + at[how]];
		*word_of(r, i) = SECRET(i);
		if (i != without)
			KUNIT_ASSERT_EQ(test, el2_donate(r->g->vm, 0, r->page[i], FIRST_GFN + i),
					0);
	}
}

/* Make a call for @nr pages from page @i on, and expect it to change the state of @done pages. */
static void expect_done(struct kunit *test, struct run *r, u64 function, unsigned int i, u64 nr,
			u64 done)
{
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, r->g, function, ipa_of(i), nr, 0),
			done ? 0 : SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_result(r->g, 1), done);
}

/* Unshare pages. Where pages are large, this takes several calls. */
static void unshare(struct kunit *test, struct run *r, unsigned int i, unsigned int nr)
{
	while (nr) {
		unsigned int done;

		KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, r->g, MEM_UNSHARE, ipa_of(i), nr, 0), 0);
		done = el2_guest_result(r->g, 1);
		KUNIT_ASSERT_TRUE(test, done && done <= nr);
		i += done;
		nr -= done;
	}
}

/* Expect that the host can access exactly the pages in @shared, and that no contents changed. */
static void expect_shared(struct kunit *test, struct run *r, u64 shared)
{
	struct pkvm_vm_stat *stat = &r->g->vm->kvm->stat.protected;
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		KUNIT_EXPECT_EQ_MSG(test, el2_readable(r->page[i]), !!(shared & BIT_ULL(i)),
				    "page %u", i);
		if (shared & BIT_ULL(i))
			KUNIT_EXPECT_EQ(test, READ_ONCE(*word_of(r, i)), SECRET(i));

		KUNIT_ASSERT_EQ(test, el2_guest_do(test, r->g, EL2_GUEST_READ, 0,
						   ipa_of(i) + i * sizeof(u64), 0, 0),
				EL2_EXIT_PARKED);
		KUNIT_EXPECT_EQ(test, el2_guest_result(r->g, 0), SECRET(i));
	}

	/* EL2 updates the host's statistics when the vCPU is put. The mailbox is shared, too. */
	el2_put();
	KUNIT_EXPECT_EQ(test, stat->bytes_shared, (hweight64(shared) + 1) * PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, el2_load(r->g->vm, 0), 0);
}

static u64 pages(unsigned int from, unsigned int to)
{
	return GENMASK_ULL(to - 1, from);
}

/* Share all pages. Unshare some in the middle, some across the border of a table, and the rest. */
static void share_and_unshare(struct kunit *test, struct run *r)
{
	expect_shared(test, r, 0);
	expect_done(test, r, MEM_SHARE, 0, NR_PAGES, NR_PAGES);
	expect_shared(test, r, pages(0, NR_PAGES));
	unshare(test, r, 5, 13);
	expect_shared(test, r, pages(0, 5) | pages(18, NR_PAGES));
	expect_done(test, r, MEM_SHARE, 6, 11, 11);
	expect_shared(test, r, pages(0, 5) | pages(6, 17) | pages(18, NR_PAGES));
	unshare(test, r, 0, 5);
	unshare(test, r, 6, 11);
	unshare(test, r, 18, NR_PAGES - 18);
	expect_shared(test, r, 0);
}

/* Rule: the order of the pages in memory does not matter. */
static void run_up(struct kunit *test)
{
	struct run r;

	run_init(test, &r, UP, 0, NR_PAGES);
	share_and_unshare(test, &r);
}

static void run_down(struct kunit *test)
{
	struct run r;

	run_init(test, &r, DOWN, 0, NR_PAGES);
	share_and_unshare(test, &r);
}

static void run_of_pairs(struct kunit *test)
{
	struct run r;

	run_init(test, &r, PAIRS, 0, NR_PAGES);
	share_and_unshare(test, &r);
}

static void no_run(struct kunit *test)
{
	struct run r;

	run_init(test, &r, SPREAD, 0, NR_PAGES);
	share_and_unshare(test, &r);
}

/* Rule: nor does it matter if the pages cross the border of a table of the host's stage-2. */
static void cross_host_table(struct kunit *test, enum layout how)
{
	struct run r;

	if (BLOCK_PAGES <= PTRS_PER_PTE) {
		kunit_skip(test, "no piece of memory is larger than a table maps");
		return;
	}

	run_init(test, &r, how, PTRS_PER_PTE - NR_PAGES / 2, NR_PAGES);
	share_and_unshare(test, &r);
}

static void run_up_across_table(struct kunit *test)
{
	cross_host_table(test, UP);
}

static void run_down_across_table(struct kunit *test)
{
	cross_host_table(test, DOWN);
}

/* Rule (R7): a run ends before a page in another state, and nothing behind that one changes. */
static void run_with_mixed_states(struct kunit *test)
{
	struct run r;

	run_init(test, &r, DOWN, 0, NR_PAGES);
	expect_done(test, &r, MEM_SHARE, 7, 1, 1);
	expect_done(test, &r, MEM_SHARE, 0, NR_PAGES, 7);
	expect_shared(test, &r, pages(0, 8));
	expect_done(test, &r, MEM_SHARE, 7, NR_PAGES - 7, 0);
	expect_shared(test, &r, pages(0, 8));

	expect_done(test, &r, MEM_SHARE, 10, 4, 4);
	expect_done(test, &r, MEM_UNSHARE, 6, NR_PAGES - 6, 2);
	expect_shared(test, &r, pages(0, 6) | pages(10, 14));
	expect_done(test, &r, MEM_UNSHARE, 8, NR_PAGES - 8, 0);
	expect_shared(test, &r, pages(0, 6) | pages(10, 14));
}

/* Rule (R7): a run ends before a page that is missing. */
static void run_with_missing_page(struct kunit *test)
{
	struct run r;

	run_init(test, &r, UP, 0, 11);
	expect_done(test, &r, MEM_SHARE, 0, NR_PAGES, 11);
	KUNIT_EXPECT_TRUE(test, el2_readable(r.page[10]));
	KUNIT_EXPECT_FALSE(test, el2_readable(r.page[12]));

	KUNIT_ASSERT_EQ(test, el2_donate(r.g->vm, 0, r.page[11], FIRST_GFN + 11), 0);
	expect_shared(test, &r, pages(0, 11));
}

static int hold_page(struct page *page, bool hold)
{
	u64 pfn = page_to_pfn(page);

	return hold ? kvm_call_hyp_nvhe(__pkvm_host_hold_page, pfn) :
		      kvm_call_hyp_nvhe(__pkvm_host_release_page, pfn);
}

/* Rule: a run ends before a page that the host holds, and the call goes on once it does not. */
static void run_with_held_page(struct kunit *test)
{
	struct run r;

	run_init(test, &r, UP, 0, NR_PAGES);
	expect_done(test, &r, MEM_SHARE, 0, NR_PAGES, NR_PAGES);
	KUNIT_ASSERT_EQ(test, hold_page(r.page[12], true), 0);
	KUNIT_ASSERT_EQ(test, hold_page(r.page[13], true), 0);

	expect_done(test, &r, MEM_UNSHARE, 9, 10, 3);
	expect_shared(test, &r, pages(0, 9) | pages(12, NR_PAGES));

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, r.g, EL2_GUEST_HVC, MEM_UNSHARE, ipa_of(12), 3,
					   0), EL2_EXIT_HVC);
	KUNIT_EXPECT_TRUE(test, el2_readable(r.page[12]));
	KUNIT_EXPECT_TRUE(test, el2_readable(r.page[14]));

	KUNIT_ASSERT_EQ(test, hold_page(r.page[12], false), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, r.g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(r.g, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(r.g, 1), 1);
	expect_shared(test, &r, pages(0, 9) | pages(13, NR_PAGES));
	KUNIT_ASSERT_EQ(test, hold_page(r.page[13], false), 0);
}

/*
 * Rule: it does not matter which of the pages the host's stage-2 maps now. The test returns a page
 * to the host, so that EL2 frees a table of the host's stage-2 in which all other entries could be
 * rebuilt on demand. Then the host accesses two of the pages, which maps only these.
 */
static void run_that_host_does_not_map(struct kunit *test)
{
	struct page *other;
	struct run r;

	run_init(test, &r, UP, 0, NR_PAGES);
	other = &r.block[NR_PAGES];
	KUNIT_ASSERT_EQ(test, el2_donate(r.g->vm, 0, other, OTHER_GFN), 0);
	expect_done(test, &r, MEM_SHARE, 0, NR_PAGES, NR_PAGES);
	/* The exit reports the page, which the host owns then. */
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, r.g, EL2_GUEST_HVC, MEM_RELINQUISH,
					   (u64)OTHER_GFN << PAGE_SHIFT, 0, 0), EL2_EXIT_HVC);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, r.g), EL2_EXIT_PARKED);
	KUNIT_ASSERT_EQ(test, el2_guest_result(r.g, 0), 0);
	xa_erase(&r.g->vm->granules, OTHER_GFN);

	KUNIT_EXPECT_EQ(test, READ_ONCE(*word_of(&r, 3)), SECRET(3));
	KUNIT_EXPECT_EQ(test, READ_ONCE(*word_of(&r, 16)), SECRET(16));
	unshare(test, &r, 0, NR_PAGES);
	expect_shared(test, &r, 0);
	el2_expect_owned(test, other);
}

static struct kunit_case el2_run_cases[] = {
	KUNIT_CASE(run_up),
	KUNIT_CASE(run_down),
	KUNIT_CASE(run_of_pairs),
	KUNIT_CASE(no_run),
	KUNIT_CASE(run_up_across_table),
	KUNIT_CASE(run_down_across_table),
	KUNIT_CASE(run_with_mixed_states),
	KUNIT_CASE(run_with_missing_page),
	KUNIT_CASE(run_with_held_page),
	KUNIT_CASE(run_that_host_does_not_map),
	{}
};

static struct kunit_suite el2_run_suite = {
	.name		= "pkvm_el2_run",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_run_cases,
};

kunit_test_suite(el2_run_suite);
