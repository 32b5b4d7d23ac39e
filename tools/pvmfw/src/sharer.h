/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dynamic sharer: turns private memory of the heap into memory shared with
 * the host, keeps a record of every granule it shared, and takes all of it back
 * at the end.
 *
 * Invariant: a byte is in the heap's hands only while the host does not see it.
 * What cannot be unshared is leaked: it stays in the record and never goes back
 * to the heap.
 *
 * In a VM whose memory the host sees anyway it does the same without the calls.
 */
#ifndef PVMFW_SHARER_H
#define PVMFW_SHARER_H

#include "buddy.h"
#include "hyp.h"
#include "layout.h"

/*
 * Each region is at least a page of the scratch memory, so the record can never
 * overflow.
 */
#define SHARER_MAX_REGIONS (FW_SCRATCH_SIZE / PAGE_SIZE)

/**
 * struct sharer_region - A region of the heap that was handed out.
 * @base: its address
 * @size: its size in bytes
 * @shared: granules of it that the host sees: from @base on, or anywhere in it
 *	once @leaked
 * @leaked: some granule of it could not be unshared; never used or given back
 *	again
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
 * @heap: where private memory comes from
 * @visible: the host sees all memory, so that nothing is shared
 * @granule: bytes; regions are made of whole granules
 * @shared_now: granules that the host sees
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
 * sharer_init() - Make a sharer; asks for the granule, once.
 * @s: the sharer
 * @hyp: as filled in by hyp_discover(); it can share, or the host sees all memory
 * @heap: private memory
 *
 * Return: FW_OK, or FW_EHYP_GRANULE.
 */
enum fw_status sharer_init(struct sharer *s, struct hyp *hyp, struct buddy *heap);

/**
 * sharer_take() - Take a zeroed region from the heap and share it.
 * @s: the sharer
 * @size: bytes that it must hold in one naturally aligned block
 * @base: where its address goes
 * @got: where its size in bytes goes, a power of two
 *
 * Return: FW_OK; FW_ENOMEM if the heap has no such region; FW_EHYP_SHARE if it
 * cannot be shared. Then it was unshared as far as it got and is back in the
 * heap, or is leaked if that failed too.
 */
enum fw_status sharer_take(struct sharer *s, size_t size, uintptr_t *base, size_t *got);

/**
 * sharer_end() - Unshare every region, last first, and give it back to the
 *	heap.
 * @s: the sharer, which may be asked for regions again afterwards
 *
 * Goes on after an error, so that as little as possible stays shared.
 *
 * Return: FW_OK if nothing is shared any more, FW_EHYP_UNSHARE if
 * @s->shared_now granules still are.
 */
enum fw_status sharer_end(struct sharer *s);

#endif
