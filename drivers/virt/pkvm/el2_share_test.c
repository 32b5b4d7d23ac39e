// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the host shares with EL2, and calls that do not exist. Keeps R5 (EL2 answers invalid
 * calls with an error) and R7 (they change nothing).
 */
#include <linux/arm-smccc.h>
#include <linux/mm.h>

#include <asm/kvm_mmu.h>

#include "el2_kunit.h"

/* Rule: OWNED => SHARED_OWNED => OWNED, and the host can always access the page. */
static void share_and_unshare(struct kunit *test)
{
	struct page *page = el2_page(test);

	KUNIT_EXPECT_EQ(test, el2_share(page), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	KUNIT_EXPECT_EQ(test, el2_unshare(page), 0);
	KUNIT_EXPECT_TRUE(test, el2_holds_pattern(page));
	el2_expect_owned(test, page);
}

/* Rule: the host can only share an owned page and unshare a shared one; refusals change nothing. */
static void share_wrong_state(struct kunit *test)
{
	struct page *page = el2_page(test);

	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_share(page), 0);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
	el2_expect_owned(test, page);
}

/* Rule: the host counts the users of a shared page, and calls EL2 for the first and the last. */
static void host_counts_shares(struct kunit *test)
{
	struct page *page = el2_page(test);
	void *p = page_address(page);

	KUNIT_ASSERT_EQ(test, kvm_share_hyp(p, p + 8), 0);
	KUNIT_ASSERT_EQ(test, kvm_share_hyp(p + 8, p + PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	kvm_unshare_hyp(p, p + 8);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	kvm_unshare_hyp(p + 8, p + PAGE_SIZE);
	el2_expect_owned(test, page);
}

/* Rule: EL2 refuses to share what is not memory, since it has no page state. */
static void share_not_memory(struct kunit *test)
{
	static const u64 pfns[] = {
		0x09000000 >> PAGE_SHIFT,		/* a device of QEMU's virt machine */
		BIT_ULL(48 - PAGE_SHIFT),		/* beyond the physical address space */
		BIT_ULL(52 - PAGE_SHIFT) - 1,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++) {
		KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_share_hyp, pfns[i]),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_host_unshare_hyp, pfns[i]),
				-EINVAL);
	}
}

static struct page *first_shared(unsigned long pfn, unsigned long nr)
{
	for (; nr; nr--, pfn++) {
		if (pfn_is_map_memory(pfn) && !kvm_call_hyp_nvhe(__pkvm_host_share_hyp, pfn))
			return pfn_to_page(pfn);
	}
	return NULL;
}

/*
 * Rule (R5): EL2 has tables for all of memory. A page is shared in each block, so that each
 * table is needed; where EL2 owns all of a block it is there already.
 */
static void share_everywhere(struct kunit *test)
{
	unsigned long nr_blocks = DIV_ROUND_UP(__pa(high_memory - 1) + 1, PMD_SIZE);
	struct page **shared = kvcalloc(nr_blocks, sizeof(*shared), GFP_KERNEL);
	unsigned long i, nr = 0;

	KUNIT_ASSERT_NOT_NULL(test, shared);
	for (i = 0; i < nr_blocks; i++) {
		shared[i] = first_shared(PHYS_PFN(i * PMD_SIZE), PTRS_PER_PTE);
		nr += !!shared[i];
	}
	KUNIT_EXPECT_GT(test, nr, get_num_physpages() / PTRS_PER_PTE / 2);
	for (i = 0; i < nr_blocks; i++) {
		if (shared[i])
			KUNIT_EXPECT_EQ(test, el2_unshare(shared[i]), 0);
	}
	kvfree(shared);
}

/* Rule (R4): EL2 refuses to unshare a page that it has pinned because it reads it. */
static void unshare_pinned(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);

	KUNIT_EXPECT_EQ(test, el2_unshare(virt_to_page(vm->kvm)), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_unshare(virt_to_page(vm->vcpu[0])), -EBUSY);
	el2_vm_destroy(test, vm);
}

/* Calls that EL2 refuses. */
const u32 el2_refused_calls[EL2_NR_REFUSED_CALLS] = {
	KVM_HOST_SMCCC_FUNC(__kvm_get_mdcr_el2),
	KVM_HOST_SMCCC_FUNC(__pkvm_init),
	KVM_HOST_SMCCC_FUNC(__pkvm_create_private_mapping),
	KVM_HOST_SMCCC_FUNC(__pkvm_cpu_set_vector),
	KVM_HOST_SMCCC_FUNC(__vgic_v3_init_lrs),
	KVM_HOST_SMCCC_FUNC(__kvm_flush_vm_context),
	KVM_HOST_SMCCC_FUNC(__kvm_tlb_flush_vmid_ipa),
	KVM_HOST_SMCCC_FUNC(__kvm_tlb_flush_vmid_ipa_nsh),
	KVM_HOST_SMCCC_FUNC(__kvm_tlb_flush_vmid),
	KVM_HOST_SMCCC_FUNC(__kvm_tlb_flush_vmid_range),
	KVM_HOST_SMCCC_FUNC(__kvm_flush_cpu_context),
	KVM_HOST_SMCCC_FUNC(__kvm_timer_set_cntvoff),
	KVM_HOST_SMCCC_FUNC(__pkvm_teardown_vm),
	/* Beyond the last one, and between those of the base and ours. */
	KVM_HOST_SMCCC_FUNC(__pkvm_debug) + 1,
	KVM_HOST_SMCCC_FUNC(__pkvm_teardown_vm) + 1,
	KVM_HOST_SMCCC_FUNC(__pkvm_vcpu_load) - 1,
	KVM_HOST_SMCCC_ID(0xff),
	KVM_HOST_SMCCC_ID(0xffff),
};

/* Rule: a call that does not exist, or is only for boot, returns NOT_SUPPORTED and does nothing. */
static void unknown_calls(struct kunit *test)
{
	struct arm_smccc_res res;
	unsigned int i;

	for (i = 0; i < EL2_NR_REFUSED_CALLS; i++) {
		arm_smccc_1_1_hvc(el2_refused_calls[i], 0, 0, 0, 0, 0, 0, 0, &res);
		KUNIT_EXPECT_EQ_MSG(test, (long)res.a0, SMCCC_RET_NOT_SUPPORTED, "call 0x%x",
				    el2_refused_calls[i]);
	}
}

static struct kunit_case el2_share_cases[] = {
	KUNIT_CASE(share_and_unshare),
	KUNIT_CASE(share_wrong_state),
	KUNIT_CASE(host_counts_shares),
	KUNIT_CASE(share_not_memory),
	KUNIT_CASE(share_everywhere),
	KUNIT_CASE(unshare_pinned),
	KUNIT_CASE(unknown_calls),
	{}
};

static struct kunit_suite el2_share_suite = {
	.name		= "pkvm_el2_share",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_share_cases,
};

kunit_test_suite(el2_share_suite);
