// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of pending TLB and cache maintenance that a debug build of EL2 keeps. Rule: it
 * reports every illegal change of a table, and nothing else. At EL2 itself a report is a panic.
 */
#include <asm/kvm_pgtable_account.h>
#include <asm/tlbflush.h>

#include "pgtable_kunit.h"

#define IPA		(BIT_ULL(36) + BIT_ULL(30))
#define PHYS		BIT_ULL(33)
#define RWX		KVM_PGTABLE_PROT_RWX
#define BLOCK		(KVM_PGTABLE_LAST_LEVEL - 1)
#define LAST		KVM_PGTABLE_LAST_LEVEL
#define BLOCK_BYTES	BIT_ULL(ARM64_HW_PGTABLE_LEVEL_SHIFT(BLOCK))

/* Two address spaces, and two tables. Only their addresses matter. */
static const int guest_id, other_id, this_table, that_table;
static const struct pgtable_space guest = { .id = &guest_id };
static const struct pgtable_space other = { .id = &other_id };
static const struct pgtable_space host = { .id = &guest_id, .tables_map = true };
static const struct pgtable_space lazy = { .id = &guest_id, .lazy = true };
static const struct pgtable_space unused = { .id = &guest_id, .unused = true };

static int s2_account_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct pgtable_account), GFP_KERNEL);

	return test->priv ? 0 : -ENOMEM;
}

static kvm_pte_t page(void)
{
	return s2_pte(PHYS, LAST, RWX);
}

static kvm_pte_t table(void)
{
	return PHYS | PMD_TYPE_TABLE;
}

static enum pgtable_offence replace(struct kunit *test, const struct pgtable_space *space, u64 addr,
				    s8 level, kvm_pte_t old, kvm_pte_t new)
{
	return pgtable_account_write(test->priv, space, addr, level, old, new,
				     pgtable_is_table(old, level) ? &this_table : NULL);
}

static void unmap_page(struct kunit *test, u64 addr)
{
	KUNIT_EXPECT_EQ(test, replace(test, &guest, addr, LAST, page(), 0), PGTABLE_LEGAL);
}

/* Rule: relaxed permissions, access flag and software bits need no invalidation. */
static void legal_in_use(struct kunit *test)
{
	kvm_pte_t from[] = {
		s2_pte(PHYS, LAST, KVM_PGTABLE_PROT_R), page() & ~KVM_PTE_LEAF_ATTR_LO_S2_AF,
		page(), s2_pte(PHYS, LAST, RWX | KVM_PGTABLE_PROT_SW0),
		s2_pte(PHYS, LAST, RWX | KVM_PGTABLE_PROT_SW3),
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(from); i++)
		KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, from[i], page()),
				PGTABLE_LEGAL);
	for (i = 1; i < ARRAY_SIZE(from); i++)
		KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, page(), from[i]),
				PGTABLE_LEGAL);
	/* Annotations can be set, cleared, and replaced by tables. */
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, 0, s2_owner(1)), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, s2_owner(1), table()),
			PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
}

/* Rule: the account reports any other change of a valid entry at once. */
static void illegal_in_use(struct kunit *test)
{
	kvm_pte_t block = s2_pte(PHYS, BLOCK, RWX);
	u64 size = BLOCK_BYTES;

	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, page(),
				      s2_pte(PHYS + PAGE_SIZE, LAST, RWX)),
			PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, page(),
				      s2_pte(PHYS, LAST, RWX | KVM_PGTABLE_PROT_NORMAL_NC)),
			PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, page(),
				      page() ^ KVM_PTE_LEAF_ATTR_LO_S2_SH), PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, block,
				      s2_pte(PHYS + size, BLOCK, RWX)), PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, block, table()),
			PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, table(), block),
			PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, table(), table()),
			PGTABLE_CHANGED_IN_USE);
}

/* Rule: a cleared entry needs an invalidation before a new entry, and before the call returns. */
static void break_before_make(struct kunit *test)
{
	unmap_page(test, IPA);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, 0, page()), PGTABLE_NOT_INVALIDATED);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, 0, s2_pte(PHYS, BLOCK, RWX)),
			PGTABLE_NOT_INVALIDATED);
	/* The next page and other address spaces are not affected. */
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA + PAGE_SIZE, LAST, 0, page()),
			PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &other, IPA, LAST, 0, page()), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, 0, s2_owner(1)), PGTABLE_LEGAL);

	pgtable_account_tlbi_addr(test->priv, &guest_id, IPA, LAST);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, 0, page()), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);

	unmap_page(test, IPA);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_STILL_OWED);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
}

