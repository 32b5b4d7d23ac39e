// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the memory regions that the host sends to the secure world by FF-A, and
 * records the ranges of a region whose description comes in several fragments.
 *
 * R1: a region consists of whole pages of the kernel. Otherwise it could reach into a
 *     page that EL2 has not checked, and that may have another owner.
 * R6: a region has at most FFA_XFER_MAX_PAGES, so that no call takes long.
 * R7: EL2 records every range of a transfer that is not complete. If the transfer fails,
 *     at any fragment, EL2 ends the sharing of all of its pages.
 *
 * Only one transfer may be incomplete: the host has only one buffer to send from. After
 * ffa_xfer_init() the lock of the host's buffers protects everything here.
 */

#include <linux/arm_ffa.h>
#include <linux/overflow.h>
#include <linux/sizes.h>

#include <asm/kvm_mmu.h>

#include <nvhe/ffa_xfer.h>

/* In FF-A's pages of 4 KiB. */
#define FFA_XFER_MAX_PAGES	(SZ_64M / FFA_PAGE_SIZE)

/*
 * struct ffa_xfer - A transfer that is not complete.
 * @handle:	The handle that the SPMC gave it.
 * @open:	Whether there is one.
 * @len:	Bytes of its description.
 * @filled:	Bytes received so far.
 * @nr_pages:	FF-A pages that the fragments to come may still have.
 * @nr_ranges:	Ranges received so far, in @ranges.
 * @ranges:	Copies that the host cannot change.
 */
static struct ffa_xfer {
	u64 handle;
	bool open;
	u32 len;
	u32 filled;
	u32 nr_pages;
	u32 nr_ranges;
	struct ffa_mem_region_addr_range *ranges;
} xfer;

/**
 * ffa_xfer_init() - Set the memory in which ranges are recorded
 * @buf: pages of EL2.
 * @len: their size in bytes; no description of a region is longer.
 */
void ffa_xfer_init(void *buf, size_t len)
{
	xfer.ranges = buf;
}

/**
 * ffa_xfer_range_valid() - Check that a range consists of whole pages of the kernel
 * @range: the range, in FF-A's pages, which may be smaller.
 *
 * Return: true if so.
 */
bool ffa_xfer_range_valid(const struct ffa_mem_region_addr_range *range)
{
	return range->pg_cnt && PAGE_ALIGNED(range->address | (u64)range->pg_cnt * FFA_PAGE_SIZE);
}

/* Check that all ranges are valid, and that together they have at most @max_pages. */
static int check_ranges(const struct ffa_mem_region_addr_range *ranges, u32 nr_ranges,
			u32 max_pages)
{
	u32 i;

	for (i = 0; i < nr_ranges; i++) {
		if (!ffa_xfer_range_valid(&ranges[i]) || ranges[i].pg_cnt > max_pages)
			return FFA_RET_INVALID_PARAMETERS;

		max_pages -= ranges[i].pg_cnt;
	}

	return 0;
}

static u32 count_pages(const struct ffa_mem_region_addr_range *ranges, u32 nr_ranges)
{
	u32 nr_pages = 0;

	while (nr_ranges)
		nr_pages += ranges[--nr_ranges].pg_cnt;

	return nr_pages;
}

/**
 * ffa_xfer_check_first() - Check a region, or the first fragment of one
 * @buf: EL2's copy of the description.
 * @len: bytes of the whole description, no more than ffa_xfer_init() was told.
 * @fraglen: bytes of this fragment, at most @len, with room for a struct ffa_mem_region
 *	     and a struct ffa_mem_region_attributes.
 * @version: the version of FF-A that the host uses.
 *
 * The SPMC finds its receiver and the ranges at the offsets that are checked here, and as
 * many ranges as the length of the description has room for.
 *
 * Return: 0; FFA_RET_INVALID_PARAMETERS if the description is malformed;
 * FFA_RET_NO_MEMORY if the region has more than FFA_XFER_MAX_PAGES;
 * FFA_RET_BUSY if it comes in fragments while another transfer is not complete.
 */
int ffa_xfer_check_first(struct ffa_mem_region *buf, u32 len, u32 fraglen, u32 version)
{
	u32 access_off = ffa_mem_desc_offset(buf, 0, version);
	struct ffa_mem_region_attributes *access;
	struct ffa_composite_mem_region *reg;
	u32 end, head, offset;

	if (check_add_overflow(access_off, ffa_emad_size_get(version), &end) || end > fraglen)
		return FFA_RET_INVALID_PARAMETERS;

	access = (void *)buf + access_off;
	offset = access->composite_off;
	if (!offset || check_add_overflow(offset, (u32)sizeof(*reg), &head) ||
	    head > fraglen || (fraglen - head) % sizeof(reg->constituents[0]))
		return FFA_RET_INVALID_PARAMETERS;

	reg = (void *)buf + offset;
	if (len - head != (u64)reg->addr_range_cnt * sizeof(reg->constituents[0]))
		return FFA_RET_INVALID_PARAMETERS;

	if (reg->total_pg_cnt > FFA_XFER_MAX_PAGES)
		return FFA_RET_NO_MEMORY;

	if (fraglen != len && xfer.open)
		return FFA_RET_BUSY;

	return check_ranges(reg->constituents, (fraglen - head) / sizeof(reg->constituents[0]),
			    reg->total_pg_cnt);
}

