// SPDX-License-Identifier: GPL-2.0-only
/*
 * FF-A calls of a hostile host through EL2's proxy, with the SPMC of tools/testing/spmc. Keeps R1
 * (the host can only share its own pages), R5 (no call panics EL2), R6 (each call is bounded) and
 * R7 (a transfer is done as a whole or changes nothing).
 */
#include <linux/arm_ffa.h>
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/sizes.h>

#include <asm/kvm_pgtable.h>

#include "el2_ffa.h"
#include "el2_guest.h"

#define FFA_PAGES_PER_PAGE	(PAGE_SIZE / FFA_PAGE_SIZE)
#define MAX_RANGES		64
#define BIG_ORDER		get_order(SZ_4M)

/* Offsets of the parts of a description. */
#define ACCESS_OFF		sizeof(struct ffa_mem_region)
#define COMPOSITE_OFF		(ACCESS_OFF + 16)
#define RANGES_OFF		(COMPOSITE_OFF + sizeof(struct ffa_composite_mem_region))

/**
 * struct ffa_case - The buffers and the next region of a test case.
 * @tx:		The page for descriptions; NULL if none is mapped.
 * @rx:		The page for answers.
 * @range:	The ranges of the next region.
 * @nr:		The number of ranges.
 */
struct ffa_case {
	struct page *tx;
	struct page *rx;
	struct ffa_mem_region_addr_range range[MAX_RANGES];
	unsigned int nr;
};

static struct ffa_case ffa;

static struct arm_smccc_1_2_regs ffa_call(u64 fid, u64 a1, u64 a2, u64 a3, u64 a4)
{
	struct arm_smccc_1_2_regs args = { fid, a1, a2, a3, a4 }, res;

	arm_smccc_1_2_smc(&args, &res);
	return res;
}

/* The result of an FF-A call: 0, or the error. */
static int ffa_result(struct arm_smccc_1_2_regs res)
{
	return res.a0 == FFA_ERROR ? (int)res.a2 : 0;
}

/* Send a request to the trusted application. Set @ret to its error or 0. */
static u64 ta(u64 what, u64 a4, u64 a5, u64 a6, int *ret)
{
	struct arm_smccc_1_2_regs args = {
		FFA_FN64_MSG_SEND_DIRECT_REQ, SPMC_TA, 0, what, a4, a5, a6
	}, res;

	arm_smccc_1_2_smc(&args, &res);
	*ret = res.a0 == FFA_FN64_MSG_SEND_DIRECT_RESP ? (int)res.a3 : -EIO;
	return res.a4;
}

static u64 ta_count(struct kunit *test, u64 what)
{
	int ret;
	u64 count = ta(what, 0, 0, 0, &ret);

	KUNIT_ASSERT_EQ(test, ret, 0);
	return count;
}

static void ta_refuse(struct kunit *test, u64 fid, int error)
{
	int ret;

	ta(SPMC_TA_REFUSE, ARM_SMCCC_FUNC_NUM(fid), error, 0, &ret);
	KUNIT_ASSERT_EQ(test, ret, 0);
}

/* Check that the trusted application reads the same value from a page as the host. */
static bool ta_reads(struct kunit *test, u64 handle, unsigned int nr, struct page *page)
{
	int ret;
	u64 value = ta(SPMC_TA_READ, handle, nr * FFA_PAGES_PER_PAGE, 0, &ret);

	return !ret && value == *(u64 *)page_address(page);
}

static int rxtx_map(struct page *tx, struct page *rx)
{
	return ffa_result(ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx), page_to_phys(rx),
				   FFA_PAGES_PER_PAGE, 0));
}

static int rxtx_unmap(void)
{
	return ffa_result(ffa_call(FFA_RXTX_UNMAP, 0, 0, 0, 0));
}

static void start(struct kunit *test)
{
	ffa.tx = el2_page(test);
	ffa.rx = el2_page(test);
	KUNIT_ASSERT_EQ(test, rxtx_map(ffa.tx, ffa.rx), 0);
}

