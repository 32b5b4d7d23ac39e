// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: pages of the host on the guarded IPAs of a protected guest. Keeps R1 (a page of a window
 * is the host's, and its IPA never becomes empty), R2 (only enrolled guests, only guarded IPAs, and
 * no execution), R5 and R7 (EL2 refuses invalid calls, and changes nothing).
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>

#include <asm/esr.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_np.h>

#include "el2_guest.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define MEM_RELINQUISH	ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID
#define GUARD_ENROLL	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID
#define GUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID
#define GUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID
#define RGUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID
#define RGUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID

#define BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define BLOCK_PAGES	BIT(BLOCK_ORDER)

/* Where the guest has its windows: two blocks. */
#define WINDOW_IPA	(BIT_ULL(EL2_IPA_BITS) / 2)
#define WINDOW_GFN	(WINDOW_IPA >> PAGE_SHIFT)
#define WINDOW_PAGES	(2 * BLOCK_PAGES)

#define RW		KVM_PGTABLE_PROT_RW
#define INSN_BR_X0	0xd61f0000

/* A guest that has enrolled, and guards its windows by blocks. */
static struct el2_guest *guarding_guest(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_ENROLL, 0, 0, 0), 0);
	el2_guest_hvc_tables(test, g, RGUARD_MAP, WINDOW_IPA, WINDOW_PAGES);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 1), WINDOW_PAGES);
	return g;
}

static int window_share(struct kunit *test, struct el2_guest *g, struct page *page, u64 gfn)
{
	return el2_np_share(test, g->vm, page_to_pfn(page), gfn, 1, RW);
}

static u64 window_take(struct el2_guest *g, u64 gfn, u64 nr, s64 *done)
{
	struct arm_smccc_res res;

	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(__pkvm_host_unshare_guest), g->vm->handle, gfn, nr,
			  &res);
	*done = res.a1;
	return res.a3;
}

static void expect_taken(struct kunit *test, struct el2_guest *g, u64 gfn, u64 nr)
{
	s64 done;

	KUNIT_EXPECT_EQ(test, window_take(g, gfn, 1, &done), nr);
	KUNIT_EXPECT_EQ(test, done, 1);
}

static int place(u64 gfn)
{
	return kvm_call_hyp_nvhe(__pkvm_guest_check_place, gfn);
}

/* Expect that the host owns the page and shares it: it can read it, but not share it with EL2. */
static void expect_shared(struct kunit *test, struct page *page)
{
	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
}

static void expect_read(struct kunit *test, struct el2_guest *g, u64 ipa, u64 value)
{
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, ipa, 0, 0),
			EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), value);
}

/* The guest's read is MMIO, which the host answers. */
static void expect_mmio(struct kunit *test, struct el2_guest *g, u64 ipa)
{
	struct kvm_vcpu *vcpu = g->vm->vcpu[0];

	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_READ, 0, ipa, 0, 0), EL2_EXIT_MMIO);
	vcpu->arch.ctxt.regs.regs[0] = 0x77;
	vcpu_set_flag(vcpu, INCREMENT_PC);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 0), 0x77);
}

/* Have EL2 update the host's statistics, which it does when a vCPU is put. */
static void show_stats(struct el2_guest *g)
{
	if (g->vm->dying)
		return;
	el2_put();
	WARN_ON(el2_load(g->vm, 0));
}

static u64 stat_window(struct el2_guest *g)
{
	show_stats(g);
	return g->vm->kvm->stat.protected.bytes_window >> PAGE_SHIFT;
}

static u64 stat_guarded(struct el2_guest *g)
{
	show_stats(g);
	return g->vm->kvm->stat.protected.bytes_guarded >> PAGE_SHIFT;
}

