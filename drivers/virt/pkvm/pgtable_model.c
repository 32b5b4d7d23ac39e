// SPDX-License-Identifier: GPL-2.0-only
/*
 * A model of stage-2 tables as an array: one slot for each page of the window, with the leaf that
 * covers it and that leaf's level. Empty leaves have a level too, so the slots determine which
 * tables exist. The model implements each operation of kvm_pgtable on slots, without a tree. It
 * runs after the real operation, and checks that each removed translation was invalidated in the
 * TLBs.
 *
 * Leaves are aligned to their size, and the window is aligned to the largest block, so no leaf
 * crosses the end of the window.
 *
 * All functions must run in the test case's thread.
 */
#include <linux/vmalloc.h>

#include "pgtable_kunit.h"

#define S2_LAST_LEVEL	KVM_PGTABLE_LAST_LEVEL
#define S2_PERMS	(BIT_ULL(6) | BIT_ULL(7) | BIT_ULL(54))
#define S2_AF		BIT_ULL(10)
#define S2_WRITE_BACK	0xfULL
#define S2_PHYS		GENMASK_ULL(47, PAGE_SHIFT)

KUNIT_DEFINE_ACTION_WRAPPER(s2_model_vfree, vfree, const void *);

static u64 s2_end(struct s2_model *m)
{
	return m->base + (u64)m->pages * PAGE_SIZE;
}

static struct s2_slot *s2_slot(struct s2_model *m, u64 ipa)
{
	return &m->slot[(ipa - m->base) / PAGE_SIZE];
}

static u64 s2_pte_size(struct s2_model *m, u64 ipa)
{
	return kvm_granule_size(s2_slot(m, ipa)->level);
}

static bool s2_is_valid(kvm_pte_t pte)
{
	return pte & 1;
}

/* Set the leaf of @level that covers @ipa to @pte. */
static void s2_fill(struct s2_model *m, u64 ipa, s8 level, kvm_pte_t pte)
{
	unsigned long i, nr = kvm_granule_size(level) / PAGE_SIZE;
	u64 start = ALIGN_DOWN(ipa, kvm_granule_size(level));
	struct s2_slot *slot = s2_slot(m, start);

	m->dirty_start = min(m->dirty_start, start);
	m->dirty_end = max(m->dirty_end, start + kvm_granule_size(level));
	for (i = 0; i < nr; i++)
		slot[i] = (struct s2_slot) { .pte = pte, .level = level };
}

/* Check that a TLBI covered some address of a removed valid leaf, of @size bytes at @ipa. */
static void s2_must_inval(struct s2_model *m, u64 ipa, u64 size)
{
	unsigned long first = (ALIGN_DOWN(ipa, size) - m->base) / PAGE_SIZE;
	unsigned long end = first + size / PAGE_SIZE;

	if (find_next_bit(m->invalidated, end, first) >= end)
		m->stale = ALIGN_DOWN(ipa, size);
}

/* Check that TLBIs covered all valid leaves in the range, which are removed. */
static void s2_gone(struct s2_model *m, u64 ipa, u64 size)
{
	u64 end = ipa + size;

	for (; ipa < end; ipa += s2_pte_size(m, ipa)) {
		if (s2_is_valid(s2_slot(m, ipa)->pte))
			s2_must_inval(m, ipa, s2_pte_size(m, ipa));
	}
}

static bool s2_out_of_memory(struct s2_model *m)
{
	return m->fail_in && !--m->fail_in;
}

/* Replace the leaf at @ipa by a table of empty leaves one level below. */
static int s2_make_table(struct s2_model *m, u64 ipa)
{
	u64 size = s2_pte_size(m, ipa);
	s8 level = s2_slot(m, ipa)->level;
	u64 start = ALIGN_DOWN(ipa, size);
	u64 at;

	if (s2_out_of_memory(m))
		return -ENOMEM;
	s2_gone(m, start, size);
	for (at = start; at < start + size; at += kvm_granule_size(level + 1))
		s2_fill(m, at, level + 1, 0);
	return 0;
}

/* The level of the largest leaf that may map the range from @ipa on. */
static s8 s2_best_level(u64 ipa, u64 end, u64 phys, bool force_pte)
{
	s8 level;

	for (level = KVM_PGTABLE_MIN_BLOCK_LEVEL; level < S2_LAST_LEVEL; level++) {
		u64 size = kvm_granule_size(level);

		if (!force_pte && size <= end - ipa && IS_ALIGNED(ipa | phys, size))
			break;
	}
	return level;
}