static void region_add(u64 address, u32 nr_ffa_pages)
{
	ffa.range[ffa.nr++] = (struct ffa_mem_region_addr_range) {
		.address = address,
		.pg_cnt = nr_ffa_pages,
	};
}

static void region_add_page(struct page *page)
{
	region_add(page_to_phys(page), FFA_PAGES_PER_PAGE);
}

static u32 region_len(void)
{
	return RANGES_OFF + ffa.nr * sizeof(ffa.range[0]);
}

/* Write the description of the region, with or without its ranges. */
static void write_region(bool ranges)
{
	struct ffa_mem_region *mem = page_address(ffa.tx);
	struct ffa_mem_region_attributes *access = (void *)mem + ACCESS_OFF;
	struct ffa_composite_mem_region *reg = (void *)mem + COMPOSITE_OFF;
	unsigned int i;

	memset(mem, 0, RANGES_OFF);
	mem->attributes = FFA_MEM_NORMAL | FFA_MEM_WRITE_BACK | FFA_MEM_INNER_SHAREABLE;
	mem->ep_mem_size = 16;
	mem->ep_count = 1;
	mem->ep_mem_offset = ACCESS_OFF;
	access->receiver = SPMC_TA;
	access->attrs = FFA_MEM_RW;
	access->composite_off = COMPOSITE_OFF;
	reg->addr_range_cnt = ffa.nr;
	for (i = 0; i < ffa.nr; i++)
		reg->total_pg_cnt += ffa.range[i].pg_cnt;
	if (ranges)
		memcpy(reg->constituents, ffa.range, ffa.nr * sizeof(ffa.range[0]));
}

/* Make the MEM_SHARE call with the description in ffa.tx. */
static struct arm_smccc_1_2_regs send(u32 len, u32 fraglen)
{
	return ffa_call(FFA_FN64_MEM_SHARE, len, fraglen, 0, 0);
}

/* Make the MEM_SHARE call, and return its result. */
static noinline int send_result(u32 len, u32 fraglen)
{
	return ffa_result(send(len, fraglen));
}

/* Share the region in one piece. Return its handle, or 0 with the error in @ret. */
static u64 share(int *ret)
{
	struct arm_smccc_1_2_regs res;

	write_region(true);
	res = send(region_len(), region_len());
	*ret = ffa_result(res);
	ffa.nr = 0;
	return *ret ? 0 : PACK_HANDLE(res.a2, res.a3);
}

/* Begin to share the region, with the ranges before @nr. Return its handle. */
static u64 share_begin(struct kunit *test, unsigned int nr)
{
	u32 fraglen = RANGES_OFF + nr * sizeof(ffa.range[0]);
	struct arm_smccc_1_2_regs res;

	write_region(true);
	res = send(region_len(), fraglen);
	KUNIT_ASSERT_EQ(test, res.a0, FFA_MEM_FRAG_RX);
	KUNIT_ASSERT_EQ(test, res.a3, fraglen);
	return PACK_HANDLE(res.a1, res.a2);
}

/* Send the ranges @first to @end - 1 in the next fragment. */
static struct arm_smccc_1_2_regs share_go_on(u64 handle, unsigned int first, unsigned int end)
{
	u32 fraglen = (end - first) * sizeof(ffa.range[0]);

	memcpy(page_address(ffa.tx), &ffa.range[first], fraglen);
	return ffa_call(FFA_MEM_FRAG_TX, lower_32_bits(handle), upper_32_bits(handle), fraglen, 0);
}

static int reclaim(u64 handle)
{
	return ffa_result(ffa_call(FFA_MEM_RECLAIM, lower_32_bits(handle), upper_32_bits(handle),
				   0, 0));
}

/* Expect EL2 to refuse a region without a call to the SPMC and without a change of a page. */
static void expect_refused(struct kunit *test, int error)
{
	u64 calls = ta_count(test, SPMC_TA_CALLS);
	int ret;

	share(&ret);
	KUNIT_EXPECT_EQ(test, ret, error);
	KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_CALLS), calls);
}

