// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of shared memory (shared.h). Rule: its records lie in private memory.
 */
#include "shared.h"

/* Words that one iteration of copy_from_shared() copies. */
#define COPY_WORDS	8

/*
 * The allocator's arena is aligned to its size, and the region may cross arenas: use the
 * larger of its parts in the first and in the second one.
 */
static enum fw_status init_static(struct shared_pool *pool, uintptr_t base, size_t size)
{
	uintptr_t arena = align_down(base, FW_SCRATCH_SIZE), end = base + size;
	enum fw_status status;
	size_t first, next;

	first = arena + FW_SCRATCH_SIZE - base;
	if (first > size)
		first = size;
	next = size - first;
	if (next > first) {
		arena += FW_SCRATCH_SIZE;
		base = arena;
		first = end - arena < FW_SCRATCH_SIZE ? end - arena : FW_SCRATCH_SIZE;
	}
	status = buddy_init(&pool->free, arena, FW_SCRATCH_SHIFT, pool->tree);
	if (status != FW_OK)
		return status;
	return buddy_add(&pool->free, base, first);
}

enum fw_status shared_init(struct shared_pool *pool, struct hyp *hyp, struct buddy *heap,
			   uintptr_t base, size_t size)
{
	enum fw_status status;

	if (pool->free.tree)
		return FW_EPOOL;
	pool->dynamic = hyp_can_share(hyp) || (!size && hyp_sees_all(hyp));
	if (!pool->dynamic)
		return size ? init_static(pool, base, size) : FW_ENOPOOL;
	status = sharer_init(&pool->sharer, hyp, heap);
	if (status != FW_OK)
		return status;
	return buddy_init(&pool->free, heap->base, heap->shift, pool->tree);
}

/* Add a region to the pool in which a block of @size bytes fits. */
static enum fw_status refill(struct shared_pool *pool, size_t size)
{
	enum fw_status status;
	uintptr_t base;
	size_t got;

	if (!pool->dynamic)
		return FW_ENOMEM;
	status = sharer_take(&pool->sharer, size, &base, &got);
	if (status != FW_OK)
		return status;
	pool->stats.refills++;
	return buddy_add(&pool->free, base, got);
}

/* Without a pool each granule of the block would cost one call to share and one to unshare. */
static void count_alloc(struct shared_pool *pool, size_t size)
{
	struct shared_stats *stats = &pool->stats;

	stats->in_use += buddy_block_size(size);
	if (stats->in_use > stats->in_use_peak)
		stats->in_use_peak = stats->in_use;
	if (pool->dynamic && !pool->sharer.visible)
		stats->per_alloc_calls += 2 * (align_up(size, pool->sharer.granule) /
					       pool->sharer.granule);
}

enum fw_status alloc_shared(struct shared_pool *pool, size_t size, void **block)
{
	enum fw_status status;

	if (!size || size > FW_SCRATCH_SIZE)
		return FW_ERANGE;

	*block = buddy_alloc(&pool->free, size);
	if (!*block) {
		status = refill(pool, size);
		if (status != FW_OK)
			return status;
		*block = buddy_alloc(&pool->free, size);
		if (!*block)
			return FW_ENOMEM;
	}
	count_alloc(pool, size);
	return FW_OK;
}

enum fw_status dealloc_shared(struct shared_pool *pool, void *block, size_t size)
{
	enum fw_status status = buddy_free(&pool->free, block, size);

	if (status == FW_OK)
		pool->stats.in_use -= buddy_block_size(size);
	return status;
}

enum fw_status shared_end(struct shared_pool *pool)
{
	if (!pool->free.tree)
		return FW_OK;
	buddy_empty(&pool->free);
	return pool->dynamic ? sharer_end(&pool->sharer) : FW_OK;
}

enum fw_status shared_check_none(const struct shared_pool *pool, const struct hyp *hyp)
{
	const struct buddy *b = &pool->free;

	if (pool->sharer.shared_now || hyp->granules_shared != hyp->granules_unshared ||
	    b->free_bytes)
		return FW_ESHARED;
	return FW_OK;
}

/* Not memcpy(), which may read a byte twice. */
static void copy_words(u64 *to, const u64 *from)
{
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < COPY_WORDS; i++)
		to[i] = READ_ONCE(from[i]);
}

void copy_from_shared(void *dst, const void *src, size_t len)
{
	const u8 *from = src;
	u8 *to = dst;

	if (is_aligned((uintptr_t)from, sizeof(u64)) && is_aligned((uintptr_t)to, sizeof(u64))) {
		for (; len >= COPY_WORDS * sizeof(u64); len -= COPY_WORDS * sizeof(u64)) {
			copy_words((u64 *)to, (const u64 *)from);
			from += COPY_WORDS * sizeof(u64);
			to += COPY_WORDS * sizeof(u64);
		}
		for (; len >= sizeof(u64); len -= sizeof(u64)) {
			*(u64 *)to = READ_ONCE(*(const u64 *)from);
			from += sizeof(u64);
			to += sizeof(u64);
		}
	}
	for (; len; len--)
		*to++ = READ_ONCE(*from++);
}
