// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tables as such: their geometry, walks over them, splitting, trees that are not linked yet, and
 * running out of memory at every point (R7: no half-done work that a retry could not finish).
 */
#include "pgtable_kunit.h"

#define RW	KVM_PGTABLE_PROT_RW

/*
 * Rule: the top level has as many pages as it takes to keep to the levels that a 16-fold
 * concatenation allows, and never fewer than two levels; an empty table gives all of it back.
 */
static void geometry(struct kunit *test)
{
	struct s2_world *w = test->priv;
	unsigned int bits_per_level = PAGE_SHIFT - 3;
	unsigned int before = w->pool.used;
	u32 ia_bits;

	for (ia_bits = 32; ia_bits <= 44; ia_bits++) {
		unsigned int levels = max_t(unsigned int, 2,
					    DIV_ROUND_UP(ia_bits - 4 - PAGE_SHIFT, bits_per_level));
		unsigned int covered = PAGE_SHIFT + levels * bits_per_level;
		unsigned int pages = covered >= ia_bits ? 1 : 1U << (ia_bits - covered);
		struct kvm_pgtable pgt = {};

		KUNIT_ASSERT_EQ(test, s2_init_pgt(w, &pgt, ia_bits, NULL), 0);
		KUNIT_EXPECT_EQ(test, pgt.ia_bits, ia_bits);
		KUNIT_EXPECT_EQ(test, pgt.start_level, 4 - (int)levels);
		KUNIT_EXPECT_EQ(test, w->pool.used, before + pages);
		KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_pgd_size(w->mmu.vtcr), pages * PAGE_SIZE);
		kvm_pgtable_stage2_destroy(&pgt);
		KUNIT_EXPECT_EQ(test, w->pool.used, before);
	}
}

/* Rule: without memory for the top level there is no table, and no page is lost. */
static void init_without_memory(struct kunit *test)
{
	struct s2_world *w = test->priv;
	unsigned int before = w->pool.used;
	struct kvm_pgtable pgt = {};

	w->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, s2_init_pgt(w, &pgt, S2_IA_BITS, NULL), -ENOMEM);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(pgt.pgd));
	KUNIT_EXPECT_EQ(test, w->pool.used, before);
}

/* Rule: a table full of everything can be destroyed, and every page of it comes back. */
static void destroy_populated(struct kunit *test)
{
	struct s2_world *w = test->priv;
	u64 block = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	u64 small = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, block, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(w, w->base + block, small, S2_DATA_PHYS + PAGE_SIZE, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&w->pgt, w->base + PAGE_SIZE, PAGE_SIZE,
							   &w->pool, KVM_MAX_OWNER_ID), 0);
	KUNIT_ASSERT_TRUE(test, s2_check(w, NULL));
	kvm_pgtable_stage2_destroy(&w->pgt);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(w->pgt.pgd));
	KUNIT_EXPECT_EQ(test, w->pool.used, 0);
}

/*
 * Rule: wherever an allocation fails, map says -ENOMEM, the tables stay sound, what was mapped
 * before is still mapped, and the same call succeeds when there is memory.
 */
