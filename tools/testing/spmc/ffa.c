// SPDX-License-Identifier: GPL-2.0-only
/*
 * An SPMC for the non-secure state, as FF-A 1.1 (Arm DEN0077A) defines it: RX/TX buffers, and
 * memory regions that the host shares with or lends to one trusted application, also in
 * fragments, and that the hypervisor retrieves and the host reclaims.
 *
 * Rule: it refuses only what the specification requires it to refuse. Tests find what a
 * hypervisor wrongly lets through by what the trusted application can access.
 */
#include <stdalign.h>
#include <stddef.h>

#include "../../../drivers/virt/pkvm/el2_ffa.h"
#include "spmc.h"

#define FFA_FN64		0x40000000u
#define FFA_FIRST		0x84000060u
#define FFA_LAST		0x840000efu
#define FFA_ERROR		0x84000060u
#define FFA_SUCCESS		0x84000061u
#define FFA_VERSION		0x84000063u
#define FFA_FEATURES		0x84000064u
#define FFA_RX_RELEASE		0x84000065u
#define FFA_RXTX_MAP		0x84000066u
#define FFA_RXTX_UNMAP		0x84000067u
#define FFA_PARTITION_INFO_GET	0x84000068u
#define FFA_ID_GET		0x84000069u
#define FFA_MSG_DIRECT_REQ	0x8400006fu
#define FFA_MSG_DIRECT_RESP	0x84000070u
#define FFA_MEM_LEND		0x84000072u
#define FFA_MEM_SHARE		0x84000073u
#define FFA_MEM_RETRIEVE_REQ	0x84000074u
#define FFA_MEM_RETRIEVE_RESP	0x84000075u
#define FFA_MEM_RECLAIM		0x84000077u
#define FFA_MEM_FRAG_RX		0x8400007au
#define FFA_MEM_FRAG_TX		0x8400007bu

#define FFA_NOT_SUPPORTED	(-1)
#define FFA_INVALID_PARAMETERS	(-2)
#define FFA_NO_MEMORY		(-3)
#define FFA_BUSY		(-4)
#define FFA_DENIED		(-6)

#define FFA_VERSION_1_1		0x10001
#define FFA_PAGE_SIZE		4096UL
#define MAX_DESC		8192
#define MAX_REGIONS		8
#define NS_RAM			0x40000000UL

struct mem_region {
	uint16_t sender;
	uint16_t attributes;
	uint32_t flags;
	uint64_t handle;
	uint64_t tag;
	uint32_t access_size;
	uint32_t access_count;
	uint32_t access_offset;
	uint32_t reserved[3];
};

struct mem_access {
	uint16_t receiver;
	uint8_t permissions;
	uint8_t flags;
	uint32_t composite_offset;
	uint64_t reserved;
};

struct range {
	uint64_t address;
	uint32_t pages;
	uint32_t reserved;
};

struct composite {
	uint32_t pages;
	uint32_t ranges;
	uint64_t reserved;
	struct range range[];
};

struct partition {
	uint16_t id;
	uint16_t contexts;
	uint32_t properties;
	uint32_t uuid[4];
};

/* A memory region. It is whole when the SPMC has received all of its descriptor. */
struct region {
	alignas(16) uint8_t desc[MAX_DESC];
	uint64_t handle;
	uint32_t len;
	uint32_t filled;
};

static struct region regions[MAX_REGIONS];
static uint64_t last_handle, nr_calls;
static uint32_t refuse_call;
static int64_t refuse_error;
static uint8_t *tx, *rx;
static uint32_t mbox_size;
static bool rx_full;
static uint32_t lock;

static void copy(void *to, const void *from, uint32_t size)
{
	uint64_t *t = to;
	const uint64_t *f = from;

	for (; size >= 8; size -= 8)
		*t++ = *f++;
}

/* Return x0 to x4, and 0 in x5 to x7. */
static void reply(struct spmc_regs *regs, uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3,
		  uint64_t x4)
{
	regs->x[0] = x0;
	regs->x[1] = x1;
	regs->x[2] = x2;
	regs->x[3] = x3;
	regs->x[4] = x4;
	regs->x[5] = 0;
	regs->x[6] = 0;
	regs->x[7] = 0;
}

static void fail(struct spmc_regs *regs, int64_t error)
{
	reply(regs, FFA_ERROR, 0, (uint32_t)error, 0, 0);
}

