// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the host shares with non-protected VMs. Keeps R1 and R2 (the host can share only its
 * own pages, and cannot donate a shared page), R4 (a call acts on a handle or on the loaded vCPU),
 * R5 and R7 (EL2 refuses invalid calls and changes nothing) and R6 (a call on a range is bounded).
 */
#include <linux/arm-smccc.h>
#include <linux/sizes.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_np.h>
#include <asm/stage2_pgtable.h>

#include "el2_kunit.h"

#define BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define BLOCK_PAGES	BIT(BLOCK_ORDER)

#define IPA_GRANULES	BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT)

#define RW		KVM_PGTABLE_PROT_RW
#define DEVICE_RW	(RW | KVM_PGTABLE_PROT_DEVICE)

/* The RTC of QEMU's virt machine. */
#define DEVICE_PFN	(0x09010000 >> PAGE_SHIFT)

/* Calls on the loaded vCPU's VM. */
static int relax_perms(u64 gfn, u64 prot)
{
	return kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, gfn, prot);
}

/* A call that returns several values, in a1..a3 of @res. */
#define el2_call(res, f, ...)	\
	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(f), ##__VA_ARGS__, res)

static int np_share_page(struct kunit *test, struct el2_vm *vm, struct page *page, u64 gfn)
{
	return el2_np_share(test, vm, page_to_pfn(page), gfn, 1, RW);
}

static s64 np_unshare(struct el2_vm *vm, u64 gfn, u64 nr, u64 *pfn, u64 *nr_taken)
{
	struct arm_smccc_res res;

	el2_call(&res, __pkvm_host_unshare_guest, vm->handle, gfn, nr);
	*pfn = res.a2;
	*nr_taken = res.a3;
	return res.a1;
}

static void expect_taken(struct kunit *test, struct el2_vm *vm, u64 gfn, struct page *page)
{
	u64 pfn, nr_taken;

	KUNIT_EXPECT_EQ(test, np_unshare(vm, gfn, 1, &pfn, &nr_taken), 1);
	KUNIT_EXPECT_EQ(test, nr_taken, 1);
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(page));
}

/* Expect that the host can access the shared page, but not donate it. */
static void expect_np_shared(struct kunit *test, struct page *page)
{
	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
}

static struct el2_vm *loaded_vm(struct kunit *test)
{
	struct el2_vm *vm = el2_np_vm_create(test, 1);

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	return vm;
}

static struct page *block(struct kunit *test)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);

	KUNIT_ASSERT_NOT_NULL(test, page);
	return page;
}

/* Rule: host OWNED => SHARED_OWNED => OWNED, and the host can always access the page. */
static void np_share_and_unshare(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	struct page *neighbour = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 0), 0);
	expect_np_shared(test, page);
	el2_expect_owned(test, neighbour);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	expect_taken(test, vm, 0, page);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
}

/* Rule: the host can share a page at several IPAs and with several VMs, and EL2 counts them. */
static void np_share_counts(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct el2_vm *other = el2_np_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 1), 0);
	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 2), 0);
	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, IPA_GRANULES - 1), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_load(other, 0), 0);
	KUNIT_ASSERT_EQ(test, np_share_page(test, other, page, 1), 0);

	expect_taken(test, vm, 2, page);
	expect_np_shared(test, page);
	expect_taken(test, vm, IPA_GRANULES - 1, page);
	expect_np_shared(test, page);
	expect_taken(test, other, 1, page);
	expect_np_shared(test, page);
	expect_taken(test, vm, 1, page);
	el2_expect_owned(test, page);
}

/* Rule (R7): EL2 refuses to share a page at a gfn with another page, and changes neither. */
static void np_share_gfn_in_use(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	struct page *second = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 7), 0);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, page, 7), -EAGAIN);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, second, 7), -EEXIST);
	el2_expect_owned(test, second);
	expect_taken(test, vm, 7, page);
	el2_expect_owned(test, page);
}

