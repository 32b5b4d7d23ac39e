// SPDX-License-Identifier: GPL-2.0-only
/*
 * Coalescing of the host's stage-2: after pages of a block were donated and returned, in any order,
 * the tables are as they were before. Keeps R1 (the host gets back what it donated) and R7 (EL2
 * loses no table).
 *
 * Each case compares snapshots (asm/kvm_pkvm_dump.h), taken after accesses to all memory.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/random.h>

#include <asm/kvm_pkvm_dump.h>

#include "el2_guest.h"

#define NR_PAGES	64

/*
 * Take a snapshot after accesses to all memory. Two equal snapshots have the same numbers of
 * leaves, tables and references. Only annotations and tables hold references, default mappings do
 * not.
 */
static void snapshot(struct kunit *test, struct pkvm_s2_snapshot *s)
{
	u64 counted;
	int i;

	pkvm_s2_sweep(NULL);
	KUNIT_ASSERT_EQ(test, pkvm_s2_snapshot_take(0, s), 0);
	pkvm_s2_snapshot_free(s);

	for (i = 0; !s->tables[i];)
		i++;
	for (counted = s->annotated, i++; i < PKVM_S2_LEVELS; i++)
		counted += s->tables[i];
	KUNIT_EXPECT_EQ(test, s->refs, counted);
}

static void expect_same(struct kunit *test, const struct pkvm_s2_snapshot *before,
			const struct pkvm_s2_snapshot *after)
{
	unsigned int i;

	for (i = 0; i < PKVM_S2_LEVELS; i++) {
		KUNIT_EXPECT_EQ_MSG(test, before->leaves[i], after->leaves[i],
				    "leaves of level %d", (int)i + KVM_PGTABLE_FIRST_LEVEL);
		KUNIT_EXPECT_EQ_MSG(test, before->tables[i], after->tables[i],
				    "tables of level %d", (int)i + KVM_PGTABLE_FIRST_LEVEL);
	}
	KUNIT_EXPECT_EQ(test, before->annotated, after->annotated);
	KUNIT_EXPECT_EQ(test, before->refs, after->refs);
}

/* The level of the entry for a page of the host. */
static s8 level_in(const struct pkvm_s2_snapshot *s, struct page *page)
{
	u64 addr = page_to_phys(page);
	size_t i = 0;

	while (addr - s->run[i].addr >= s->run[i].size)
		i++;
	return s->run[i].level;
}

/* The level of the entry for a page after an access to it. */
static s8 level_of(struct kunit *test, struct page *page)
{
	struct pkvm_s2_snapshot s = {};
	s8 level;

	el2_readable(page);
	KUNIT_ASSERT_EQ(test, pkvm_s2_snapshot_take(0, &s), 0);
	level = level_in(&s, page);
	pkvm_s2_snapshot_free(&s);
	return level;
}

/* Allocate pages of the highest order in memory that an entry of @level maps. */
static struct page *block_of_level(struct kunit *test, s8 level)
{
	LIST_HEAD(others);
	struct page *page, *next, *found = NULL;
	struct pkvm_s2_snapshot s = {};
	unsigned int tries;

	pkvm_s2_sweep(NULL);
	KUNIT_ASSERT_EQ(test, pkvm_s2_snapshot_take(0, &s), 0);
	for (tries = 0; tries < 768 && !found; tries++) {
		page = alloc_pages(GFP_KERNEL, MAX_PAGE_ORDER);
		if (!page)
			break;
		if (level_in(&s, page) == level)
			found = page;
		else
			list_add(&page->lru, &others);
	}
	list_for_each_entry_safe(page, next, &others, lru)
		__free_pages(page, MAX_PAGE_ORDER);
	pkvm_s2_snapshot_free(&s);
	if (!found)
		kunit_skip(test, "no free memory in a block of level %d", level);
	split_page(found, MAX_PAGE_ORDER);
	return found;
}

static void free_block(struct page *block)
{
	unsigned int i;

	for (i = 0; i < 1 << MAX_PAGE_ORDER; i++)
		__free_page(&block[i]);
}

/* Fill @nr with NR_PAGES different random numbers below @below. */
static void shuffle(unsigned int *nr, unsigned int below)
{
	unsigned int i, j;

	for (i = 0; i < NR_PAGES; i++) {
		do {
			nr[i] = get_random_u32_below(below);
			for (j = 0; j < i && nr[j] != nr[i]; j++)
				;
		} while (j < i);
	}
}