static void answer(struct spmc_regs *regs, uint32_t fid, uint64_t x1, uint64_t x2, uint64_t x3)
{
	reply(regs, fid, x1, x2, x3, 0);
}

static struct region *find_region(uint64_t handle)
{
	unsigned int i;

	for (i = 0; handle && i < MAX_REGIONS; i++) {
		if (regions[i].handle == handle)
			return &regions[i];
	}

	return NULL;
}

static bool is_whole(struct region *region)
{
	return region->filled == region->len;
}

static struct composite *region_composite(struct region *region)
{
	struct mem_region *mem = (struct mem_region *)region->desc;
	struct mem_access *access = (void *)(region->desc + mem->access_offset);

	return (void *)(region->desc + access->composite_offset);
}

/* Check a descriptor up to its ranges, all of which must be in the first fragment. */
static bool head_is_valid(struct region *region)
{
	struct mem_region *mem = (struct mem_region *)region->desc;
	struct composite *composite;
	struct mem_access *access;
	uint64_t end;

	if (region->filled < sizeof(*mem) || mem->sender || mem->access_count != 1 ||
	    mem->access_size != sizeof(*access) || mem->access_offset % 16 ||
	    mem->access_offset < sizeof(*mem) ||
	    (uint64_t)mem->access_offset + sizeof(*access) > region->filled)
		return false;

	access = (void *)(region->desc + mem->access_offset);
	if (access->receiver != SPMC_TA || access->composite_offset % 16 ||
	    (uint64_t)access->composite_offset + sizeof(*composite) > region->filled)
		return false;

	composite = region_composite(region);
	end = access->composite_offset + sizeof(*composite) +
	      (uint64_t)composite->ranges * sizeof(struct range);

	return composite->ranges && end == region->len;
}

static bool overlaps(struct region *other, const struct range *range)
{
	struct composite *composite = region_composite(other);
	uint32_t i;

	for (i = 0; i < composite->ranges; i++) {
		const struct range *r = &composite->range[i];

		if (r->address < range->address + range->pages * FFA_PAGE_SIZE &&
		    range->address < r->address + r->pages * FFA_PAGE_SIZE)
			return true;
	}

	return false;
}

static bool ranges_are_valid(struct region *region)
{
	struct composite *composite = region_composite(region);
	uint64_t pages = 0;
	unsigned int j;
	uint32_t i;

	for (i = 0; i < composite->ranges; i++) {
		struct range *range = &composite->range[i];

		if (!range->pages || range->address % FFA_PAGE_SIZE || range->address < NS_RAM)
			return false;

		for (j = 0; j < MAX_REGIONS; j++) {
			if (&regions[j] != region && regions[j].handle && is_whole(&regions[j]) &&
			    overlaps(&regions[j], range))
				return false;
		}
		pages += range->pages;
	}

	return pages == composite->pages;
}

/* Append a fragment from the caller's TX buffer to a region. */
static void add_fragment(struct spmc_regs *regs, struct region *region, uint32_t len)
{
	bool first = !region->filled;

	if (!len || len % 16 || len > mbox_size || len > region->len - region->filled)
		goto refuse;

	copy(region->desc + region->filled, tx, len);
	region->filled += len;
	if (first && !head_is_valid(region))
		goto refuse;

	if (!is_whole(region)) {
		answer(regs, FFA_MEM_FRAG_RX, (uint32_t)region->handle, region->handle >> 32,
		       region->filled);
		return;
	}

	if (!ranges_are_valid(region))
		goto refuse;

	((struct mem_region *)region->desc)->handle = region->handle;
	answer(regs, FFA_SUCCESS, 0, (uint32_t)region->handle, region->handle >> 32);
	return;

refuse:
	region->handle = 0;
	fail(regs, FFA_INVALID_PARAMETERS);
}

static void mem_share(struct spmc_regs *regs)
{
	uint32_t len = regs->x[1], fragment = regs->x[2];
	struct region *region = NULL;
	unsigned int i;

	if (!tx || regs->x[3] || regs->x[4]) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	for (i = 0; i < MAX_REGIONS; i++) {
		if (!regions[i].handle)
			region = &regions[i];
	}

	if (!region || len > MAX_DESC) {
		fail(regs, FFA_NO_MEMORY);
		return;
	}

	region->handle = ++last_handle;
	region->len = len;
	region->filled = 0;
	add_fragment(regs, region, fragment);
}