/**
 * s2_model_level() - Get the level of the leaf of an IPA.
 * @m:		The model.
 * @ipa:	The address, in bytes, in the window.
 *
 * Return: the level, also of an empty leaf.
 */
s8 s2_model_level(struct s2_model *m, u64 ipa)
{
	return s2_slot(m, ipa)->level;
}

/**
 * s2_model_map() - Model kvm_pgtable_stage2_map().
 * @m:			The model.
 * @ipa:		First IPA, in bytes.
 * @size:		Bytes.
 * @phys:		Output address of the first page.
 * @prot:		Permissions and attributes.
 * @force_pte:		Map only pages.
 * @stop_if_same:	Stop at the first leaf that exists already, or differs only in its
 *			permissions: another vCPU has handled the fault.
 *
 * Return: 0; -ENOMEM if a table allocation fails; -EAGAIN after a stop by @stop_if_same.
 */
int s2_model_map(struct s2_model *m, u64 ipa, u64 size, u64 phys, enum kvm_pgtable_prot prot,
		 bool force_pte, bool stop_if_same)
{
	u64 end = ipa + size;
	int ret;

	while (ipa < end) {
		s8 level = s2_best_level(ipa, end, phys, force_pte);
		kvm_pte_t new = m->f->host ? s2_host_pte(phys, level, prot) :
					     s2_pte(phys, level, prot);
		struct s2_slot *slot = s2_slot(m, ipa);

		while (slot->level < level) {
			ret = s2_make_table(m, ipa);
			if (ret)
				return ret;
		}
		if (slot->level == level && s2_is_valid(slot->pte) &&
		    !((slot->pte ^ new) & ~S2_PERMS)) {
			if (stop_if_same)
				return -EAGAIN;
		} else {
			if (slot->level != level || ((slot->pte ^ new) & ~S2_PROT_SW))
				s2_gone(m, ipa, kvm_granule_size(level));
			s2_fill(m, ipa, level, new);
		}
		ipa += kvm_granule_size(level);
		phys += kvm_granule_size(level);
	}
	return 0;
}

/*
 * Drop the table with entries of @level that covers @ipa, if no entry holds a reference. Return
 * whether it did.
 */
static bool s2_drop_table(struct s2_model *m, u64 ipa, s8 level)
{
	u64 size = kvm_granule_size(level - 1);
	u64 start = ALIGN_DOWN(ipa, size);
	u64 at;

	for (at = start; at < start + size; at += kvm_granule_size(level)) {
		struct s2_slot *slot = s2_slot(m, at);

		if (slot->level != level || s2_is_counted(m->f, slot->pte, level))
			return false;
	}
	s2_gone(m, start, size);
	s2_fill(m, start, level - 1, 0);
	return true;
}

/* Keep default mappings of the host, clear other entries, and drop tables without references. */
static int s2_model_give_back(struct s2_model *m, u64 ipa, u64 size)
{
	u64 end = ipa + size;
	u64 at, next;
	int ret;

	for (at = ipa; at < end; at = next) {
		s8 level = s2_slot(m, at)->level;

		while (level < S2_LAST_LEVEL && s2_is_counted(m->f, s2_slot(m, at)->pte, level)) {
			ret = s2_make_table(m, at);
			if (ret)
				return ret;
			level++;
		}
		next = ALIGN_DOWN(at, kvm_granule_size(level)) + kvm_granule_size(level);
		if (s2_is_counted(m->f, s2_slot(m, at)->pte, level)) {
			s2_gone(m, at, PAGE_SIZE);
			s2_fill(m, at, level, 0);
		}
	}
	s2_model_coalesce(m, ipa, size, UINT_MAX);
	return 0;
}

/**
 * s2_model_set_owner() - Model kvm_pgtable_stage2_set_owner().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 * @owner_id:	The owner.
 *
 * Return: 0 or -ENOMEM.
 */
int s2_model_set_owner(struct s2_model *m, u64 ipa, u64 size, u8 owner_id)
{
	u64 end = ipa + size;
	int ret;

	if (m->f->host && !owner_id)
		return s2_model_give_back(m, ipa, size);

	for (; ipa < end; ipa += PAGE_SIZE) {
		while (s2_slot(m, ipa)->level < S2_LAST_LEVEL) {
			ret = s2_make_table(m, ipa);
			if (ret)
				return ret;
		}
		s2_gone(m, ipa, PAGE_SIZE);
		s2_fill(m, ipa, S2_LAST_LEVEL, s2_owner(owner_id));
	}
	return 0;
}

