// SPDX-License-Identifier: GPL-2.0-only
/*
 * Geometry, walks, splits and unlinked trees of tables, and allocations that fail at every point.
 * Keeps R7: after a failure a repeated call can finish the work.
 */
#include "pgtable_kunit.h"

#define RW	KVM_PGTABLE_PROT_RW

/*
 * Rule: the top level is concatenated from up to 16 pages if that saves a level, but a table has at
 * least two levels. Destroying an empty table returns all pages.
 */
static void geometry(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int bits_per_level = PAGE_SHIFT - 3;
	unsigned int before = f->pool.used;
	u32 ia_bits;

	for (ia_bits = 32; ia_bits <= 44; ia_bits++) {
		unsigned int levels = max_t(unsigned int, 2,
					    DIV_ROUND_UP(ia_bits - 4 - PAGE_SHIFT, bits_per_level));
		unsigned int covered = PAGE_SHIFT + levels * bits_per_level;
		unsigned int pages = covered >= ia_bits ? 1 : 1U << (ia_bits - covered);
		struct kvm_pgtable pgt = {};

		KUNIT_ASSERT_EQ(test, s2_init_pgt(f, &pgt, ia_bits, NULL), 0);
		KUNIT_EXPECT_EQ(test, pgt.ia_bits, ia_bits);
		KUNIT_EXPECT_EQ(test, pgt.start_level, 4 - (int)levels);
		KUNIT_EXPECT_EQ(test, f->pool.used, before + pages);
		KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_pgd_size(f->mmu.vtcr), pages * PAGE_SIZE);
		kvm_pgtable_stage2_destroy(&pgt);
		KUNIT_EXPECT_EQ(test, f->pool.used, before);
	}
}

/* Rule: init fails without memory for the top level, and loses no page. */
static void init_without_memory(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	unsigned int before = f->pool.used;
	struct kvm_pgtable pgt = {};

	f->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, s2_init_pgt(f, &pgt, S2_IA_BITS, NULL), -ENOMEM);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(pgt.pgd));
	KUNIT_EXPECT_EQ(test, f->pool.used, before);
}

/* Rule: destroying a table with all kinds of entries returns all of its pages. */
static void destroy_populated(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 block = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	u64 small = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, block, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base + block, small, S2_DATA_PHYS + PAGE_SIZE, RW), 0);
	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base + PAGE_SIZE, PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);
	KUNIT_ASSERT_TRUE(test, s2_check(f, NULL));
	kvm_pgtable_stage2_destroy(&f->pgt);
	KUNIT_EXPECT_NULL(test, rcu_dereference_raw(f->pgt.pgd));
	KUNIT_EXPECT_EQ(test, f->pool.used, 0);
}

/*
 * Rule: whichever allocation fails, map returns -ENOMEM, the tables stay sound and keep all earlier
 * mappings, and the same call succeeds once there is memory.
 */
static void map_without_memory(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 small = kvm_granule_size(2);
	u64 start = f->base + small - PAGE_SIZE;
	u64 other = f->base + 8 * small;
	unsigned int point = 0;
	int ret;

	KUNIT_ASSERT_EQ(test, s2_map(f, other, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	do {
		f->pool.fail_in = ++point;
		ret = s2_map(f, start, 2 * PAGE_SIZE, S2_DATA_PHYS, RW);
		if (ret) {
			KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
			KUNIT_EXPECT_EQ(test, f->pool.fail_in, 0);
		}
		s2_expect_pte(f, other, 3, s2_pte(S2_DATA_PHYS, 3, RW));
		f->pool.fail_in = 0;
		if (ret)
			kvm_pgtable_stage2_unmap(&f->pgt, start, 2 * PAGE_SIZE);
	} while (ret && point < 16);

	/* The two pages are in two last-level tables, which need at least three allocations. */
	KUNIT_EXPECT_GE(test, point, 3);
	KUNIT_EXPECT_EQ(test, ret, 0);
	s2_expect_pte(f, start, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	s2_expect_pte(f, start + PAGE_SIZE, 3, s2_pte(S2_DATA_PHYS + PAGE_SIZE, 3, RW));
}

/* Rule: a block stays mapped if the table for its replacement cannot be allocated. */
static void block_survives_no_memory(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	s8 level = KVM_PGTABLE_MIN_BLOCK_LEVEL;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	s2_forget_events(f);

	f->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS + size, RW), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_map(&f->pgt, f->base, PAGE_SIZE,
						     S2_DATA_PHYS + size, RW, NULL, 0), -ENOMEM);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, NULL,
							   KVM_MAX_OWNER_ID), -ENOMEM);
	f->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base, PAGE_SIZE, &f->pool,
							   KVM_MAX_OWNER_ID), -ENOMEM);
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	s2_expect_pte(f, f->base, level, s2_pte(S2_DATA_PHYS, level, RW));
}

