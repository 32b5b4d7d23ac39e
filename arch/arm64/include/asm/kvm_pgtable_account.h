/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An account of the TLB and cache maintenance that a CPU still has to do while it changes
 * stage-2 tables. It checks break-before-make and R3, without access to tables or hardware.
 * In debug builds the hypervisor keeps one for each CPU, see nvhe/pgtable_check.c.
 */
#ifndef __ARM64_KVM_PGTABLE_ACCOUNT_H__
#define __ARM64_KVM_PGTABLE_ACCOUNT_H__

#include <linux/sizes.h>
#include <linux/types.h>

#include <asm/kvm_pgtable.h>

/* The most pending invalidations: a call changes up to 256 leaves, and frees a few tables. */
#define PGTABLE_MAX_DEBTS	(256 + 16)

/*
 * The most ranges that may be clean without having changed their owner yet: the pages that a guest
 * takes back in a call, and a few.
 */
#define PGTABLE_MAX_CLEAN	(SZ_256K / PAGE_SIZE + 4)

/**
 * enum pgtable_offence - The rule that a change breaks, if any
 * @PGTABLE_LEGAL: nothing.
 * @PGTABLE_CHANGED_IN_USE: a valid entry became another one, of another address, size,
 *	memory type or shareability, or one that maps became a table.
 * @PGTABLE_NOT_INVALIDATED: an entry was made valid where TLBs may hold another one.
 * @PGTABLE_FREED_IN_USE: a table was freed that TLBs may still walk.
 * @PGTABLE_NOT_CLEANED: a page changed its owner without having been cleaned before.
 * @PGTABLE_STILL_OWED: an invalidation is missing at the end of the call.
 * @PGTABLE_OWES_TOO_MUCH: there are more pending invalidations than the account can record.
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
 * struct pgtable_space - The address space that a table translates
 * @id: a unique pointer.
 * @tables_map: a table may be unlinked while it still maps something.
 * @lazy: after a permission is taken away, the host asks for the invalidation later.
 * @unused: no TLB holds an entry of it, and no CPU will walk it again.
 */
struct pgtable_space {
	const void	*id;
	bool		tables_map;
	bool		lazy;
	bool		unused;
};

/**
 * struct pgtable_debt - An invalidation that the hypervisor must make before it returns
 * @id: of the address space.
 * @start: the first input address.
 * @end: the end of the input addresses.
 * @table: the page of the table that was unlinked, or NULL for a leaf.
 * @level: of the leaf, or of the entry that pointed to the table.
 * @whole: TLBs may hold any part of the range, so an invalidation by one address is not enough.
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
 * struct pgtable_account - The account of one CPU; all zero if nothing is pending
 * @debt: pending invalidations, in no order.
 * @nr_debts: how many.
 * @clean: a ring of the physical ranges that were cleaned last.
 * @next_clean: index in the ring of the next range.
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

/**
 * pgtable_is_table() - Check whether an entry leads to a table
 * @pte: the entry.
 * @level: the level of the table that it is in.
 *
 * Return: true if so.
 */
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