/* Rule (R2): EL2 refuses its own page, a guest's, one shared with EL2, and what is not memory. */
static void np_share_wrong_page(struct kunit *test)
{
	static const u64 no_memory[] = {
		DEVICE_PFN, BIT_ULL(48 - PAGE_SHIFT), BIT_ULL(52 - PAGE_SHIFT) - 1, ~0ULL,
	};
	struct el2_vm *protected = el2_vm_create(test, 1);
	struct el2_vm *vm = el2_np_vm_alloc(test, 1);
	u64 hyp_pfn = page_to_pfn(virt_to_page(vm->hyp_vm));
	struct page *private = el2_page(test);
	struct page *shared = el2_page(test);
	struct page *page = el2_page(test);
	unsigned int i;
	u64 pfn;

	KUNIT_ASSERT_EQ(test, el2_load(protected, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(protected, 0, private, 0), 0);
	el2_put();

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);

	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, private, 0), -EPERM);
	el2_expect_lost(test, private);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, shared, 0), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, hyp_pfn, 0, 1, RW), -EPERM);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, virt_to_page(vm->kvm), 0), -EPERM);
	for (i = 0; i < ARRAY_SIZE(no_memory); i++)
		KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, no_memory[i], 0, 1, RW), -EINVAL);

	/* A pfn with upper bits that the shift to an address drops is not that page's. */
	pfn = page_to_pfn(page) | BIT_ULL(64 - PAGE_SHIFT);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, 1, RW), -EINVAL);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, page, 0), 0);
}

/* Rule (R1): the host cannot donate a shared page to a protected guest or to EL2. */
static void donate_np_shared_page(struct kunit *test)
{
	struct el2_vm *protected = el2_vm_create(test, 1);
	struct el2_vm *unborn = el2_vm_alloc(test, 1);
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 0), 0);
	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, virt_to_page(unborn->pgd), 1), 0);
	el2_put();

	KUNIT_ASSERT_EQ(test, el2_load(protected, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(protected, 0, page, 0), -EPERM);
	el2_put();
	KUNIT_EXPECT_EQ(test, el2_init_vm(unborn), -ENOMEM);
	expect_np_shared(test, page);

	expect_taken(test, vm, 0, page);
	expect_taken(test, vm, 1, virt_to_page(unborn->pgd));
	KUNIT_ASSERT_EQ(test, el2_load(protected, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(protected, 0, page, 0), 0);
	el2_expect_lost(test, page);
	el2_put();
	KUNIT_EXPECT_EQ(test, el2_init_vm(unborn), 0);
}

/* Rule (R5): EL2 refuses an invalid gfn or length, also if a shift overflows. */
static void np_share_bad_range(struct kunit *test)
{
	static const u64 lengths[] = {
		0, 2, BLOCK_PAGES - 1, BLOCK_PAGES + 1, BLOCK_PAGES * PTRS_PER_PTE, ~0ULL
	};
	struct el2_vm *vm = loaded_vm(test);
	struct page *huge = block(test);
	u64 pfn = page_to_pfn(huge);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, IPA_GRANULES, 1, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, IPA_GRANULES, BLOCK_PAGES, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, BIT_ULL(52 - PAGE_SHIFT) - 1, 1, RW),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, BIT_ULL(64 - PAGE_SHIFT), 1, RW),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, ~0ULL, 1, RW), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, lengths[i], RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn + 1, 0, BLOCK_PAGES, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 1, BLOCK_PAGES, RW), -EINVAL);

	for (i = 0; i < BLOCK_PAGES; i++)
		el2_expect_owned(test, huge + i);
	__free_pages(huge, BLOCK_ORDER);
}

/* Rule: EL2 refuses to share memory with any other attributes than those of memory. */
static void np_share_bad_prot(struct kunit *test)
{
	static const u64 prots[] = {
		0, KVM_PGTABLE_PROT_W, KVM_PGTABLE_PROT_X, DEVICE_RW,
		RW | KVM_PGTABLE_PROT_NORMAL_NC, RW | KVM_PGTABLE_PROT_SW0,
		RW | KVM_PGTABLE_PROT_SW1, RW | BIT(5), RW | BIT_ULL(63),
	};
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	u64 pfn = page_to_pfn(page);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++)
		KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, 1, prots[i]), -EINVAL);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, 1, KVM_PGTABLE_PROT_RWX), 0);
}