/* Rule: guest GUARDED => SHARED_BORROWED => GUARDED, host OWNED => SHARED_OWNED => OWNED. */
static void window_comes_and_goes(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);
	u64 *shared = page_address(page), pattern = *shared;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		expect_mmio(test, g, WINDOW_IPA + 5 * PAGE_SIZE);
		KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + 5), 0);
		expect_shared(test, page);
		el2_to_poc(shared, PAGE_SIZE);
		expect_read(test, g, WINDOW_IPA + 5 * PAGE_SIZE, pattern + i);
		KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_WRITE, 0,
						   WINDOW_IPA + 5 * PAGE_SIZE, pattern + i + 1, 0),
				EL2_EXIT_PARKED);
		KUNIT_EXPECT_EQ(test, READ_ONCE(*shared), pattern + i + 1);
		KUNIT_EXPECT_EQ(test, stat_window(g), 1);
		KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES - 1);

		/* The IPAs next to it are still MMIO. */
		expect_mmio(test, g, WINDOW_IPA + 4 * PAGE_SIZE);
		expect_mmio(test, g, WINDOW_IPA + 6 * PAGE_SIZE);

		expect_taken(test, g, WINDOW_GFN + 5, 1);
		el2_expect_owned(test, page);
		KUNIT_EXPECT_EQ(test, stat_window(g), 0);
		KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES);
		KUNIT_EXPECT_EQ(test, place(WINDOW_GFN + 5), -EPERM);
	}
}

/* Rule (R2): EL2 refuses to share at an IPA without a guard, and changes neither page nor IPA. */
static void window_needs_a_guard(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct page *private = el2_page(test), *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, private, EL2_TEST_GFN), 0);

	/* Before ENROLL, with and without a guard. */
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN), -ENOENT);
	el2_guest_hvc_tables(test, g, GUARD_MAP, WINDOW_IPA, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN), -ENOENT);
	KUNIT_EXPECT_EQ(test, place(WINDOW_GFN), -EPERM);

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_ENROLL, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN + 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, place(WINDOW_GFN + 1), 0);

	/* IPAs of the guest's own pages: private, shared, reclaimed by force, and relinquished. */
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, EL2_TEST_GFN), -ENOENT);
	KUNIT_EXPECT_EQ(test, place(EL2_TEST_GFN), -EEXIST);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, EL2_MAILBOX_GFN), -ENOENT);
	KUNIT_ASSERT_EQ(test, el2_force_reclaim(page_to_pfn(private)), 0);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, EL2_TEST_GFN), -ENOENT);
	KUNIT_EXPECT_EQ(test, place(EL2_TEST_GFN), -EHWPOISON);

	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
}

/* Rule (R2): EL2 refuses pages that the host does not own alone, and addresses without memory. */
static void window_wrong_page(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct el2_vm *unborn = el2_vm_alloc(test, 1);
	struct page *private = el2_page(test), *shared = el2_page(test), *page = el2_page(test);
	/* The first is the RTC of QEMU's virt machine. */
	static const u64 no_memory[] = {
		0x09010000 >> PAGE_SHIFT, BIT_ULL(48 - PAGE_SHIFT), ~0ULL,
	};
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, private, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);

	KUNIT_EXPECT_EQ(test, window_share(test, g, private, WINDOW_GFN), -EPERM);
	KUNIT_EXPECT_EQ(test, window_share(test, g, g->mailbox, WINDOW_GFN), -EPERM);
	KUNIT_EXPECT_EQ(test, window_share(test, g, shared, WINDOW_GFN), -EPERM);
	KUNIT_EXPECT_EQ(test, window_share(test, g, virt_to_page(g->vm->kvm), WINDOW_GFN), -EPERM);
	for (i = 0; i < ARRAY_SIZE(no_memory); i++)
		KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, no_memory[i], WINDOW_GFN, 1, RW),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);

	KUNIT_EXPECT_EQ(test, window_share(test, g, page, BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT)),
			-ERANGE);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, ~0ULL), -EINVAL);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(page), WINDOW_GFN, 2, RW),
			-EINVAL);
	el2_expect_owned(test, page);
	expect_mmio(test, g, WINDOW_IPA);

	/* The host can donate a page of a window neither to EL2 nor to a guest. */
	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	KUNIT_ASSERT_EQ(test, window_share(test, g, virt_to_page(unborn->pgd), WINDOW_GFN + 1), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, page, EL2_TEST_GFN + 1), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_force_reclaim(page_to_pfn(page)), -EPERM);
	el2_put();
	KUNIT_EXPECT_EQ(test, el2_init_vm(unborn), -ENOMEM);
	expect_shared(test, page);
}