static uint64_t handle_of(struct spmc_regs *regs)
{
	return (uint32_t)regs->x[1] | (uint64_t)(uint32_t)regs->x[2] << 32;
}

static void mem_frag_tx(struct spmc_regs *regs)
{
	struct region *region = find_region(handle_of(regs));

	if (!tx || !region || is_whole(region))
		fail(regs, FFA_INVALID_PARAMETERS);
	else
		add_fragment(regs, region, regs->x[3]);
}

static uint32_t send_fragment(struct region *region, uint32_t offset)
{
	uint32_t len = region->len - offset;

	if (len > mbox_size)
		len = mbox_size;
	copy(rx, region->desc + offset, len);
	rx_full = true;

	return len;
}

static void mem_retrieve(struct spmc_regs *regs)
{
	struct region *region;
	uint32_t len;

	if (!tx || regs->x[1] != sizeof(struct mem_region) || regs->x[2] != regs->x[1]) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	region = find_region(((struct mem_region *)tx)->handle);
	if (!region || !is_whole(region)) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	if (rx_full) {
		fail(regs, FFA_BUSY);
		return;
	}

	len = send_fragment(region, 0);
	answer(regs, FFA_MEM_RETRIEVE_RESP, region->len, len, 0);
}

static void mem_frag_rx(struct spmc_regs *regs)
{
	struct region *region = find_region(handle_of(regs));
	uint64_t handle = handle_of(regs);
	uint32_t offset = regs->x[3];

	if (!rx || rx_full || !region || !is_whole(region) || offset >= region->len)
		fail(regs, FFA_INVALID_PARAMETERS);
	else
		answer(regs, FFA_MEM_FRAG_TX, (uint32_t)handle, handle >> 32,
		       send_fragment(region, offset));
}

/* Reclaim a region; the sender may give up one that is not whole yet. */
static void mem_reclaim(struct spmc_regs *regs)
{
	struct region *region = find_region(handle_of(regs));

	if (!region) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	region->handle = 0;
	answer(regs, FFA_SUCCESS, 0, 0, 0);
}

static void rxtx_map(struct spmc_regs *regs)
{
	if (tx) {
		fail(regs, FFA_DENIED);
		return;
	}

	if (!regs->x[3] || (regs->x[1] | regs->x[2]) % FFA_PAGE_SIZE) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	tx = (uint8_t *)regs->x[1];
	rx = (uint8_t *)regs->x[2];
	mbox_size = regs->x[3] * FFA_PAGE_SIZE;
	rx_full = false;
	answer(regs, FFA_SUCCESS, 0, 0, 0);
}

static void rxtx_unmap(struct spmc_regs *regs)
{
	if (!tx) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	tx = NULL;
	rx = NULL;
	answer(regs, FFA_SUCCESS, 0, 0, 0);
}

static void partition_info(struct spmc_regs *regs)
{
	static const struct partition partition = { .id = SPMC_TA, .contexts = 1, .properties = 1 };

	/* The caller wants only the number of partitions. */
	if (regs->x[5] & 1) {
		answer(regs, FFA_SUCCESS, 0, 1, 0);
		return;
	}

	if (!rx || rx_full) {
		fail(regs, FFA_BUSY);
		return;
	}

	copy(rx, &partition, sizeof(partition));
	rx_full = true;
	answer(regs, FFA_SUCCESS, 0, 1, sizeof(partition));
}

static void features(struct spmc_regs *regs)
{
	switch (regs->x[1] & ~FFA_FN64) {
	case FFA_RXTX_MAP:
	case FFA_MEM_SHARE:
	case FFA_MEM_LEND:
	case FFA_MEM_RECLAIM:
	case FFA_MEM_FRAG_TX:
	case FFA_MEM_FRAG_RX:
	case FFA_MSG_DIRECT_REQ:
	case FFA_PARTITION_INFO_GET:
		answer(regs, FFA_SUCCESS, 0, 0, 0);
		break;
	default:
		fail(regs, FFA_NOT_SUPPORTED);
	}
}

/* Get page number @page of a region, as the trusted application accesses it. */
static uint64_t *ta_page(uint64_t handle, uint64_t page)
{
	struct region *region = find_region(handle);
	struct composite *composite;
	uint32_t i;

	if (!region || !is_whole(region))
		return NULL;

	composite = region_composite(region);
	for (i = 0; i < composite->ranges; i++) {
		if (page < composite->range[i].pages)
			return (void *)(composite->range[i].address + page * FFA_PAGE_SIZE);
		page -= composite->range[i].pages;
	}

	return NULL;
}

