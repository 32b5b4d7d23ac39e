// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's stage-2: which entries hold a reference on their table, and that a table without
 * references is freed when memory is returned. Keeps R1 for the tables (an annotation is never
 * lost), R6 (MMIO tables are recycled in bounded steps) and R7 (the pool has a page for every
 * table).
 */
#include <asm/kvm_pkvm.h>
#include <asm/kvm_pkvm_host_s2.h>

#include "pgtable_kunit.h"

#define GUEST		KVM_MAX_OWNER_ID
#define HOST		0
#define MEM		PKVM_HOST_MEM_PROT
#define MMIO		PKVM_HOST_MMIO_PROT

static int map(struct s2_fixture *f, u64 addr, u64 size, enum kvm_pgtable_prot prot)
{
	return s2_map(f, addr, size, addr, prot);
}

static int own(struct s2_fixture *f, u64 addr, u64 size, u8 owner)
{
	return kvm_pgtable_stage2_set_owner(&f->pgt, addr, size, &f->pool, owner);
}

/* The address of the first MMIO in the window. The page before it is memory in the same table. */
static u64 mmio(struct s2_fixture *f)
{
	return f->base + (f->pages / 4 * 3 + 3) * PAGE_SIZE;
}

/**
 * struct rule - A case of the counting rule.
 * @name:	The name of the case.
 * @prot:	The attributes of the mapping, if @owner is the host.
 * @owner:	The owner of the page.
 * @mmio:	The address is not memory.
 * @counts:	The entry must hold a reference.
 */
struct rule {
	const char		*name;
	enum kvm_pgtable_prot	prot;
	u8			owner;
	bool			mmio;
	bool			counts;
};

static const struct rule rules[] = {
	{ "memory, default", MEM },
	{ "MMIO, default", MMIO, .mmio = true },
	{ "annotation", .owner = GUEST, .counts = true },
	{ "annotation of MMIO", .owner = GUEST, .mmio = true, .counts = true },
	{ "memory as MMIO", MMIO, .counts = true },
	{ "MMIO as memory", MEM, .mmio = true, .counts = true },
	{ "not writable", KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X, .counts = true },
	{ "not readable", KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X, .counts = true },
	{ "not cacheable", KVM_PGTABLE_PROT_RW | KVM_PGTABLE_PROT_NORMAL_NC, .counts = true },
	{ "device", KVM_PGTABLE_PROT_RW | KVM_PGTABLE_PROT_DEVICE, .counts = true },
	{ "MMIO as device", KVM_PGTABLE_PROT_RW | KVM_PGTABLE_PROT_DEVICE, .mmio = true,
	  .counts = true },
	{ "read-only MMIO", KVM_PGTABLE_PROT_R, .mmio = true, .counts = true },
	{ "bit 55", MEM | KVM_PGTABLE_PROT_SW0, .counts = true },
	{ "bit 56", MEM | KVM_PGTABLE_PROT_SW1, .counts = true },
	{ "bit 57", MEM | KVM_PGTABLE_PROT_SW2, .counts = true },
	{ "bit 58", MEM | KVM_PGTABLE_PROT_SW3, .counts = true },
	{ "bit 55 of MMIO", MMIO | KVM_PGTABLE_PROT_SW0, .mmio = true, .counts = true },
};

static void rule_name(const struct rule *rule, char *desc)
{
	strscpy(desc, rule->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rule, rules, rule_name);

/* Rule: an entry holds a reference on its table if and only if a fault could not rebuild it. */
static void counted(struct kunit *test)
{
	const struct rule *rule = test->param_value;
	struct s2_fixture *f = test->priv;
	u64 addr = rule->mmio ? mmio(f) : f->base;

	if (rule->owner != HOST)
		KUNIT_ASSERT_EQ(test, own(f, addr, PAGE_SIZE, rule->owner), 0);
	else
		KUNIT_ASSERT_EQ(test, map(f, addr, PAGE_SIZE, rule->prot), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, addr), rule->counts ? 2 : 1);
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));

	/* Other kinds of entries beside it make no difference. */
	KUNIT_ASSERT_EQ(test, own(f, addr + PAGE_SIZE, PAGE_SIZE, GUEST), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, addr), rule->counts ? 3 : 2);
	KUNIT_ASSERT_EQ(test, own(f, addr + PAGE_SIZE, PAGE_SIZE, HOST), 0);
	if (rule->counts)
		KUNIT_EXPECT_EQ(test, s2_refs(f, addr), 2);
	else
		s2_expect_pte(f, addr, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
}