/* Rule: the application can access a shared page, no guest can get it, the host can reclaim it. */
static void share_and_reclaim(struct kunit *test)
{
	struct page *page[2] = { el2_page(test), el2_page(test) };
	struct el2_vm *vm = el2_vm_create(test, 1);
	u64 handle;
	int ret;

	start(test);
	region_add_page(page[0]);
	region_add_page(page[1]);
	handle = share(&ret);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_TRUE(test, ta_reads(test, handle, 0, page[0]));
	ta(SPMC_TA_WRITE, handle, FFA_PAGES_PER_PAGE, 4711, &ret);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, *(u64 *)page_address(page[1]), 4711);

	KUNIT_EXPECT_EQ(test, el2_unshare(page[0]), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_share(page[0]), -EPERM);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_donate(vm, 0, page[0], 0), -EPERM);
	el2_put();
	region_add_page(page[0]);
	expect_refused(test, FFA_RET_DENIED);

	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);
	KUNIT_EXPECT_NE(test, reclaim(handle), 0);
	el2_expect_owned(test, page[0]);
	el2_expect_owned(test, page[1]);
	KUNIT_EXPECT_FALSE(test, ta_reads(test, handle, 0, page[0]));
}

/* Rule (R1): a page is shared with the secure world or in a window: the second of the two fails. */
static void share_window(struct kunit *test)
{
	struct page *page = el2_page(test);
	struct el2_guest *g = el2_guest_boot(test);
	u64 gfn = EL2_TEST_GFN, handle;
	int ret;

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g,
					    ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID, 0,
					    0, 0), 0);
	el2_guest_hvc_tables(test, g, ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID,
			     gfn << PAGE_SHIFT, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);

	start(test);
	region_add_page(page);
	handle = share(&ret);
	KUNIT_ASSERT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(page), gfn, 1,
					   KVM_PGTABLE_PROT_RW), -EPERM);
	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);

	KUNIT_ASSERT_EQ(test, el2_np_share(test, g->vm, page_to_pfn(page), gfn, 1,
					   KVM_PGTABLE_PROT_RW), 0);
	region_add_page(page);
	expect_refused(test, FFA_RET_DENIED);
	el2_put();
	el2_take_all(test, g->vm);
	el2_expect_owned(test, page);
}

/* Rule (R2): EL2 refuses to share a guest's page, its own pages, and what is not memory. */
static void share_foreign_pages(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *page[3] = { el2_page(test), el2_page(test), el2_page(test) };
	u64 hyp_vm = virt_to_phys(vm->hyp_vm);
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	start(test);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(vm, 0, page[1], 0), 0);
	el2_put();

	/* The guest's page is in the middle: the host keeps the pages before it. */
	for (i = 0; i < ARRAY_SIZE(page); i++)
		region_add_page(page[i]);
	expect_refused(test, FFA_RET_DENIED);
	el2_expect_owned(test, page[0]);
	el2_expect_lost(test, page[1]);
	el2_expect_owned(test, page[2]);

	region_add(hyp_vm, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_DENIED);
	region_add(page_to_phys(ffa.tx), FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_DENIED);
	/* A device of QEMU's virt machine, then an address beyond the physical address space. */
	region_add(0x09000000, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_DENIED);
	region_add(BIT_ULL(52) - PAGE_SIZE, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_DENIED);
	region_add(-PAGE_SIZE, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_DENIED);
}

