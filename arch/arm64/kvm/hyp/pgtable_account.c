// SPDX-License-Identifier: GPL-2.0-only
/*
 * The account of the TLB invalidations that a CPU still has to make (its debts) while it
 * changes stage-2 tables. The hypervisor calls a function below for each thing that it does,
 * in order. A function returns which rule that breaks, if any (enum pgtable_offence).
 *
 * By the Arm ARM, D8.16 and D8.17, software may make a valid entry invalid, and must then
 * invalidate the TLBs before it writes another entry there, before it frees the table, and
 * (our rule) before the hypercall returns. It may change permissions, the access flag and
 * software bits of a valid entry, but must invalidate after it takes a permission away.
 *
 * Built for debug builds of the hypervisor, and for KUnit tests at EL1, since at EL2 an
 * offence is a panic.
 */

#include <kunit/visibility.h>
#include <linux/minmax.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_account.h>
#include <asm/tlbflush.h>

/* The bits of a valid leaf that may change while it stays valid. */
#define LEAF_FREE	(KVM_PTE_LEAF_ATTR_S2_PERMS | KVM_PTE_LEAF_ATTR_LO_S2_AF |	\
			 KVM_PTE_LEAF_ATTR_HI_SW)

static bool is_owed(const struct pgtable_account *account, const void *id, u64 start, u64 end)
{
	const struct pgtable_debt *debt = account->debt;
	unsigned int i;

	for (i = 0; i < account->nr_debts; i++, debt++) {
		if (debt->id == id && debt->start < end && start < debt->end)
			return true;
	}

	return false;
}

/* The permissions of an entry, as set bits. */
static kvm_pte_t permissions(kvm_pte_t pte)
{
	return (pte ^ KVM_PTE_LEAF_ATTR_HI_S2_XN) & KVM_PTE_LEAF_ATTR_S2_PERMS;
}

/**
 * pgtable_account_write() - An entry is replaced
 * @account: the account.
 * @space: the address space of the table.
 * @addr: an input address of the entry, in bytes.
 * @level: its level.
 * @old: its old value.
 * @new: its new value.
 * @table: the address of the table that @old points to, if it is a table entry.
 *
 * Return: PGTABLE_LEGAL, PGTABLE_CHANGED_IN_USE, PGTABLE_NOT_INVALIDATED or
 * PGTABLE_OWES_TOO_MUCH.
 */
enum pgtable_offence pgtable_account_write(struct pgtable_account *account,
					   const struct pgtable_space *space, u64 addr,
					   s8 level, kvm_pte_t old, kvm_pte_t new,
					   const void *table)
{
	u64 size = kvm_granule_size(level);
	struct pgtable_debt debt = {
		.id	= space->id,
		.start	= ALIGN_DOWN(addr, size),
		.end	= ALIGN_DOWN(addr, size) + size,
		.level	= level,
	};

	if (!kvm_pte_valid(old)) {
		if (kvm_pte_valid(new) && is_owed(account, debt.id, debt.start, debt.end))
			return PGTABLE_NOT_INVALIDATED;

		return PGTABLE_LEGAL;
	}

	if (kvm_pte_valid(new)) {
		if (pgtable_is_table(old, level) || (old ^ new) & ~LEAF_FREE)
			return PGTABLE_CHANGED_IN_USE;

		if (space->lazy || !(permissions(old) & ~permissions(new)))
			return PGTABLE_LEGAL;
	} else if (pgtable_is_table(old, level)) {
		debt.table = table;
		debt.whole = space->tables_map;
	}

	if (space->unused)
		return PGTABLE_LEGAL;

	if (account->nr_debts == PGTABLE_MAX_DEBTS)
		return PGTABLE_OWES_TOO_MUCH;

	account->debt[account->nr_debts++] = debt;

	return PGTABLE_LEGAL;
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_write);

/* Remove a debt. Returns the pointer to the debt that takes its place. */
static struct pgtable_debt *debt_paid(struct pgtable_account *account, struct pgtable_debt *debt)
{
	*debt = account->debt[--account->nr_debts];

	return debt;
}