/* Rule: neither an entry that a walk has locked nor an empty entry holds a reference. */
static void locked_does_not_count(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	s8 level;

	for (level = KVM_PGTABLE_MIN_BLOCK_LEVEL; level <= KVM_PGTABLE_LAST_LEVEL; level++) {
		KUNIT_EXPECT_FALSE(test, f->pgt.mm_ops->pte_is_counted(0, level));
		KUNIT_EXPECT_FALSE(test, f->pgt.mm_ops->pte_is_counted(KVM_INVALID_PTE_LOCKED,
								       level));
		KUNIT_EXPECT_TRUE(test, f->pgt.mm_ops->pte_is_counted(s2_owner(GUEST), level));
	}
}

/* Rule: the access flag makes no difference, since hardware may set it at any time. */
static void access_flag_does_not_count(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, map(f, f->base, PAGE_SIZE, MEM), 0);
	KUNIT_EXPECT_TRUE(test, kvm_pgtable_stage2_test_clear_young(&f->pgt, f->base, PAGE_SIZE,
								    true));
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 1);
	s2_expect_pte(f, f->base, 3, s2_host_pte(f->base, 3, MEM) & ~BIT_ULL(10));
}

/* Rule: a permission that changes in place updates the references. */
static void permissions_keep_count(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, map(f, f->base, 4 * PAGE_SIZE, MEM), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 1);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_wrprotect(&f->pgt, f->base, 3 * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 4);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_relax_perms(&f->pgt, f->base,
							     KVM_PGTABLE_PROT_W), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 3);
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));
}

/* Rule: software bits that change in place update the references. */
static void software_bits_keep_count(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, map(f, f->base, PAGE_SIZE, MEM), 0);
	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, map(f, f->base, PAGE_SIZE, MEM | KVM_PGTABLE_PROT_SW2), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 2);
	KUNIT_ASSERT_EQ(test, map(f, f->base, PAGE_SIZE, MEM), 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 1);
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));
}

/*
 * Rule: a block that pages of other owners split becomes one empty entry again when the last of
 * these pages is returned, and not before. Tables of all levels go back to the pool.
 */
static void last_page_returned(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	u64 pages[] = { 0, size - PAGE_SIZE, size / 2, PAGE_SIZE };
	unsigned int empty = f->pool.used;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, map(f, f->base, size, MEM), 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_ASSERT_EQ(test, own(f, f->base + pages[i], PAGE_SIZE, GUEST), 0);

	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		s2_expect_pte(f, f->base + pages[i], 3, s2_owner(GUEST));
		KUNIT_ASSERT_EQ(test, own(f, f->base + pages[i], PAGE_SIZE, HOST), 0);
		KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));
	}
	s2_expect_pte(f, f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);

	KUNIT_ASSERT_EQ(test, map(f, f->base, size, MEM), 0);
	s2_expect_pte(f, f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL,
		      s2_host_pte(f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL, MEM));
}

/*
 * Rule: freeing a table takes one invalidation of all of its range, while its entry is invalid, and
 * none for each entry. A page that is returned to a table that stays needs no invalidation.
 */