static void map_without_memory(struct kunit *test)
{
	struct s2_world *w = test->priv;
	u64 small = kvm_granule_size(2);
	u64 start = w->base + small - PAGE_SIZE;
	u64 other = w->base + 8 * small;
	unsigned int point = 0;
	int ret;

	KUNIT_ASSERT_EQ(test, s2_map(w, other, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	do {
		w->pool.fail_in = ++point;
		ret = s2_map(w, start, 2 * PAGE_SIZE, S2_DATA_PHYS, RW);
		if (ret) {
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			KUNIT_EXPECT_EQ(test, w->pool.fail_in, 0);
		}
		s2_expect_pte(w, other, 3, s2_pte(S2_DATA_PHYS, 3, RW));
		w->pool.fail_in = 0;
		if (ret)
			kvm_pgtable_stage2_unmap(&w->pgt, start, 2 * PAGE_SIZE);
	} while (ret && point < 16);

	/* The two pages lie in two tables of the last level; where levels differ, so do tables. */
	KUNIT_EXPECT_GE(test, point, 3);
	KUNIT_EXPECT_EQ(test, ret, 0);
	s2_expect_pte(w, start, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	s2_expect_pte(w, start + PAGE_SIZE, 3, s2_pte(S2_DATA_PHYS + PAGE_SIZE, 3, RW));
}

/* Rule: a block is not broken before the table that takes its place is there. */
static void block_survives_no_memory(struct kunit *test)
{
	struct s2_world *w = test->priv;
	u64 size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	s8 level = KVM_PGTABLE_MIN_BLOCK_LEVEL;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, size, S2_DATA_PHYS, RW), 0);
	s2_forget_events(w);

	w->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, s2_map(w, w->base, PAGE_SIZE, S2_DATA_PHYS + size, RW), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_map(&w->pgt, w->base, PAGE_SIZE,
						     S2_DATA_PHYS + size, RW, NULL, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&w->pgt, w->base, PAGE_SIZE, NULL,
							   KVM_MAX_OWNER_ID), -ENOMEM);
	w->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&w->pgt, w->base, PAGE_SIZE, &w->pool,
							   KVM_MAX_OWNER_ID), -ENOMEM);
	KUNIT_EXPECT_EQ(test, w->nr_events, 0);
	s2_expect_pte(w, w->base, level, s2_pte(S2_DATA_PHYS, level, RW));
}

/* Rule: get_leaf gives the entry and its level, of blocks, pages, annotations and holes alike. */
static void get_leaf(struct kunit *test)
{
	struct s2_world *w = test->priv;
	u64 size = kvm_granule_size(2);
	kvm_pte_t pte;
	s8 level;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, size, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&w->pgt, w->base + size, PAGE_SIZE,
							   &w->pool, KVM_MAX_OWNER_ID), 0);

	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&w->pgt, w->base + size - 1, &pte, &level), 0);
	KUNIT_EXPECT_EQ(test, pte, s2_pte(S2_DATA_PHYS, 2, RW));
	KUNIT_EXPECT_EQ(test, level, 2);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&w->pgt, w->base + size, &pte, &level), 0);
	KUNIT_EXPECT_EQ(test, pte, s2_owner(KVM_MAX_OWNER_ID));
	KUNIT_EXPECT_EQ(test, level, 3);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&w->pgt, w->base + size + PAGE_SIZE, &pte,
						   &level), 0);
	KUNIT_EXPECT_EQ(test, pte, 0);
	KUNIT_EXPECT_EQ(test, level, 3);
}

struct walk_trace {
	enum kvm_pgtable_walk_flags	visit[16];
	s8				level[16];
	u64				addr[16];
	unsigned int			nr;
	unsigned int			stop_at;
	int				error;
};

static int trace_walker(const struct kvm_pgtable_visit_ctx *ctx, enum kvm_pgtable_walk_flags visit)
{
	struct walk_trace *t = ctx->arg;

	if (t->nr < ARRAY_SIZE(t->visit)) {
		t->visit[t->nr] = visit;
		t->level[t->nr] = ctx->level;
		t->addr[t->nr] = ctx->addr;
	}
	return ++t->nr == t->stop_at ? t->error : 0;
}

