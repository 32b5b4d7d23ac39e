// SPDX-License-Identifier: GPL-2.0-only
/*
 * A fixture in which kvm_pgtable code runs at EL1 without hardware that uses its tables. Table
 * pages come from a pool that counts their references and reports misuse. The fixture records TLB
 * invalidations and cache maintenance. Rule (break-before-make): at an invalidation its entry must
 * already be invalid, which the fixture checks each time.
 *
 * All functions must run in the test case's thread, and may sleep.
 */
#include <kunit/static_stub.h>
#include <kunit/test-bug.h>
#include <linux/module.h>
#include <linux/vmalloc.h>

#include <asm/kvm_pgtable_tlb.h>
#include <asm/kvm_pkvm_host_s2.h>

#include "pgtable_kunit.h"

KUNIT_DEFINE_ACTION_WRAPPER(s2_vfree, vfree, const void *);

static struct s2_fixture *s2_this_fixture(void)
{
	return kunit_get_current_test()->priv;
}

static void *s2_page(struct s2_pool *pool, unsigned int i)
{
	return pool->base + (size_t)i * PAGE_SIZE;
}

/* Get the index of the page with @addr. Fail the test and return -1 if there is none. */
static int s2_page_index(struct s2_fixture *f, void *addr, const char *what)
{
	struct s2_pool *pool = &f->pool;

	if (addr < pool->base || addr >= s2_page(pool, pool->nr)) {
		KUNIT_FAIL(f->test, "%s of an address outside the pool", what);
		return -1;
	}
	return (addr - pool->base) / PAGE_SIZE;
}

static void *s2_take(struct s2_fixture *f, unsigned int nr)
{
	struct s2_pool *pool = &f->pool;
	unsigned int i, tried, run = 0;

	if (pool->fail_in && !--pool->fail_in)
		return NULL;
	if (pool->limit && pool->used + nr > pool->limit)
		return NULL;

	for (tried = 0; tried < 2 * pool->nr; tried++) {
		i = pool->next;
		pool->next = (i + 1) % pool->nr;
		if (i == 0)
			run = 0;
		run = pool->refs[i] ? 0 : run + 1;
		if (run == nr) {
			i -= nr - 1;
			while (run--)
				pool->refs[i + run] = 1;
			pool->used += nr;
			memset(s2_page(pool, i), 0, nr * PAGE_SIZE);
			return s2_page(pool, i);
		}
	}
	KUNIT_FAIL(f->test, "the pool is too small for the test");
	return NULL;
}

/* Fill a freed page with a value that no test writes, so that s2_check() finds a use after free. */
static void s2_drop(struct s2_fixture *f, int i)
{
	struct s2_pool *pool = &f->pool;

	if (!pool->refs[i]) {
		KUNIT_FAIL(f->test, "put_page on a free page");
		return;
	}
	if (!--pool->refs[i]) {
		pool->used--;
		memset(s2_page(pool, i), 0xa5, PAGE_SIZE);
	}
}

/* A split takes its pages from the MMU's cache, of which the fixture uses only the count. */
static void *s2_zalloc_page(void *arg)
{
	struct s2_fixture *f = s2_this_fixture();
	struct kvm_mmu_memory_cache *mc = &f->mmu.split_page_cache;

	if (arg == mc) {
		if (!mc->nobjs)
			return NULL;
		mc->nobjs--;
	}
	return s2_take(f, 1);
}

static void *s2_zalloc_pages_exact(size_t size)
{
	return s2_take(s2_this_fixture(), DIV_ROUND_UP(size, PAGE_SIZE));
}

static void s2_free_pages_exact(void *addr, size_t size)
{
	struct s2_fixture *f = s2_this_fixture();
	int i = s2_page_index(f, addr, "free_pages_exact");
	int end = i + DIV_ROUND_UP(size, PAGE_SIZE);

	for (; i >= 0 && i < end; i++)
		s2_drop(f, i);
}

static void s2_get_page(void *addr)
{
	struct s2_fixture *f = s2_this_fixture();
	int i = s2_page_index(f, addr, "get_page");

	if (i < 0)
		return;
	if (!f->pool.refs[i])
		KUNIT_FAIL(f->test, "get_page on a free page");
	else
		f->pool.refs[i]++;
}