static void one_invalidation_per_table(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	unsigned int levels = KVM_PGTABLE_LAST_LEVEL - KVM_PGTABLE_MIN_BLOCK_LEVEL;

	KUNIT_ASSERT_EQ(test, map(f, f->base, size - PAGE_SIZE, MEM), 0);
	KUNIT_ASSERT_EQ(test, own(f, f->base, 2 * PAGE_SIZE, GUEST), 0);
	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, own(f, f->base, PAGE_SIZE, HOST), 0);
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);

	f->watch = f->base + 2 * PAGE_SIZE;
	KUNIT_ASSERT_EQ(test, own(f, f->base + PAGE_SIZE, PAGE_SIZE, HOST), 0);
	KUNIT_EXPECT_EQ(test, f->nr_events, levels);
	KUNIT_EXPECT_EQ(test, s2_count_events(f, S2_TLBI_RANGE) + s2_count_events(f, S2_TLBI_VMID),
			levels);
	KUNIT_EXPECT_FALSE(test, kvm_pte_valid(f->events[0].watched));
	KUNIT_EXPECT_EQ(test, find_first_zero_bit(f->invalidated, size / PAGE_SIZE),
			size / PAGE_SIZE);
	s2_expect_pte(f, f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
}

/* Rule: returning a page that the host maps by default changes no entry. */
static void shared_page_returned(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	KUNIT_ASSERT_EQ(test, own(f, f->base, 2 * PAGE_SIZE, GUEST), 0);
	KUNIT_ASSERT_EQ(test, map(f, f->base, PAGE_SIZE, MEM), 0);
	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, own(f, f->base, PAGE_SIZE, HOST), 0);
	s2_expect_pte(f, f->base, 3, s2_host_pte(f->base, 3, MEM));
	KUNIT_EXPECT_EQ(test, f->nr_events, 0);

	/* Returning the guest's last page, which is shared, frees the table. */
	KUNIT_ASSERT_EQ(test, map(f, f->base + PAGE_SIZE, PAGE_SIZE, MEM), 0);
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_host_pte(f->base + PAGE_SIZE, 3, MEM));
	KUNIT_ASSERT_EQ(test, own(f, f->base + PAGE_SIZE, PAGE_SIZE, HOST), 0);
	s2_expect_pte(f, f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
}

/* Rule: returning a block does not split it. */
static void block_returned(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, map(f, f->base, size, MEM), 0);
	KUNIT_ASSERT_EQ(test, own(f, f->base + size, PAGE_SIZE, GUEST), 0);
	KUNIT_ASSERT_EQ(test, own(f, f->base + PAGE_SIZE, PAGE_SIZE, HOST), 0);
	s2_expect_pte(f, f->base, 2, s2_host_pte(f->base, 2, MEM));
}

/* Rule: without the coalescing flag a table stays, even without references. */
static void without_coalescing(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	f->pgt.flags &= ~KVM_PGTABLE_S2_COALESCE;
	KUNIT_ASSERT_EQ(test, own(f, f->base, PAGE_SIZE, GUEST), 0);
	KUNIT_ASSERT_EQ(test, own(f, f->base, PAGE_SIZE, HOST), 0);
	s2_expect_pte(f, f->base, 3, 0);
	KUNIT_EXPECT_EQ(test, s2_refs(f, f->base), 1);
}

/* Rule: unmapping a part frees a table without references, and invalidates all of its range. */
static void unmap_frees_table(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);

	KUNIT_ASSERT_EQ(test, map(f, f->base, 8 * PAGE_SIZE, MEM), 0);
	KUNIT_ASSERT_EQ(test, own(f, f->base + PAGE_SIZE, PAGE_SIZE, GUEST), 0);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base, PAGE_SIZE), 0);
	s2_expect_pte(f, f->base, 3, 0);
	s2_expect_pte(f, f->base + PAGE_SIZE, 3, s2_owner(GUEST));

	s2_forget_events(f);
	KUNIT_ASSERT_EQ(test, kvm_pgtable_stage2_unmap(&f->pgt, f->base + PAGE_SIZE, PAGE_SIZE), 0);
	s2_expect_pte(f, f->base, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
	KUNIT_EXPECT_EQ(test, find_first_zero_bit(f->invalidated, size / PAGE_SIZE),
			size / PAGE_SIZE);
}

