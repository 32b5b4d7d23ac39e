/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool of memory that the host can access: every buffer and ring that a device uses
 * comes from here. Where the hypervisor can share memory, the dynamic sharer adds a region
 * to the pool whenever an allocation finds none. Otherwise the pool is the region that the
 * device tree names. Without such a region, plain KVM uses the sharer without share calls,
 * as its host can access all memory; any other hypervisor gets no pool.
 *
 * Rule: the host can write to pool memory at any time, so each field is read once, by
 * READ_ONCE() or copy_from_shared(), and the copy is checked. Allocated memory is not
 * zeroed.
 */
#ifndef PVMFW_SHARED_H
#define PVMFW_SHARED_H

#include "buddy.h"
#include "layout.h"
#include "sharer.h"

/**
 * struct shared_stats - Counters of the pool.
 * @in_use: bytes that are allocated
 * @in_use_peak: the largest value that @in_use has had
 * @per_alloc_calls: share and unshare calls, of one granule each, that would have been
 *	needed without a pool, to share each allocation by itself; 0 for a static pool
 * @refills: regions that the sharer has added
 */
struct shared_stats {
	u64 in_use;
	u64 in_use_peak;
	u64 per_alloc_calls;
	u64 refills;
};

/**
 * struct shared_pool - The pool.
 * @free: the allocator of the pool's memory
 * @dynamic: the sharer adds memory; otherwise all of it was given to shared_init()
 * @sharer: the dynamic sharer
 * @stats: counters
 * @tree: records of @free, in private memory
 */
struct shared_pool {
	struct buddy free;
	bool dynamic;
	struct sharer sharer;
	struct shared_stats stats;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

/**
 * shared_init() - Make a pool, once: a second call would lose the records of the memory
 *	that is shared.
 * @pool: all zeroes
 * @hyp: as filled in by hyp_discover()
 * @heap: private memory, of an arena of FW_SCRATCH_SIZE
 * @base: first address of a region that the host can always access, a multiple of PAGE_SIZE
 * @size: bytes of that region, a multiple of PAGE_SIZE; 0 if there is none. At most
 *	FW_SCRATCH_SIZE of it are used.
 *
 * Return: FW_OK; FW_EPOOL if the pool was made before, when nothing has changed; FW_ENOPOOL
 * if @size is 0, the hypervisor cannot share and is not plain KVM; or the error of
 * sharer_init() or the allocator.
 */
enum fw_status shared_init(struct shared_pool *pool, struct hyp *hyp, struct buddy *heap,
			   uintptr_t base, size_t size);

/**
 * alloc_shared() - Allocate memory that the host can access.
 * @pool: the pool
 * @size: bytes; the block is aligned to @size rounded up to a power of two
 * @block: set to its address
 *
 * Return: FW_OK; FW_ERANGE if @size is 0 or larger than the arena; FW_ENOMEM; or
 * the error of sharer_take().
 */
enum fw_status alloc_shared(struct shared_pool *pool, size_t size, void **block);

/**
 * dealloc_shared() - Return memory to the pool. It stays shared.
 * @pool: the pool
 * @block: from alloc_shared()
 * @size: bytes, as given to alloc_shared()
 *
 * Return: FW_OK, or FW_EBADFREE if there is no such block, when nothing has changed.
 */
enum fw_status dealloc_shared(struct shared_pool *pool, void *block, size_t size);

/**
 * shared_end() - Unshare all memory of the pool, also what was never deallocated.
 * @pool: the pool; empty afterwards. Nothing happens if it is all zeroes.
 *
 * The caller has made sure that no device uses the memory any more.
 *
 * Return: FW_OK if all memory that was shared is private again, else the error of
 * sharer_end().
 */
enum fw_status shared_end(struct shared_pool *pool);

/**
 * shared_check_none() - Check that nothing is shared, by two independent records.
 * @pool: the pool, after shared_end()
 * @hyp: its counts of granules shared and unshared, which must be equal
 *
 * Return: FW_OK, or FW_ESHARED if either record has memory that is still shared.
 */
enum fw_status shared_check_none(const struct shared_pool *pool, const struct hyp *hyp);

/**
 * copy_from_shared() - Copy out of pool memory, reading each byte once.
 * @dst: private memory
 * @src: pool memory
 * @len: bytes
 */
void copy_from_shared(void *dst, const void *src, size_t len);

#endif