/* Rule: the host can share MMIO in granules, neither cached nor executable, without page state. */
static void np_share_mmio(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	u64 pfn, nr_taken;

	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 0, 1, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 0, 1,
					   DEVICE_RW | KVM_PGTABLE_PROT_NORMAL_NC), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 0, 1,
					   DEVICE_RW | KVM_PGTABLE_PROT_X), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, 0x09000000 >> PAGE_SHIFT, 0, BLOCK_PAGES,
					   DEVICE_RW), -EINVAL);

	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 0, 1, DEVICE_RW), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 1, 1,
					   RW | KVM_PGTABLE_PROT_NORMAL_NC), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, DEVICE_PFN, 0, 1, DEVICE_RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, relax_perms(0, KVM_PGTABLE_PROT_X), -EINVAL);
	KUNIT_EXPECT_EQ(test, np_unshare(vm, 0, 1, &pfn, &nr_taken), 1);
	KUNIT_EXPECT_EQ(test, pfn, DEVICE_PFN);
	KUNIT_EXPECT_EQ(test, nr_taken, 1);
}

/* Rule (R4): the host can only share with the loaded vCPU's VM, with a protected one on guards. */
static void np_share_without_guest(struct kunit *test)
{
	struct el2_vm *protected = el2_vm_create(test, 1);
	struct el2_vm *vm = el2_np_vm_create(test, 1);
	struct page *page = el2_page(test);

	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, page, 0), -EINVAL);
	KUNIT_ASSERT_EQ(test, el2_load(protected, 0), 0);
	KUNIT_EXPECT_EQ(test, np_share_page(test, protected, page, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, relax_perms(0, RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_mkyoung_guest, 0), -EINVAL);
	el2_expect_owned(test, page);
}

/* Rule: a block is shared as a whole, and a call on any of its granules unshares all of it. */
static void np_share_block(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *huge = block(test);
	u64 gfn = 3 * BLOCK_PAGES;
	unsigned int i;
	u64 pfn, nr_taken;

	KUNIT_ASSERT_EQ(test, el2_np_share(test, vm, page_to_pfn(huge), gfn, BLOCK_PAGES, RW), 0);
	for (i = 0; i < BLOCK_PAGES; i++)
		expect_np_shared(test, huge + i);

	KUNIT_EXPECT_EQ(test, np_unshare(vm, gfn + 5, 1, &pfn, &nr_taken), 1);
	KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(huge));
	KUNIT_EXPECT_EQ(test, nr_taken, BLOCK_PAGES);
	for (i = 0; i < BLOCK_PAGES; i++)
		el2_expect_owned(test, huge + i);
	__free_pages(huge, BLOCK_ORDER);
}

/* Rule (R7): a block is shared as a whole or not at all, and only at an empty range. */
static void np_share_block_refused(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	struct page *huge = block(test);
	u64 pfn = page_to_pfn(huge);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_share(huge + BLOCK_PAGES - 1), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, BLOCK_PAGES, RW), -EPERM);
	KUNIT_ASSERT_EQ(test, el2_unshare(huge + BLOCK_PAGES - 1), 0);
	for (i = 0; i < BLOCK_PAGES; i++)
		el2_expect_owned(test, huge + i);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, BLOCK_PAGES - 1), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, BLOCK_PAGES, RW), -EEXIST);
	el2_expect_owned(test, huge);
	expect_taken(test, vm, BLOCK_PAGES - 1, page);

	KUNIT_ASSERT_EQ(test, el2_np_share(test, vm, pfn, 0, BLOCK_PAGES, RW), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn, 0, BLOCK_PAGES, RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, vm, pfn + 1, 1, 1, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, np_share_page(test, vm, page, 1), -EEXIST);
	el2_expect_owned(test, page);
	el2_take_all(test, vm);
	for (i = 0; i < BLOCK_PAGES; i++)
		el2_expect_owned(test, huge + i);
	__free_pages(huge, BLOCK_ORDER);
}

