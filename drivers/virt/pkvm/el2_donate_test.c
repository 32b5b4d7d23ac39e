// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host donates pages to a protected guest. Keeps R1 (one owner), R2 (the host cannot access a
 * page of another owner), R5 and R7 (EL2 refuses invalid calls and changes nothing).
 */
#include <asm/kvm_mmu.h>
#include <asm/stage2_pgtable.h>

#include "el2_kunit.h"

/* Donate a page without filling the memcache: 0, or the error. */
static int donate_pfn(struct el2_vm *vm, u64 pfn, u64 gfn)
{
	int ret = el2_donate_raw(vm, 0, &pfn, gfn, 1);

	return ret == 1 ? 0 : ret;
}

/* Expect a refused donation to leave the page exactly as it was. */
static void expect_refused(struct kunit *test, struct el2_vm *vm, struct page *page, u64 gfn,
			   int error)
{
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page, gfn), error);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
}

/* Rule (R2): host OWNED => NOPAGE. The host's reads and writes fail without an oops. */
static void donate(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);
	struct page *neighbour = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 0), 0);
	el2_expect_lost(test, page);
	el2_expect_owned(test, neighbour);
}

/* Rule: the host can donate a page to the first and the last gfn of the IPA space. */
static void donate_first_and_last_gfn(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	u64 end = BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT);
	struct page *first = el2_page(test);
	struct page *last = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, first, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, last, end - 1), 0);
	el2_expect_lost(test, first);
	el2_expect_lost(test, last);
}

/* Rule: EL2 refuses a gfn outside the IPA space, also if the shift to an IPA overflows. */
static void donate_out_of_range(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	expect_refused(test, vm, page, BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT), -ERANGE);
	expect_refused(test, vm, page, BIT_ULL(52 - PAGE_SHIFT) - 1, -ERANGE);
	expect_refused(test, vm, page, BIT_ULL(64 - PAGE_SHIFT), -EINVAL);
	expect_refused(test, vm, page, ~0ULL, -EINVAL);
}

/* Rule (R1): a page has one owner and one gfn, and a gfn has one page. */
static void donate_twice(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct el2_vm *other = el2_vm_create(test, 1);
	struct page *page = el2_page(test);
	struct page *second = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 1), 0);
	KUNIT_EXPECT_LT(test, el2_donate(vm, 0, page, 1), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page, 2), -EPERM);
	expect_refused(test, vm, second, 1, -EEXIST);
	el2_put();

	KUNIT_ASSERT_EQ(test, el2_load(other, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(other, 0, page, 1), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_donate(other, 0, second, 1), 0);
	el2_expect_lost(test, page);
	el2_expect_lost(test, second);
}

/* Rule: EL2 refuses to donate a shared page, its own page, or what is not memory. */
static void donate_wrong_page(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *shared = el2_page(test);
	struct page *page = el2_page(test);
	u64 hyp_pfn = page_to_pfn(virt_to_page(vm->hyp_vm));
	static const u64 no_memory[] = {
		0x09000000 >> PAGE_SHIFT, BIT_ULL(48 - PAGE_SHIFT), BIT_ULL(52 - PAGE_SHIFT) - 1,
		~0ULL,
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	el2_topup(test, vm, 0);

	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, shared, 0), -EPERM);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(shared));
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);
	KUNIT_EXPECT_EQ(test, donate_pfn(vm, hyp_pfn, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, donate_pfn(vm, page_to_pfn(virt_to_page(vm->kvm)), 0), -EPERM);
	for (i = 0; i < ARRAY_SIZE(no_memory); i++)
		KUNIT_EXPECT_EQ(test, donate_pfn(vm, no_memory[i], 0), -EINVAL);

	/* A pfn with upper bits that the shift to an address drops is not that page's. */
	KUNIT_EXPECT_EQ(test, donate_pfn(vm, page_to_pfn(page) |
					 BIT_ULL(64 - PAGE_SHIFT), 0), -EINVAL);
	el2_expect_owned(test, page);

	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page, 0), 0);
}

/* Rule (R4): the host can only donate to the loaded vCPU's VM, and only if that is protected. */
static void donate_without_guest(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct el2_vm *np = el2_vm_alloc(test, 1);
	struct page *page = el2_page(test);

	expect_refused(test, vm, page, 0, -EINVAL);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	el2_put();
	expect_refused(test, vm, page, 0, -EINVAL);

	np->kvm->arch.pkvm.enabled = false;
	KUNIT_ASSERT_EQ(test, el2_init_vm(np), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(np, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_load(np, 0), 0);
	expect_refused(test, np, page, 0, -EINVAL);

	/* The host cannot make the VM protected after its creation. */
	np->kvm->arch.pkvm.enabled = true;
	expect_refused(test, np, page, 0, -EINVAL);
}

/* Rule (R7): a donation without pages for tables changes nothing; with them it succeeds. */
static void donate_without_tables(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, donate_pfn(vm, page_to_pfn(page), 0), -ENOMEM);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page, 0), 0);
}