static void s2_put_page(void *addr)
{
	struct s2_fixture *f = s2_this_fixture();
	int i = s2_page_index(f, addr, "put_page");

	if (i >= 0)
		s2_drop(f, i);
}

static int s2_page_count(void *addr)
{
	struct s2_fixture *f = s2_this_fixture();
	int i = s2_page_index(f, addr, "page_count");

	return i < 0 ? 0 : f->pool.refs[i];
}

/* Data addresses have no memory: their "virtual" address equals the physical one. */
static void *s2_phys_to_virt(phys_addr_t phys)
{
	struct s2_pool *pool = &s2_this_fixture()->pool;

	if (phys - S2_POOL_PHYS < (u64)pool->nr * PAGE_SIZE)
		return pool->base + (phys - S2_POOL_PHYS);
	return (void *)(unsigned long)phys;
}

static phys_addr_t s2_virt_to_phys(void *addr)
{
	struct s2_fixture *f = s2_this_fixture();

	if (s2_page_index(f, addr, "virt_to_phys") < 0)
		return 0;
	return S2_POOL_PHYS + (addr - f->pool.base);
}

static struct s2_event *s2_record(struct s2_fixture *f, enum s2_event_kind kind, u64 addr, u64 size)
{
	static struct s2_event overflow;
	struct s2_event *e;

	e = f->nr_events < S2_MAX_EVENTS ? &f->events[f->nr_events] : &overflow;
	f->nr_events++;
	*e = (struct s2_event) {
		.kind		= kind,
		.addr		= addr,
		.size		= size,
		.watched	= f->watch ? s2_lookup(f, f->watch, NULL) : 0,
	};
	return e;
}

static void s2_dcache_clean_inval_poc(void *addr, size_t size)
{
	s2_record(s2_this_fixture(), S2_CLEAN_DCACHE, (unsigned long)addr, size);
}

static void s2_icache_inval_pou(void *addr, size_t size)
{
	s2_record(s2_this_fixture(), S2_INVAL_ICACHE, (unsigned long)addr, size);
}

static void s2_free_unlinked_table(void *addr, s8 level)
{
	kvm_pgtable_stage2_free_unlinked(s2_this_fixture()->pgt.mm_ops, addr, level);
}

/* What a guest's tables and the host's have in common. */
#define S2_MM_OPS						\
	.zalloc_page		= s2_zalloc_page,		\
	.zalloc_pages_exact	= s2_zalloc_pages_exact,	\
	.free_pages_exact	= s2_free_pages_exact,		\
	.free_unlinked_table	= s2_free_unlinked_table,	\
	.get_page		= s2_get_page,			\
	.put_page		= s2_put_page,			\
	.page_count		= s2_page_count,		\
	.phys_to_virt		= s2_phys_to_virt,		\
	.virt_to_phys		= s2_virt_to_phys

static struct kvm_pgtable_mm_ops s2_mm_ops = {
	S2_MM_OPS,
	.dcache_clean_inval_poc	= s2_dcache_clean_inval_poc,
	.icache_inval_pou	= s2_icache_inval_pou,
};

static bool s2_is_memory(phys_addr_t phys)
{
	return s2_host_is_memory(s2_this_fixture(), phys);
}

static bool s2_host_pte_is_counted(kvm_pte_t pte, s8 level)
{
	return pkvm_host_s2_counts(pte, level, s2_is_memory);
}

/* As EL2's for the host, without cache maintenance, which an identity map does not need. */
static struct kvm_pgtable_mm_ops s2_host_mm_ops = {
	S2_MM_OPS,
	.pte_is_counted		= s2_host_pte_is_counted,
};

static bool s2_host_force_pte_cb(u64 addr, u64 end, enum kvm_pgtable_prot prot)
{
	struct s2_fixture *f = s2_this_fixture();

	if (s2_host_is_memory(f, addr) && s2_host_is_memory(f, end - 1))
		return prot != PKVM_HOST_MEM_PROT;
	return prot != PKVM_HOST_MMIO_PROT;
}

