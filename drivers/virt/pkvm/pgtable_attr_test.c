// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes within existing entries: owner annotations, permissions and access flags. Keeps R1 for
 * the tables: the annotation with a page's owner is never lost.
 */
#include "pgtable_kunit.h"

#define RWX	KVM_PGTABLE_PROT_RWX
#define RW	KVM_PGTABLE_PROT_RW
#define R	KVM_PGTABLE_PROT_R

/* Rule: an annotation is an invalid entry that holds a reference on its table. */
static void owner_counts(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int empty = f->pool.used;

	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, 3 * PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);
	s2_expect_pte(f, f->base, 3, s2_owner(KVM_MAX_OWNER_ID));
	s2_expect_pte(f, f->base + 2 * PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));
	s2_expect_pte(f, f->base + 3 * PAGE_SIZE, 3, 0);

	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, PAGE_SIZE), 0);
	s2_expect_pte(f, f->base, 3, 0);
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, 3 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

/* Rule: an entry of the table's owner holds no reference. */
static void owner_zero_does_not_count(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, &f->pool,
							   0), 0);
	s2_expect_pte(f, f->base, 3, 0);
}

/* Rule: a change of owner invalidates the page first, and splits its block. */
static void owner_breaks_block(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	u64 page = f->base + PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = page;
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, page, PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID), 0);
	s2_expect_pte(f, page, 3, s2_owner(KVM_MAX_OWNER_ID));
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->invalidated, size / PAGE_SIZE));
	KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[0].watched));
}

/* Rule (R7): an owner that does not fit into the annotation is refused, and nothing changes. */
static void owner_too_large(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int empty = f->pool.used;

	if (KVM_MAX_OWNER_ID == U8_MAX)
		kunit_skip(test, "every owner fits");
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID + 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

/* Rule: write protection removes W from mappings, and changes no annotations and no holes. */
static void wrprotect_range(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 ipa = f->base;

	KUNIT_ASSERT_EQ(test, s2_map(f, ipa, PAGE_SIZE, S2_DATA_PHYS, RWX), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, ipa + PAGE_SIZE, PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, ipa + 3 * PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS, RW), 0);

	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_wrprotect(&f->pgt, ipa, 4 * PAGE_SIZE), 0);
	s2_expect_pte(f, ipa, 3, s2_pte(S2_DATA_PHYS, 3, R | KVM_PGTABLE_PROT_X));
	s2_expect_pte(f, ipa + PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));
	s2_expect_pte(f, ipa + 2 * PAGE_SIZE, 3, 0);
	s2_expect_pte(f, ipa + 3 * PAGE_SIZE, 3, s2_pte(S2_DATA_PHYS, 3, R));
}

/* Rule: relaxing adds the given permissions, removes none, and invalidates locally. */
static void relax_adds(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, R), 0);
	s2_forget_events(f);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base,
							     KVM_PGTABLE_PROT_W), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_TLBI_IPA_NSH), 1);
	KUNIT_EXPECT_EQ(test, f->nr_events, 1);
	KUNIT_EXPECT_EQ(test, f->events[0].level, 3);

	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base, R), 0);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
}

/* Rule: the I-cache is invalidated before a page becomes executable. */
static void relax_to_executable(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	kvm_pte_t xn = BIT_ULL(54);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);
	f->watch = f->base;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base, RWX), 0);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_INVAL_ICACHE), 1);
	KUNIT_EXPECT_EQ(test, f->events[0].kind, S2_INVAL_ICACHE);
	KUNIT_EXPECT_EQ(test, f->events[0].addr, S2_DATA_PHYS);
	KUNIT_EXPECT_EQ(test, f->events[0].watched & xn, xn);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RWX));
}

/* Rule: relaxing fails without a mapping, and for software bits, which are not permissions. */
static void relax_refused(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base, RW), -EAGAIN);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID), 0);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base, RW), -EAGAIN);
	s2_expect_pte(f, f->base, 3, s2_owner(KVM_MAX_OWNER_ID));

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base + PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS, R), 0);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base + PAGE_SIZE,
							     RW | KVM_PGTABLE_PROT_SW1), -EINVAL);
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_pte(S2_DATA_PHYS, 3, R));
}

/* Rule: ageing returns whether a page was accessed, clears only if asked, skips annotations. */
static void age_range(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	kvm_pte_t young = s2_pte(S2_DATA_PHYS, 3, RW);
	kvm_pte_t old = young & ~BIT_ULL(10);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base + PAGE_SIZE, PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);

	KUNIT_EXPECT_FALSE(test, kvm_pgtable_stage2_test_clear_young(&f->pgt, f->base + PAGE_SIZE,
								     PAGE_SIZE, true));
	KUNIT_EXPECT_TRUE(test, kvm_pgtable_stage2_test_clear_young(&f->pgt, f->base,
								    2 * PAGE_SIZE, false));
	s2_expect_pte(f, f->base, 3, young);
	KUNIT_EXPECT_TRUE(test, kvm_pgtable_stage2_test_clear_young(&f->pgt, f->base,
								    2 * PAGE_SIZE, true));
	s2_expect_pte(f, f->base, 3, old);
	KUNIT_EXPECT_FALSE(test, kvm_pgtable_stage2_test_clear_young(&f->pgt, f->base,
								     2 * PAGE_SIZE, true));
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));

	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_mkyoung(&f->pgt, f->base), old);
	s2_expect_pte(f, f->base, 3, young);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_mkyoung(&f->pgt, f->base + 2 * PAGE_SIZE), 0);
}

/* Rule: a flush cleans exactly the cacheable mappings, and none with FWB. */
static void flush_cleans_cacheable(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	bool fwb = cpus_have_final_cap(ARM64_HAS_STAGE2_FWB);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base + PAGE_SIZE, PAGE_SIZE, S2_DATA_PHYS,
				     RW | KVM_PGTABLE_PROT_DEVICE), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base + 2 * PAGE_SIZE,
							   PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID), 0);
	s2_forget_events(f);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_flush(&f->pgt, f->base, 4 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, f->nr_events, fwb ? 0 : 1);
	if (!fwb) {
		KUNIT_EXPECT_EQ(test, f->events[0].kind, S2_CLEAN_DCACHE);
		KUNIT_EXPECT_EQ(test, f->events[0].addr, S2_DATA_PHYS);
	}
}

static struct kunit_case s2_attr_cases[] = {
	KUNIT_CASE(owner_counts),
	KUNIT_CASE(owner_zero_does_not_count),
	KUNIT_CASE(owner_breaks_block),
	KUNIT_CASE(owner_too_large),
	KUNIT_CASE(wrprotect_range),
	KUNIT_CASE(relax_adds),
	KUNIT_CASE(relax_to_executable),
	KUNIT_CASE(relax_refused),
	KUNIT_CASE(age_range),
	KUNIT_CASE(flush_cleans_cacheable),
	{}
};

static struct kunit_suite s2_attr_suite = {
	.name		= "pkvm_pgtable_attr",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_attr_cases,
};

kunit_test_suite(s2_attr_suite);