/* Rule: recycling frees only MMIO tables, up to the given number, and drops no annotation. */
static void recycle(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2);
	u64 start = ALIGN(mmio(f), size);
	unsigned int empty = f->pool.used;
	unsigned int i, before;

	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_EQ(test, map(f, start + i * size, PAGE_SIZE, MMIO), 0);
	KUNIT_ASSERT_EQ(test, own(f, start + 2 * size + PAGE_SIZE, PAGE_SIZE, GUEST), 0);

	before = f->pool.used;
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_coalesce(&f->pgt, start, 4 * size, 2), 2);
	KUNIT_EXPECT_EQ(test, f->pool.used, before - 2);
	s2_expect_pte(f, start + 3 * size, 3, s2_host_pte(start + 3 * size, 3, MMIO));
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_coalesce(&f->pgt, start, 4 * size, 99), 1);
	s2_expect_pte(f, start + 2 * size + PAGE_SIZE, 3, s2_owner(GUEST));
	s2_expect_pte(f, start + 2 * size, 3, s2_host_pte(start + 2 * size, 3, MMIO));
	KUNIT_EXPECT_EQ(test, kvm_pgtable_stage2_coalesce(&f->pgt, start, 4 * size, 99), 0);

	KUNIT_ASSERT_EQ(test, own(f, start + 2 * size + PAGE_SIZE, PAGE_SIZE, HOST), 0);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

static enum kvm_pgtable_prot by_default(struct s2_fixture *f, u64 addr)
{
	return s2_host_is_memory(f, addr) ? MEM : MMIO;
}

/* Map one page with default attributes in each of @nr last-level tables, from @start on. */
static void map_apart(struct kunit *test, u64 start, unsigned int nr)
{
	struct s2_fixture *f = test->priv;
	u64 addr = start;

	for (; nr--; addr += kvm_granule_size(2))
		KUNIT_ASSERT_EQ(test, map(f, addr, PAGE_SIZE, by_default(f, addr)), 0);
}

/*
 * Rule: MMIO is everything before, between and behind the memory regions. Recycling frees tables
 * from all of it, up to the given number, and none of memory.
 */
static void recycle_around_memory(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 size = kvm_granule_size(2), top = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	struct memblock_region memory[] = {
		{ .base = f->base, .size = size },
		{ .base = f->base + top + 4 * size, .size = 2 * size },
	};
	unsigned int empty = f->pool.used, full;

	/* Memory has tables without references, too. */
	map_apart(test, memory[0].base, 1);
	map_apart(test, memory[1].base, 1);
	full = f->pool.used;

	map_apart(test, 0, 1);
	map_apart(test, f->base + 2 * size, 2);
	map_apart(test, memory[1].base + memory[1].size, 2);
	KUNIT_ASSERT_GE(test, f->pool.used, full + 5);

	while (f->pool.used > full)
		KUNIT_ASSERT_EQ(test, pkvm_host_s2_recycle(&f->pgt, memory, ARRAY_SIZE(memory), 1),
				1);
	KUNIT_EXPECT_EQ(test, pkvm_host_s2_recycle(&f->pgt, memory, ARRAY_SIZE(memory), 99), 0);
	s2_expect_pte(f, 0, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
	s2_expect_pte(f, f->base + 2 * size, 2, 0);
	s2_expect_pte(f, memory[0].base, 3, s2_host_pte(memory[0].base, 3, MEM));
	s2_expect_pte(f, memory[1].base, 3, s2_host_pte(memory[1].base, 3,
							by_default(f, memory[1].base)));
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));

	/* Without memory regions, recycling frees all tables. */
	KUNIT_EXPECT_EQ(test, pkvm_host_s2_recycle(&f->pgt, memory, 0, UINT_MAX),
			full - empty);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

