/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool of memory that the firmware shares with the host: every buffer and
 * ring that a device touches comes from here. A back end fills it.
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
 * struct shared_pool - The pool.
 * @free: what of the shared memory is not in use; its arena is that of the heap
 * @sharer: the back end
 * @tree: records of @free, in private memory
 */
struct shared_pool {
	struct buddy free;
	struct sharer sharer;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

/**
 * shared_init() - Make an empty pool.
 * @pool: the pool
 * @hyp: as filled in by hyp_discover()
 * @heap: private memory, of an arena of FW_SCRATCH_SIZE
 *
 * Return: FW_OK, or the error of sharer_init() or buddy_init().
 */
enum fw_status shared_init(struct shared_pool *pool, struct hyp *hyp, struct buddy *heap);

/**
 * alloc_shared() - Allocate memory that the host sees.
 * @pool: the pool
 * @size: bytes; the block is aligned to @size rounded up to a power of two
 * @block: where its address goes
 *
 * Return: FW_OK; FW_ERANGE if @size is 0 or larger than the arena; or the error
 * of sharer_take().
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
 * Return: FW_OK if the host sees nothing any more, else the error of
 * sharer_end().
 */
enum fw_status shared_end(struct shared_pool *pool);

/**
 * copy_from_shared() - Copy out of pool memory, reading each byte once.
 * @dst: private memory
 * @src: pool memory
 * @len: bytes
 */
void copy_from_shared(void *dst, const void *src, size_t len);

#endif