/* Rule: a walk sees a table before its entries and again after them, and each leaf once. */
static void walk_order(struct kunit *test)
{
	struct s2_world *w = test->priv;
	s8 top = w->pgt.start_level;
	struct walk_trace t = {};
	struct kvm_pgtable_walker walker = {
		.cb	= trace_walker,
		.arg	= &t,
		.flags	= KVM_PGTABLE_WALK_TABLE_PRE | KVM_PGTABLE_WALK_LEAF |
			  KVM_PGTABLE_WALK_TABLE_POST,
	};
	unsigned int i = 0;
	s8 level;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_walk(&w->pgt, w->base, 2 * PAGE_SIZE, &walker), 0);
	KUNIT_ASSERT_EQ(test, t.nr, 2 + 2 * (3 - top));

	for (level = top; level < 3; level++, i++) {
		KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_TABLE_PRE);
		KUNIT_EXPECT_EQ(test, t.level[i], level);
	}
	KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_LEAF);
	KUNIT_EXPECT_EQ(test, t.addr[i++], w->base);
	KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_LEAF);
	KUNIT_EXPECT_EQ(test, t.addr[i++], w->base + PAGE_SIZE);
	for (level = 2; level >= top; level--, i++) {
		KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_TABLE_POST);
		KUNIT_EXPECT_EQ(test, t.level[i], level);
	}
}

/*
 * Rule: a walk covers whole pages, ends at the first error and hands it on; -EAGAIN ends only the
 * walk of a fault handler.
 */
static void walk_errors(struct kunit *test)
{
	struct s2_world *w = test->priv;
	struct walk_trace t = {};
	struct kvm_pgtable_walker walker = {
		.cb	= trace_walker,
		.arg	= &t,
		.flags	= KVM_PGTABLE_WALK_LEAF,
	};
	struct kvm_pgtable_walker fault_walker = {
		.cb	= trace_walker,
		.arg	= &t,
		.flags	= KVM_PGTABLE_WALK_LEAF | KVM_PGTABLE_WALK_HANDLE_FAULT,
	};

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, 4 * PAGE_SIZE, S2_DATA_PHYS, RW), 0);

	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&w->pgt, w->base + 8, PAGE_SIZE, &walker), 0);
	KUNIT_EXPECT_EQ(test, t.nr, 1);

	t = (struct walk_trace) { .stop_at = 2, .error = -EPERM };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&w->pgt, w->base, 4 * PAGE_SIZE, &walker), -EPERM);
	KUNIT_EXPECT_EQ(test, t.nr, 2);

	t = (struct walk_trace) { .stop_at = 2, .error = -EAGAIN };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&w->pgt, w->base, 4 * PAGE_SIZE, &walker), 0);
	KUNIT_EXPECT_EQ(test, t.nr, 4);

	t = (struct walk_trace) { .stop_at = 2, .error = -EAGAIN };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&w->pgt, w->base, 4 * PAGE_SIZE, &fault_walker),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, t.nr, 2);
}

/* Rule: a split changes the size of leaves, and neither where they lead nor what they allow. */
static void split_block(struct kunit *test)
{
	struct s2_world *w = test->priv;
	struct kvm_mmu_memory_cache *mc = &w->mmu.split_page_cache;
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X | KVM_PGTABLE_PROT_SW2;
	u64 size = kvm_granule_size(2);
	u64 offset;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, size, S2_DATA_PHYS, prot), 0);
	s2_forget_events(w);
	mc->nobjs = 1;
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_split(&w->pgt, w->base, size, mc), 0);
	KUNIT_EXPECT_EQ(test, mc->nobjs, 0);
	KUNIT_EXPECT_EQ(test, s2_count_events(w, S2_TLBI_IPA), 1);
	KUNIT_EXPECT_TRUE(test, bitmap_full(w->invalidated, size / PAGE_SIZE));
	for (offset = 0; offset < size; offset += PAGE_SIZE) {
		kvm_pte_t pte = s2_lookup(w, w->base + offset, NULL);

		KUNIT_ASSERT_EQ(test, pte, s2_pte(S2_DATA_PHYS + offset, 3, prot));
	}
	KUNIT_EXPECT_TRUE(test, s2_check(w, NULL));
}

