/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dynamic sharer: takes regions from the heap, shares them with the host, records
 * them, and unshares all of them at the end.
 *
 * Invariant: the heap hands out only memory that is not shared. A region that cannot be
 * unshared is leaked: it stays in the record and never returns to the heap.
 *
 * In a VM whose memory the host can access anyway it does the same without hypercalls.
 */
#ifndef PVMFW_SHARER_H
#define PVMFW_SHARER_H

#include "buddy.h"
#include "hyp.h"
#include "layout.h"

/* Each region is at least a page of the scratch memory, so the record cannot overflow. */
#define SHARER_MAX_REGIONS (FW_SCRATCH_SIZE / PAGE_SIZE)

/**
 * struct sharer_region - A region that was taken from the heap.
 * @base: its address
 * @size: bytes
 * @shared: granules of it that are shared: from @base on, or anywhere in it if @leaked
 * @leaked: a granule of it could not be unshared, so it is neither used nor freed
 */
struct sharer_region {
	uintptr_t base;
	size_t size;
	u64 shared;
	bool leaked;
};

/**
 * struct sharer - The sharer and its record.
 * @hyp: the hypervisor
 * @heap: the allocator of private memory
 * @visible: the host can access all memory, so that nothing needs sharing
 * @granule: bytes; regions are made of whole granules
 * @shared_now: granules that are shared
 * @shared_peak: the largest value that @shared_now has had
 * @count: entries of @region in use
 * @region: the record, oldest first
 */
struct sharer {
	struct hyp *hyp;
	struct buddy *heap;
	bool visible;
	u64 granule;
	u64 shared_now;
	u64 shared_peak;
	unsigned int count;
	struct sharer_region region[SHARER_MAX_REGIONS];
};

/**
 * sharer_init() - Make a sharer; queries the granule, once.
 * @s: the sharer
 * @hyp: as filled in by hyp_discover(). If it cannot share, the host can access all memory.
 * @heap: private memory
 *
 * Return: FW_OK, or FW_EHYP_GRANULE if the hypervisor reports no usable granule.
 */
enum fw_status sharer_init(struct sharer *s, struct hyp *hyp, struct buddy *heap);

/**
 * sharer_take() - Take a zeroed region from the heap and share it.
 * @s: the sharer
 * @size: bytes that it must hold in one naturally aligned block
 * @base: set to its address
 * @got: set to its size in bytes, a power of two
 *
 * Return: FW_OK; FW_ENOMEM if the heap has no such region; FW_EHYP_SHARE if it cannot be
 * shared: what was shared of it is unshared again and the region is freed, or is leaked if
 * unsharing fails too; FW_EBADFREE if the heap does not take it back.
 */
enum fw_status sharer_take(struct sharer *s, size_t size, uintptr_t *base, size_t *got);

/**
 * sharer_end() - Unshare every region, the newest first, and return it to the heap.
 * @s: the sharer, which can be used again afterwards
 *
 * Continues after an error, so that as little as possible stays shared.
 *
 * Return: FW_OK if nothing is shared any more; FW_EHYP_UNSHARE if @s->shared_now granules
 * still are; FW_EBADFREE if the heap does not take a region back.
 */
enum fw_status sharer_end(struct sharer *s);

#endif