/* Rule (R1): a region has whole pages, so that EL2 checks every page in it. */
static void partial_pages(struct kunit *test)
{
	u64 calls;
	struct page *page = alloc_pages(GFP_KERNEL, 1);

	KUNIT_ASSERT_NOT_NULL(test, page);
	start(test);
	calls = ta_count(test, SPMC_TA_CALLS);
	region_add(page_to_phys(page) + SZ_2K, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_INVALID_PARAMETERS);
	region_add(page_to_phys(page) + PAGE_SIZE - 16, FFA_PAGES_PER_PAGE);
	expect_refused(test, FFA_RET_INVALID_PARAMETERS);
	if (FFA_PAGES_PER_PAGE > 1) {
		region_add(page_to_phys(page) + FFA_PAGE_SIZE, FFA_PAGES_PER_PAGE);
		expect_refused(test, FFA_RET_INVALID_PARAMETERS);
		region_add(page_to_phys(page), 1);
		expect_refused(test, FFA_RET_INVALID_PARAMETERS);
	}
	region_add(page_to_phys(page), 0);
	expect_refused(test, FFA_RET_INVALID_PARAMETERS);
	KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_CALLS), calls);
	el2_expect_owned(test, page);
	el2_expect_owned(test, page + 1);
	__free_pages(page, 1);
}

/* Rule (R6): EL2 refuses regions that are too large for a bounded call. */
static void large_regions(struct kunit *test)
{
	struct page *block[17];
	unsigned int i, nr;
	u64 handle;
	int ret;

	/* EL2 refuses this size, whoever owns the pages. */
	start(test);
	region_add(0x40000000, U32_MAX & ~(FFA_PAGES_PER_PAGE - 1));
	expect_refused(test, FFA_RET_NO_MEMORY);

	for (nr = 0; nr < ARRAY_SIZE(block); nr++) {
		block[nr] = alloc_pages(GFP_KERNEL | __GFP_NOWARN, BIG_ORDER);
		if (!block[nr])
			break;
	}
	if (nr < ARRAY_SIZE(block)) {
		while (nr)
			__free_pages(block[--nr], BIG_ORDER);
		kunit_skip(test, "not enough memory in large blocks");
	}

	for (i = 0; i < nr; i++)
		region_add(page_to_phys(block[i]), SZ_4M / FFA_PAGE_SIZE);
	expect_refused(test, FFA_RET_NO_MEMORY);
	for (i = 0; i < nr - 1; i++)
		region_add(page_to_phys(block[i]), SZ_4M / FFA_PAGE_SIZE);
	handle = share(&ret);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);

	while (nr) {
		nr--;
		el2_expect_owned(test, block[nr]);
		__free_pages(block[nr], BIG_ORDER);
	}
}

/* Rule: the host can share a region in fragments, and reclaim all of it. */
static void fragments(struct kunit *test)
{
	struct arm_smccc_1_2_regs res;
	struct page *page[4];
	unsigned int i;
	u64 handle;

	start(test);
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		page[i] = el2_page(test);
		region_add_page(page[i]);
	}
	handle = share_begin(test, 1);
	res = share_go_on(handle, 1, 3);
	KUNIT_EXPECT_EQ(test, res.a0, FFA_MEM_FRAG_RX);
	res = share_go_on(handle, 3, 4);
	KUNIT_EXPECT_EQ(test, res.a0, FFA_SUCCESS);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		KUNIT_EXPECT_TRUE(test, ta_reads(test, handle, i, page[i]));

	/* The region is complete, so EL2 refuses another fragment. */
	res = share_go_on(handle, 3, 4);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		el2_expect_owned(test, page[i]);
}

/* Rule (R4): a bad fragment ends only the transfer that it belongs to, whatever handle it has. */
static void fragment_of_another(struct kunit *test)
{
	struct page *mine = el2_page(test), *sent = el2_page(test);
	struct arm_smccc_1_2_regs res;
	u64 handle, calls;
	int ret;

	start(test);
	region_add_page(sent);
	handle = share(&ret);
	KUNIT_ASSERT_EQ(test, ret, 0);

	/* EL2 refuses a range that is shared with EL2, and then takes a valid one. */
	calls = ta_count(test, SPMC_TA_CALLS);
	KUNIT_ASSERT_EQ(test, el2_share(mine), 0);
	region_add_page(mine);
	res = share_go_on(handle, 0, 1);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	KUNIT_EXPECT_EQ(test, el2_unshare(mine), 0);
	res = share_go_on(handle, 0, 1);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	ffa.nr = 0;
	KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_CALLS), calls);
	KUNIT_EXPECT_TRUE(test, ta_reads(test, handle, 0, sent));
	el2_expect_owned(test, mine);

	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);
	el2_expect_owned(test, sent);
}