/* Record an invalidation of a part of the window, and check that its entry is invalid. */
static void s2_invalidate(struct s2_fixture *f, u64 ipa, u64 size)
{
	u64 start = max(ipa, f->base);
	u64 end = min(ipa + size, f->base + (u64)f->pages * PAGE_SIZE);

	if (kvm_pte_valid(s2_lookup(f, ipa, NULL)))
		KUNIT_FAIL(f->test, "TLBI of 0x%llx while its entry is still valid", ipa);
	if (start < end)
		bitmap_set(f->invalidated, (start - f->base) / PAGE_SIZE,
			   (end - start) / PAGE_SIZE);
}

static void s2_stub_tlbi_vmid(struct kvm_s2_mmu *mmu)
{
	struct s2_fixture *f = s2_this_fixture();

	KUNIT_EXPECT_PTR_EQ(f->test, mmu, &f->mmu);
	s2_record(f, S2_TLBI_VMID, 0, 0);
	bitmap_fill(f->invalidated, f->pages);
}

/*
 * A TLBI by IPA with a level hint drops the leaf with the IPA if it is of that level; a CPU may
 * ignore the TLBI otherwise. The model, if any, still has the leaf from before the operation.
 */
static void s2_stub_tlbi_ipa(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	struct s2_fixture *f = s2_this_fixture();
	u64 size = level == TLBI_TTL_UNKNOWN ? PAGE_SIZE : kvm_granule_size(level);

	KUNIT_EXPECT_PTR_EQ(f->test, mmu, &f->mmu);
	s2_record(f, S2_TLBI_IPA, ipa, size)->level = level;
	if (!f->model || level == TLBI_TTL_UNKNOWN || s2_model_level(f->model, ipa) == level)
		s2_invalidate(f, ALIGN_DOWN(ipa, size), size);
}

/* A local TLBI suffices after relaxing permissions, since a stale entry only causes a fault. */
static void s2_stub_tlbi_ipa_nsh(struct kvm_s2_mmu *mmu, phys_addr_t ipa, int level)
{
	struct s2_fixture *f = s2_this_fixture();

	KUNIT_EXPECT_PTR_EQ(f->test, mmu, &f->mmu);
	s2_record(f, S2_TLBI_IPA_NSH, ipa, PAGE_SIZE)->level = level;
}

static void s2_stub_tlbi_range(struct kvm_s2_mmu *mmu, phys_addr_t start, unsigned long pages)
{
	struct s2_fixture *f = s2_this_fixture();

	KUNIT_EXPECT_PTR_EQ(f->test, mmu, &f->mmu);
	s2_record(f, S2_TLBI_RANGE, start, (u64)pages * PAGE_SIZE);
	s2_invalidate(f, start, (u64)pages * PAGE_SIZE);
}

/**
 * s2_forget_events() - Clear the recorded events.
 * @f:	The fixture.
 */
void s2_forget_events(struct s2_fixture *f)
{
	f->nr_events = 0;
	bitmap_zero(f->invalidated, f->pages);
}

/**
 * s2_count_events() - Count the events of one kind since s2_forget_events().
 * @f:		The fixture.
 * @kind:	The kind.
 *
 * Fails the test if there were more events than it can record.
 *
 * Return: the number of events.
 */
unsigned int s2_count_events(struct s2_fixture *f, enum s2_event_kind kind)
{
	unsigned int i, nr = 0;

	KUNIT_ASSERT_LE(f->test, f->nr_events, S2_MAX_EVENTS);
	for (i = 0; i < f->nr_events; i++)
		nr += f->events[i].kind == kind;
	return nr;
}

/**
 * s2_map() - Call kvm_pgtable_stage2_map() with table memory, for a walk that is not shared.
 * @f:		The fixture.
 * @ipa:	First IPA, in bytes.
 * @size:	The size in bytes.
 * @phys:	Output address of the first page.
 * @prot:	Permissions and attributes.
 *
 * Return: as kvm_pgtable_stage2_map().
 */
int s2_map(struct s2_fixture *f, u64 ipa, u64 size, u64 phys, enum kvm_pgtable_prot prot)
{
	return kvm_pgtable_stage2_map(&f->pgt, ipa, size, phys, prot, &f->pool, 0);
}

/**
 * s2_init_pgt() - Initialise an empty stage-2 page table in the fixture.
 * @f:			The fixture. Its MMU gets the geometry of this table.
 * @pgt:		The page table, which is initialised.
 * @ia_bits:		The size of input addresses, in bits.
 * @force_pte_cb:	As for __kvm_pgtable_stage2_init().
 *
 * Return: as __kvm_pgtable_stage2_init().
 */