/* Record checked ranges. They need less room than the description that they are in. */
static void add_ranges(const struct ffa_mem_region_addr_range *ranges, u32 fraglen)
{
	u32 nr_ranges = fraglen / sizeof(*ranges);

	memcpy(xfer.ranges + xfer.nr_ranges, ranges, fraglen);
	xfer.nr_ranges += nr_ranges;
	xfer.nr_pages -= count_pages(ranges, nr_ranges);
	xfer.filled += fraglen;
}

/**
 * ffa_xfer_open() - Record the first fragment of a transfer
 * @handle: the handle that the SPMC gave it.
 * @buf: EL2's copy of the description, which ffa_xfer_check_first() has checked.
 * @len: bytes of the whole description.
 * @fraglen: bytes of this fragment, less than @len.
 * @composite_off: where the struct ffa_composite_mem_region is.
 */
void ffa_xfer_open(u64 handle, struct ffa_mem_region *buf, u32 len, u32 fraglen,
		   u32 composite_off)
{
	struct ffa_composite_mem_region *reg = (void *)buf + composite_off;
	u32 head = composite_off + sizeof(*reg);

	xfer.handle = handle;
	xfer.open = true;
	xfer.len = len;
	xfer.filled = head;
	xfer.nr_pages = reg->total_pg_cnt;
	xfer.nr_ranges = 0;
	add_ranges(reg->constituents, fraglen - head);
}

/**
 * ffa_xfer_check_next() - Check another fragment
 * @handle: the transfer to which it belongs, according to the host.
 * @ranges: EL2's copy of the fragment.
 * @fraglen: its size in bytes, a multiple of that of a range.
 *
 * Return: 0; FFA_RET_INVALID_PARAMETERS if it does not belong to the open transfer, or has
 * more bytes or pages than the description announced.
 */
int ffa_xfer_check_next(u64 handle, const struct ffa_mem_region_addr_range *ranges, u32 fraglen)
{
	if (!ffa_xfer_is_open(handle) || !fraglen || fraglen > xfer.len - xfer.filled)
		return FFA_RET_INVALID_PARAMETERS;

	return check_ranges(ranges, fraglen / sizeof(*ranges), xfer.nr_pages);
}

/**
 * ffa_xfer_is_open() - Check whether this is the transfer that is not complete
 * @handle: its handle.
 *
 * Return: true if so.
 */
bool ffa_xfer_is_open(u64 handle)
{
	return xfer.open && xfer.handle == handle;
}

/* The open transfer has failed: the host no longer shares its pages. */
static void unshare_ranges(void)
{
	WARN_ON(ffa_host_unshare_ranges(xfer.ranges, xfer.nr_ranges));
	xfer.open = false;
}

/**
 * ffa_xfer_abort() - Make the SPMC drop the open transfer
 * @res: set to the answer of the SPMC.
 * @handle: the transfer.
 *
 * If the SPMC refuses, the transfer stays open, and the host may try again to reclaim it.
 */
void ffa_xfer_abort(struct arm_smccc_res *res, u64 handle)
{
	ffa_mem_reclaim(res, HANDLE_LOW(handle), HANDLE_HIGH(handle), 0);
	if (res->a0 == FFA_SUCCESS)
		unshare_ranges();
}

/**
 * ffa_xfer_sent() - Handle the SPMC's answer to a further fragment
 * @res: the answer; if the SPMC received another number of bytes than were sent, set to its
 *	 answer to the abort.
 * @handle: the open transfer.
 * @ranges: EL2's copy of the fragment, which ffa_xfer_check_next() has checked.
 * @fraglen: its size in bytes.
 *
 * Return: 0, with @res for the host; FFA_RET_ABORTED if the SPMC received another number of
 * bytes than were sent, and the transfer was aborted.
 */
int ffa_xfer_sent(struct arm_smccc_res *res, u64 handle,
		  const struct ffa_mem_region_addr_range *ranges, u32 fraglen)
{
	add_ranges(ranges, fraglen);

	if (res->a0 == FFA_SUCCESS) {
		xfer.open = false;
	} else if (res->a0 != FFA_MEM_FRAG_RX) {
		/* The SPMC has dropped the transfer. */
		unshare_ranges();
	} else if (res->a3 != xfer.filled) {
		ffa_xfer_abort(res, handle);
		return FFA_RET_ABORTED;
	}

	return 0;
}
