// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random FF-A calls of a host, through EL2. Where the firmware has no FF-A, EL2 refuses them; where
 * it has, memory goes to the secure world and comes back. Both CPUs write to the page that
 * describes memory, also while EL2 reads it.
 */
#include <linux/arm_ffa.h>
#include <linux/arm-smccc.h>

#include "el2_ffa.h"
#include "el2_fuzz.h"

#define FFA_PAGES_PER_PAGE	(PAGE_SIZE / FFA_PAGE_SIZE)
#define MAX_RANGES		4

/* Offsets of the parts of a description. */
#define ACCESS_OFF		sizeof(struct ffa_mem_region)
#define COMPOSITE_OFF		(ACCESS_OFF + 16)
#define RANGES_OFF		(COMPOSITE_OFF + sizeof(struct ffa_composite_mem_region))

static struct arm_smccc_1_2_regs ffa_call(u64 function, u64 a1, u64 a2, u64 a3)
{
	struct arm_smccc_1_2_regs args = { function, a1, a2, a3 }, res;

	arm_smccc_1_2_smc(&args, &res);
	return res;
}

/* Write to the page for descriptions, if the host still has it. */
static void put(struct fuzz *f, unsigned int offset, u64 value)
{
	el2_write(page_address(f->tx) + offset, value);
}

static u64 word_at(const void *p, unsigned int offset)
{
	u64 value;

	memcpy(&value, p + offset, sizeof(value));
	return value;
}

/* Describe up to MAX_RANGES ranges, some of them invalid. Returns the bytes of the description. */
static u32 describe(struct fuzz_cpu *h)
{
	struct ffa_mem_region mem = {
		.attributes = FFA_MEM_NORMAL | FFA_MEM_WRITE_BACK | FFA_MEM_INNER_SHAREABLE,
		.ep_mem_size = 16,
		.ep_count = 1,
		.ep_mem_offset = ACCESS_OFF,
	};
	struct ffa_mem_region_attributes access = {
		.receiver = SPMC_TA,
		.attrs = FFA_MEM_RW,
		.composite_off = fuzz_one_in(h, 16) ? fuzz_edge(h) : COMPOSITE_OFF,
	};
	unsigned int nr = fuzz_one_in(h, 2) ? 1 : 1 + fuzz_below(h, MAX_RANGES), i;
	struct ffa_composite_mem_region composite = {
		.total_pg_cnt = fuzz_one_in(h, 16) ? fuzz_edge(h) : nr * FFA_PAGES_PER_PAGE,
		.addr_range_cnt = fuzz_one_in(h, 16) ? fuzz_edge(h) : nr,
	};

	for (i = 0; i < sizeof(mem); i += 8)
		put(h->fuzz, i, word_at(&mem, i));
	for (i = 0; i < 16; i += 8)
		put(h->fuzz, ACCESS_OFF + i, word_at(&access, i));
	for (i = 0; i < sizeof(composite); i += 8)
		put(h->fuzz, COMPOSITE_OFF + i, word_at(&composite, i));
	for (i = 0; i < nr; i++) {
		u64 address = fuzz_pfn(h) << PAGE_SHIFT;
		u64 count = fuzz_one_in(h, 16) ? (u32)fuzz_edge(h) : FFA_PAGES_PER_PAGE;

		put(h->fuzz, RANGES_OFF + 16 * i, fuzz_one_in(h, 16) ? address + 8 : address);
		put(h->fuzz, RANGES_OFF + 16 * i + 8, count);
	}
	return RANGES_OFF + nr * sizeof(struct ffa_mem_region_addr_range);
}

static void reclaim(u64 handle, u64 flags)
{
	ffa_call(FFA_MEM_RECLAIM, lower_32_bits(handle), upper_32_bits(handle), flags);
}

/*
 * Record a region's handle. It stays in the list after the region was reclaimed: handles are not
 * used twice, and whether a reclaim succeeds depends on what the other CPU does to the buffers.
 */
static void remember(struct fuzz *f, u64 handle)
{
	WRITE_ONCE(f->handle[atomic_inc_return(&f->nr_handles) - 1], handle);
}