static void direct_message(struct spmc_regs *regs)
{
	uint64_t to = regs->x[1] & 0xffff, from = regs->x[1] >> 16 & 0xffff;
	uint64_t value = 0;
	uint64_t *page;
	int64_t ret = 0;
	unsigned int i;

	if (to != SPMC_TA) {
		fail(regs, FFA_INVALID_PARAMETERS);
		return;
	}

	switch (regs->x[3]) {
	case SPMC_TA_READ:
	case SPMC_TA_WRITE:
		page = ta_page(regs->x[4], regs->x[5]);
		if (!page) {
			ret = FFA_DENIED;
			break;
		}
		if (regs->x[3] == SPMC_TA_WRITE)
			*page = regs->x[6];
		value = *page;
		break;
	case SPMC_TA_CALLS:
		value = nr_calls;
		break;
	case SPMC_TA_REGIONS:
		for (i = 0; i < MAX_REGIONS; i++)
			value += !!regions[i].handle;
		break;
	case SPMC_TA_REFUSE:
		refuse_call = FFA_FIRST - 0x60 + regs->x[4];
		refuse_error = regs->x[5];
		break;
	default:
		ret = FFA_NOT_SUPPORTED;
	}

	reply(regs, FFA_MSG_DIRECT_RESP | FFA_FN64, to << 16 | from, 0, ret, value);
}

/* Fail this call if a test has requested that by SPMC_TA_REFUSE. */
static bool refused(struct spmc_regs *regs, uint32_t fid)
{
	struct region *region = find_region(handle_of(regs));

	if (fid != refuse_call)
		return false;

	/* Refusing a fragment ends the whole transfer. */
	if (fid == FFA_MEM_FRAG_TX && region && !is_whole(region))
		region->handle = 0;
	refuse_call = 0;
	fail(regs, refuse_error);

	return true;
}

/**
 * ffa_is_call() - Check whether a function id belongs to FF-A
 * @fid: the function id.
 *
 * Return: true if so.
 */
bool ffa_is_call(uint32_t fid)
{
	fid &= ~FFA_FN64;

	return fid >= FFA_FIRST && fid <= FFA_LAST;
}

/**
 * ffa_handle() - Handle an FF-A call of the non-secure state (Arm DEN0077A)
 * @regs: the caller's registers, which get the result.
 *
 * Takes the lock of the SPMC's state. An error is returned in @regs.
 */
void ffa_handle(struct spmc_regs *regs)
{
	uint32_t fid = regs->x[0] & ~FFA_FN64;

	spmc_lock(&lock);
	if (refused(regs, fid))
		goto unlock;

	switch (fid) {
	case FFA_VERSION:
		answer(regs, FFA_VERSION_1_1, 0, 0, 0);
		break;
	case FFA_ID_GET:
		answer(regs, FFA_SUCCESS, 0, 0, 0);
		break;
	case FFA_FEATURES:
		features(regs);
		break;
	case FFA_RX_RELEASE:
		rx_full = false;
		answer(regs, FFA_SUCCESS, 0, 0, 0);
		break;
	case FFA_RXTX_MAP:
		rxtx_map(regs);
		break;
	case FFA_RXTX_UNMAP:
		rxtx_unmap(regs);
		break;
	case FFA_PARTITION_INFO_GET:
		partition_info(regs);
		break;
	case FFA_MSG_DIRECT_REQ:
		direct_message(regs);
		break;
	case FFA_MEM_SHARE:
	case FFA_MEM_LEND:
		nr_calls++;
		mem_share(regs);
		break;
	case FFA_MEM_FRAG_TX:
		nr_calls++;
		mem_frag_tx(regs);
		break;
	case FFA_MEM_RECLAIM:
		nr_calls++;
		mem_reclaim(regs);
		break;
	case FFA_MEM_RETRIEVE_REQ:
		mem_retrieve(regs);
		break;
	case FFA_MEM_FRAG_RX:
		mem_frag_rx(regs);
		break;
	default:
		fail(regs, FFA_NOT_SUPPORTED);
	}

unlock:
	spmc_unlock(&lock);
}
