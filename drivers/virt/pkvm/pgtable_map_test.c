// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapping, replacing and unmapping: the resulting leaves, and the order of changes to entries, TLBs
 * and caches. Keeps R3 (memory is cleaned before a guest can map it) and R7 (a refused call changes
 * nothing).
 */
#include "pgtable_kunit.h"

#define RWX	KVM_PGTABLE_PROT_RWX
#define RW	KVM_PGTABLE_PROT_RW

/* Rule: a page becomes a last-level leaf below a table of each level, and unmapping frees these. */
static void map_one_page(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int empty = f->pool.used;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty + 3 - f->pgt.start_level);

	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, PAGE_SIZE), 0);
	s2_expect_pte(f, f->base, f->pgt.start_level, 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

/* Rule: a range with aligned input and output addresses becomes one block, for each size. */
static void map_blocks(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	s8 level;

	for (level = KVM_PGTABLE_MIN_BLOCK_LEVEL; level <= 3; level++) {
		u64 size = kvm_granule_size(level);

		KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RWX), 0);
		s2_expect_pte(f, f->base + size - PAGE_SIZE, level,
			      s2_pte(S2_DATA_PHYS, level, RWX));
		s2_expect_pte(f, f->base + size, level, 0);
		KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, size), 0);
	}
}

/* Rule: a range whose output address is not aligned to a block becomes pages. */
static void map_misaligned_output(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	u64 phys = S2_DATA_PHYS + PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, phys, RW), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(phys, 3, RW));
	s2_expect_pte(f, f->base + size - PAGE_SIZE, 3, s2_pte(phys + size - PAGE_SIZE, 3, RW));
}

/* Rule: a range becomes blocks exactly where they fit, and pages before and after them. */
static void map_across_block(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	u64 start = f->base + size - PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, s2_map(f, start, size + 2 * PAGE_SIZE,
				     S2_DATA_PHYS + size - PAGE_SIZE, RW), 0);
	s2_expect_pte(f, start - PAGE_SIZE, 3, 0);
	s2_expect_pte(f, start, 3, s2_pte(S2_DATA_PHYS + size - PAGE_SIZE, 3, RW));
	s2_expect_pte(f, f->base + size, 2, s2_pte(S2_DATA_PHYS + size, 2, RW));
	s2_expect_pte(f, f->base + 2 * size, 3, s2_pte(S2_DATA_PHYS + 2 * size, 3, RW));
	s2_expect_pte(f, f->base + 2 * size + PAGE_SIZE, 3, 0);
}

static bool force_all(u64 addr, u64 end, enum kvm_pgtable_prot prot)
{
	return true;
}

/* Rule: if the callback forces pages, no block is mapped. */
static void map_forced_to_pages(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);

	f->pgt.force_pte_cb = force_all;
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
}

/*
 * Rule: mapping inside a block clears its entry first, then invalidates with the block's level, and
 * then installs the table. The rest of the block is empty afterwards.
 */
static void map_into_block(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	u64 page = f->base + 7 * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = f->base;
	KUNIT_ASSERT_EQ(test, s2_map(f, page, PAGE_SIZE, S2_DATA_PHYS + size, RW), 0);
	s2_expect_pte(f, page, 3, s2_pte(S2_DATA_PHYS + size, 3, RW));
	s2_expect_pte(f, f->base, 3, 0);

	KUNIT_ASSERT_EQ(test, s2_count_events(f, S2_TLBI_IPA), 1);
	KUNIT_EXPECT_EQ(test, f->events[0].kind, S2_TLBI_IPA);
	KUNIT_EXPECT_EQ(test, f->events[0].level, 2);
	KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[0].watched));
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->invalidated, size / PAGE_SIZE));
}

/* Rule: mapping a block over a table of pages invalidates all of its range and frees the table. */
static void map_block_over_table(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	unsigned int empty = f->pool.used;
	u64 last = f->base + size - PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, last, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = last;
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_expect_pte(f, last, KVM_PGTABLE_MIN_BLOCK_LEVEL,
		      s2_pte(S2_DATA_PHYS, KVM_PGTABLE_MIN_BLOCK_LEVEL, RW));
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
	KUNIT_EXPECT_TRUE(test, test_bit(0, f->invalidated));
	KUNIT_EXPECT_TRUE(test, test_bit(size / PAGE_SIZE - 1, f->invalidated));
	KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[0].watched));
}

/*
 * Rule: map returns -EAGAIN for a mapping that exists, also with other permissions, and changes
 * nothing.
 */
static void map_same_again(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	enum kvm_pgtable_walk_flags fault = KVM_PGTABLE_WALK_HANDLE_FAULT |
					    KVM_PGTABLE_WALK_SHARED;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_map(&f->pgt, f->base, PAGE_SIZE, S2_DATA_PHYS, RW,
						     &f->pool, fault), -EAGAIN);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_map(&f->pgt, f->base, PAGE_SIZE, S2_DATA_PHYS, RWX,
						     &f->pool, fault), -EAGAIN);
	KUNIT_EXPECT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RWX), 0);
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
}

/* Rule: software bits change in place, without a TLBI, since hardware ignores them. */
static void map_software_bits(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	enum kvm_pgtable_prot marked = RW | KVM_PGTABLE_PROT_SW0 | KVM_PGTABLE_PROT_SW3;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, marked), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, marked));
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_pte_prot(s2_lookup(f, f->base, NULL)), marked);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
}