int s2_init_pgt(struct s2_fixture *f, struct kvm_pgtable *pgt, u32 ia_bits,
		kvm_pgtable_force_pte_cb_t force_pte_cb)
{
	u64 mmfr0 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1);
	u64 mmfr1 = read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1);

	f->mmu.vtcr = kvm_get_vtcr(mmfr0, mmfr1, ia_bits);
	f->mmu.pgt = pgt;
	if (f->host)
		return __kvm_pgtable_stage2_init(pgt, &f->mmu, &s2_host_mm_ops,
						 KVM_PGTABLE_S2_NOFWB | KVM_PGTABLE_S2_IDMAP |
						 KVM_PGTABLE_S2_COALESCE, force_pte_cb);
	return __kvm_pgtable_stage2_init(pgt, &f->mmu, &s2_mm_ops, 0, force_pte_cb);
}

static void *s2_vzalloc(struct kunit *test, size_t size)
{
	void *p = vzalloc(size);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, s2_vfree, p), 0);
	return p;
}

static int s2_init(struct kunit *test, bool host)
{
	struct s2_fixture *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	u64 block = kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL);
	u64 top = BIT_ULL(kvm_granule_shift(KVM_PGTABLE_MIN_BLOCK_LEVEL - 1));
	unsigned int tables = 0;
	s8 level;

	KUNIT_ASSERT_NOT_NULL(test, f);
	test->priv = f;
	f->test = test;
	f->host = host;
	f->base = top < BIT_ULL(S2_IA_BITS) ? top - block : block;
	f->pages = 2 * block / PAGE_SIZE;
	f->invalidated = s2_vzalloc(test, BITS_TO_LONGS(f->pages) * sizeof(long));

	/* Pages for all tables of the window, for the top level, and for unlinked trees. */
	for (level = KVM_PGTABLE_MIN_BLOCK_LEVEL; level < KVM_PGTABLE_LAST_LEVEL; level++)
		tables += 2 * block >> kvm_granule_shift(level);
	f->pool.nr = tables + 32;
	f->pool.refs = s2_vzalloc(test, f->pool.nr * sizeof(*f->pool.refs));
	f->pool.base = s2_vzalloc(test, f->pool.nr * PAGE_SIZE);
	f->seen = s2_vzalloc(test, f->pool.nr * sizeof(*f->seen));
	f->copy = s2_vzalloc(test, f->pool.nr * PAGE_SIZE);

	kunit_activate_static_stub(test, kvm_pgtable_tlbi_vmid, s2_stub_tlbi_vmid);
	kunit_activate_static_stub(test, kvm_pgtable_tlbi_ipa, s2_stub_tlbi_ipa);
	kunit_activate_static_stub(test, kvm_pgtable_tlbi_ipa_nsh, s2_stub_tlbi_ipa_nsh);
	kunit_activate_static_stub(test, kvm_pgtable_tlbi_range, s2_stub_tlbi_range);

	return s2_init_pgt(f, &f->pgt, S2_IA_BITS, host ? s2_host_force_pte_cb : NULL);
}

/**
 * s2_fixture_init() - Test-case init: makes a fixture with an empty table of a guest.
 * @test:	The test case.
 *
 * Return: 0 or a negative error.
 */
int s2_fixture_init(struct kunit *test)
{
	return s2_init(test, false);
}

/**
 * s2_host_fixture_init() - Test-case init: makes a fixture with an empty table of the host.
 * @test:	The test case.
 *
 * Return: 0 or a negative error.
 */
int s2_host_fixture_init(struct kunit *test)
{
	return s2_init(test, true);
}

/**
 * s2_fixture_exit() - Test-case exit: destroys the table, and expects all pages back.
 * @test:	The test case.
 */
void s2_fixture_exit(struct kunit *test)
{
	struct s2_fixture *f = test->priv;

	if (!f || !f->pgt.pgd)
		return;
	if (s2_check(f, NULL))
		kvm_pgtable_stage2_destroy(&f->pgt);
	KUNIT_EXPECT_EQ(test, f->pool.used, 0);
}

MODULE_DESCRIPTION("KUnit tests of the KVM stage-2 page-table code");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