/* Rule: without pages to split with, or when an allocation fails, the block stays whole. */
static void split_without_memory(struct kunit *test)
{
	struct s2_world *w = test->priv;
	struct kvm_mmu_memory_cache *mc = &w->mmu.split_page_cache;
	s8 level = KVM_PGTABLE_MIN_BLOCK_LEVEL;
	u64 size = kvm_granule_size(level);
	unsigned int before;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, size, S2_DATA_PHYS, RW), 0);
	before = w->pool.used;
	s2_forget_events(w);

	mc->nobjs = 0;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&w->pgt, w->base, size, mc), -ENOMEM);
	mc->nobjs = PTRS_PER_PTE + 1;
	w->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&w->pgt, w->base, size, mc), -ENOMEM);
	if (level < 2) {
		mc->nobjs = PTRS_PER_PTE + 1;
		w->pool.fail_in = 9;
		KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&w->pgt, w->base, size, mc),
				-ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, w->nr_events, 0);
	KUNIT_EXPECT_EQ(test, w->pool.used, before);
	s2_expect_pte(w, w->base, level, s2_pte(S2_DATA_PHYS, level, RW));
}

/* Rule: splitting what is no block changes nothing and takes no page. */
static void split_nothing(struct kunit *test)
{
	struct s2_world *w = test->priv;
	struct kvm_mmu_memory_cache *mc = &w->mmu.split_page_cache;

	KUNIT_ASSERT_EQ(test, s2_map(w, w->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&w->pgt, w->base + PAGE_SIZE, PAGE_SIZE,
							   &w->pool, KVM_MAX_OWNER_ID), 0);
	mc->nobjs = 4;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&w->pgt, w->base, kvm_granule_size(2), mc),
			0);
	KUNIT_EXPECT_EQ(test, mc->nobjs, 4);
	s2_expect_pte(w, w->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	s2_expect_pte(w, w->base + PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));
}

/*
 * Rule: a tree that is not linked yet needs no TLBI and no cleaning, is refused for a misaligned
 * address, and whether made, refused or cut short leaves no page behind.
 */
static void unlinked_tree(struct kunit *test)
{
	struct s2_world *w = test->priv;
	u64 size = kvm_granule_size(2);
	unsigned int before = w->pool.used;
	kvm_pte_t *table;

	table = kvm_pgtable_stage2_create_unlinked(&w->pgt, S2_DATA_PHYS, 2, RW, &w->pool, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	KUNIT_EXPECT_EQ(test, table[0], s2_pte(S2_DATA_PHYS, 3, RW));
	KUNIT_EXPECT_EQ(test, table[PTRS_PER_PTE - 1],
			s2_pte(S2_DATA_PHYS + size - PAGE_SIZE, 3, RW));
	KUNIT_EXPECT_EQ(test, w->nr_events, 0);
	KUNIT_EXPECT_EQ(test, w->pool.used, before + 1);
	w->pgt.mm_ops->free_unlinked_table(table, 2);
	KUNIT_EXPECT_EQ(test, w->pool.used, before);

	table = kvm_pgtable_stage2_create_unlinked(&w->pgt, S2_DATA_PHYS + PAGE_SIZE, 2, RW,
						   &w->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -EINVAL);
	w->pool.fail_in = 1;
	table = kvm_pgtable_stage2_create_unlinked(&w->pgt, S2_DATA_PHYS, 2, RW, &w->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -ENOMEM);
	table = kvm_pgtable_stage2_create_unlinked(&w->pgt, S2_DATA_PHYS, 2,
						   KVM_PGTABLE_PROT_RWX | KVM_PGTABLE_PROT_DEVICE,
						   &w->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -EINVAL);
	KUNIT_EXPECT_EQ(test, w->pool.used, before);
}

struct kunit_case s2_table_cases[] = {
	KUNIT_CASE(geometry),
	KUNIT_CASE(init_without_memory),
	KUNIT_CASE(destroy_populated),
	KUNIT_CASE(map_without_memory),
	KUNIT_CASE(block_survives_no_memory),
	KUNIT_CASE(get_leaf),
	KUNIT_CASE(walk_order),
	KUNIT_CASE(walk_errors),
	KUNIT_CASE(split_block),
	KUNIT_CASE(split_without_memory),
	KUNIT_CASE(split_nothing),
	KUNIT_CASE(unlinked_tree),
	{}
};
