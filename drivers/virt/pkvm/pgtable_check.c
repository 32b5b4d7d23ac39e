// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads stage-2 tables independently of the code under test, and checks after every operation that
 *
 * - each table has one reference for its parent and one for each counted entry in it;
 * - each page in use is a table of the tree (so that no page leaks), and only once;
 * - no entry is locked any more;
 * - the leaves equal those of the model in level, address and attributes.
 *
 * All functions must run in the test case's thread.
 */
#include "pgtable_kunit.h"

#define S2_VALID		BIT_ULL(0)
#define S2_TABLE_OR_PAGE	BIT_ULL(1)
#define S2_LOCKED		BIT_ULL(10)
#define S2_PHYS			GENMASK_ULL(47, PAGE_SHIFT)

/* Arm ARM, MemAttr[3:0] of stage-2 descriptors; FEAT_S2FWB changes only write-back. */
#define S2_WRITE_BACK		0xf
#define S2_FWB_WRITE_BACK	0x6
#define S2_NON_CACHEABLE	0x5
#define S2_DEVICE		0x1

static bool s2_is_table(kvm_pte_t pte, s8 level)
{
	return level < 3 && (pte & S2_VALID) && (pte & S2_TABLE_OR_PAGE);
}

/**
 * s2_host_is_memory() - Check whether a physical address is memory in a host's fixture.
 * @f:		The fixture.
 * @phys:	The address.
 *
 * Memory ends three pages behind the middle of the window's second half, so that one last-level
 * table maps both memory and MMIO.
 *
 * Return: whether it is memory.
 */
bool s2_host_is_memory(struct s2_fixture *f, u64 phys)
{
	return phys >= f->base && phys - f->base < (f->pages / 4 * 3 + 3) * PAGE_SIZE;
}

/**
 * s2_is_counted() - Check whether an entry holds a reference on its table.
 * @f:		The fixture.
 * @pte:	The entry.
 * @level:	The level of its table.
 *
 * In a guest's table every entry that is not zero does: leaves, tables, owner annotations. In the
 * host's table an entry that a fault would map again does not.
 *
 * Return: whether it holds a reference.
 */
bool s2_is_counted(struct s2_fixture *f, kvm_pte_t pte, s8 level)
{
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_RW;
	u64 phys = pte & S2_PHYS;

	if (!f->host || !(pte & S2_VALID) || s2_is_table(pte, level))
		return pte != 0;

	if (s2_host_is_memory(f, phys))
		prot |= KVM_PGTABLE_PROT_X;
	return (pte | BIT_ULL(10)) != s2_host_pte(phys, level, prot);
}

static kvm_pte_t s2_encode_pte(u64 phys, s8 level, enum kvm_pgtable_prot prot, bool fwb)
{
	u64 memattr = fwb ? S2_FWB_WRITE_BACK : S2_WRITE_BACK;
	kvm_pte_t pte = phys | S2_VALID | BIT_ULL(10);

	if (level == 3)
		pte |= S2_TABLE_OR_PAGE;
	if (prot & KVM_PGTABLE_PROT_DEVICE)
		memattr = S2_DEVICE;
	else if (prot & KVM_PGTABLE_PROT_NORMAL_NC)
		memattr = S2_NON_CACHEABLE;
	pte |= memattr << 2;
	if (prot & KVM_PGTABLE_PROT_R)
		pte |= BIT_ULL(6);
	if (prot & KVM_PGTABLE_PROT_W)
		pte |= BIT_ULL(7);
	if (!(prot & KVM_PGTABLE_PROT_X))
		pte |= BIT_ULL(54);
	if (!system_supports_lpa2())
		pte |= 3 << 8;
	return pte | (prot & S2_PROT_SW);
}

/**
 * s2_pte() - Encode the valid leaf that a mapping must produce, as in the Arm ARM.
 * @phys:	Output address, aligned to the level.
 * @level:	Level of the leaf.
 * @prot:	Permissions and attributes.
 *
 * Return: the descriptor.
 */
kvm_pte_t s2_pte(u64 phys, s8 level, enum kvm_pgtable_prot prot)
{
	return s2_encode_pte(phys, level, prot, cpus_have_final_cap(ARM64_HAS_STAGE2_FWB));
}

/**
 * s2_host_pte() - Encode a valid leaf of the host's table, which does not use FEAT_S2FWB.
 * @phys:	Output address, aligned to the level.
 * @level:	Level of the leaf.
 * @prot:	Permissions and attributes.
 *
 * Return: the descriptor.
 */
kvm_pte_t s2_host_pte(u64 phys, s8 level, enum kvm_pgtable_prot prot)
{
	return s2_encode_pte(phys, level, prot, false);
}