/* Rule: a removed permission needs an invalidation as well, unless the space is lazy. */
static void permission_lost(struct kunit *test)
{
	enum kvm_pgtable_prot less[] = {
		KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X, KVM_PGTABLE_PROT_W | KVM_PGTABLE_PROT_X,
		KVM_PGTABLE_PROT_RW,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(less); i++) {
		kvm_pte_t pte = s2_pte(PHYS, LAST, less[i]);

		KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST, page(), pte), PGTABLE_LEGAL);
		KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_STILL_OWED);
		KUNIT_EXPECT_EQ(test, replace(test, &lazy, IPA, LAST, page(), pte), PGTABLE_LEGAL);
		KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
	}
	/* An added permission does not compensate for a removed one. */
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, LAST,
				      s2_pte(PHYS, LAST, KVM_PGTABLE_PROT_RW),
				      s2_pte(PHYS, LAST, KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X)),
			PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_STILL_OWED);

	/* A removed mapping needs an invalidation in a lazy space, too. */
	KUNIT_EXPECT_EQ(test, replace(test, &lazy, IPA, LAST, page(), 0), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_STILL_OWED);
}

/**
 * struct tlbi - An invalidation after the second of three pages, or a block, was unmapped.
 * @name:	The name of the case.
 * @level:	The level of the unmapped entry.
 * @addr:	The offset of the invalidated address, in bytes.
 * @hint:	The level hint of an invalidation by address.
 * @size:	The size of an invalidation of a range, in bytes.
 * @other:	The invalidation is for another address space.
 * @pays:	The invalidation must suffice.
 */
struct tlbi {
	const char	*name;
	s8		level;
	u64		addr;
	int		hint;
	u64		size;
	bool		other;
	bool		pays;
};

static const struct tlbi tlbis[] = {
	{ "page", LAST, 0, LAST, .pays = true },
	{ "page, no level", LAST, 0, TLBI_TTL_UNKNOWN, .pays = true },
	{ "page, wrong level", LAST, 0, BLOCK },
	{ "page before", LAST, -PAGE_SIZE, LAST },
	{ "page after", LAST, PAGE_SIZE, LAST },
	{ "page, other space", LAST, 0, LAST, .other = true },
	{ "range of it", LAST, 0, .size = PAGE_SIZE, .pays = true },
	{ "range around it", LAST, -PAGE_SIZE, .size = 3 * PAGE_SIZE, .pays = true },
	{ "range before it", LAST, -PAGE_SIZE, .size = PAGE_SIZE },
	{ "range after it", LAST, PAGE_SIZE, .size = 8 * PAGE_SIZE },
	{ "range, other space", LAST, 0, .size = PAGE_SIZE, .other = true },
	{ "all", LAST, -IPA, .size = U64_MAX, .pays = true },
	{ "all of another space", LAST, -IPA, .size = U64_MAX, .other = true },
	{ "block by its last page", BLOCK, BLOCK_BYTES - PAGE_SIZE, BLOCK,
	  .pays = true },
	{ "block as a page", BLOCK, 0, LAST },
	{ "half a block", BLOCK, 0, .size = BLOCK_BYTES / 2 },
	{ "whole block", BLOCK, 0, .size = BLOCK_BYTES, .pays = true },
};

static void tlbi_name(const struct tlbi *tlbi, char *desc)
{
	strscpy(desc, tlbi->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(tlbi, tlbis, tlbi_name);

/* Rule: an invalidation suffices for the entries that it covers, and for no others. */
static void invalidation(struct kunit *test)
{
	const struct tlbi *tlbi = test->param_value;
	const void *id = tlbi->other ? &other_id : &guest_id;

	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, tlbi->level, s2_pte(PHYS, tlbi->level,
									     RWX), 0),
			PGTABLE_LEGAL);
	if (tlbi->size)
		pgtable_account_tlbi_range(test->priv, id, IPA + tlbi->addr, tlbi->size);
	else
		pgtable_account_tlbi_addr(test->priv, id, IPA + tlbi->addr, tlbi->hint);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv),
			tlbi->pays ? PGTABLE_LEGAL : PGTABLE_STILL_OWED);
}