/**
 * pgtable_account_tlbi_addr() - One address is invalidated in the TLBs of all CPUs
 * @account: the account.
 * @id: of the space.
 * @addr: the input address, in bytes.
 * @level: the level of the leaf that is meant, or TLBI_TTL_UNKNOWN.
 *
 * An invalidation by any address of a leaf suffices for it, if @level is right or unknown. For
 * an unlinked table any address suffices, with an unknown level, unless the table may still
 * map something.
 */
void pgtable_account_tlbi_addr(struct pgtable_account *account, const void *id, u64 addr,
			       int level)
{
	struct pgtable_debt *debt = account->debt;
	bool any = level == TLBI_TTL_UNKNOWN;

	while (debt < &account->debt[account->nr_debts]) {
		if (debt->id == id && debt->start <= addr && addr < debt->end && !debt->whole &&
		    (any || (!debt->table && debt->level == level)))
			debt = debt_paid(account, debt);
		else
			debt++;
	}
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_tlbi_addr);

/**
 * pgtable_account_tlbi_range() - A range is invalidated in the TLBs of all CPUs
 * @account: the account.
 * @id: of the space.
 * @start: the first input address, in bytes.
 * @size: bytes; U64_MAX from 0 on is everything.
 */
void pgtable_account_tlbi_range(struct pgtable_account *account, const void *id, u64 start,
				u64 size)
{
	struct pgtable_debt *debt = account->debt;

	while (debt < &account->debt[account->nr_debts]) {
		if (debt->id == id && start <= debt->start && debt->end <= start + size)
			debt = debt_paid(account, debt);
		else
			debt++;
	}
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_tlbi_range);

/**
 * pgtable_account_clean() - Memory is cleaned to the point of coherency
 * @account: the account.
 * @start: its physical address, in bytes.
 * @size: bytes.
 */
void pgtable_account_clean(struct pgtable_account *account, u64 start, u64 size)
{
	account->clean[account->next_clean].start = start;
	account->clean[account->next_clean].end = start + size;
	account->next_clean = (account->next_clean + 1) % PGTABLE_MAX_CLEAN;
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_clean);

/**
 * pgtable_account_hand_over() - A page gets another owner
 * @account: the account.
 * @start: its physical address, in bytes.
 * @size: bytes.
 *
 * Uses the cleaning up: whoever gets it writes to it.
 *
 * Return: PGTABLE_LEGAL; PGTABLE_NOT_CLEANED if it was not cleaned during this call.
 */
enum pgtable_offence pgtable_account_hand_over(struct pgtable_account *account, u64 start,
					       u64 size)
{
	unsigned int i;

	for (i = 0; i < PGTABLE_MAX_CLEAN; i++) {
		if (account->clean[i].start <= start && start + size <= account->clean[i].end) {
			account->clean[i].end = account->clean[i].start;
			return PGTABLE_LEGAL;
		}
	}

	return PGTABLE_NOT_CLEANED;
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_hand_over);

/**
 * pgtable_account_free() - A table is freed
 * @account: the account.
 * @table: where it is.
 *
 * Return: PGTABLE_LEGAL; PGTABLE_FREED_IN_USE if TLBs may still walk it.
 */
enum pgtable_offence pgtable_account_free(const struct pgtable_account *account,
					  const void *table)
{
	unsigned int i;

	for (i = 0; i < account->nr_debts; i++) {
		if (account->debt[i].table == table)
			return PGTABLE_FREED_IN_USE;
	}

	return PGTABLE_LEGAL;
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_free);

/**
 * pgtable_account_close() - The call ends
 * @account: the account, which is empty afterwards.
 *
 * Return: PGTABLE_LEGAL; PGTABLE_STILL_OWED if an invalidation is missing.
 */
enum pgtable_offence pgtable_account_close(struct pgtable_account *account)
{
	unsigned int i, nr_debts = account->nr_debts;

	account->nr_debts = 0;
	for (i = 0; i < PGTABLE_MAX_CLEAN; i++)
		account->clean[i].end = account->clean[i].start;

	return nr_debts ? PGTABLE_STILL_OWED : PGTABLE_LEGAL;
}
EXPORT_SYMBOL_IF_KUNIT(pgtable_account_close);
