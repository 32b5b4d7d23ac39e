/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the page-table suites: a fixture in which kvm_pgtable code runs (pgtable_fixture.c),
 * an independent checker of the tables (pgtable_check.c), and a model that predicts their contents
 * (pgtable_model.c).
 */
#ifndef __PKVM_PGTABLE_KUNIT_H__
#define __PKVM_PGTABLE_KUNIT_H__

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/kvm_host.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_coalesce.h>

/* The size of input addresses in bits, with a start level of 1 or 2 for every granule. */
#define S2_IA_BITS		40

/* Made-up addresses of table pages and data. The code under test must not access data. */
#define S2_POOL_PHYS		BIT_ULL(34)
#define S2_DATA_PHYS		BIT_ULL(42)

#define S2_PROT_SW		(KVM_PGTABLE_PROT_SW0 | KVM_PGTABLE_PROT_SW1 | \
				 KVM_PGTABLE_PROT_SW2 | KVM_PGTABLE_PROT_SW3)

struct s2_model;

/* The kinds of TLB and cache maintenance. */
enum s2_event_kind {
	S2_TLBI_VMID,
	S2_TLBI_IPA,
	S2_TLBI_IPA_NSH,
	S2_TLBI_RANGE,
	S2_CLEAN_DCACHE,
	S2_INVAL_ICACHE,
};

/**
 * struct s2_event - A TLB or cache maintenance operation.
 * @kind:	The kind.
 * @addr:	IPA of a TLBI, physical address of cache maintenance, in bytes.
 * @size:	Length in bytes; a page for a TLBI by IPA.
 * @level:	Level hint of a TLBI by IPA.
 * @watched:	The entry that covered s2_fixture.watch at that moment.
 */
struct s2_event {
	enum s2_event_kind	kind;
	u64			addr;
	u64			size;
	int			level;
	kvm_pte_t		watched;
};

#define S2_MAX_EVENTS		64

/**
 * struct s2_pool - Table pages, with their references.
 * @base:	The pages.
 * @refs:	References on each page; 0 when it is free.
 * @nr:		Pages in all.
 * @used:	Pages with a reference.
 * @next:	The start of the next search for a free page, so that a freed page is reused late.
 * @fail_in:	The number of the allocation that fails, counted from 1; 0 for none.
 * @limit:	The number of pages that may be in use; 0 for all of @nr.
 */
struct s2_pool {
	void			*base;
	int			*refs;
	unsigned int		nr;
	unsigned int		used;
	unsigned int		next;
	unsigned int		fail_in;
	unsigned int		limit;
};

/**
 * struct s2_seen - The state of a table page at the last check against the model.
 * @check:	Number of that check, counted from 1; 0 for none.
 * @ipa:	First address that the table covers.
 * @level:	Level of its entries.
 * @counted:	Number of entries that hold a reference.
 * @children:	Number of entries that point to tables.
 */
struct s2_seen {
	unsigned long		check;
	u64			ipa;
	s8			level;
	int			counted;
	int			children;
};

/**
 * struct s2_fixture - The fixture of a test case; test->priv.
 * @test:	The test case.
 * @pool:	Table pages.
 * @mmu:	The MMU that the code under test passes to TLB invalidations.
 * @pgt:	The page table under test.
 * @base:	First IPA of the window that tests map in. It is aligned to the largest block and,
 *		where the granule allows, ends in another top-level table page than it begins.
 * @pages:	Pages in the window: two of the largest blocks.
 * @invalidated: One bit per page of the window that a TLBI covered since s2_forget_events().
 * @watch:	IPA whose entry each event records.
 * @events:	The first events since s2_forget_events().
 * @nr_events:	The number of events since then, which may exceed the array.
 * @model:	The model, still with the state before the operation, or NULL.
 * @seen:	The state of each page of the pool at the last check.
 * @copy:	Copies of the pages of the pool from the last check.
 * @check:	Number of the last check against the model.
 * @host:	The table is an identity map with the reference rules of the host's table.
 */