/**
 * s2_owner() - Encode the invalid leaf that annotates a page with its owner.
 * @owner_id:	The owner.
 *
 * Return: the descriptor; 0 for owner 0, which is the owner of the table.
 */
kvm_pte_t s2_owner(u8 owner_id)
{
	return (u64)owner_id << 2;
}

static kvm_pte_t *s2_table(struct s2_fixture *f, u64 phys)
{
	if (phys - S2_POOL_PHYS >= (u64)f->pool.nr * PAGE_SIZE)
		return NULL;
	return f->pool.base + (phys - S2_POOL_PHYS);
}

static unsigned int s2_page_nr(struct s2_fixture *f, const kvm_pte_t *table)
{
	return ((void *)table - f->pool.base) / PAGE_SIZE;
}

static void *s2_copy(struct s2_fixture *f, const kvm_pte_t *table)
{
	return f->copy + (size_t)s2_page_nr(f, table) * PAGE_SIZE;
}

static unsigned int s2_index(u64 ipa, s8 level)
{
	return (ipa >> kvm_granule_shift(level)) % PTRS_PER_PTE;
}

/**
 * s2_lookup() - Find the leaf entry of an IPA.
 * @f:		The fixture.
 * @ipa:	The address, in bytes.
 * @level:	If not NULL, set to the entry's level.
 *
 * Return: the entry.
 */
kvm_pte_t s2_lookup(struct s2_fixture *f, u64 ipa, s8 *level)
{
	s8 l = f->pgt.start_level;
	kvm_pte_t *table = rcu_dereference_raw(f->pgt.pgd);
	kvm_pte_t pte;

	table += (ipa >> kvm_granule_shift(l - 1)) * PTRS_PER_PTE;
	for (;; l++) {
		pte = table[s2_index(ipa, l)];
		if (!s2_is_table(pte, l))
			break;
		table = s2_table(f, pte & S2_PHYS);
		if (!table) {
			KUNIT_FAIL(f->test, "table entry 0x%llx points outside the pool", pte);
			pte = 0;
			break;
		}
	}
	if (level)
		*level = l;
	return pte;
}

/**
 * s2_refs() - Count the references on the table with the leaf entry of an IPA.
 * @f:		The fixture.
 * @ipa:	The address, in bytes.
 *
 * Return: the number of references, including that of the table's parent.
 */
int s2_refs(struct s2_fixture *f, u64 ipa)
{
	s8 l = f->pgt.start_level;
	kvm_pte_t *table = rcu_dereference_raw(f->pgt.pgd);

	table += (ipa >> kvm_granule_shift(l - 1)) * PTRS_PER_PTE;
	while (s2_is_table(table[s2_index(ipa, l)], l)) {
		table = s2_table(f, table[s2_index(ipa, l)] & S2_PHYS);
		KUNIT_ASSERT_NOT_NULL(f->test, table);
		l++;
	}
	return f->pool.refs[s2_page_nr(f, table)];
}

static bool s2_check_pte(struct s2_fixture *f, const struct s2_model *m, kvm_pte_t pte, s8 level,
			 u64 ipa)
{
	struct s2_slot want = { .pte = 0, .level = level };

	if (!(pte & S2_VALID) && (pte & S2_LOCKED)) {
		KUNIT_FAIL(f->test, "0x%llx: the entry is still locked", ipa);
		return false;
	}
	if (!m)
		return true;
	if (ipa >= m->base && ipa - m->base < (u64)m->pages * PAGE_SIZE)
		want = m->slot[(ipa - m->base) / PAGE_SIZE];
	if (pte == want.pte && level == want.level)
		return true;

	KUNIT_FAIL(f->test, "0x%llx: level %d entry 0x%llx, must be level %d entry 0x%llx",
		   ipa, level, pte, want.level, want.pte);
	return false;
}

/*
 * Find the entries of a table to check, [*@first, *@end): those that the model marks as changed, if
 * the last check found the table here and the others have not changed since. Else these are all
 * entries, and the function returns false.
 */
static bool s2_find_changed(struct s2_fixture *f, const struct s2_model *m, const kvm_pte_t *table,
			    s8 level, u64 ipa, unsigned int *first, unsigned int *end)
{
	const struct s2_seen *seen = &f->seen[s2_page_nr(f, table)];
	u64 size = kvm_granule_size(level);
	u64 top = ipa + PTRS_PER_PTE * size;

	if (m && seen->check && seen->check + 1 == f->check && seen->ipa == ipa &&
	    seen->level == level) {
		const kvm_pte_t *copy = s2_copy(f, table);

		*first = (clamp(m->dirty_start, ipa, top) - ipa) / size;
		*end = max_t(u64, *first, DIV_ROUND_UP(clamp(m->dirty_end, ipa, top) - ipa, size));
		if (!memcmp(table, copy, *first * sizeof(*table)) &&
		    !memcmp(table + *end, copy + *end, (PTRS_PER_PTE - *end) * sizeof(*table)))
			return true;
	}
	*first = 0;
	*end = PTRS_PER_PTE;
	return false;
}

