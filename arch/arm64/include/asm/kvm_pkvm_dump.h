/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The dump of a stage-2 that the hypervisor owns. With each call the hypervisor writes a part of
 * it into a page of the host, and the host puts the parts together.
 */
#ifndef __ARM64_KVM_PKVM_DUMP_H__
#define __ARM64_KVM_PKVM_DUMP_H__

#include <linux/types.h>

#include <asm/hyp_image.h>
#include <asm/kvm_pgtable.h>

/* Indices of arrays with an element per level of a table. */
#define PKVM_S2_LEVELS		(KVM_PGTABLE_LAST_LEVEL - KVM_PGTABLE_FIRST_LEVEL + 1)
#define PKVM_S2_LEVEL(level)	((level) - KVM_PGTABLE_FIRST_LEVEL)

/* The bits of an invalid entry that a run keeps: all but the page's address for its owner. */
#define PKVM_S2_RUN_INVALID	GENMASK_ULL(23, 0)

/**
 * struct pkvm_s2_run - Consecutive entries that are equal, or a part of a block
 * @addr:	the first input address.
 * @size:	bytes.
 * @pte:	a valid entry without its output address, or the bits of
 *		PKVM_S2_RUN_INVALID of an invalid one.
 * @nr:		how many entries begin in the run.
 * @level:	the level of the entries' table.
 * @state:	enum pkvm_page_state of memory, as the owner of the stage-2 has it. A block
 *		whose pages differ in their state is split into several runs.
 * @memory:	whether the run is memory, which alone has a state.
 * @pad:	0.
 */
struct pkvm_s2_run {
	u64	addr;
	u64	size;
	u64	pte;
	u32	nr;
	s8	level;
	u8	state;
	u8	memory;
	u8	pad;
};

/**
 * struct pkvm_s2_dump - The part of a dump that one call writes
 * @gen:	to be passed to the next call.
 * @next:	the input address where the next call goes on; @end when the dump is complete.
 * @end:	the size of the input space in bytes.
 * @refs:	how many references entries hold on the tables whose first entry this call
 *		visited.
 * @faults:	how many faults of the host have mapped something in its stage-2 so far.
 * @tables:	how many pages these tables are, per level.
 * @nr_runs:	elements of @run.
 * @run:	runs, in order.
 */
struct pkvm_s2_dump {
	u64			gen;
	u64			next;
	u64			end;
	u64			refs;
	u64			faults;
	u32			tables[PKVM_S2_LEVELS];
	u32			nr_runs;
	struct pkvm_s2_run	run[];
};

#define PKVM_S2_DUMP_RUNS							\
	((PAGE_SIZE - offsetof(struct pkvm_s2_dump, run)) / sizeof(struct pkvm_s2_run))

#ifndef __KVM_NVHE_HYPERVISOR__

struct kvm;

/* Set before the host gives up EL2: then EL2 keeps the tables by which blocks were split. */
#define pkvm_s2_keep_tables	kvm_nvhe_sym(host_stage2_keep_tables)
extern bool pkvm_s2_keep_tables;

/**
 * struct pkvm_s2_snapshot - The whole contents of a stage-2 at one moment
 * @run:	runs of equal entries, in order.
 * @nr_runs:	how many.
 * @max_runs:	how many fit in the memory that was allocated.
 * @leaves:	valid leaves, per level.
 * @annotated:	invalid entries that are not empty.
 * @tables:	pages of tables, per level.
 * @refs:	references that entries hold on tables.
 * @faults:	of the host's stage-2: how many of the host's faults had mapped something.
 */
struct pkvm_s2_snapshot {
	struct pkvm_s2_run	*run;
	size_t			nr_runs;
	size_t			max_runs;
	u64			leaves[PKVM_S2_LEVELS];
	u64			annotated;
	u64			tables[PKVM_S2_LEVELS];
	u64			refs;
	u64			faults;
};

int pkvm_s2_snapshot_take(unsigned int handle, struct pkvm_s2_snapshot *s);
void pkvm_s2_snapshot_free(struct pkvm_s2_snapshot *s);
unsigned long pkvm_s2_sweep(unsigned long *pages);

#ifdef CONFIG_PKVM_STAGE2_DEBUG
void pkvm_s2_create_debugfs(struct kvm *kvm);
#else
static inline void pkvm_s2_create_debugfs(struct kvm *kvm) { }
#endif

#endif /* !__KVM_NVHE_HYPERVISOR__ */

#endif /* __ARM64_KVM_PKVM_DUMP_H__ */