struct s2_fixture {
	struct kunit		*test;
	struct s2_pool		pool;
	struct kvm_s2_mmu	mmu;
	struct kvm_pgtable	pgt;
	u64			base;
	unsigned long		pages;
	unsigned long		*invalidated;
	u64			watch;
	struct s2_event		events[S2_MAX_EVENTS];
	unsigned int		nr_events;
	struct s2_model		*model;
	struct s2_seen		*seen;
	void			*copy;
	unsigned long		check;
	bool			host;
};

/* pgtable_fixture.c */
int s2_fixture_init(struct kunit *test);
int s2_host_fixture_init(struct kunit *test);
void s2_fixture_exit(struct kunit *test);
int s2_init_pgt(struct s2_fixture *f, struct kvm_pgtable *pgt, u32 ia_bits,
		kvm_pgtable_force_pte_cb_t force_pte_cb);
void s2_forget_events(struct s2_fixture *f);
unsigned int s2_count_events(struct s2_fixture *f, enum s2_event_kind kind);
int s2_map(struct s2_fixture *f, u64 ipa, u64 size, u64 phys, enum kvm_pgtable_prot prot);

/* pgtable_check.c */
kvm_pte_t s2_lookup(struct s2_fixture *f, u64 ipa, s8 *level);
kvm_pte_t s2_pte(u64 phys, s8 level, enum kvm_pgtable_prot prot);
kvm_pte_t s2_owner(u8 owner_id);
kvm_pte_t s2_host_pte(u64 phys, s8 level, enum kvm_pgtable_prot prot);
bool s2_host_is_memory(struct s2_fixture *f, u64 phys);
bool s2_is_counted(struct s2_fixture *f, kvm_pte_t pte, s8 level);
int s2_refs(struct s2_fixture *f, u64 ipa);
bool s2_check(struct s2_fixture *f, struct s2_model *m);
void s2_expect_pte(struct s2_fixture *f, u64 ipa, s8 level, kvm_pte_t pte);

/* pgtable_model.c */

/**
 * struct s2_slot - The leaf that covers a page of the window.
 * @pte:	The whole leaf entry; 0 if empty.
 * @level:	The level of the entry, also if empty, so that the slots determine the tables.
 */
struct s2_slot {
	kvm_pte_t		pte;
	s8			level;
};

/**
 * struct s2_model - The expected contents of the tables.
 * @base:	First IPA, as s2_fixture.base.
 * @pages:	The number of slots.
 * @slot:	One slot per page. All slots of a leaf are equal.
 * @invalidated: As s2_fixture.invalidated.
 * @stale:	First IPA of a leaf that was removed without a TLBI of any page in it, or 0. A TLBI
 *		of any address in a block invalidates the block.
 * @fail_in:	As s2_pool.fail_in, for the next operation.
 * @dirty_start: First IPA of the range that changed since the last check.
 * @dirty_end:	End of that range.
 * @f:		The fixture.
 */
struct s2_model {
	u64			base;
	unsigned long		pages;
	struct s2_slot		*slot;
	unsigned long		*invalidated;
	u64			stale;
	unsigned int		fail_in;
	u64			dirty_start;
	u64			dirty_end;
	struct s2_fixture		*f;
};

struct s2_model *s2_model_create(struct s2_fixture *f);
s8 s2_model_level(struct s2_model *m, u64 ipa);
int s2_model_map(struct s2_model *m, u64 ipa, u64 size, u64 phys, enum kvm_pgtable_prot prot,
		 bool force_pte, bool stop_if_same);
int s2_model_set_owner(struct s2_model *m, u64 ipa, u64 size, u8 owner_id);
void s2_model_unmap(struct s2_model *m, u64 ipa, u64 size);
void s2_model_wrprotect(struct s2_model *m, u64 ipa, u64 size);
int s2_model_relax(struct s2_model *m, u64 ipa, enum kvm_pgtable_prot prot);
kvm_pte_t s2_model_mkyoung(struct s2_model *m, u64 ipa);
bool s2_model_age(struct s2_model *m, u64 ipa, u64 size, bool mkold);
int s2_model_split(struct s2_model *m, u64 ipa, u64 size, int tables);
unsigned int s2_model_coalesce(struct s2_model *m, u64 ipa, u64 size, unsigned int max);

#endif /* __PKVM_PGTABLE_KUNIT_H__ */