static bool s2_check_table(struct s2_fixture *f, const struct s2_model *m, kvm_pte_t *table,
			   s8 level, u64 ipa, unsigned int *tables)
{
	struct s2_seen now = { .check = f->check, .ipa = ipa, .level = level };
	struct s2_seen *seen = &f->seen[s2_page_nr(f, table)];
	int refs = f->pool.refs[s2_page_nr(f, table)];
	kvm_pte_t *copy = s2_copy(f, table);
	unsigned int first, end, from, to, i;

	/* More tables than pages: the tree has a loop, or a page twice. */
	if (++*tables > f->pool.used) {
		KUNIT_FAIL(f->test, "0x%llx: the tree has more tables than pages in use", ipa);
		return false;
	}

	if (s2_find_changed(f, m, table, level, ipa, &first, &end)) {
		now.counted = seen->counted;
		now.children = seen->children;
		for (i = first; i < end; i++) {
			now.counted -= s2_is_counted(f, copy[i], level);
			now.children -= s2_is_table(copy[i], level);
		}
	}
	/* A table below an unchanged entry may have changed. */
	from = now.children ? 0 : first;
	to = now.children ? PTRS_PER_PTE : end;

	for (i = from; i < to; i++) {
		bool changed = i >= first && i < end;
		u64 at = ipa + i * kvm_granule_size(level);
		kvm_pte_t *child;

		if (changed) {
			now.counted += s2_is_counted(f, table[i], level);
			now.children += s2_is_table(table[i], level);
		}
		if (!s2_is_table(table[i], level)) {
			if (changed && !s2_check_pte(f, m, table[i], level, at))
				return false;
			continue;
		}
		child = s2_table(f, table[i] & S2_PHYS);
		if (!child) {
			KUNIT_FAIL(f->test, "0x%llx: entry 0x%llx points outside the pool", at,
				   table[i]);
			return false;
		}
		if (!s2_check_table(f, m, child, level + 1, at, tables))
			return false;
	}
	if (m) {
		memcpy(copy + first, table + first, (end - first) * sizeof(*table));
		*seen = now;
	}
	if (refs != 1 + now.counted) {
		KUNIT_FAIL(f->test, "level %d table at 0x%llx: %d references, %d counted entries",
			   level, ipa, refs, now.counted);
		return false;
	}
	return true;
}

/**
 * s2_check() - Check the table under test.
 * @f:	The fixture.
 * @m:	The model to compare leaves with, or NULL.
 *
 * Most of a large table does not change between two checks. For speed, entries that the model has
 * not changed are only compared with a copy from the last check.
 *
 * Return: whether all checks passed; if not, the test has failed with the reason.
 */
bool s2_check(struct s2_fixture *f, struct s2_model *m)
{
	kvm_pte_t *pgd = rcu_dereference_raw(f->pgt.pgd);
	u64 per_page = kvm_granule_size(f->pgt.start_level - 1);
	unsigned int tables = 0;
	u64 ipa;

	if (m)
		f->check++;
	for (ipa = 0; ipa < BIT_ULL(f->pgt.ia_bits); ipa += per_page, pgd += PTRS_PER_PTE) {
		if (!s2_check_table(f, m, pgd, f->pgt.start_level, ipa, &tables))
			return false;
	}
	if (tables != f->pool.used) {
		KUNIT_FAIL(f->test, "%u tables, but %u table pages in use", tables, f->pool.used);
		return false;
	}
	if (m) {
		m->dirty_start = U64_MAX;
		m->dirty_end = 0;
	}
	return true;
}

/**
 * s2_expect_pte() - Expect a leaf, and a table that passes s2_check().
 * @f:		The fixture.
 * @ipa:	Any address that the leaf covers, in bytes.
 * @level:	The expected level.
 * @pte:	The expected entry.
 */
void s2_expect_pte(struct s2_fixture *f, u64 ipa, s8 level, kvm_pte_t pte)
{
	s8 real_level;

	KUNIT_EXPECT_EQ(f->test, s2_lookup(f, ipa, &real_level), pte);
	KUNIT_EXPECT_EQ(f->test, real_level, level);
	KUNIT_EXPECT_TRUE(f->test, s2_check(f, NULL));
}
