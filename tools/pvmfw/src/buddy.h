/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buddy allocator for private memory and for memory that the host can write to.
 *
 * Rule: the allocator keeps its records outside of the memory that it hands out, so that
 * the host cannot change them.
 *
 * The size of an arena, and of a block, is a power of two, and each is aligned to its size.
 * There is no lock: the only user in the exception handler is guard_fault(), and no
 * allocator function accesses a device.
 */
#ifndef PVMFW_BUDDY_H
#define PVMFW_BUDDY_H

#include "status.h"
#include "types.h"

/* The smallest block is 256 bytes. */
#define BUDDY_MIN_SHIFT 8

/* Bytes of records that an arena of 1 << @shift bytes needs. */
#define BUDDY_TREE_SIZE(shift) ((size_t)2 << ((shift) - BUDDY_MIN_SHIFT))

/**
 * struct buddy - One arena.
 * @base: its first address
 * @shift: log2 of its size in bytes
 * @tree: a binary tree as an array with the root at index 1: for each block the order + 1 of
 *	the largest free block in it, or the mark of an allocated block
 * @free_bytes: sum of the sizes of the free blocks
 * @used_from: the lowest address that was ever part of an allocated block
 * @used_to: the end of the highest block ever allocated; no higher than @used_from if
 *	nothing was ever allocated
 */
struct buddy {
	uintptr_t base;
	unsigned int shift;
	u8 *tree;
	size_t free_bytes;
	uintptr_t used_from;
	uintptr_t used_to;
};

/**
 * buddy_init() - Make an arena without any memory.
 * @b: the arena
 * @base: its first address
 * @shift: log2 of its size, BUDDY_MIN_SHIFT to BUDDY_MIN_SHIFT + 30
 * @tree: BUDDY_TREE_SIZE(@shift) bytes for the records, outside of the arena or
 *	never handed out
 *
 * Return: FW_OK, or FW_EALIGN if @base is not aligned to the size.
 */
enum fw_status buddy_init(struct buddy *b, uintptr_t base, unsigned int shift, u8 *tree);

/**
 * buddy_empty() - Remove all memory from an arena, also what is allocated.
 * @b: the arena; @b->used_from and @b->used_to keep their values
 */
void buddy_empty(struct buddy *b);

/**
 * buddy_add() - Add free memory to an arena.
 * @b: the arena
 * @base: first address, a multiple of the smallest block
 * @size: bytes, a multiple of the smallest block
 *
 * Return: FW_OK; FW_EALIGN if @base or @size is misaligned; FW_ERANGE if the range is not
 * inside of the arena; FW_EOVERLAP if a byte of it was added before. On an error nothing
 * has changed.
 */
enum fw_status buddy_add(struct buddy *b, uintptr_t base, size_t size);

/**
 * buddy_alloc() - Allocate a block.
 * @b: the arena
 * @size: bytes; rounded up to a power of two, to which the block is aligned
 *
 * Return: the block, not zeroed, or NULL if none is free or @size is 0.
 */
void *buddy_alloc(struct buddy *b, size_t size);

/**
 * buddy_zalloc() - Allocate a block and zero it, the bytes beyond @size too.
 * @b: the arena
 * @size: bytes, as for buddy_alloc()
 *
 * Return: the block, or NULL if none is free or @size is 0.
 */
void *buddy_zalloc(struct buddy *b, size_t size);

/**
 * buddy_free() - Free a block.
 * @b: the arena
 * @block: from buddy_alloc() or buddy_zalloc()
 * @size: bytes, as given to that function
 *
 * Return: FW_OK, or FW_EBADFREE if there is no such allocated block; then
 * nothing has changed.
 */
enum fw_status buddy_free(struct buddy *b, void *block, size_t size);

/**
 * buddy_block_size() - Get the size of the block that buddy_alloc() returns.
 * @size: bytes asked for
 *
 * Return: bytes, a power of two; 0 if @size is 0 or its power of two would overflow.
 */
size_t buddy_block_size(size_t size);

#endif