/*
 * Rule (R4, R5): EL2 does not trust the host's memcache. EL2 takes no page from it that the host
 * does not own, and survives a list with wild pointers or with a loop.
 */
static void donate_with_bad_tables(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct kvm_hyp_memcache *mc = &vm->vcpu[0]->arch.pkvm_memcache;
	struct page *page = el2_page(test);
	struct page *shared = el2_page(test);
	struct page *circle = alloc_page(GFP_KERNEL);
	phys_addr_t bad[] = {
		0, 0x09000000, BIT_ULL(48), ~0ULL, ~0ULL << PAGE_SHIFT,
		page_to_phys(page) + 8, page_to_phys(shared), virt_to_phys(vm->kvm),
	};
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, circle);
	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		*mc = (struct kvm_hyp_memcache) { .head = bad[i], .nr_pages = 100 };
		KUNIT_EXPECT_EQ_MSG(test, donate_pfn(vm, page_to_pfn(page), 0), -ENOMEM,
				    "head 0x%llx", bad[i]);
	}

	/* EL2 takes the first page. The next one is the same page, which EL2 owns now. */
	*(phys_addr_t *)page_address(circle) = page_to_phys(circle);
	*mc = (struct kvm_hyp_memcache) { .head = page_to_phys(circle), .nr_pages = 100 };
	if (stage2_pgtable_levels(EL2_IPA_BITS) > 2) {
		KUNIT_EXPECT_EQ(test, donate_pfn(vm, page_to_pfn(page), 0), -ENOMEM);
		KUNIT_EXPECT_EQ(test, mc->nr_pages, 99);
		KUNIT_EXPECT_FALSE(test, el2_readable(circle));
	} else {
		__free_page(circle);
	}

	*mc = (struct kvm_hyp_memcache) {};
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page, 0), 0);
}

/* Rule: the host can donate with any vCPU of the VM loaded, and the VM owns the pages. */
static void donate_by_either_vcpu(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);
	struct page *page = el2_page(test);
	struct page *second = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page, 5), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_load(vm, 1), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 1, second, 5), -EEXIST);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 1, second, 6), 0);
}

/* Rule: a call donates as many pages as fit, each to its place. */
static void donate_run(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page[PKVM_DONATE_MAX_GRANULES];
	struct page *neighbour = el2_page(test);
	int nr = ARRAY_SIZE(page), i;

	for (i = 0; i < nr; i++)
		page[i] = el2_page(test);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate_run(vm, 0, page, PTRS_PER_PTE - nr, nr), nr);
	for (i = 0; i < nr; i++) {
		el2_expect_lost(test, page[i]);
		KUNIT_EXPECT_EQ(test, kvm_call_hyp_nvhe(__pkvm_guest_check_place,
							PTRS_PER_PTE - nr + i), -EEXIST);
	}
	el2_expect_owned(test, neighbour);
	KUNIT_EXPECT_EQ(test, kvm_call_hyp_nvhe(__pkvm_guest_check_place, PTRS_PER_PTE - nr - 1),
			0);
	KUNIT_EXPECT_EQ(test, kvm_call_hyp_nvhe(__pkvm_guest_check_place, PTRS_PER_PTE), 0);
}

/* Donate a run with something against its page at @bad: the pages before that are done. */
static void donate_run_up_to(struct kunit *test, unsigned int bad,
			     int (*spoil)(struct kunit *test, struct el2_vm *vm,
					  struct page **page, u64 gfn))
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page[PKVM_DONATE_MAX_GRANULES];
	int nr = ARRAY_SIZE(page), error, i;

	for (i = 0; i < nr; i++)
		page[i] = el2_page(test);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	error = spoil(test, vm, &page[bad], PTRS_PER_PTE + bad);
	KUNIT_EXPECT_EQ(test, el2_donate_run(vm, 0, page, PTRS_PER_PTE, nr), bad ? bad : error);
	for (i = 0; i < bad; i++)
		el2_expect_lost(test, page[i]);
	for (i = bad + 1; i < nr; i++) {
		KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page[i]));
		el2_expect_owned(test, page[i]);
		KUNIT_EXPECT_EQ(test, kvm_call_hyp_nvhe(__pkvm_guest_check_place,
							PTRS_PER_PTE + i), 0);
	}
	el2_put();
}