/* Rule (R2): the guest cannot execute a window: it takes an abort, without an exit to the host. */
static void window_never_executed(struct kunit *test)
{
	static const u64 prots[] = {
		0, KVM_PGTABLE_PROT_W, KVM_PGTABLE_PROT_RWX,
		KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X,
		RW | KVM_PGTABLE_PROT_DEVICE, RW | KVM_PGTABLE_PROT_NORMAL_NC,
		RW | KVM_PGTABLE_PROT_SW0,
	};
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(prots); i++)
		KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(page), WINDOW_GFN, 1,
						   prots[i]), -EINVAL);
	el2_expect_owned(test, page);

	for (i = 0; i < 2; i++) {
		KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_INSN, INSN_BR_X0, WINDOW_IPA,
						   0, 0), EL2_EXIT_PARKED);
		KUNIT_EXPECT_EQ(test, ESR_ELx_EC(el2_guest_result(g, 1)), ESR_ELx_EC_IABT_CUR);
		KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1) & ESR_ELx_FSC, ESR_ELx_FSC_EXTABT);
		if (!i)
			KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	}
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, WINDOW_GFN,
						     KVM_PGTABLE_PROT_RWX), -EINVAL);
}

/* Rule (R7): EL2 refuses a second page at an IPA, and the first one stays there. */
static void window_in_use(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test), *second = el2_page(test);

	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN), -EAGAIN);
	KUNIT_EXPECT_EQ(test, window_share(test, g, second, WINDOW_GFN), -EEXIST);
	KUNIT_EXPECT_EQ(test, el2_donate(g->vm, 0, second, WINDOW_GFN), -EPERM);
	el2_expect_owned(test, second);
	expect_read(test, g, WINDOW_IPA, *(u64 *)page_address(page));

	/* A page that is shared at several IPAs is OWNED again after the last unshare. */
	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + 1), 0);
	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + BLOCK_PAGES), 0);
	expect_taken(test, g, WINDOW_GFN + 1, 1);
	expect_shared(test, page);
	expect_taken(test, g, WINDOW_GFN, 1);
	expect_shared(test, page);
	expect_taken(test, g, WINDOW_GFN + BLOCK_PAGES, 1);
	el2_expect_owned(test, page);
	/* A page can be unshared only once. */
	expect_taken(test, g, WINDOW_GFN, 0);
	el2_expect_owned(test, page);
}

/* Rule: the guest can write a page that is shared read-only once the host allows that. */
static void window_read_only(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(page), WINDOW_GFN, 1,
					   KVM_PGTABLE_PROT_R), 0);
	expect_read(test, g, WINDOW_IPA, *(u64 *)page_address(page));
	KUNIT_ASSERT_EQ(test, el2_guest_do(test, g, EL2_GUEST_WRITE, 0, WINDOW_IPA, 42, 0),
			EL2_EXIT_MMIO);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	KUNIT_ASSERT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, WINDOW_GFN,
						     RW), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_run(test, g), EL2_EXIT_PARKED);
	KUNIT_EXPECT_EQ(test, *(u64 *)page_address(page), 42);

	/* The host cannot change permissions of the guest's own pages, or of guards. */
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, EL2_CODE_GFN,
						     RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, EL2_MAILBOX_GFN,
						     RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, WINDOW_GFN + 1,
						     RW), -EAGAIN);
}

/* Rule (R1): the guest's calls do not treat a page of a window as one of the guest's own. */
static void window_is_not_memory(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);
	static const u64 calls[] = { MEM_SHARE, MEM_UNSHARE, MEM_RELINQUISH };
	unsigned int i;

	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	for (i = 0; i < ARRAY_SIZE(calls); i++)
		KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, calls[i], WINDOW_IPA, 0, 0),
				SMCCC_RET_INVALID_PARAMETER);
	/* A second guard on the IPA changes nothing. */
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, GUARD_MAP, WINDOW_IPA, 0, 0), 0);
	el2_guest_hvc_tables(test, g, RGUARD_MAP, WINDOW_IPA, WINDOW_PAGES);
	expect_shared(test, page);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	expect_read(test, g, WINDOW_IPA, *(u64 *)page_address(page));
	KUNIT_EXPECT_EQ(test, stat_window(g), 1);
}