/* Rule: after an invalidation of one of many pages the others still need one, in any order. */
static void one_of_many(struct kunit *test)
{
	unsigned int order[] = { 3, 0, 2, 1 };
	unsigned int i, left;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		unmap_page(test, IPA + i * PAGE_SIZE);
	for (left = ARRAY_SIZE(order); left--;) {
		pgtable_account_tlbi_addr(test->priv, &guest_id, IPA + order[left] * PAGE_SIZE,
					  LAST);
		for (i = 0; i < ARRAY_SIZE(order); i++)
			KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA + order[i] * PAGE_SIZE,
						      LAST, 0, page()),
					i < left ? PGTABLE_NOT_INVALIDATED : PGTABLE_LEGAL);
	}
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
}

/* Rule: an unlinked table needs an invalidation before it is freed; if empty, of any address. */
static void table_freed(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA, BLOCK, table(), 0), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_FREED_IN_USE);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &that_table), PGTABLE_LEGAL);
	pgtable_account_tlbi_addr(test->priv, &guest_id, IPA + PAGE_SIZE, BLOCK);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_FREED_IN_USE);
	pgtable_account_tlbi_addr(test->priv, &guest_id, IPA + PAGE_SIZE, TLBI_TTL_UNKNOWN);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
}

/* Rule: a table that may still map memory needs an invalidation of all of its range. */
static void mapping_table_freed(struct kunit *test)
{
	u64 size = BLOCK_BYTES;

	KUNIT_EXPECT_EQ(test, replace(test, &host, IPA, BLOCK, table(), 0), PGTABLE_LEGAL);
	pgtable_account_tlbi_addr(test->priv, &guest_id, IPA, TLBI_TTL_UNKNOWN);
	pgtable_account_tlbi_range(test->priv, &guest_id, IPA, size - PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_FREED_IN_USE);
	pgtable_account_tlbi_range(test->priv, &guest_id, IPA, size);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_LEGAL);
}

/* Rule: an unused space needs no invalidation, but a valid entry must not change there either. */
static void unused_space(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, replace(test, &unused, IPA, LAST, page(), 0), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &unused, IPA, BLOCK, table(), 0), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_free(test->priv, &this_table), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, replace(test, &unused, IPA, LAST, page(), page() + PAGE_SIZE),
			PGTABLE_CHANGED_IN_USE);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
}

/* Rule (R3): a page that changes owner must be cleaned as a whole, during the same call. */
static void page_changes_owner(struct kunit *test)
{
	unsigned int i;

	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);
	pgtable_account_clean(test->priv, PHYS, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS + PAGE_SIZE, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);

	pgtable_account_clean(test->priv, PHYS, PAGE_SIZE - 64);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);

	pgtable_account_clean(test->priv, PHYS, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_LEGAL);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);

	for (i = 0; i <= PGTABLE_MAX_CLEAN; i++)
		pgtable_account_clean(test->priv, PHYS + i * PAGE_SIZE, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS, PAGE_SIZE),
			PGTABLE_NOT_CLEANED);
	for (i = 1; i <= PGTABLE_MAX_CLEAN; i++)
		KUNIT_EXPECT_EQ(test, pgtable_account_hand_over(test->priv, PHYS + i * PAGE_SIZE,
								PAGE_SIZE), PGTABLE_LEGAL);
}

/* Rule: the account reports that it is full, and keeps all entries that it has. */
static void account_full(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < PGTABLE_MAX_DEBTS; i++)
		unmap_page(test, IPA + i * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, replace(test, &guest, IPA + i * PAGE_SIZE, LAST, page(), 0),
			PGTABLE_OWES_TOO_MUCH);
	pgtable_account_tlbi_range(test->priv, &guest_id, IPA, (i - 1) * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, pgtable_account_close(test->priv), PGTABLE_STILL_OWED);
}

static struct kunit_case s2_account_cases[] = {
	KUNIT_CASE(legal_in_use),
	KUNIT_CASE(illegal_in_use),
	KUNIT_CASE(break_before_make),
	KUNIT_CASE(permission_lost),
	KUNIT_CASE_PARAM(invalidation, tlbi_gen_params),
	KUNIT_CASE(one_of_many),
	KUNIT_CASE(table_freed),
	KUNIT_CASE(mapping_table_freed),
	KUNIT_CASE(unused_space),
	KUNIT_CASE(page_changes_owner),
	KUNIT_CASE(account_full),
	{}
};

static struct kunit_suite s2_account_suite = {
	.name		= "pkvm_pgtable_account",
	.init		= s2_account_init,
	.test_cases	= s2_account_cases,
};

kunit_test_suite(s2_account_suite);