/* Rule (R7): a transfer that fails at any fragment leaves no page shared, whoever refused it. */
static void failing_fragments(struct kunit *test)
{
	struct arm_smccc_1_2_regs res;
	struct page *page[3];
	unsigned int i, who;
	u64 handle;

	start(test);
	for (i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = el2_page(test);

	for (who = 0; who < 3; who++) {
		for (i = 0; i < ARRAY_SIZE(page); i++)
			region_add_page(page[i]);
		handle = share_begin(test, 1);
		res = share_go_on(handle, 1, 2);
		KUNIT_EXPECT_EQ(test, res.a0, FFA_MEM_FRAG_RX);
		switch (who) {
		case 0:	/* EL2 */
			ffa.range[2] = ffa.range[0];
			res = share_go_on(handle, 2, 3);
			KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_DENIED);
			break;
		case 1:	/* the SPMC */
			ta_refuse(test, FFA_MEM_FRAG_TX, FFA_RET_NO_MEMORY);
			res = share_go_on(handle, 2, 3);
			KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_NO_MEMORY);
			break;
		case 2:	/* the host itself */
			KUNIT_EXPECT_EQ(test, reclaim(handle), 0);
			break;
		}
		ffa.nr = 0;
		for (i = 0; i < ARRAY_SIZE(page); i++)
			el2_expect_owned(test, page[i]);
		KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_REGIONS), 0);
		KUNIT_EXPECT_NE(test, reclaim(handle), 0);
	}
}

/* Rule: EL2 keeps one open transfer in fragments, and other calls do not disturb it. */
static void open_transfer(struct kunit *test)
{
	struct page *page[3] = { el2_page(test), el2_page(test), el2_page(test) };
	struct arm_smccc_1_2_regs res;
	u64 handle, other;
	int ret;

	start(test);
	region_add_page(page[0]);
	region_add_page(page[1]);
	handle = share_begin(test, 1);

	/* EL2 refuses a second transfer in fragments, and takes one in one piece. */
	ffa.nr = 0;
	region_add_page(page[2]);
	region_add_page(page[2]);
	write_region(true);
	res = send(region_len(), region_len() - sizeof(ffa.range[0]));
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_BUSY);
	ffa.nr = 0;
	region_add_page(page[2]);
	other = share(&ret);
	KUNIT_EXPECT_EQ(test, ret, 0);

	/* EL2 refuses more ranges or pages than were announced, and then takes the right one. */
	region_add_page(page[1]);
	region_add_page(page[1]);
	res = share_go_on(handle, 0, 2);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	ffa.range[0].pg_cnt *= 2;
	res = share_go_on(handle, 0, 1);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	res = share_go_on(handle, 0, 0);
	KUNIT_EXPECT_EQ(test, ffa_result(res), FFA_RET_INVALID_PARAMETERS);
	res = share_go_on(handle, 1, 2);
	KUNIT_EXPECT_EQ(test, res.a0, FFA_SUCCESS);
	ffa.nr = 0;

	KUNIT_EXPECT_TRUE(test, ta_reads(test, handle, 1, page[1]));
	KUNIT_EXPECT_TRUE(test, ta_reads(test, other, 0, page[2]));
	KUNIT_EXPECT_EQ(test, reclaim(handle), 0);
	KUNIT_EXPECT_EQ(test, reclaim(other), 0);
}