/* Rule: get_leaf returns entry and level, also of blocks, annotations and holes. */
static void get_leaf(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	kvm_pte_t pte;
	s8 level;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base + size, PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);

	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&f->pgt, f->base + size - 1, &pte, &level), 0);
	KUNIT_EXPECT_EQ(test, pte, s2_pte(S2_DATA_PHYS, 2, RW));
	KUNIT_EXPECT_EQ(test, level, 2);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&f->pgt, f->base + size, &pte, &level), 0);
	KUNIT_EXPECT_EQ(test, pte, s2_owner(KVM_MAX_OWNER_ID));
	KUNIT_EXPECT_EQ(test, level, 3);
	KUNIT_EXPECT_EQ(test, kvm_pgtable_get_leaf(&f->pgt, f->base + size + PAGE_SIZE, &pte,
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

/* Rule: a walk visits a table before and after its entries, and each leaf once. */
static void walk_order(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	s8 top = f->pgt.start_level;
	struct walk_trace t = {};
	struct kvm_pgtable_walker walker = {
		.cb	= trace_walker,
		.arg	= &t,
		.flags	= KVM_PGTABLE_WALK_TABLE_PRE | KVM_PGTABLE_WALK_LEAF |
			  KVM_PGTABLE_WALK_TABLE_POST,
	};
	unsigned int i = 0;
	s8 level;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_walk(&f->pgt, f->base, 2 * PAGE_SIZE, &walker), 0);
	KUNIT_ASSERT_EQ(test, t.nr, 2 + 2 * (3 - top));

	for (level = top; level < 3; level++, i++) {
		KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_TABLE_PRE);
		KUNIT_EXPECT_EQ(test, t.level[i], level);
	}
	KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_LEAF);
	KUNIT_EXPECT_EQ(test, t.addr[i++], f->base);
	KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_LEAF);
	KUNIT_EXPECT_EQ(test, t.addr[i++], f->base + PAGE_SIZE);
	for (level = 2; level >= top; level--, i++) {
		KUNIT_EXPECT_EQ(test, t.visit[i], KVM_PGTABLE_WALK_TABLE_POST);
		KUNIT_EXPECT_EQ(test, t.level[i], level);
	}
}

/*
 * Rule: a walk covers whole pages, and ends with the first error, except that -EAGAIN only ends the
 * walk of a fault handler.
 */
static void walk_errors(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
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

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, 4 * PAGE_SIZE, S2_DATA_PHYS, RW), 0);

	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&f->pgt, f->base + 8, PAGE_SIZE, &walker), 0);
	KUNIT_EXPECT_EQ(test, t.nr, 1);

	t = (struct walk_trace) { .stop_at = 2, .error = -EPERM };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&f->pgt, f->base, 4 * PAGE_SIZE, &walker), -EPERM);
	KUNIT_EXPECT_EQ(test, t.nr, 2);

	t = (struct walk_trace) { .stop_at = 2, .error = -EAGAIN };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&f->pgt, f->base, 4 * PAGE_SIZE, &walker), 0);
	KUNIT_EXPECT_EQ(test, t.nr, 4);

	t = (struct walk_trace) { .stop_at = 2, .error = -EAGAIN };
	KUNIT_EXPECT_EQ(test, kvm_pgtable_walk(&f->pgt, f->base, 4 * PAGE_SIZE, &fault_walker),
			-EAGAIN);
	KUNIT_EXPECT_EQ(test, t.nr, 2);
}