/**
 * s2_model_coalesce() - Model kvm_pgtable_stage2_coalesce().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 * @max:	The largest number of tables to drop.
 *
 * Return: the number of dropped tables.
 */
unsigned int s2_model_coalesce(struct s2_model *m, u64 ipa, u64 size, unsigned int max)
{
	u64 end = ipa + size;
	unsigned int nr = 0;
	u64 next;

	for (; ipa < end; ipa = next) {
		s8 level = s2_slot(m, ipa)->level;

		next = ALIGN_DOWN(ipa, s2_pte_size(m, ipa)) + s2_pte_size(m, ipa);
		for (; level > KVM_PGTABLE_MIN_BLOCK_LEVEL && nr < max; level--) {
			if (!s2_drop_table(m, ipa, level)) {
				/* All slots of a last-level table give the same answer. */
				if (level == S2_LAST_LEVEL)
					next = ALIGN_DOWN(ipa, kvm_granule_size(level - 1)) +
					       kvm_granule_size(level - 1);
				break;
			}
			nr++;
			next = ALIGN_DOWN(ipa, s2_pte_size(m, ipa)) + s2_pte_size(m, ipa);
		}
	}
	return nr;
}

/**
 * s2_model_unmap() - Model kvm_pgtable_stage2_unmap().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 *
 * Removes whole leaves, even if they cross the end of the range, and tables that have no reference
 * after that.
 */
void s2_model_unmap(struct s2_model *m, u64 ipa, u64 size)
{
	u64 end = ipa + size;
	u64 at, next;
	s8 level;

	for (at = ipa; at < end; at = next) {
		next = ALIGN_DOWN(at, s2_pte_size(m, at)) + s2_pte_size(m, at);
		if (s2_is_valid(s2_slot(m, at)->pte))
			s2_must_inval(m, at, s2_pte_size(m, at));
		s2_fill(m, at, s2_slot(m, at)->level, 0);
	}

	for (level = S2_LAST_LEVEL; level > KVM_PGTABLE_MIN_BLOCK_LEVEL; level--) {
		u64 table = kvm_granule_size(level - 1);

		for (at = ALIGN_DOWN(ipa, table); at < end; at += table)
			s2_drop_table(m, at, level);
	}
}

/**
 * s2_model_wrprotect() - Model kvm_pgtable_stage2_wrprotect().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 */
void s2_model_wrprotect(struct s2_model *m, u64 ipa, u64 size)
{
	u64 end = ipa + size;
	u64 next;

	for (; ipa < end; ipa = next) {
		struct s2_slot slot = *s2_slot(m, ipa);

		next = ALIGN_DOWN(ipa, kvm_granule_size(slot.level)) +
		       kvm_granule_size(slot.level);
		if (s2_is_valid(slot.pte))
			s2_fill(m, ipa, slot.level, slot.pte & ~BIT_ULL(7));
	}
}

/**
 * s2_model_relax() - Model kvm_pgtable_stage2_relax_perms().
 * @m:		The model.
 * @ipa:	An address in the page or block.
 * @prot:	Permissions to add.
 *
 * Return: 0; -EAGAIN without a mapping.
 */
int s2_model_relax(struct s2_model *m, u64 ipa, enum kvm_pgtable_prot prot)
{
	struct s2_slot slot = *s2_slot(m, ipa);

	if (!s2_is_valid(slot.pte))
		return -EAGAIN;
	if (prot & KVM_PGTABLE_PROT_R)
		slot.pte |= BIT_ULL(6);
	if (prot & KVM_PGTABLE_PROT_W)
		slot.pte |= BIT_ULL(7);
	if (prot & KVM_PGTABLE_PROT_X)
		slot.pte &= ~BIT_ULL(54);
	s2_fill(m, ipa, slot.level, slot.pte);
	return 0;
}

/**
 * s2_model_mkyoung() - Model kvm_pgtable_stage2_mkyoung().
 * @m:		The model.
 * @ipa:	An address in the page or block.
 *
 * Return: the entry before the call; 0 without a mapping.
 */
kvm_pte_t s2_model_mkyoung(struct s2_model *m, u64 ipa)
{
	struct s2_slot slot = *s2_slot(m, ipa);

	if (!s2_is_valid(slot.pte))
		return 0;
	s2_fill(m, ipa, slot.level, slot.pte | S2_AF);
	return slot.pte;
}