static s64 range_call(unsigned int call, u64 handle, u64 gfn, u64 nr)
{
	switch (call) {
	case 0:
		return kvm_call_hyp_nvhe(__pkvm_host_unshare_guest, handle, gfn, nr);
	case 1:
		return kvm_call_hyp_nvhe(__pkvm_host_wrprotect_guest, handle, gfn, nr);
	default:
		return kvm_call_hyp_nvhe(__pkvm_host_test_clear_young_guest, handle, gfn, nr, true);
	}
}

/* Rule (R4, R5): each call on a bad VM or range fails. */
static void bad_range_calls(struct kunit *test)
{
	static const u64 handles[] = {
		0, 1, PKVM_HANDLE_OFFSET - 1, PKVM_HANDLE_OFFSET + 255, U32_MAX, S32_MAX,
	};
	struct el2_vm *protected = el2_vm_create(test, 1);
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	unsigned int call, i;

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 0), 0);
	for (call = 0; call < 3; call++) {
		for (i = 0; i < ARRAY_SIZE(handles); i++)
			KUNIT_EXPECT_EQ(test, range_call(call, handles[i], 0, 1), -ENOENT);
		/* The first call unshares: it finds no window in a protected VM. */
		KUNIT_EXPECT_EQ(test, range_call(call, protected->handle, 0, 1),
				call ? -EPERM : 1);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, 0, 0), -EINVAL);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, 1, ~0ULL), -EINVAL);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, ~0ULL, 1), -EINVAL);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, BIT_ULL(64 - PAGE_SHIFT), 1),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, IPA_GRANULES, 1), -ERANGE);
		KUNIT_EXPECT_EQ(test, range_call(call, vm->handle, 0, IPA_GRANULES + 1), -ERANGE);
	}

	for (i = 0; i < ARRAY_SIZE(handles); i++) {
		KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_unshare_guest_all,
							     handles[i], 0), -ENOENT);
		KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_tlb_flush_vmid, handles[i]),
				-ENOENT);
	}
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_unshare_guest_all,
						     vm->handle, IPA_GRANULES), -ERANGE);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_unshare_guest_all,
						     vm->handle, ~0ULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_tlb_flush_vmid, protected->handle),
			-EPERM);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_tlb_flush_vmid, vm->handle), 0);

	expect_taken(test, vm, 0, page);
	el2_expect_owned(test, page);
}

/* Rule (R6): a call skips an empty table entry as a whole, or unshares one entry. */
static void range_in_steps(struct kunit *test)
{
	static const u64 gfns[] = { 0, 2, BLOCK_PAGES - 1, BLOCK_PAGES, 5 * BLOCK_PAGES + 3,
				    IPA_GRANULES - 1 };
	struct page *pages[ARRAY_SIZE(gfns)];
	struct el2_vm *vm = loaded_vm(test);
	u64 gfn = 0, pfn, nr_taken;
	s8 first = KVM_PGTABLE_LAST_LEVEL + 1 - stage2_pgtable_levels(EL2_IPA_BITS);
	unsigned int i, calls = 0, found = 0;
	s64 done;

	for (i = 0; i < ARRAY_SIZE(gfns); i++) {
		pages[i] = el2_page(test);
		KUNIT_ASSERT_EQ(test, np_share_page(test, vm, pages[i], gfns[i]), 0);
	}

	while (gfn < IPA_GRANULES) {
		done = np_unshare(vm, gfn, IPA_GRANULES - gfn, &pfn, &nr_taken);
		KUNIT_ASSERT_GT(test, done, 0);
		gfn += done;
		calls++;
		if (!nr_taken)
			continue;
		KUNIT_ASSERT_LT(test, found, ARRAY_SIZE(gfns));
		KUNIT_EXPECT_EQ(test, nr_taken, 1);
		KUNIT_EXPECT_EQ(test, pfn, page_to_pfn(pages[found]));
		KUNIT_EXPECT_EQ(test, gfn, gfns[found] + 1);
		found++;
	}
	KUNIT_EXPECT_EQ(test, gfn, IPA_GRANULES);
	KUNIT_EXPECT_EQ(test, found, ARRAY_SIZE(gfns));
	/* All entries of the first level, and of two tables below it. */
	KUNIT_EXPECT_LT(test, calls, BIT_ULL(EL2_IPA_BITS) / kvm_granule_size(first) +
				     2 * PTRS_PER_PTE + 2 * ARRAY_SIZE(gfns));
	for (i = 0; i < ARRAY_SIZE(gfns); i++)
		el2_expect_owned(test, pages[i]);
}