/* Rule (R5): EL2 follows no offset that leads out of the description. */
static void bad_offsets(struct kunit *test)
{
	struct page *page = el2_page(test);
	struct ffa_mem_region *mem;
	struct ffa_mem_region_attributes *access;
	static const u32 offsets[] = {
		0, 8, SZ_4K - 8, SZ_4K, SZ_64K, SZ_1G, U32_MAX - 16, U32_MAX - 15, U32_MAX,
	};
	u64 calls;
	unsigned int i;
	u32 len;

	start(test);
	mem = page_address(ffa.tx);
	access = (void *)mem + ACCESS_OFF;
	region_add_page(page);
	len = region_len();
	calls = ta_count(test, SPMC_TA_CALLS);

	for (i = 0; i < ARRAY_SIZE(offsets); i++) {
		write_region(true);
		mem->ep_mem_offset = offsets[i];
		KUNIT_EXPECT_NE_MSG(test, send_result(len, len), 0, "access at 0x%x",
				    offsets[i]);
		write_region(true);
		access->composite_off = offsets[i];
		KUNIT_EXPECT_NE_MSG(test, send_result(len, len), 0, "ranges at 0x%x",
				    offsets[i]);
	}

	ffa.nr = 0;
	KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_CALLS), calls);
	el2_expect_owned(test, page);
}

/* Rule (R5): EL2 checks the lengths and counts of a description. */
static void bad_counts(struct kunit *test)
{
	struct page *page = el2_page(test);
	struct ffa_composite_mem_region *reg;
	struct ffa_mem_region *mem;
	u64 calls;
	u32 len;

	start(test);
	mem = page_address(ffa.tx);
	reg = (void *)mem + COMPOSITE_OFF;
	region_add_page(page);
	len = region_len();
	calls = ta_count(test, SPMC_TA_CALLS);

	/* The count does not match the room for ranges. */
	write_region(true);
	reg->addr_range_cnt = 0;
	KUNIT_EXPECT_EQ(test, send_result(len, len), FFA_RET_INVALID_PARAMETERS);
	reg->addr_range_cnt = 2;
	KUNIT_EXPECT_EQ(test, send_result(len, len), FFA_RET_INVALID_PARAMETERS);
	reg->addr_range_cnt = BIT(28) + 1;
	KUNIT_EXPECT_EQ(test, send_result(len, len), FFA_RET_INVALID_PARAMETERS);
	/* The ranges have more pages than the description announced. */
	write_region(true);
	reg->total_pg_cnt = 0;
	KUNIT_EXPECT_EQ(test, send_result(len, len), FFA_RET_INVALID_PARAMETERS);

	write_region(true);
	KUNIT_EXPECT_NE(test, send_result(len, len + 16), 0);
	KUNIT_EXPECT_NE(test, send_result(len, 0), 0);
	KUNIT_EXPECT_NE(test, send_result(len, len - 4), 0);
	KUNIT_EXPECT_NE(test, send_result(SZ_1G, SZ_1G), 0);
	KUNIT_EXPECT_NE(test, send_result(U32_MAX, U32_MAX), 0);
	mem->sender_id = 1;
	KUNIT_EXPECT_NE(test, send_result(len, len), 0);
	mem->sender_id = 0;
	mem->ep_count = 2;
	KUNIT_EXPECT_NE(test, send_result(len, len), 0);

	ffa.nr = 0;
	KUNIT_EXPECT_EQ(test, ta_count(test, SPMC_TA_CALLS), calls);
	el2_expect_owned(test, page);
}

/* Rule (R5): EL2 unmaps a buffer that it has also pinned otherwise. The page stays shared. */
static void unmap_pinned(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *rx = el2_page(test);
	struct page *tx = virt_to_page(vm->vcpu[0]);

	/* The buffer is the page of the host's vCPU structure, which EL2 has pinned. */
	KUNIT_ASSERT_EQ(test, el2_unshare(tx), 0);
	KUNIT_ASSERT_EQ(test, rxtx_map(tx, rx), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, rxtx_unmap(), 0);
	KUNIT_EXPECT_NE(test, rxtx_unmap(), 0);
	el2_expect_owned(test, rx);
	KUNIT_EXPECT_EQ(test, el2_unshare(tx), -EBUSY);

	/* Then the same with the buffer for answers. */
	tx = rx;
	rx = virt_to_page(vm->kvm);
	KUNIT_EXPECT_NE(test, rxtx_map(tx, rx), 0);
	el2_expect_owned(test, tx);
	el2_vm_destroy(test, vm);
}