/*
 * Rule (R7): the pool has enough pages for the tables of memory in which each page has another
 * state, at any alignment. Here memory crosses a border of the largest tables, so that it needs one
 * more table of each level than its size requires.
 */
static void pool_for_any_alignment(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 start = f->base + kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL) - PAGE_SIZE;
	unsigned long sizes[] = { 1, 2, PTRS_PER_PTE, PTRS_PER_PTE + 1, 8 * PTRS_PER_PTE };
	unsigned int empty = f->pool.used;
	unsigned long i, page;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		f->pool.limit = empty + __hyp_pgtable_max_pages(sizes[i]);
		for (page = 0; page < sizes[i]; page++)
			KUNIT_ASSERT_EQ(test, own(f, start + page * PAGE_SIZE, PAGE_SIZE,
						  page % 2 ? GUEST : GUEST - 1), 0);
		KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));
		KUNIT_ASSERT_EQ(test, own(f, start, sizes[i] * PAGE_SIZE, HOST), 0);
		KUNIT_EXPECT_EQ(test, f->pool.used, empty);
	}
}

/*
 * Rule (R7): when MMIO tables use all pages of the pool, the host can still donate each page of
 * memory, for which a few MMIO tables are freed at a time. When all memory is returned, the pool
 * has as many pages as at first.
 */
static void mmio_tables_recycled(struct kunit *test)
{
	struct s2_fixture *f = test->priv;
	u64 first = f->base + f->pages * PAGE_SIZE;
	u64 end = first;
	unsigned long pages = (mmio(f) - f->base) / PAGE_SIZE;
	unsigned int empty = f->pool.used;
	unsigned int recycled = 0;
	u64 addr;
	int ret;

	f->pool.limit = empty + __hyp_pgtable_max_pages(pages);
	while (!map(f, end, PAGE_SIZE, MMIO))
		end += kvm_granule_size(2);
	KUNIT_ASSERT_EQ(test, f->pool.used, f->pool.limit);

	for (addr = f->base; addr < mmio(f); addr += PAGE_SIZE) {
		ret = own(f, addr, PAGE_SIZE, addr & PAGE_SIZE ? GUEST : GUEST - 1);
		if (ret == -ENOMEM) {
			recycled += kvm_pgtable_stage2_coalesce(&f->pgt, first, end - first, 4);
			ret = own(f, addr, PAGE_SIZE, GUEST);
		}
		KUNIT_ASSERT_EQ(test, ret, 0);
	}
	KUNIT_EXPECT_GT(test, recycled, 0);
	KUNIT_EXPECT_TRUE(test, s2_check(f, NULL));

	KUNIT_ASSERT_EQ(test, own(f, f->base, mmio(f) - f->base, HOST), 0);
	kvm_pgtable_stage2_coalesce(&f->pgt, first, end - first, UINT_MAX);
	KUNIT_EXPECT_EQ(test, f->pool.used, empty);
}

static struct kunit_case s2_host_cases[] = {
	KUNIT_CASE_PARAM(counted, rule_gen_params),
	KUNIT_CASE(locked_does_not_count),
	KUNIT_CASE(access_flag_does_not_count),
	KUNIT_CASE(permissions_keep_count),
	KUNIT_CASE(software_bits_keep_count),
	KUNIT_CASE(last_page_returned),
	KUNIT_CASE(one_invalidation_per_table),
	KUNIT_CASE(shared_page_returned),
	KUNIT_CASE(block_returned),
	KUNIT_CASE(without_coalescing),
	KUNIT_CASE(unmap_frees_table),
	KUNIT_CASE(recycle),
	KUNIT_CASE(recycle_around_memory),
	KUNIT_CASE(pool_for_any_alignment),
	KUNIT_CASE_SLOW(mmio_tables_recycled),
	{}
};

static struct kunit_suite s2_host_suite = {
	.name		= "pkvm_pgtable_host",
	.init		= s2_host_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_host_cases,
};

kunit_test_suite(s2_host_suite);
