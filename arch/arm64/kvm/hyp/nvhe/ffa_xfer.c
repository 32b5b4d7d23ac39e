// SPDX-License-Identifier: GPL-2.0-only
/*
 * What EL2 demands of a memory region that the host sends to the secure world by
 * FF-A, and what it remembers of one that comes in fragments.
 *
 * R1: only whole pages are sent; the next owner of a page is not sent along.
 * R6: a region has FFA_XFER_MAX_PAGES at most, so that no call works for long.
 * R7: EL2 knows every range of a transfer that is not complete. When the transfer
 *     fails, at whatever fragment, all of its pages are the host's alone again.
 *
 * One transfer at a time may be incomplete: the host has one buffer to send from.
 * Everything here is under the lock of the host's buffers.
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
 * @handle:	The SPMC's name for it.
 * @open:	Whether there is one.
 * @len:	Bytes of its description.
 * @filled:	Bytes that have come.
 * @nr_pages:	FF-A pages that may still come.
 * @nr_ranges:	Ranges that have come, in @ranges.
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
 * ffa_xfer_init() - Give the bookkeeping its memory
 * @buf: pages of EL2.
 * @len: their size in bytes; no description of a region is longer.
 */
void ffa_xfer_init(void *buf, size_t len)
{
	xfer.ranges = buf;
}

/**
 * ffa_xfer_range_valid() - Is a range made of whole pages of the kernel?
 * @range: the range, in FF-A's pages, which may be smaller.
 *
 * Return: true if so.
 */
bool ffa_xfer_range_valid(const struct ffa_mem_region_addr_range *range)
{
	return range->pg_cnt && PAGE_ALIGNED(range->address | (u64)range->pg_cnt * FFA_PAGE_SIZE);
}

/* Whether all ranges are valid, and have @max_pages together at most. */
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
 * @fraglen: bytes that are there, at most @len, with room for a struct ffa_mem_region
 *	     and a struct ffa_mem_region_attributes.
 * @version: the version of FF-A that the host speaks.
 *
 * What the SPMC will find is exactly what is checked here: one receiver, at the offset
 * that the description names, and as many ranges as there is room for.
 *
 * Return: 0; FFA_RET_INVALID_PARAMETERS if the description makes no sense;
 * FFA_RET_NO_MEMORY if the region is larger than a call may deal with;
 * FFA_RET_BUSY if it comes in fragments while another one does.
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

/* Remember ranges that have been checked. They need less room than the description. */
static void add_ranges(const struct ffa_mem_region_addr_range *ranges, u32 fraglen)
{
	u32 nr_ranges = fraglen / sizeof(*ranges);

	memcpy(xfer.ranges + xfer.nr_ranges, ranges, fraglen);
	xfer.nr_ranges += nr_ranges;
	xfer.nr_pages -= count_pages(ranges, nr_ranges);
	xfer.filled += fraglen;
}

/**
 * ffa_xfer_open() - Remember the first fragment of a transfer
 * @handle: the SPMC's name for it.
 * @buf: EL2's copy of the description, which ffa_xfer_check_first() has checked.
 * @len: bytes of the whole description.
 * @fraglen: bytes that are there, less than @len.
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
 * @handle: the transfer that the host says it belongs to.
 * @ranges: EL2's copy of the fragment.
 * @fraglen: its size in bytes, a multiple of that of a range.
 *
 * Return: 0; FFA_RET_INVALID_PARAMETERS if it does not belong to the transfer that is
 * open, or brings more than that has room for.
 */
int ffa_xfer_check_next(u64 handle, const struct ffa_mem_region_addr_range *ranges, u32 fraglen)
{
	if (!ffa_xfer_is_open(handle) || !fraglen || fraglen > xfer.len - xfer.filled)
		return FFA_RET_INVALID_PARAMETERS;

	return check_ranges(ranges, fraglen / sizeof(*ranges), xfer.nr_pages);
}

/**
 * ffa_xfer_is_open() - Is this the transfer that is not complete?
 * @handle: its name.
 *
 * Return: true if so.
 */
bool ffa_xfer_is_open(u64 handle)
{
	return xfer.open && xfer.handle == handle;
}

/* The open transfer has come to nothing: its pages are the host's alone again. */
static void unshare_ranges(void)
{
	WARN_ON(ffa_host_unshare_ranges(xfer.ranges, xfer.nr_ranges));
	xfer.open = false;
}

/**
 * ffa_xfer_abort() - Have the SPMC drop the open transfer
 * @res: set to what the SPMC says.
 * @handle: the transfer.
 *
 * If the SPMC does not, the transfer stays open, and the host may try to reclaim it again.
 */
void ffa_xfer_abort(struct arm_smccc_res *res, u64 handle)
{
	ffa_mem_reclaim(res, HANDLE_LOW(handle), HANDLE_HIGH(handle), 0);
	if (res->a0 == FFA_SUCCESS)
		unshare_ranges();
}

/**
 * ffa_xfer_sent() - Take note of what the SPMC says of another fragment
 * @res: what it says; if that makes no sense, what it says to the transfer being dropped.
 * @handle: the open transfer.
 * @ranges: EL2's copy of the fragment, which ffa_xfer_check_next() has checked.
 * @fraglen: its size in bytes.
 *
 * Return: 0, with @res for the host; FFA_RET_ABORTED if the SPMC has not taken what it was
 * sent.
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