/* Rule (R6): a call unshares a run of adjacent pages, only in its range, up to a limit. */
static void range_of_a_run(struct kunit *test)
{
	const unsigned int nr = PKVM_UNSHARE_MAX_GRANULES + 3;
	struct el2_vm *vm = loaded_vm(test);
	struct page *huge = block(test);
	u64 first = page_to_pfn(huge);
	unsigned int i;
	u64 pfn, nr_taken;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, el2_np_share(test, vm, first + i, i, 1, RW), 0);
	/* These pages are adjacent only for the guest. */
	KUNIT_ASSERT_EQ(test, el2_np_share(test, vm, first, nr, 1, RW), 0);

	KUNIT_EXPECT_EQ(test, np_unshare(vm, 0, 1, &pfn, &nr_taken), 1);
	KUNIT_EXPECT_EQ(test, pfn, first);
	KUNIT_EXPECT_EQ(test, nr_taken, 1);
	expect_np_shared(test, huge);
	KUNIT_EXPECT_EQ(test, np_unshare(vm, 1, nr, &pfn, &nr_taken), PKVM_UNSHARE_MAX_GRANULES);
	KUNIT_EXPECT_EQ(test, pfn, first + 1);
	KUNIT_EXPECT_EQ(test, nr_taken, PKVM_UNSHARE_MAX_GRANULES);
	KUNIT_EXPECT_EQ(test, np_unshare(vm, nr - 2, nr, &pfn, &nr_taken), 2);
	KUNIT_EXPECT_EQ(test, pfn, first + nr - 2);
	KUNIT_EXPECT_EQ(test, nr_taken, 2);
	for (i = 1; i < nr; i++)
		el2_expect_owned(test, huge + i);
	expect_taken(test, vm, nr, huge);
	el2_expect_owned(test, huge);
	__free_pages(huge, BLOCK_ORDER);
}

/* Rule (R6): a call that unshares everything it finds is bounded. */
static void unshare_all_in_steps(struct kunit *test)
{
	const unsigned int nr = PKVM_UNSHARE_MAX_GRANULES + 1;
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	struct arm_smccc_res res;
	unsigned int i;

	for (i = 0; i < nr; i++)
		KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, i), 0);
	el2_call(&res, __pkvm_host_unshare_guest_all, vm->handle, 0);
	KUNIT_EXPECT_EQ(test, (s64)res.a1, PKVM_UNSHARE_MAX_GRANULES);
	KUNIT_EXPECT_EQ(test, res.a2, PKVM_UNSHARE_MAX_GRANULES);
	expect_np_shared(test, page);
	el2_call(&res, __pkvm_host_unshare_guest_all, vm->handle, PKVM_UNSHARE_MAX_GRANULES);
	KUNIT_EXPECT_GE(test, (s64)res.a1, 1);
	KUNIT_EXPECT_EQ(test, res.a2, 1);
	el2_expect_owned(test, page);
}

static bool test_clear_young(struct kunit *test, struct el2_vm *vm, u64 gfn, bool mkold)
{
	struct arm_smccc_res res;

	el2_call(&res, __pkvm_host_test_clear_young_guest, vm->handle, gfn, 1, mkold);
	KUNIT_EXPECT_EQ(test, (s64)res.a1, 1);
	return res.a2;
}

