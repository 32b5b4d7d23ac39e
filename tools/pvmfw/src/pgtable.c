// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables (pgtable.h): three levels, 4 KiB granule, blocks at levels 1 and 2.
 * Rule: no valid entry is ever changed, except to be removed.
 */
#include "layout.h"
#include "pgtable.h"
#include "pgtable_hw.h"

#define FIRST_LEVEL	1
#define LAST_LEVEL	3
#define INDEX_BITS	9
#define ENTRIES		512

static const u64 kind_bits[] = {
	[PGTABLE_TEXT] = PTE_KIND_TEXT,
	[PGTABLE_RODATA] = PTE_KIND_RODATA,
	[PGTABLE_DATA] = PTE_KIND_DATA,
	[PGTABLE_DEVICE] = PTE_KIND_DEVICE | PTE_LAZY,
};

/* log2 of the bytes that one entry of @level covers. */
static unsigned int level_shift(unsigned int level)
{
	return PAGE_SHIFT + INDEX_BITS * (LAST_LEVEL - level);
}

static bool is_table(u64 pte, unsigned int level)
{
	return level < LAST_LEVEL && (pte & PTE_VALID) && (pte & PTE_TABLE);
}

static u64 *table_of(u64 pte)
{
	return (u64 *)(uintptr_t)(pte & ~(u64)(PAGE_SIZE - 1) & (((u64)1 << 48) - 1));
}

/* Bytes from @addr to @end that the entry of @level for @addr covers. */
static u64 chunk(u64 addr, u64 end, unsigned int level)
{
	u64 size = (u64)1 << level_shift(level);
	u64 next = align_down(addr, size) + size;

	return (next < end ? next : end) - addr;
}

/*
 * Call @leaf for every leaf from @addr to @end, also for empty ones, until it returns an
 * error. Recursion is bounded by the number of levels.
 */
typedef enum fw_status (*leaf_fn)(u64 *entry, u64 addr, void *ctx);

static enum fw_status walk(u64 *table, unsigned int level, u64 addr, u64 end, leaf_fn leaf,
			   void *ctx)
{
	while (addr < end) {
		u64 *entry = &table[(addr >> level_shift(level)) & (ENTRIES - 1)];
		u64 size = chunk(addr, end, level);
		enum fw_status status;

		if (is_table(*entry, level))
			status = walk(table_of(*entry), level + 1, addr, addr + size, leaf, ctx);
		else
			status = leaf(entry, addr, ctx);
		if (status != FW_OK)
			return status;
		addr += size;
	}
	return FW_OK;
}

static enum fw_status leaf_is_free(u64 *entry, u64 addr, void *ctx)
{
	(void)addr;
	(void)ctx;
	return *entry ? FW_EOVERLAP : FW_OK;
}

static enum fw_status leaf_clear(u64 *entry, u64 addr, void *ctx)
{
	(void)addr;
	(void)ctx;
	WRITE_ONCE(*entry, 0);
	return FW_OK;
}

static u64 leaf_entry(u64 addr, u64 bits, unsigned int level)
{
	/* A lazy entry is invalid, so bit 1 has no meaning. */
	if (bits & PTE_LAZY)
		return addr | bits;
	return addr | bits | PTE_VALID | (level == LAST_LEVEL ? PTE_PAGE : 0);
}

static enum fw_status map_level(struct pgtable *pt, u64 *table, unsigned int level, u64 addr,
				u64 end, u64 bits)
{
	while (addr < end) {
		u64 *entry = &table[(addr >> level_shift(level)) & (ENTRIES - 1)];
		u64 size = chunk(addr, end, level);
		enum fw_status status;

		if (size >> level_shift(level) && !*entry) {
			WRITE_ONCE(*entry, leaf_entry(addr, bits, level));
			addr += size;
			continue;
		}
		if (!*entry) {
			void *new = buddy_zalloc(pt->heap, PAGE_SIZE);

			if (!new)
				return FW_ENOMEM;
			/* The walker must see the contents of a table before its address. */
			__atomic_store_n(entry, (uintptr_t)new | PTE_VALID | PTE_TABLE,
					 __ATOMIC_RELEASE);
		}
		status = map_level(pt, table_of(*entry), level + 1, addr, addr + size, bits);
		if (status != FW_OK)
			return status;
		addr += size;
	}
	return FW_OK;
}

enum fw_status pgtable_init(struct pgtable *pt, struct buddy *heap)
{
	pt->heap = heap;
	pt->root = buddy_zalloc(heap, PAGE_SIZE);
	return pt->root ? FW_OK : FW_ENOMEM;
}

enum fw_status pgtable_map(struct pgtable *pt, u64 addr, u64 size, enum pgtable_kind kind)
{
	enum fw_status status;

	if (!is_aligned(addr, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE))
		return FW_EALIGN;
	if (!size || !range_inside(addr, size, 0, (u64)1 << VA_BITS))
		return FW_ERANGE;
	status = walk(pt->root, FIRST_LEVEL, addr, addr + size, leaf_is_free, NULL);
	if (status != FW_OK)
		return status;
	return map_level(pt, pt->root, FIRST_LEVEL, addr, addr + size, kind_bits[kind]);
}

void pgtable_unmap(struct pgtable *pt, u64 addr, u64 size)
{
	walk(pt->root, FIRST_LEVEL, addr, addr + size, leaf_clear, NULL);
}

/* Replace the lazy block at @entry by a table of lazy entries. */
static enum fw_status split_entry(struct pgtable *pt, u64 *entry, unsigned int level)
{
	u64 *table = buddy_alloc(pt->heap, PAGE_SIZE);
	unsigned int i;

	if (!table)
		return FW_ENOMEM;
	for (i = 0; i < ENTRIES; i++)
		table[i] = *entry + ((u64)i << level_shift(level + 1));
	__atomic_store_n(entry, (uintptr_t)table | PTE_VALID | PTE_TABLE, __ATOMIC_RELEASE);
	return FW_OK;
}

enum fw_status pgtable_split(struct pgtable *pt, u64 addr, u64 **page)
{
	u64 *table = pt->root, *entry;
	enum fw_status status;
	unsigned int level;

	if (addr >> VA_BITS)
		return FW_EFAULT;
	for (level = FIRST_LEVEL; ; level++) {
		entry = &table[(addr >> level_shift(level)) & (ENTRIES - 1)];
		if (!is_table(*entry, level)) {
			if (*entry & PTE_VALID || !(*entry & PTE_LAZY))
				return FW_EFAULT;
			if (level == LAST_LEVEL)
				break;
			status = split_entry(pt, entry, level);
			if (status != FW_OK)
				return status;
		}
		table = table_of(*entry);
	}
	*page = entry;
	return FW_OK;
}

void pgtable_validate(u64 *page)
{
	WRITE_ONCE(*page, *page | PTE_VALID | PTE_PAGE);
}

struct each_valid {
	enum fw_status (*visit)(u64 page, void *ctx);
	void *ctx;
};

static enum fw_status leaf_visit_valid(u64 *entry, u64 addr, void *ctx)
{
	const struct each_valid *each = ctx;

	return *entry & PTE_VALID ? each->visit(addr, each->ctx) : FW_OK;
}

enum fw_status pgtable_each_valid(struct pgtable *pt, u64 addr, u64 size,
				  enum fw_status (*visit)(u64 page, void *ctx), void *ctx)
{
	struct each_valid each = { visit, ctx };

	return walk(pt->root, FIRST_LEVEL, addr, addr + size, leaf_visit_valid, &each);
}
