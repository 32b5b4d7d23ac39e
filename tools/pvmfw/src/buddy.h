/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A buddy allocator that keeps its records outside of the memory that it hands
 * out, so that it can serve memory that the host writes to as well as private
 * memory.
 *
 * The arena is a power of two in size and aligned to it; a block is a power of
 * two in size and aligned to its size. No locks: the firmware runs on one CPU
 * and allocates in no exception handler.
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
 * @tree: a binary tree as an array, the root at 1: for each block the order + 1
 *	of the largest free block in it, or the mark of an allocated block
 * @free_bytes: sum of the sizes of the free blocks
 * @used_from: the lowest address that was ever part of an allocated block
 * @used_to: the end of the highest such block; no higher than @used_from if there
 *	never was one
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
 * buddy_init() - Make an arena that has nothing to give yet.
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
 * buddy_empty() - Take everything from the allocator, what is allocated, too.
 * @b: the arena; has nothing to give afterwards, but still knows what was used
 */
void buddy_empty(struct buddy *b);

/**
 * buddy_add() - Give a range of the arena to the allocator.
 * @b: the arena
 * @base: first address, a multiple of the smallest block
 * @size: bytes, a multiple of the smallest block
 *
 * Return: FW_OK; FW_EALIGN or FW_ERANGE for a range that does not fit;
 * FW_EOVERLAP if a byte of it was given before. On an error nothing has
 * changed.
 */
enum fw_status buddy_add(struct buddy *b, uintptr_t base, size_t size);

/**
 * buddy_alloc() - Allocate a block.
 * @b: the arena
 * @size: bytes; rounded up to a power of two, to which the block is aligned
 *
 * Return: the block with whatever it contains, or NULL if none is free or @size
 * is 0.
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
 * buddy_free() - Give a block back.
 * @b: the arena
 * @block: what buddy_alloc() returned
 * @size: the size that it was asked for
 *
 * Return: FW_OK, or FW_EBADFREE if there is no such allocated block; then
 * nothing has changed.
 */
enum fw_status buddy_free(struct buddy *b, void *block, size_t size);

/**
 * buddy_block_size() - Tell how large the block is that serves a request.
 * @size: bytes asked for
 *
 * Return: bytes, a power of two; 0 if @size is 0 or too large for a power of
 * two.
 */
size_t buddy_block_size(size_t size);

#endif
