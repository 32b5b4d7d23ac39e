// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of a guest on ranges: MEM_SHARE, MEM_UNSHARE, and guards, which EL2 keeps as blocks and
 * splits; and MEM_RELINQUISH. Keeps R1, R3, R6 (a call is bounded and reports how much it did) and
 * R7 (a refused call changes nothing).
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>

#include "el2_guest.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define MEM_RELINQUISH	ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID
#define GUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID
#define GUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID
#define GUARD_ENROLL	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID
#define RGUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID
#define RGUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID

#define TEST_IPA	((u64)EL2_TEST_GFN << PAGE_SHIFT)
#define IPA_SIZE	BIT_ULL(EL2_IPA_BITS)
#define NR_PAGES	24U
/* The most granules that one call shares. */
#define SHARE_MAX	256
/* The most granules that one call takes back, which EL2 has to clean: 4 with pages of 64 KiB. */
#define UNSHARE_MAX	((unsigned int)(SZ_256K / PAGE_SIZE))

/* An empty part of the IPA space, for which EL2 needs a table at each level but the first. */
#define FAR_IPA		(IPA_SIZE / 2)
#define BLOCK		PMD_SIZE
#define BLOCK_GRANULES	(PMD_SIZE / PAGE_SIZE)

/* How many guards may be needed until EL2 has no table left. */
#define MAX_LEAVES	4

static struct kvm_vcpu *host_vcpu(struct el2_guest *g)
{
	return g->vm->vcpu[0];
}

/* Donate pages to the guest from TEST_IPA on. */
static void guest_pages(struct kunit *test, struct el2_guest *g, struct page **pages)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = el2_page(test);
		KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, pages[i], EL2_TEST_GFN + i), 0);
	}
}

static void expect_shared(struct kunit *test, struct page **pages, unsigned int from,
			  unsigned int to)
{
	unsigned int i;

	for (i = 0; i < NR_PAGES; i++)
		KUNIT_EXPECT_EQ_MSG(test, el2_readable(pages[i]), i >= from && i < to,
				    "page %u", i);
}

/* Rule: a call shares, or unshares, exactly its range, from the first granule on. */
static void share_range(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *pages[NR_PAGES];

	guest_pages(test, g, pages);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA + 2 * PAGE_SIZE, 16, 0),
			0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 16);
	expect_shared(test, pages, 2, 18);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(pages[2]));
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(pages[17]));

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA + 2 * PAGE_SIZE, 3, 0),
			0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 3);
	expect_shared(test, pages, 5, 18);
}

/* Rule (R6): a call takes UNSHARE_MAX granules back at most, and returns the number done. */
static void unshare_limit(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	unsigned int done = min(UNSHARE_MAX, NR_PAGES);
	struct page *pages[NR_PAGES];

	guest_pages(test, g, pages);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, NR_PAGES, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, NR_PAGES, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), done);
	expect_shared(test, pages, done, NR_PAGES);
}

/* Rule: a call ends before the first granule in the wrong state, and returns the number done. */
static void share_range_in_part(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *pages[NR_PAGES];

	guest_pages(test, g, pages);

	/* The guest has no page behind the last one, so the call ends there. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA + 20 * PAGE_SIZE,
					    BIT_ULL(52), 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), NR_PAGES - 20);
	expect_shared(test, pages, 20, NR_PAGES);

	/* The next granule is shared already. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA + 15 * PAGE_SIZE, 512, 0),
			0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 5);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA + 20 * PAGE_SIZE, 2, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
	expect_shared(test, pages, 15, NR_PAGES);

	/* Then the same with MEM_UNSHARE. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA + 22 * PAGE_SIZE, ~0ULL,
					    0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), NR_PAGES - 22);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA + 14 * PAGE_SIZE, 4, 0),
			SMCCC_RET_INVALID_PARAMETER);
	expect_shared(test, pages, 15, 22);
}

/*
 * Rule: MEM_SHARE whose first granule is missing exits with its IPA and the number of granules that
 * the call would do, up to the limit. Once the first page is there, the call shares all pages up to
 * the next missing one.
 */
static void share_missing_range(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page[2] = { el2_page(test), el2_page(test) };

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, MEM_SHARE, TEST_IPA, 3, 0),
			EL2_EXIT_HVC);
	KUNIT_EXPECT_EQ(test, (u32)host_vcpu(g)->arch.ctxt.regs.regs[0], (u32)MEM_SHARE);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[1], TEST_IPA);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[2], 3);

	/* After a donation at the wrong gfn EL2 asks the host again. */
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page[1], EL2_TEST_GFN + 1), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_HVC);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page[0], EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 2);

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, MEM_SHARE, FAR_IPA,
					   BIT_ULL(52), 0), EL2_EXIT_HVC);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[2], SHARE_MAX);
}