/* Rule: a split keeps output addresses and permissions. */
static void split_block(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	struct kvm_mmu_memory_cache *mc = &f->mmu.split_page_cache;
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X | KVM_PGTABLE_PROT_SW2;
	u64 size = kvm_granule_size(2);
	u64 offset;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, prot), 0);
	s2_forget_events(f);
	mc->nobjs = 1;
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_split(&f->pgt, f->base, size, mc), 0);
	KUNIT_EXPECT_EQ(test, mc->nobjs, 0);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_TLBI_IPA), 1);
	KUNIT_EXPECT_TRUE(test, bitmap_full(f->invalidated, size / PAGE_SIZE));
	for (offset = 0; offset < size; offset += PAGE_SIZE) {
		kvm_pte_t pte = s2_lookup(f, f->base + offset, NULL);

		KUNIT_ASSERT_EQ(test, pte, s2_pte(S2_DATA_PHYS + offset, 3, prot));
	}
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));
}

/* Rule: without pages for a split, or if an allocation fails, the block stays whole. */
static void split_without_memory(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	struct kvm_mmu_memory_cache *mc = &f->mmu.split_page_cache;
	s8 level = KVM_PGTABLE_MIN_BLOCK_LEVEL;
	u64 size = kvm_granule_size(level);
	unsigned int before;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, size, S2_DATA_PHYS, RW), 0);
	before = f->pool.used;
	s2_forget_events(f);

	mc->nobjs = 0;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&f->pgt, f->base, size, mc), -ENOMEM);
	mc->nobjs = PTRS_PER_PTE + 1;
	f->pool.fail_in = 1;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&f->pgt, f->base, size, mc), -ENOMEM);
	if (level < 2) {
		mc->nobjs = PTRS_PER_PTE + 1;
		f->pool.fail_in = 9;
		KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&f->pgt, f->base, size, mc),
				-ENOMEM);
	}
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, before);
	s2_expect_pte(f, f->base, level, s2_pte(S2_DATA_PHYS, level, RW));
}

/* Rule: a split of pages, annotations or holes changes nothing and takes no page. */
static void split_nothing(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	struct kvm_mmu_memory_cache *mc = &f->mmu.split_page_cache;

	KUNIT_ASSERT_EQ(test, s2_map(f, f->base, PAGE_SIZE, S2_DATA_PHYS, RW), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_set_owner(&f->pgt, f->base + PAGE_SIZE, PAGE_SIZE,
							   &f->pool, KVM_MAX_OWNER_ID), 0);
	mc->nobjs = 4;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_split(&f->pgt, f->base, kvm_granule_size(2), mc),
			0);
	KUNIT_EXPECT_EQ(test, mc->nobjs, 4);
	s2_expect_pte(f, f->base, 3, s2_pte(S2_DATA_PHYS, 3, RW));
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_owner(KVM_MAX_OWNER_ID));
}

/*
 * Rule: an unlinked tree needs no TLBI and no cache maintenance, and is refused for a misaligned
 * address. Creation and failure leak no page.
 */
static void unlinked_tree(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	unsigned int before = f->pool.used;
	kvm_pte_t *table;

	table = kvm_pgtable_stage2_create_unlinked(&f->pgt, S2_DATA_PHYS, 2, RW, &f->pool, true);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, table);
	KUNIT_EXPECT_EQ(test, table[0], s2_pte(S2_DATA_PHYS, 3, RW));
	KUNIT_EXPECT_EQ(test, table[PTRS_PER_PTE - 1],
			s2_pte(S2_DATA_PHYS + size - PAGE_SIZE, 3, RW));
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, before + 1);
	f->pgt.mm_ops->free_unlinked_table(table, 2);
	KUNIT_EXPECT_EQ(test, f->pool.used, before);

	table = kvm_pgtable_stage2_create_unlinked(&f->pgt, S2_DATA_PHYS + PAGE_SIZE, 2, RW,
						   &f->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -EINVAL);
	f->pool.fail_in = 1;
	table = kvm_pgtable_stage2_create_unlinked(&f->pgt, S2_DATA_PHYS, 2, RW, &f->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -ENOMEM);
	table = kvm_pgtable_stage2_create_unlinked(&f->pgt, S2_DATA_PHYS, 2,
						   KVM_PGTABLE_PROT_RWX | KVM_PGTABLE_PROT_DEVICE,
						   &f->pool, true);
	KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(table), -EINVAL);
	KUNIT_EXPECT_EQ(test, f->pool.used, before);
}

static struct kunit_case s2_table_cases[] = {
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

static struct kunit_suite s2_table_suite = {
	.name		= "pkvm_pgtable_table",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_table_cases,
};

kunit_test_suite(s2_table_suite);
