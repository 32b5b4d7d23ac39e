// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page tables of pgtable.h: three levels, 4 KiB granule, blocks at levels 1
 * and 2.
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
	[PGTABLE_DEVICE] = PTE_KIND_DEVICE,
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

/*
 * Bytes from @addr to @end that the entry of @level which covers @addr is
 * concerned with.
 */
static u64 chunk(u64 addr, u64 end, unsigned int level)
{
	u64 size = (u64)1 << level_shift(level);
	u64 next = align_down(addr, size) + size;

	return (next < end ? next : end) - addr;
}

/* Recursion is bounded by the number of levels. */
static bool any_mapped(const u64 *table, unsigned int level, u64 addr, u64 end)
{
	while (addr < end) {
		u64 pte = table[(addr >> level_shift(level)) & (ENTRIES - 1)];
		u64 size = chunk(addr, end, level);

		if (is_table(pte, level)) {
			if (any_mapped(table_of(pte), level + 1, addr, addr + size))
				return true;
		} else if (pte & PTE_VALID) {
			return true;
		}
		addr += size;
	}
	return false;
}

static enum fw_status map_level(struct pgtable *pt, u64 *table, unsigned int level, u64 addr,
				u64 end, u64 bits)
{
	while (addr < end) {
		u64 *entry = &table[(addr >> level_shift(level)) & (ENTRIES - 1)];
		u64 size = chunk(addr, end, level);
		enum fw_status status;

		if (size >> level_shift(level) && !(*entry & PTE_VALID)) {
			*entry = addr | bits | PTE_VALID | (level == LAST_LEVEL ? PTE_PAGE : 0);
			addr += size;
			continue;
		}
		if (!(*entry & PTE_VALID)) {
			void *new = buddy_zalloc(pt->heap, PAGE_SIZE);

			if (!new)
				return FW_ENOMEM;
			*entry = (uintptr_t)new | PTE_VALID | PTE_TABLE;
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
	if (!is_aligned(addr, PAGE_SIZE) || !is_aligned(size, PAGE_SIZE))
		return FW_EALIGN;
	if (!size || !range_inside(addr, size, 0, (u64)1 << VA_BITS))
		return FW_ERANGE;
	if (any_mapped(pt->root, FIRST_LEVEL, addr, addr + size))
		return FW_EOVERLAP;
	return map_level(pt, pt->root, FIRST_LEVEL, addr, addr + size, kind_bits[kind]);
}