static void donate_and_return(struct kunit *test, s8 level)
{
	struct pkvm_s2_snapshot before = {}, during = {}, after = {};
	struct page *block = block_of_level(test, level);
	unsigned int nr[NR_PAGES], order[NR_PAGES];
	struct el2_vm *vm;
	unsigned int i;

	snapshot(test, &before);
	vm = el2_vm_create(test, 1);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);

	shuffle(nr, 1 << MAX_PAGE_ORDER);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, &block[nr[i]], i), 0);
	el2_put();
	KUNIT_EXPECT_EQ(test, level_of(test, &block[nr[0]]), KVM_PGTABLE_LAST_LEVEL);
	snapshot(test, &during);
	KUNIT_EXPECT_GT(test, during.annotated, before.annotated + NR_PAGES - 1);
	KUNIT_EXPECT_NE(test, during.tables[PKVM_S2_LEVEL(KVM_PGTABLE_LAST_LEVEL)],
			before.tables[PKVM_S2_LEVEL(KVM_PGTABLE_LAST_LEVEL)]);

	/* Reclaim some by force while the VM lives, the rest after its death, in random order. */
	shuffle(order, NR_PAGES);
	for (i = 0; i < NR_PAGES / 4; i++)
		KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(&block[nr[order[i]]])), 0);
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, el2_reclaim(vm, order[i], 1), 0);
	KUNIT_EXPECT_EQ(test, level_of(test, block), level);
	el2_vm_destroy(test, vm);

	snapshot(test, &after);
	expect_same(test, &before, &after);
	free_block(block);
}

/* Rule: tables are as before after pages of a 2 MiB block are donated and returned. */
static void pages_of_a_small_block(struct kunit *test)
{
	donate_and_return(test, 2);
}

/* Rule: tables of two levels are freed after pages of a 1 GiB block are returned. */
static void pages_of_a_large_block(struct kunit *test)
{
	if (KVM_PGTABLE_MIN_BLOCK_LEVEL > 1)
		kunit_skip(test, "this page size has no blocks of level 1");
	donate_and_return(test, 1);
}

/* Rule: when the guest relinquishes a page, the host's block is whole again. */
static void page_relinquished(struct kunit *test)
{
	struct pkvm_s2_snapshot before = {}, after = {};
	struct page *block = block_of_level(test, 2);
	struct el2_guest *g = el2_guest_boot(test);

	/* Donate one page before the snapshot, so that EL2 has the guest's tables and its stock. */
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, el2_page(test), EL2_TEST_GFN + 1), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, el2_page(test), EL2_TEST_GFN + 2), 0);
	snapshot(test, &before);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, &block[3], EL2_TEST_GFN), 0);
	KUNIT_EXPECT_EQ(test, level_of(test, &block[4]), KVM_PGTABLE_LAST_LEVEL);
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC,
					   ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID,
					   EL2_TEST_GFN << PAGE_SHIFT, 0, 0), EL2_EXIT_HVC);
	xa_erase(&g->vm->granules, EL2_TEST_GFN);
	KUNIT_EXPECT_EQ(test, level_of(test, &block[3]), 2);
	snapshot(test, &after);
	expect_same(test, &before, &after);
	free_block(block);
}

/* Rule: a share with EL2 or with a non-protected VM does not split the host's block. */
static void share_keeps_block(struct kunit *test)
{
	struct pkvm_s2_snapshot before = {}, during = {};
	struct page *block = block_of_level(test, 2);
	struct el2_vm *vm;
	unsigned int i;

	snapshot(test, &before);
	vm = el2_np_vm_create(test, 1);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	for (i = 0; i < NR_PAGES; i++) {
		KUNIT_EXPECT_EQ(test, el2_share(&block[i * 2]), 0);
		KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, page_to_pfn(&block[i * 2 + 1]), i, 1,
						   KVM_PGTABLE_PROT_RW), 0);
	}
	el2_put();
	KUNIT_EXPECT_EQ(test, level_of(test, block), 2);
	KUNIT_EXPECT_EQ(test, level_of(test, &block[1]), 2);

	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ(test, el2_unshare(&block[i * 2]), 0);
	el2_vm_destroy(test, vm);
	snapshot(test, &during);
	expect_same(test, &before, &during);
	free_block(block);
}

/* Rule (R5, R6): EL2 refuses a dump of no VM, or into a page that the host does not own. */
static void dump_refused(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);
	struct page *shared = el2_page(test);
	u64 pfn = page_to_pfn(page);

	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, page_to_pfn(shared), 0, 0,
						     0), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, ~0ULL, 0, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump,
						     0x09000000 >> PAGE_SHIFT, 0, 0, 0),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, 1, 0, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, 0, 1, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, 0, PAGE_MASK, 0),
			-ERANGE);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));

	/* A dump that starts in the middle needs the generation of its first part. */
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, vm->handle,
						     PAGE_SIZE, ~0ULL), -EAGAIN);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_stage2_dump, pfn, vm->handle, 0, 0),
			0);
}

static struct kunit_case el2_coalesce_cases[] = {
	KUNIT_CASE_SLOW(pages_of_a_small_block),
	KUNIT_CASE_SLOW(pages_of_a_large_block),
	KUNIT_CASE_SLOW(page_relinquished),
	KUNIT_CASE_SLOW(share_keeps_block),
	KUNIT_CASE(dump_refused),
	{}
};

static struct kunit_suite el2_coalesce_suite = {
	.name		= "pkvm_el2_coalesce",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_coalesce_cases,
};

kunit_test_suite(el2_coalesce_suite);
