/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host that makes random hypercalls: its rounds (el2_fuzz_test.c), its calls to EL2
 * (el2_fuzz_calls.c) and, through EL2, to the secure world (el2_fuzz_ffa.c).
 */
#ifndef __PKVM_EL2_FUZZ_H__
#define __PKVM_EL2_FUZZ_H__

#include <linux/completion.h>
#include <linux/prandom.h>

#include "el2_guest.h"

#define FUZZ_MAX_CPUS	2
#define FUZZ_PAGES	8

/* Which VM is which. */
enum fuzz_vm {
	FUZZ_GUEST,		/* protected, its guest runs */
	FUZZ_PROTECTED,		/* protected, without a guest */
	FUZZ_NP,		/* not protected */
	FUZZ_LATE,		/* protected, and not made yet */
	FUZZ_VMS,
};

struct fuzz;

/**
 * struct fuzz_cpu - The host on one CPU.
 * @fuzz:	What it shares with the other one.
 * @cpu:	The CPU.
 * @loaded:	The VM that it has loaded, or -1.
 * @step:	The step that it makes, counted from the beginning of the round.
 * @calls:	Calls that it has made in all rounds.
 * @rnd:	Where the numbers of this step come from.
 * @done:	Completed when it has made its last step.
 */
struct fuzz_cpu {
	struct fuzz		*fuzz;
	unsigned int		cpu;
	int			loaded;
	unsigned int		step;
	unsigned long		calls;
	struct rnd_state	rnd;
	struct completion	done;
};

/**
 * struct fuzz - What the CPUs share.
 * @seed:	Of all numbers.
 * @round:	The round, each of which has VMs of its own.
 * @vm:		The VMs.
 * @hyp_vm:	What FUZZ_LATE is made of; EL2's once it has been made.
 * @pgd:	Likewise.
 * @hyp_vcpu:	Likewise.
 * @made:	Pages that each VM has been given for tables.
 * @late:	Whether FUZZ_LATE has been made.
 * @late_vcpu:	Whether its vCPU has.
 * @page:	Pages that nobody needs.
 * @block:	As many pages as a table maps, aligned, or NULL.
 * @mailbox:	The page in which the guest is told what to do.
 * @tx:		The page by which the secure world is told of memory.
 * @rx:		The one by which it answers.
 * @spare:	One in place of @tx.
 * @handle:	Of each region that it was given, with room for one in each step.
 * @nr_handles:	How many there are.
 * @regions:	Regions that it was given in all rounds.
 * @host:	The CPUs.
 * @only:	The steps to make; NULL for all.
 */
struct fuzz {
	u64			seed;
	unsigned int		round;
	struct el2_vm		*vm[FUZZ_VMS];
	void			*hyp_vm;
	void			*pgd;
	void			*hyp_vcpu;
	atomic_t		made[FUZZ_VMS];
	bool			late;
	bool			late_vcpu;
	struct page		*page[FUZZ_PAGES];
	struct page		*block;
	struct page		*mailbox;
	struct page		*tx;
	struct page		*rx;
	struct page		*spare;
	u64			*handle;
	atomic_t		nr_handles;
	unsigned long		regions;
	struct fuzz_cpu		host[FUZZ_MAX_CPUS];
	unsigned long		*only;
};

static inline u32 fuzz_below(struct fuzz_cpu *h, u32 end)
{
	return prandom_u32_state(&h->rnd) % end;
}

static inline bool fuzz_one_in(struct fuzz_cpu *h, u32 n)
{
	return !fuzz_below(h, n);
}

u64 fuzz_edge(struct fuzz_cpu *h);
u64 fuzz_pfn(struct fuzz_cpu *h);
void fuzz_step(struct fuzz_cpu *h);

void fuzz_step_ffa(struct fuzz_cpu *h);
void fuzz_ffa_begin(struct fuzz *f);
unsigned int fuzz_ffa_end(struct fuzz *f);

#endif /* __PKVM_EL2_FUZZ_H__ */