/* Rule: the host can read, clear and set the access flag, and setting it returns the page. */
static void access_flag(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);
	struct arm_smccc_res res;

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 9), 0);
	KUNIT_EXPECT_FALSE(test, test_clear_young(test, vm, 8, true));
	KUNIT_EXPECT_TRUE(test, test_clear_young(test, vm, 9, false));
	KUNIT_EXPECT_TRUE(test, test_clear_young(test, vm, 9, true));
	KUNIT_EXPECT_FALSE(test, test_clear_young(test, vm, 9, true));

	el2_call(&res, __pkvm_host_mkyoung_guest, 8);
	KUNIT_EXPECT_EQ(test, (int)res.a1, -EAGAIN);
	el2_call(&res, __pkvm_host_mkyoung_guest, IPA_GRANULES);
	KUNIT_EXPECT_EQ(test, (int)res.a1, -ERANGE);
	el2_call(&res, __pkvm_host_mkyoung_guest, ~0UL);
	KUNIT_EXPECT_EQ(test, (int)res.a1, -EINVAL);
	el2_call(&res, __pkvm_host_mkyoung_guest, 9);
	KUNIT_EXPECT_EQ(test, (int)res.a1, 0);
	KUNIT_EXPECT_EQ(test, res.a2, page_to_pfn(page));
	KUNIT_EXPECT_TRUE(test, test_clear_young(test, vm, 9, false));
}

/* Rule: the host can change permissions of shared pages, and of nothing else. */
static void permissions(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 9), 0);
	KUNIT_EXPECT_EQ(test, (s64)kvm_call_hyp_nvhe(__pkvm_host_wrprotect_guest, vm->handle, 9, 1),
			1);
	KUNIT_EXPECT_EQ(test, relax_perms(9, KVM_PGTABLE_PROT_RWX), 0);
	KUNIT_EXPECT_EQ(test, relax_perms(8, RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, relax_perms(9, RW | KVM_PGTABLE_PROT_SW0), -EINVAL);
	KUNIT_EXPECT_EQ(test, relax_perms(9, DEVICE_RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, relax_perms(IPA_GRANULES, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, relax_perms(~0UL, RW), -EINVAL);
	expect_taken(test, vm, 9, page);
	el2_expect_owned(test, page);
}

/* Rule: EL2 finalizes a VM only when all pages are unshared, and then keeps nothing of it. */
static void teardown_with_shared_pages(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 3), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(vm), 0);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_reclaim(vm, 3, 1), -EPERM);
	KUNIT_EXPECT_EQ(test, range_call(1, vm->handle, 3, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, range_call(2, vm->handle, 3, 1), -ENOENT);
	expect_np_shared(test, page);
	expect_taken(test, vm, 3, page);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, el2_finalize(vm), -EAGAIN);
	KUNIT_EXPECT_EQ(test, range_call(0, vm->handle, 3, 1), 1);
	el2_vm_destroy(test, vm);
}

/* Rule: EL2 refuses to reclaim a shared page by force, since the host owns it. */
static void force_reclaim_of_shared(struct kunit *test)
{
	struct el2_vm *vm = loaded_vm(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, np_share_page(test, vm, page, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page)), -EPERM);
	expect_np_shared(test, page);
	expect_taken(test, vm, 0, page);
}

static struct kunit_case el2_np_share_cases[] = {
	KUNIT_CASE(np_share_and_unshare),
	KUNIT_CASE(np_share_counts),
	KUNIT_CASE(np_share_gfn_in_use),
	KUNIT_CASE(np_share_wrong_page),
	KUNIT_CASE(donate_np_shared_page),
	KUNIT_CASE(np_share_bad_range),
	KUNIT_CASE(np_share_bad_prot),
	KUNIT_CASE(np_share_mmio),
	KUNIT_CASE(np_share_without_guest),
	KUNIT_CASE(np_share_block),
	KUNIT_CASE(np_share_block_refused),
	KUNIT_CASE(bad_range_calls),
	KUNIT_CASE(range_in_steps),
	KUNIT_CASE(range_of_a_run),
	KUNIT_CASE(unshare_all_in_steps),
	KUNIT_CASE(access_flag),
	KUNIT_CASE(permissions),
	KUNIT_CASE(teardown_with_shared_pages),
	KUNIT_CASE(force_reclaim_of_shared),
	{}
};

static struct kunit_suite el2_np_share_suite = {
	.name		= "pkvm_el2_np_share",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_np_share_cases,
};

kunit_test_suite(el2_np_share_suite);