/* Rule (R5): EL2 refuses invalid buffers, and leaves no page shared. */
static void bad_buffers(struct kunit *test)
{
	struct page *tx = el2_page(test), *rx = el2_page(test);

	KUNIT_EXPECT_NE(test, rxtx_map(tx, tx), 0);
	KUNIT_EXPECT_NE(test, ffa_result(ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx) + 16,
						  page_to_phys(rx), FFA_PAGES_PER_PAGE, 0)), 0);
	KUNIT_EXPECT_NE(test, ffa_result(ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx),
						  0x09000000, FFA_PAGES_PER_PAGE, 0)), 0);
	KUNIT_EXPECT_NE(test, ffa_result(ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx),
						  page_to_phys(rx), 0, 0)), 0);
	KUNIT_EXPECT_NE(test, ffa_result(ffa_call(FFA_RXTX_UNMAP, 1, 0, 0, 0)), 0);
	KUNIT_EXPECT_EQ(test, rxtx_map(tx, rx), 0);
	KUNIT_EXPECT_NE(test, rxtx_map(tx, rx), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(tx), -EBUSY);
	KUNIT_EXPECT_EQ(test, rxtx_unmap(), 0);
	el2_expect_owned(test, tx);
	el2_expect_owned(test, rx);
}

/* Rule: EL2 does not forward calls that it cannot track. */
static void calls_not_forwarded(struct kunit *test)
{
	static const u32 fids[] = {
		FFA_MEM_DONATE, FFA_FN64_MEM_DONATE, FFA_MEM_RETRIEVE_REQ,
		FFA_FN64_MEM_RETRIEVE_REQ, FFA_MEM_RELINQUISH, FFA_MEM_FRAG_RX,
		FFA_RXTX_MAP, FFA_MEM_OP_PAUSE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fids); i++)
		KUNIT_EXPECT_EQ_MSG(test, ffa_result(ffa_call(fids[i], 0, 0, 0, 0)),
				    FFA_RET_NOT_SUPPORTED, "call 0x%x", fids[i]);
	start(test);
	KUNIT_EXPECT_NE(test, reclaim(0), 0);
	KUNIT_EXPECT_NE(test, reclaim(U64_MAX), 0);
}

/* Skip the test case without an SPMC. */
static int el2_ffa_init(struct kunit *test)
{
	int ret = el2_fixture_init(test);

	if (ret)
		return ret;

	if ((int)ffa_call(FFA_VERSION, FFA_VERSION_1_1, 0, 0, 0).a0 < 0)
		kunit_skip(test, "the firmware of this machine has no FF-A");

	memset(&ffa, 0, sizeof(ffa));
	return 0;
}

static void el2_ffa_exit(struct kunit *test)
{
	if (ffa.tx)
		KUNIT_EXPECT_EQ(test, rxtx_unmap(), 0);
	el2_fixture_exit(test);
}

static struct kunit_case el2_ffa_cases[] = {
	KUNIT_CASE(share_and_reclaim),
	KUNIT_CASE(share_window),
	KUNIT_CASE(share_foreign_pages),
	KUNIT_CASE(partial_pages),
	KUNIT_CASE(large_regions),
	KUNIT_CASE(fragments),
	KUNIT_CASE(fragment_of_another),
	KUNIT_CASE(failing_fragments),
	KUNIT_CASE(open_transfer),
	KUNIT_CASE(bad_offsets),
	KUNIT_CASE(bad_counts),
	KUNIT_CASE(unmap_pinned),
	KUNIT_CASE(bad_buffers),
	KUNIT_CASE(calls_not_forwarded),
	{}
};

static struct kunit_suite el2_ffa_suite = {
	.name		= "pkvm_el2_ffa",
	.init		= el2_ffa_init,
	.exit		= el2_ffa_exit,
	.test_cases	= el2_ffa_cases,
};

kunit_test_suite(el2_ffa_suite);