static void share(struct fuzz_cpu *h)
{
	u32 len = describe(h);
	u32 fraglen = fuzz_one_in(h, 4) ? len - 16 : len;
	struct arm_smccc_1_2_regs res;

	if (fuzz_one_in(h, 16))
		len = fuzz_edge(h);
	res = ffa_call(fuzz_one_in(h, 8) ? FFA_MEM_LEND : FFA_FN64_MEM_SHARE, len,
		       fuzz_one_in(h, 16) ? fuzz_edge(h) : fraglen, 0);
	if (res.a0 == FFA_SUCCESS)
		remember(h->fuzz, PACK_HANDLE(res.a2, res.a3));
	else if (res.a0 == FFA_MEM_FRAG_RX)
		remember(h->fuzz, PACK_HANDLE(res.a1, res.a2));
}

/* Get a region's handle, mostly one of the last few, whose transfer may still be incomplete. */
static u64 any_region(struct fuzz_cpu *h)
{
	unsigned int nr = atomic_read(&h->fuzz->nr_handles);

	if (!nr || fuzz_one_in(h, 8))
		return fuzz_edge(h);
	return READ_ONCE(h->fuzz->handle[nr - 1 - fuzz_below(h, min(nr, 8))]);
}

static void rxtx(struct fuzz_cpu *h, struct page *tx, struct page *rx)
{
	ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx), page_to_phys(rx),
		 fuzz_one_in(h, 8) ? fuzz_edge(h) : FFA_PAGES_PER_PAGE);
}

/**
 * fuzz_step_ffa() - Make an FF-A call.
 * @h:	The host.
 */
void fuzz_step_ffa(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	u64 region = any_region(h);

	h->calls++;
	switch (fuzz_below(h, 16)) {
	case 0:
	case 1:		/* Mostly @tx, as only that page has descriptions. */
		rxtx(h, fuzz_one_in(h, 8) ? f->page[fuzz_below(h, FUZZ_PAGES)] : f->tx, f->rx);
		break;
	case 2:
		if (fuzz_one_in(h, 4))
			ffa_call(FFA_RXTX_UNMAP, fuzz_one_in(h, 2) ? fuzz_edge(h) : 0, 0, 0);
		break;
	case 3:
	case 4:
	case 5:
		put(f, 0, fuzz_pfn(h) << PAGE_SHIFT);
		put(f, 8, FFA_PAGES_PER_PAGE);
		ffa_call(FFA_MEM_FRAG_TX, lower_32_bits(region), upper_32_bits(region),
			 fuzz_one_in(h, 4) ? fuzz_edge(h) : 16);
		break;
	case 6:
	case 7:
	case 8:
	case 9:
		reclaim(region, fuzz_one_in(h, 8) ? fuzz_edge(h) : 0);
		break;
	case 10:
		ffa_call(FFA_FEATURES, FFA_FN64_MEM_SHARE, 0, 0);
		break;
	case 11:
		ffa_call(FFA_VERSION, fuzz_one_in(h, 2) ? fuzz_edge(h) : FFA_VERSION_1_0, 0, 0);
		break;
	default:
		share(h);
	}
}

static void map_buffers(struct page *tx, struct page *rx)
{
	ffa_call(FFA_FN64_RXTX_MAP, page_to_phys(tx), page_to_phys(rx), FFA_PAGES_PER_PAGE);
}

/**
 * fuzz_ffa_begin() - Set the FF-A version and the buffers for a round.
 * @f:	The round.
 */
void fuzz_ffa_begin(struct fuzz *f)
{
	/* The host's first request sets the version, and describe() uses this one. */
	ffa_call(FFA_VERSION, FFA_VERSION_1_1, 0, 0);
	map_buffers(f->tx, f->rx);
	atomic_set(&f->nr_handles, 0);
}

/**
 * fuzz_ffa_end() - Reclaim all regions that the secure world may still have.
 * @f:	The round, whose CPUs are done.
 *
 * Return: the number of regions that the secure world had in this round.
 */
unsigned int fuzz_ffa_end(struct fuzz *f)
{
	unsigned int nr = atomic_read(&f->nr_handles), i;

	/*
	 * For a reclaim, EL2 retrieves the description of the region from the secure world, which
	 * needs buffers. @tx may be part of a region by now; @rx and @spare are never part of one.
	 */
	map_buffers(f->spare, f->rx);
	for (i = 0; i < nr; i++)
		reclaim(f->handle[i], 0);
	ffa_call(FFA_RXTX_UNMAP, 0, 0, 0);
	return nr;
}