static void donate_run_up_to_each(struct kunit *test,
				  int (*spoil)(struct kunit *test, struct el2_vm *vm,
					       struct page **page, u64 gfn))
{
	donate_run_up_to(test, 0, spoil);
	donate_run_up_to(test, PKVM_DONATE_MAX_GRANULES / 2, spoil);
	donate_run_up_to(test, PKVM_DONATE_MAX_GRANULES - 1, spoil);
}

/* The page is the hypervisor's. */
static int spoil_owner(struct kunit *test, struct el2_vm *vm, struct page **page, u64 gfn)
{
	*page = virt_to_page(vm->kvm);
	return -EPERM;
}

/* There is no such page. */
static int spoil_memory(struct kunit *test, struct el2_vm *vm, struct page **page, u64 gfn)
{
	*page = pfn_to_page(0x09000000 >> PAGE_SHIFT);
	return -EINVAL;
}

/* The guest has a page in that place. */
static int spoil_place(struct kunit *test, struct el2_vm *vm, struct page **page, u64 gfn)
{
	struct page *other = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, other, gfn), 0);
	return -EEXIST;
}

/* It had one, which the host took by force. */
static int spoil_by_force(struct kunit *test, struct el2_vm *vm, struct page **page, u64 gfn)
{
	struct page *other = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, other, gfn), 0);
	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(other)), 0);
	return -EHWPOISON;
}

/* Rule (R7): a run ends before the first page that is refused, wherever it stands. */
static void donate_run_wrong_page(struct kunit *test)
{
	donate_run_up_to_each(test, spoil_owner);
	donate_run_up_to_each(test, spoil_memory);
}

static void donate_run_wrong_place(struct kunit *test)
{
	donate_run_up_to_each(test, spoil_place);
	donate_run_up_to_each(test, spoil_by_force);
}

/* Rule (R1): a page that stands twice in a run is donated once. */
static void donate_run_same_page(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page[3] = { el2_page(test), el2_page(test) };

	if (ARRAY_SIZE(page) > PKVM_DONATE_MAX_GRANULES)
		kunit_skip(test, "a call donates one page");

	page[2] = page[0];
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate_run(vm, 0, page, 0, 3), 2);
	KUNIT_EXPECT_EQ(test, kvm_call_hyp_nvhe(__pkvm_guest_check_place, 2), 0);
}

/* Rule (R6): EL2 refuses no pages, too many, and those of two tables of the guest. */
static void donate_run_bounds(struct kunit *test)
{
	u64 end = BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT);
	struct el2_vm *vm = el2_vm_create(test, 1);
	struct page *page = el2_page(test);
	const struct {
		u64 gfn;
		u64 nr;
		int error;
	} bad[] = {
		{ 0, 0, -EINVAL }, { 0, PKVM_DONATE_MAX_GRANULES + 1, -EINVAL },
		{ 0, PTRS_PER_PTE, -EINVAL }, { 0, BIT_ULL(32) + 1, -EINVAL },
		{ 0, ~0ULL, -EINVAL }, { 1, ~0ULL, -EINVAL },
		{ PTRS_PER_PTE - 1, 2, -EINVAL }, { end - 1, 2, -EINVAL }, { end, 1, -ERANGE },
		{ BIT_ULL(64 - PAGE_SHIFT) - 1, 2, -EINVAL }, { ~0ULL, 1, -EINVAL },
		{ ~0ULL, 2, -EINVAL },
	};
	u64 pfns[PKVM_DONATE_MAX_GRANULES];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++)
		pfns[i] = page_to_pfn(page);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		el2_topup(test, vm, 0);
		KUNIT_EXPECT_EQ_MSG(test, el2_donate_raw(vm, 0, pfns, bad[i].gfn, bad[i].nr),
				    bad[i].error, "gfn 0x%llx nr 0x%llx", bad[i].gfn, bad[i].nr);
	}
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
}

static struct kunit_case el2_donate_cases[] = {
	KUNIT_CASE(donate),
	KUNIT_CASE(donate_first_and_last_gfn),
	KUNIT_CASE(donate_out_of_range),
	KUNIT_CASE(donate_twice),
	KUNIT_CASE(donate_wrong_page),
	KUNIT_CASE(donate_without_guest),
	KUNIT_CASE(donate_without_tables),
	KUNIT_CASE(donate_with_bad_tables),
	KUNIT_CASE(donate_by_either_vcpu),
	KUNIT_CASE(donate_run),
	KUNIT_CASE(donate_run_wrong_page),
	KUNIT_CASE(donate_run_wrong_place),
	KUNIT_CASE(donate_run_same_page),
	KUNIT_CASE(donate_run_bounds),
	{}
};

static struct kunit_suite el2_donate_suite = {
	.name		= "pkvm_el2_donate",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_donate_cases,
};

kunit_test_suite(el2_donate_suite);