static void expect_guarded(struct kunit *test, u64 ipa, bool guarded)
{
	KUNIT_EXPECT_EQ_MSG(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place,
							 ipa >> PAGE_SHIFT),
			    guarded ? -EPERM : 0, "IPA 0x%llx", ipa);
}

/* Use up EL2's stock of tables by a guard far from others. */
static void use_up_tables(struct kunit *test, struct el2_guest *g, u64 ipa)
{
	unsigned int all = kvm_mmu_cache_min_pages(&g->vm->kvm->arch.mmu);
	u64 step = kvm_granule_size(KVM_PGTABLE_LAST_LEVEL - all);
	unsigned int wanted, i;

	for (i = 0, wanted = 0; !wanted && i < MAX_LEAVES; i++)
		wanted = el2_guest_hvc_tables(test, g, GUARD_MAP, ipa + i * step, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_ASSERT_EQ(test, wanted, all);
}

/*
 * Rule: guards on a range need no table for each page. Eight aligned blocks need only the tables
 * that lead to one block, and one call. UNMAP of a page of a block needs one table, to split it.
 */
static void guard_blocks(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	u64 ipa = FAR_IPA + 16 * BLOCK;

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_ENROLL, 0, 0, 0), 0);
	el2_guest_hvc_tables(test, g, RGUARD_MAP, ipa, 8 * BLOCK_GRANULES);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 8 * BLOCK_GRANULES);
	expect_guarded(test, ipa - 8, false);
	expect_guarded(test, ipa, true);
	expect_guarded(test, ipa + 3 * BLOCK + 5 * PAGE_SIZE, true);
	expect_guarded(test, ipa + 8 * BLOCK - 8, true);
	expect_guarded(test, ipa + 8 * BLOCK, false);

	/* The guest's access to the middle of a block is MMIO. */
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, ipa + BLOCK + 64, 0, 0),
			EL2_EXIT_MMIO);
	host_vcpu(g)->arch.ctxt.regs.regs[0] = 0x77;
	vcpu_set_flag(host_vcpu(g), INCREMENT_PC);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0x77);

	/* A second guard on the same range is no error, and changes nothing. */
	KUNIT_EXPECT_EQ(test, el2_guest_hvc_tables(test, g, RGUARD_MAP, ipa + PAGE_SIZE,
						   8 * BLOCK_GRANULES - 2), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 8 * BLOCK_GRANULES - 2);

	el2_guest_hvc_tables(test, g, GUARD_UNMAP, ipa + 3 * BLOCK + 5 * PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	expect_guarded(test, ipa + 3 * BLOCK + 4 * PAGE_SIZE, true);
	expect_guarded(test, ipa + 3 * BLOCK + 5 * PAGE_SIZE, false);
	expect_guarded(test, ipa + 3 * BLOCK + 6 * PAGE_SIZE, true);

	/* A call ends at the hole, and a guard can fill it. */
	el2_guest_hvc_tables(test, g, RGUARD_UNMAP, ipa + 3 * BLOCK, BLOCK_GRANULES);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 5);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, RGUARD_MAP, ipa + 3 * BLOCK, 6, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 6);
	expect_guarded(test, ipa + 3 * BLOCK + 5 * PAGE_SIZE, true);
}

/* Rule: a call asks for exactly the tables that it needs: one to split a block. */
static void guard_wants_tables(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	u64 ipa = FAR_IPA + 16 * BLOCK;

	el2_guest_hvc_tables(test, g, RGUARD_MAP, ipa, 2 * BLOCK_GRANULES);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 1), 2 * BLOCK_GRANULES);

	use_up_tables(test, g, FAR_IPA / 2);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc_tables(test, g, RGUARD_MAP, ipa + 2 * BLOCK,
						   BLOCK_GRANULES), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), BLOCK_GRANULES);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc_tables(test, g, GUARD_UNMAP, ipa + PAGE_SIZE, 0), 1);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);
	expect_guarded(test, ipa, true);
	expect_guarded(test, ipa + PAGE_SIZE, false);
}

/* Rule (R7): EL2 refuses invalid arguments, and changes no guard. */
static void guard_bad_arguments(struct kunit *test)
{
	static const struct {
		u64 ipa, nr, reserved;
	} args[] = {
		{ FAR_IPA + 1, 1, 0 },
		{ FAR_IPA, 0, 0 },
		{ FAR_IPA, 1, 1 },
		{ FAR_IPA, ~0ULL, ~0ULL },
		{ IPA_SIZE, 1, 0 },
		{ ~0ULL << PAGE_SHIFT, 2, 0 },
	};
	struct el2_guest *g = el2_guest_boot(test);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_ENROLL, 0, 0, 0), 0);
	for (i = 0; i < ARRAY_SIZE(args); i++) {
		KUNIT_EXPECT_EQ_MSG(test, el2_guest_hvc(test, g, RGUARD_MAP, args[i].ipa,
							args[i].nr, args[i].reserved),
				    SMCCC_RET_INVALID_PARAMETER, "arguments %u", i);
		KUNIT_EXPECT_EQ_MSG(test, el2_guest_hvc(test, g, RGUARD_UNMAP, args[i].ipa,
							args[i].nr, args[i].reserved),
				    SMCCC_RET_INVALID_PARAMETER, "arguments %u", i);
	}
	expect_guarded(test, FAR_IPA, false);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, RGUARD_UNMAP, FAR_IPA, 1, 0),
			SMCCC_RET_INVALID_PARAMETER);
}

