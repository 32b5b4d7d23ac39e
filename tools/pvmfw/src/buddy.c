// SPDX-License-Identifier: GPL-2.0-only
/*
 * The buddy allocator (buddy.h).
 *
 * A node of the tree stands for a block, its children for the two halves. A node holds the
 * order + 1 of the largest free block in it, 0 if there is none. The node of an allocated
 * block holds ALLOCATED. The nodes below that one still say "free"; no function reads
 * them before the block is freed, except was_given().
 */
#include <string.h>

#include "buddy.h"

#define ALLOCATED 0x80
#define LARGEST(v) ((u8)((v) & ~ALLOCATED))

static unsigned int top_order(const struct buddy *b)
{
	return b->shift - BUDDY_MIN_SHIFT;
}

static size_t order_size(unsigned int order)
{
	return (size_t)1 << (order + BUDDY_MIN_SHIFT);
}

/* The node of the block of @order at @offset into the arena. */
static size_t node_at(const struct buddy *b, size_t offset, unsigned int order)
{
	return ((size_t)1 << (top_order(b) - order)) + (offset >> (order + BUDDY_MIN_SHIFT));
}

/* Update the ancestors of @node, a block of @order that has changed. */
static void update_ancestors(struct buddy *b, size_t node, unsigned int order)
{
	while (node > 1) {
		u8 l = LARGEST(b->tree[node & ~(size_t)1]);
		u8 r = LARGEST(b->tree[node | 1]);

		order++;
		node >>= 1;
		if (l == order && r == order)
			b->tree[node] = (u8)(order + 1);
		else
			b->tree[node] = l > r ? l : r;
	}
}

/*
 * The largest order for which a block at @offset is aligned and no larger than @size bytes.
 */
static unsigned int fitting_order(const struct buddy *b, size_t offset, size_t size)
{
	unsigned int order = 0;

	while (order < top_order(b) && order_size(order + 1) <= size &&
	       is_aligned(offset, order_size(order + 1)))
		order++;
	return order;
}

/*
 * Whether any byte of the block of @order at @node was added before: every node of a byte
 * that was added is nonzero, also below an allocated block.
 */
static bool was_given(const struct buddy *b, size_t node, unsigned int order)
{
	size_t first = node, count = 1, i;

	for (;;) {
		for (i = first; i < first + count; i++)
			if (b->tree[i])
				return true;
		if (!order--)
			return false;
		first <<= 1;
		count <<= 1;
	}
}

static void mark_free(struct buddy *b, size_t node, unsigned int order)
{
	size_t first = node, count = 1;
	unsigned int o = order;

	for (;;) {
		memset(&b->tree[first], (int)(o + 1), count);
		if (!o--)
			break;
		first <<= 1;
		count <<= 1;
	}
	update_ancestors(b, node, order);
	b->free_bytes += order_size(order);
}

enum fw_status buddy_init(struct buddy *b, uintptr_t base, unsigned int shift, u8 *tree)
{
	if (!is_aligned(base, (uintptr_t)1 << shift))
		return FW_EALIGN;
	b->base = base;
	b->shift = shift;
	b->tree = tree;
	b->used_from = UINTPTR_MAX;
	b->used_to = 0;
	buddy_empty(b);
	return FW_OK;
}

void buddy_empty(struct buddy *b)
{
	b->free_bytes = 0;
	memset(b->tree, 0, BUDDY_TREE_SIZE(b->shift));
}

enum fw_status buddy_add(struct buddy *b, uintptr_t base, size_t size)
{
	size_t offset, left;
	unsigned int order;

	if (!is_aligned(base, order_size(0)) || !is_aligned(size, order_size(0)))
		return FW_EALIGN;
	if (!range_inside(base, size, b->base, (u64)1 << b->shift))
		return FW_ERANGE;

	offset = base - b->base;
	for (left = size; left; left -= order_size(order), offset += order_size(order)) {
		order = fitting_order(b, offset, left);
		if (was_given(b, node_at(b, offset, order), order))
			return FW_EOVERLAP;
	}

	offset = base - b->base;
	for (left = size; left; left -= order_size(order), offset += order_size(order)) {
		order = fitting_order(b, offset, left);
		mark_free(b, node_at(b, offset, order), order);
	}
	return FW_OK;
}

/* Get the order of the block for @size bytes; false if no arena can have such a block. */
static bool size_to_order(size_t size, unsigned int *order)
{
	if (!size || size > SIZE_MAX / 2 + 1)
		return false;
	*order = 0;
	while (order_size(*order) < size)
		(*order)++;
	return true;
}

size_t buddy_block_size(size_t size)
{
	unsigned int order;

	return size_to_order(size, &order) ? order_size(order) : 0;
}

static void note_use(struct buddy *b, uintptr_t block, size_t size)
{
	if (block < b->used_from)
		b->used_from = block;
	if (block + size > b->used_to)
		b->used_to = block + size;
}

void *buddy_alloc(struct buddy *b, size_t size)
{
	unsigned int order, at = top_order(b);
	uintptr_t block;
	size_t node = 1;

	if (!size_to_order(size, &order) || LARGEST(b->tree[1]) <= order)
		return NULL;

	for (; at > order; at--) {
		u8 l = LARGEST(b->tree[2 * node]);
		u8 r = LARGEST(b->tree[2 * node + 1]);

		/* Of two halves that suffice, take the one with less: large blocks stay whole. */
		node *= 2;
		if (l <= order || (r > order && r < l))
			node++;
	}
	b->tree[node] = ALLOCATED;
	update_ancestors(b, node, order);
	b->free_bytes -= order_size(order);
	/* The nodes of an order start at index 2 ^ (depth of that order in the tree). */
	node -= (size_t)1 << (top_order(b) - order);
	block = b->base + node * order_size(order);
	note_use(b, block, order_size(order));
	return (void *)block;
}

void *buddy_zalloc(struct buddy *b, size_t size)
{
	void *block = buddy_alloc(b, size);

	if (block)
		memset(block, 0, buddy_block_size(size));
	return block;
}

enum fw_status buddy_free(struct buddy *b, void *block, size_t size)
{
	uintptr_t addr = (uintptr_t)block;
	unsigned int order;
	size_t node;

	if (!size_to_order(size, &order) || order > top_order(b) ||
	    !range_inside(addr, order_size(order), b->base, (u64)1 << b->shift) ||
	    !is_aligned(addr, order_size(order)))
		return FW_EBADFREE;

	node = node_at(b, addr - b->base, order);
	if (b->tree[node] != ALLOCATED)
		return FW_EBADFREE;
	b->tree[node] = (u8)(order + 1);
	update_ancestors(b, node, order);
	b->free_bytes += order_size(order);
	return FW_OK;
}
