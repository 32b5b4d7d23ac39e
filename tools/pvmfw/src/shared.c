// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pool of shared.h.
 */
#include "shared.h"

enum fw_status shared_init(struct shared_pool *pool, struct hyp *hyp, struct buddy *heap)
{
	enum fw_status status = sharer_init(&pool->sharer, hyp, heap);

	if (status != FW_OK)
		return status;
	return buddy_init(&pool->free, heap->base, heap->shift, pool->tree);
}

enum fw_status alloc_shared(struct shared_pool *pool, size_t size, void **block)
{
	enum fw_status status;
	uintptr_t base;
	size_t got;

	if (!size || size > FW_SCRATCH_SIZE)
		return FW_ERANGE;

	*block = buddy_alloc(&pool->free, size);
	if (*block)
		return FW_OK;

	status = sharer_take(&pool->sharer, size, &base, &got);
	if (status != FW_OK)
		return status;
	status = buddy_add(&pool->free, base, got);
	if (status != FW_OK)
		return status;
	*block = buddy_alloc(&pool->free, size);
	return *block ? FW_OK : FW_ENOMEM;
}

enum fw_status dealloc_shared(struct shared_pool *pool, void *block, size_t size)
{
	return buddy_free(&pool->free, block, size);
}

enum fw_status shared_end(struct shared_pool *pool)
{
	struct buddy *b = &pool->free;
	enum fw_status ended, emptied;

	if (!b->tree)
		return FW_OK;
	ended = sharer_end(&pool->sharer);
	emptied = buddy_init(b, b->base, b->shift, pool->tree);
	return ended != FW_OK ? ended : emptied;
}

void copy_from_shared(void *dst, const void *src, size_t len)
{
	const u8 *from = src;
	u8 *to = dst;

	if (is_aligned((uintptr_t)from, sizeof(u64)) && is_aligned((uintptr_t)to, sizeof(u64))) {
		for (; len >= sizeof(u64); len -= sizeof(u64)) {
			*(u64 *)to = READ_ONCE(*(const u64 *)from);
			from += sizeof(u64);
			to += sizeof(u64);
		}
	}
	for (; len; len--)
		*to++ = READ_ONCE(*from++);
}