/* Rule (R1): an IPA has a guard or memory, never both, also in a range. */
static void guard_or_memory(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);
	u64 ipa = TEST_IPA + 4 * PAGE_SIZE;

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN + 4), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, RGUARD_MAP, TEST_IPA, 8, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 4);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, RGUARD_MAP, ipa, 4, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, RGUARD_UNMAP, ipa, 1, 0),
			SMCCC_RET_INVALID_PARAMETER);
	el2_expect_lost(test, page);

	page = el2_page(test);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN + 3), -EPERM);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 1, 0),
			SMCCC_RET_INVALID_PARAMETER);

	/* The host can donate memory once the guard is removed. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, RGUARD_UNMAP, TEST_IPA, 8, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 4);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN + 3), 0);
}

/* Rule (R5): a reclaim of a dying VM's guards returns no page, and loses none. */
static void guards_are_not_reclaimed(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, RGUARD_MAP, TEST_IPA + PAGE_SIZE, 2, 0), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(g->vm), 0);
	KUNIT_EXPECT_EQ(test, el2_reclaim(g->vm, EL2_TEST_GFN + 1, 2), 0);
	KUNIT_EXPECT_EQ(test, el2_finalize(g->vm), -EBUSY);
	el2_expect_lost(test, page);
}

/* Rule (R1, R3): guest OWNED => NOPAGE, zeroed; host NOPAGE => OWNED; the gfn is empty. */
static void relinquish(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test), *next = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, EL2_TEST_GFN),
			-EEXIST);
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_HVC, MEM_RELINQUISH, TEST_IPA, 0, 0),
			EL2_EXIT_HVC);
	KUNIT_EXPECT_EQ(test, (u32)host_vcpu(g)->arch.ctxt.regs.regs[0], (u32)MEM_RELINQUISH);
	KUNIT_EXPECT_EQ(test, host_vcpu(g)->arch.ctxt.regs.regs[1], TEST_IPA);
	xa_erase(&g->vm->granules, EL2_TEST_GFN);
	KUNIT_EXPECT_TRUE(test, el2_holds_zeroes(page));
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, EL2_TEST_GFN), 0);

	/* EL2 takes the answer from no register of the host. */
	host_vcpu(g)->arch.ctxt.regs.regs[0] = SMCCC_RET_NOT_SUPPORTED;
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0);

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, TEST_IPA, 0, 0),
			EL2_EXIT_MMIO);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, next, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	el2_expect_lost(test, next);
}

/* Rule (R7): EL2 refuses to relinquish a page that is not private to the guest. */
static void relinquish_refused(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA, 1, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA, 0, 1),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA + 8, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, IPA_SIZE, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA + PAGE_SIZE, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	el2_expect_lost(test, page);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_SHARE, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));

	/* A gfn that the host reclaimed by force stays poisoned. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, MEM_UNSHARE, TEST_IPA, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(page)), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, MEM_RELINQUISH, TEST_IPA, 0, 0),
			SMCCC_RET_INVALID_PARAMETER);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, EL2_TEST_GFN),
			-EHWPOISON);
}

/* Rule (R5): the host can query any gfn, and gets its state or an error. */
static void check_gfn(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_MAP, TEST_IPA, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, EL2_TEST_GFN),
			-EPERM);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place,
						     IPA_SIZE >> PAGE_SHIFT), -ERANGE);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, ~0ULL), -EINVAL);
	el2_put();
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, EL2_TEST_GFN),
			-EINVAL);
}

static struct kunit_case el2_range_cases[] = {
	KUNIT_CASE(share_range),
	KUNIT_CASE(unshare_limit),
	KUNIT_CASE(share_range_in_part),
	KUNIT_CASE(share_missing_range),
	KUNIT_CASE(guard_blocks),
	KUNIT_CASE(guard_wants_tables),
	KUNIT_CASE(guard_bad_arguments),
	KUNIT_CASE(guard_or_memory),
	KUNIT_CASE(guards_are_not_reclaimed),
	KUNIT_CASE(relinquish),
	KUNIT_CASE(relinquish_refused),
	KUNIT_CASE(check_gfn),
	{}
};

static struct kunit_suite el2_range_suite = {
	.name		= "pkvm_el2_range",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_range_cases,
};

kunit_test_suite(el2_range_suite);
