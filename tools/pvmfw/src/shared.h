/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool of memory that the firmware shares with the host: every buffer and
 * ring that a device touches comes from here. What the hypervisor offers chooses
 * the back end that fills it: where memory can be shared, the dynamic sharer, on
 * a miss; else the static region that the device tree names, once. Without such a
 * region the sharer serves plain KVM, too, whose host sees all memory anyway; under
 * any other hypervisor there is no pool then.
 *
 * The host can write to pool memory at any time: read it once, by READ_ONCE()
 * or copy_from_shared(), and check the copy. Its contents survive from one use
 * to the next; who needs zeroes writes them.
 */
#ifndef PVMFW_SHARED_H
#define PVMFW_SHARED_H

#include "buddy.h"
#include "layout.h"
#include "sharer.h"

/**
 * struct shared_stats - What was asked of the pool.
 * @in_use: bytes that are allocated
 * @in_use_peak: the most that ever were
 * @per_alloc_calls: share and unshare calls, of one granule each, that it had
 *	taken to share each allocation on its own; 0 for a static pool
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
 * @free: what of the shared memory is not in use
 * @dynamic: the sharer fills it; else it is what shared_init() was given
 * @sharer: the dynamic back end
 * @stats: what was asked of it
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
 * shared_init() - Make a pool, once: one that was made before may have memory
 *	shared that only it knows of.
 * @pool: all zeroes
 * @hyp: as filled in by hyp_discover()
 * @heap: private memory, of an arena of FW_SCRATCH_SIZE
 * @base: where the host sees memory all the time, a multiple of PAGE_SIZE
 * @size: bytes of it, a multiple of PAGE_SIZE; 0 if there is none. Of a large
 *	region at most FW_SCRATCH_SIZE are used.
 *
 * Return: FW_OK; FW_EPOOL if the pool was made before, with nothing changed;
 * FW_ENOPOOL if the hypervisor cannot share, @size is 0 and the host may not see all
 * memory; or the error of sharer_init() or the allocator.
 */
enum fw_status shared_init(struct shared_pool *pool, struct hyp *hyp, struct buddy *heap,
			   uintptr_t base, size_t size);

/**
 * alloc_shared() - Allocate memory that the host sees.
 * @pool: the pool
 * @size: bytes; the block is aligned to @size rounded up to a power of two
 * @block: where its address goes
 *
 * Return: FW_OK; FW_ERANGE if @size is 0 or larger than the arena; FW_ENOMEM; or
 * the error of sharer_take().
 */
enum fw_status alloc_shared(struct shared_pool *pool, size_t size, void **block);

/**
 * dealloc_shared() - Return memory to the pool. The host goes on seeing it.
 * @pool: the pool
 * @block: from alloc_shared()
 * @size: the size that it was asked for
 *
 * Return: FW_OK, or FW_EBADFREE with nothing changed.
 */
enum fw_status dealloc_shared(struct shared_pool *pool, void *block, size_t size);

/**
 * shared_end() - Take everything back from the host, also what was never
 *	deallocated.
 * @pool: the pool; empty afterwards. One that is all zeroes never was made, and
 *	has nothing to end.
 *
 * The caller has made sure that no device uses it any more.
 *
 * Return: FW_OK if the host sees nothing any more that was private, else the
 * error of sharer_end().
 */
enum fw_status shared_end(struct shared_pool *pool);

/**
 * shared_check_none() - Prove from the records that nothing is shared.
 * @pool: the pool, after shared_end()
 * @hyp: the hypervisor, whose record of calls is independent of the pool's
 *
 * Return: FW_OK, or FW_ESHARED.
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
