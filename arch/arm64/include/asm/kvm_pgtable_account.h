/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What one CPU owes the TLBs and caches while it changes stage-2 tables: the rules of
 * break-before-make, and of R3, as an account that knows neither tables nor hardware.
 * The hypervisor keeps one for each CPU in debug builds, see nvhe/pgtable_check.c.
 */
#ifndef __ARM64_KVM_PGTABLE_ACCOUNT_H__
#define __ARM64_KVM_PGTABLE_ACCOUNT_H__

#include <linux/types.h>

#include <asm/kvm_pgtable.h>

/* Debts of one call at a time: calls on ranges do 256 leaves at most, a few tables may go. */
#define PGTABLE_MAX_DEBTS	(256 + 16)

/* Pages that may be clean and not yet handed over. */
#define PGTABLE_MAX_CLEAN	4

/**
 * enum pgtable_offence - What is wrong with a change, if anything
 * @PGTABLE_LEGAL: nothing.
 * @PGTABLE_CHANGED_IN_USE: a valid entry became another one, of another address, size,
 *	memory type or shareability, or one that maps became a table.
 * @PGTABLE_NOT_INVALIDATED: an entry was made valid where TLBs may hold another one.
 * @PGTABLE_FREED_IN_USE: a table was freed that TLBs may still walk.
 * @PGTABLE_NOT_CLEANED: a page changed hands that was not cleaned for it.
 * @PGTABLE_STILL_OWED: an invalidation is missing at the end of the call.
 * @PGTABLE_OWES_TOO_MUCH: more is owed at a time than can be kept.
 */
enum pgtable_offence {
	PGTABLE_LEGAL,
	PGTABLE_CHANGED_IN_USE,
	PGTABLE_NOT_INVALIDATED,
	PGTABLE_FREED_IN_USE,
	PGTABLE_NOT_CLEANED,
	PGTABLE_STILL_OWED,
	PGTABLE_OWES_TOO_MUCH,
};

/**
 * struct pgtable_space - Whose table it is
 * @id: tells it from any other.
 * @tables_map: a table may be unlinked while it maps something.
 * @lazy: permissions that are taken away are somebody else's to invalidate.
 * @unused: no TLB holds anything of it, and nobody will walk it again.
 */
struct pgtable_space {
	const void	*id;
	bool		tables_map;
	bool		lazy;
	bool		unused;
};

/**
 * struct pgtable_debt - An invalidation that has to come before the call returns
 * @id: for whom.
 * @start: the first input address.
 * @end: the first one behind.
 * @table: the page of the table that was unlinked, or NULL for a leaf.
 * @level: of the leaf, or of the entry of the table.
 * @whole: TLBs may hold any part of it, so that no single address will do.
 */
struct pgtable_debt {
	const void	*id;
	u64		start;
	u64		end;
	const void	*table;
	s8		level;
	bool		whole;
};

/**
 * struct pgtable_account - What one CPU owes; all zero is nothing
 * @debt: invalidations, in no order.
 * @nr_debts: how many.
 * @clean: the physical ranges that were cleaned last, the oldest first to be forgotten.
 * @next_clean: where the next one goes.
 */
struct pgtable_account {
	struct pgtable_debt	debt[PGTABLE_MAX_DEBTS];
	unsigned int		nr_debts;
	struct {
		u64		start;
		u64		end;
	} clean[PGTABLE_MAX_CLEAN];
	unsigned int		next_clean;
};

/* Whether an entry leads to a table. */
static inline bool pgtable_is_table(kvm_pte_t pte, s8 level)
{
	return level < KVM_PGTABLE_LAST_LEVEL && (pte & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

enum pgtable_offence pgtable_account_write(struct pgtable_account *account,
					   const struct pgtable_space *space, u64 addr,
					   s8 level, kvm_pte_t old, kvm_pte_t new,
					   const void *table);
void pgtable_account_tlbi_addr(struct pgtable_account *account, const void *id, u64 addr,
			       int level);
void pgtable_account_tlbi_range(struct pgtable_account *account, const void *id, u64 start,
				u64 size);
void pgtable_account_clean(struct pgtable_account *account, u64 start, u64 size);
enum pgtable_offence pgtable_account_hand_over(struct pgtable_account *account, u64 start,
					       u64 size);
enum pgtable_offence pgtable_account_free(const struct pgtable_account *account,
					  const void *table);
enum pgtable_offence pgtable_account_close(struct pgtable_account *account);

#endif /* __ARM64_KVM_PGTABLE_ACCOUNT_H__ */