/* Rule: MMIO_GUARD_UNMAP returns the page of a window to the host, and leaves the IPA empty. */
static void guest_unmaps_window(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test), *own = el2_page(test);

	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + 3), 0);
	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + 4), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_UNMAP, WINDOW_IPA + 3 * PAGE_SIZE, 0, 0),
			0);
	expect_shared(test, page);
	KUNIT_EXPECT_EQ(test, place(WINDOW_GFN + 3), 0);
	expect_taken(test, g, WINDOW_GFN + 3, 0);

	/* A range that begins with the window, and is guarded behind it: all of it is unguarded. */
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, RGUARD_UNMAP, WINDOW_IPA + 4 * PAGE_SIZE, 8,
					    0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 8);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, stat_window(g), 0);
	KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES - 9);

	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, own, WINDOW_GFN + 4), 0);
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN + 4), -ENOENT);
	expect_read(test, g, WINDOW_IPA + 4 * PAGE_SIZE, *(u64 *)page_address(page));
	el2_expect_lost(test, own);
	/* A call of the host to unshare there finds nothing. */
	expect_taken(test, g, WINDOW_GFN + 4, 0);
	el2_expect_lost(test, own);
}

/* Rule: one call unshares a run of pages, and the guard that was split for them is whole again. */
static void window_run(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_ZERO, 4);
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
	unsigned int i;
	s64 done;

	KUNIT_ASSERT_NOT_NULL(test, pages);
	KUNIT_ASSERT_NOT_NULL(test, block);
	for (i = 0; i < 16; i++)
		KUNIT_ASSERT_EQ(test, window_share(test, g, pages + i, WINDOW_GFN + 8 + i), 0);

	/* EL2 refuses a block while one page is shared in its range. */
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(block), WINDOW_GFN, BLOCK_PAGES,
					   RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, window_take(g, WINDOW_GFN, WINDOW_PAGES, &done), 16);
	KUNIT_EXPECT_EQ(test, done, 24);
	KUNIT_EXPECT_EQ(test, window_take(g, WINDOW_GFN, WINDOW_PAGES, &done), 0);
	KUNIT_EXPECT_EQ(test, done, BLOCK_PAGES);
	for (i = 0; i < 16; i++)
		el2_expect_owned(test, pages + i);
	KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES);

	__free_pages(pages, 4);
	__free_pages(block, BLOCK_ORDER);
}

/* Rule: a block is shared and unshared as a whole, also if the guest unguards a part of it. */
static void window_block(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
	struct page *own = el2_page(test);
	u64 pfn, *word;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, block);
	pfn = page_to_pfn(block);
	word = page_address(block + 7);
	*word = 42;
	el2_to_poc(word, sizeof(*word));

	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), -EAGAIN);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, 1, RW), -EEXIST);
	expect_shared(test, block + BLOCK_PAGES - 1);
	expect_read(test, g, WINDOW_IPA + 7 * PAGE_SIZE, 42);
	KUNIT_EXPECT_EQ(test, stat_window(g), BLOCK_PAGES);
	expect_taken(test, g, WINDOW_GFN + 100, BLOCK_PAGES);
	for (i = 0; i < BLOCK_PAGES; i += 73)
		el2_expect_owned(test, block + i);
	expect_mmio(test, g, WINDOW_IPA + 7 * PAGE_SIZE);

	/* If the guest unguards a part of the block, EL2 unshares all of it. */
	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), 0);
	el2_guest_hvc_tables(test, g, GUARD_UNMAP, WINDOW_IPA + 9 * PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	for (i = 0; i < BLOCK_PAGES; i += 73)
		el2_expect_owned(test, block + i);
	KUNIT_EXPECT_EQ(test, stat_window(g), 0);
	KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES - 1);
	expect_mmio(test, g, WINDOW_IPA + 8 * PAGE_SIZE);

	/* A block can be shared only where all of its IPAs are guarded, by a block or by pages. */
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), -ENOENT);
	KUNIT_ASSERT_EQ(test, el2_donate(g->vm, 0, own, WINDOW_GFN + 9), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), -ENOENT);
	el2_expect_lost(test, own);
	for (i = 0; i < BLOCK_PAGES; i++)
		el2_expect_owned(test, block + i);
	__free_pages(block, BLOCK_ORDER);
}