/**
 * s2_model_age() - Model kvm_pgtable_stage2_test_clear_young().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 * @mkold:	Also clear the access flags.
 *
 * Return: whether any page of the range was young.
 */
bool s2_model_age(struct s2_model *m, u64 ipa, u64 size, bool mkold)
{
	u64 end = ipa + size;
	bool young = false;
	u64 next;

	for (; ipa < end; ipa = next) {
		struct s2_slot slot = *s2_slot(m, ipa);

		next = ALIGN_DOWN(ipa, kvm_granule_size(slot.level)) +
		       kvm_granule_size(slot.level);
		if (!s2_is_valid(slot.pte) || !(slot.pte & S2_AF))
			continue;
		young = true;
		if (mkold)
			s2_fill(m, ipa, slot.level, slot.pte & ~S2_AF);
	}
	return young;
}

/* Split the block at @ipa into leaves one level below, which always have the access flag. */
static void s2_split_once(struct s2_model *m, u64 ipa)
{
	struct s2_slot block = *s2_slot(m, ipa);
	u64 size = kvm_granule_size(block.level);
	u64 step = kvm_granule_size(block.level + 1);
	u64 start = ALIGN_DOWN(ipa, size);
	kvm_pte_t attr = (block.pte & ~S2_PHYS) | S2_AF;
	u64 offset;

	/* kvm_pgtable_stage2_pte_prot() returns permissions, but no memory types. */
	if (m->f->host)
		attr |= S2_WRITE_BACK << 2;

	if (block.level + 1 == S2_LAST_LEVEL)
		attr |= BIT_ULL(1);
	s2_must_inval(m, start, size);
	for (offset = 0; offset < size; offset += step)
		s2_fill(m, start + offset, block.level + 1,
			((block.pte & S2_PHYS) + offset) | attr);
}

/**
 * s2_model_split() - Model kvm_pgtable_stage2_split().
 * @m:		The model.
 * @ipa:	First IPA, in bytes.
 * @size:	Bytes.
 * @tables:	Table pages that the caller may use.
 *
 * With enough pages for all of a block, the whole block becomes pages, even outside the range. With
 * fewer, it is split as far as range and pages allow.
 *
 * Return: 0; -ENOMEM if @tables was not enough.
 */
int s2_model_split(struct s2_model *m, u64 ipa, u64 size, int tables)
{
	u64 end = ipa + size;

	while (ipa < end) {
		struct s2_slot *slot = s2_slot(m, ipa);
		s8 level = slot->level;
		u64 leaf = kvm_granule_size(level);
		u64 start = ALIGN_DOWN(ipa, leaf);
		u64 at;

		if (!s2_is_valid(slot->pte) || level == S2_LAST_LEVEL) {
			ipa = start + leaf;
			continue;
		}
		if (!tables)
			return -ENOMEM;
		if (level + 1 < S2_LAST_LEVEL && tables > PTRS_PER_PTE) {
			s2_split_once(m, start);
			for (at = start; at < start + leaf; at += kvm_granule_size(level + 1))
				s2_split_once(m, at);
			tables -= PTRS_PER_PTE + 1;
		} else {
			s2_split_once(m, start);
			tables--;
		}
	}
	return 0;
}

/**
 * s2_model_create() - Create the model of an empty window.
 * @f:	The fixture.
 *
 * Return: the model, which lives as long as the test case.
 */
struct s2_model *s2_model_create(struct s2_fixture *f)
{
	struct s2_model *m = kunit_kzalloc(f->test, sizeof(*m), GFP_KERNEL);
	u64 ipa;

	KUNIT_ASSERT_NOT_NULL(f->test, m);
	KUNIT_ASSERT_EQ(f->test, f->pgt.start_level, KVM_PGTABLE_MIN_BLOCK_LEVEL);
	m->f = f;
	m->base = f->base;
	m->pages = f->pages;
	m->slot = vzalloc(m->pages * sizeof(*m->slot));
	KUNIT_ASSERT_NOT_NULL(f->test, m->slot);
	KUNIT_ASSERT_EQ(f->test, kunit_add_action_or_reset(f->test, s2_model_vfree, m->slot), 0);
	m->invalidated = f->invalidated;
	f->model = m;

	for (ipa = m->base; ipa < s2_end(m); ipa += kvm_granule_size(KVM_PGTABLE_MIN_BLOCK_LEVEL))
		s2_fill(m, ipa, KVM_PGTABLE_MIN_BLOCK_LEVEL, 0);
	return m;
}