/* Rule: a new output address needs break-before-make: clear, invalidate, then set the entry. */
static void map_other_output(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = f->base;
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS + PAGE_SIZE, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_count_events(f, S2_TLBI_IPA), 1);
	KUNIT_EXPECT_EQ(test, f->events[0].kind, S2_TLBI_IPA);
	KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[0].watched));
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS + PAGE_SIZE, 3, RW));
}

/*
 * Rule (R3): before the mapping exists, cacheable memory is cleaned, and the I-cache is invalidated
 * for executable memory. Device memory gets no cache maintenance.
 */
static void map_cleans_first(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int i;

	f->watch = f->base;
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RWX), 0);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_CLEAN_DCACHE), 1);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_INVAL_ICACHE), 1);
	for (i = 0; i < f->nr_events; i++) {
		KUNIT_EXPECT_EQ(test, f->events[i].addr, S2_DATA_PHYS);
		KUNIT_EXPECT_EQ(test, f->events[i].size, PAGE_SIZE);
		KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[i].watched));
	}

	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base + PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS,
				     RW | KVM_PGTABLE_PROT_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base + 2 * PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS,
				     RW | KVM_PGTABLE_PROT_NORMAL_NC), 0);
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	s2_expect_pte(f, f->base + PAGE_SIZE, 3,
		      s2_pte(S2_DATA_PHYS, 3, RW | KVM_PGTABLE_PROT_DEVICE));
	s2_expect_pte(f, f->base + 2 * PAGE_SIZE, 3,
		      s2_pte(S2_DATA_PHYS, 3, RW | KVM_PGTABLE_PROT_NORMAL_NC));
}

/* Rule: unmap invalidates the range, and cleans its memory on CPUs without FWB. */
static void unmap_cleans_after(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	bool fwb = cpus_have_final_cap(ARM64_HAS_STAGE2_FWB);
	u64 size = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = f->base;
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, size), 0);
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->invalidated, size / PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_CLEAN_DCACHE), fwb ? 0 : 1);
	KUNIT_EXPECT_EQ(test, f->events[0].watched, 0);
}

/* Rule: unmapping a part of a block unmaps the block; later faults map the rest again. */
static void unmap_part_of_block(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, 2 * size, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base + PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, s2_lookup(f, f->base, NULL), 0);
	s2_expect_pte(f, f->base + size, 2, s2_pte(S2_DATA_PHYS + size, 2, RW));
}

/* Rule: unmapping an empty range is no error and needs no TLBI by address. */
static void unmap_nothing(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_TLBI_IPA), 0);
	s2_expect_pte(f, f->base, f->pgt.start_level, 0);
}

/* Rule (R7): map refuses contradictory attributes, and changes nothing. */
static void map_bad_attributes(struct kunit *test)
{
	static const enum kvm_pgtable_prot bad[] = {
		RW | KVM_PGTABLE_PROT_DEVICE | KVM_PGTABLE_PROT_NORMAL_NC,
		RWX | KVM_PGTABLE_PROT_DEVICE,
		RWX | KVM_PGTABLE_PROT_NORMAL_NC,
	};
	struct s2_fixture *f = test->priv;
	unsigned int i, empty = f->pool.used;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		KUNIT_EXPECT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, bad[i]), -EINVAL);
		s2_expect_pte(f, f->base, f->pgt.start_level, 0);
		KUNIT_EXPECT_EQ(test, f->pool.used, empty);
	}
}

/* Rule (R7): a range beyond the input address space is refused, and no page of it changes. */
static void range_out_of_bounds(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 limit = BIT_ULL(S2_IA_BITS);
	unsigned int empty = f->pool.used;
	kvm_pte_t pte;

	KUNIT_EXPECT_EQ(test, s2_map(f, limit - PAGE_SIZE, 2 * PAGE_SIZE, S2_DATA_PHYS, RW),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, s2_map(f, limit, PAGE_SIZE, S2_DATA_PHYS, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, limit, PAGE_SIZE, &f->pool, 1),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_wrprotect(&f->pgt, limit, PAGE_SIZE), -ERANGE);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&f->pgt, limit, &pte, NULL), -ERANGE);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
	s2_expect_pte(f, limit - PAGE_SIZE, f->pgt.start_level, 0);

	KUNIT_EXPECT_EQ(test, s2_map(f, limit - PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_expect_pte(f, limit - PAGE_SIZE, 3, s2_pte(S2_DATA_PHYS, 3, RW));
}

static struct kunit_case s2_map_cases[] = {
	KUNIT_CASE(map_one_page),
	KUNIT_CASE(map_blocks),
	KUNIT_CASE(map_misaligned_output),
	KUNIT_CASE(map_across_block),
	KUNIT_CASE(map_forced_to_pages),
	KUNIT_CASE(map_into_block),
	KUNIT_CASE(map_block_over_table),
	KUNIT_CASE(map_same_again),
	KUNIT_CASE(map_software_bits),
	KUNIT_CASE(map_other_output),
	KUNIT_CASE(map_cleans_first),
	KUNIT_CASE(unmap_cleans_after),
	KUNIT_CASE(unmap_part_of_block),
	KUNIT_CASE(unmap_nothing),
	KUNIT_CASE(map_bad_attributes),
	KUNIT_CASE(range_out_of_bounds),
	{}
};

static struct kunit_suite s2_map_suite = {
	.name		= "pkvm_pgtable_map",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_map_cases,
};

kunit_test_suite(s2_map_suite);