/* Rule: a block can be shared where each of its pages has a guard of its own. */
static void window_block_on_pages(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *block = alloc_pages(GFP_KERNEL | __GFP_ZERO, BLOCK_ORDER);
	u64 pfn;

	KUNIT_ASSERT_NOT_NULL(test, block);
	pfn = page_to_pfn(block);
	el2_guest_hvc_tables(test, g, GUARD_UNMAP, WINDOW_IPA + 9 * PAGE_SIZE, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), -ENOENT);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_MAP, WINDOW_IPA + 9 * PAGE_SIZE, 0, 0),
			0);
	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, pfn, WINDOW_GFN, BLOCK_PAGES, RW), 0);
	expect_read(test, g, WINDOW_IPA + 9 * PAGE_SIZE, 0);
	expect_taken(test, g, WINDOW_GFN, BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, stat_guarded(g), WINDOW_PAGES);
	__free_pages(block, BLOCK_ORDER);
}

/* Rule (R5): the host unshares the windows of a dying guest, and only then can EL2 finalize it. */
static void window_of_dying_guest(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN + BLOCK_PAGES), 0);
	el2_put();
	KUNIT_ASSERT_EQ(test, el2_start_teardown(g->vm), 0);
	KUNIT_EXPECT_EQ(test, el2_reclaim(g->vm, WINDOW_GFN, 2), 0);
	expect_shared(test, page);
	KUNIT_EXPECT_EQ(test, el2_finalize(g->vm), -EBUSY);
	expect_taken(test, g, WINDOW_GFN, 1);
	expect_shared(test, page);
	el2_take_all(test, g->vm);
	el2_expect_owned(test, page);
	KUNIT_EXPECT_EQ(test, stat_window(g), 0);
}

/* Rule (R4): EL2 refuses the other calls on np-VMs for a protected VM, with or without windows. */
static void window_calls_of_np_vms(struct kunit *test)
{
	struct el2_guest *g = guarding_guest(test);
	struct page *page = el2_page(test);

	KUNIT_ASSERT_EQ(test, window_share(test, g, page, WINDOW_GFN), 0);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_wrprotect_guest, g->vm->handle,
						     WINDOW_GFN, 1), -EPERM);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_test_clear_young_guest,
						     g->vm->handle, WINDOW_GFN, 1, true), -EPERM);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_mkyoung_guest, WINDOW_GFN),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_tlb_flush_vmid, g->vm->handle), -EPERM);
	el2_put();
	KUNIT_EXPECT_EQ(test, window_share(test, g, page, WINDOW_GFN + 1), -EINVAL);
	expect_taken(test, g, WINDOW_GFN, 1);
	el2_expect_owned(test, page);
}

static struct kunit_case el2_window_cases[] = {
	KUNIT_CASE(window_comes_and_goes),
	KUNIT_CASE(window_needs_a_guard),
	KUNIT_CASE(window_wrong_page),
	KUNIT_CASE(window_never_executed),
	KUNIT_CASE(window_in_use),
	KUNIT_CASE(window_read_only),
	KUNIT_CASE(window_is_not_memory),
	KUNIT_CASE(guest_unmaps_window),
	KUNIT_CASE(window_run),
	KUNIT_CASE(window_block),
	KUNIT_CASE(window_block_on_pages),
	KUNIT_CASE(window_of_dying_guest),
	KUNIT_CASE(window_calls_of_np_vms),
	{}
};

static struct kunit_suite el2_window_suite = {
	.name		= "pkvm_el2_window",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_window_cases,
};

kunit_test_suite(el2_window_suite);
