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

/* Where the guest has guards for windows: as many granules as a table maps, aligned. */
#define FUZZ_WINDOW_GFN	(2 * PTRS_PER_PTE)

/* The VMs of the test. */
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
 * @fuzz:	What both CPUs share.
 * @cpu:	The CPU.
 * @loaded:	The VM that it has loaded, or -1.
 * @step:	The number of its current step, counted from the beginning of the round.
 * @calls:	Calls that it has made in all rounds.
 * @windows:	Pages and blocks that it has shared in windows in all rounds.
 * @rnd:	The state of the random numbers of this step.
 * @done:	Completed when it has made its last step.
 */
struct fuzz_cpu {
	struct fuzz		*fuzz;
	unsigned int		cpu;
	int			loaded;
	unsigned int		step;
	unsigned long		calls;
	unsigned long		windows;
	struct rnd_state	rnd;
	struct completion	done;
};

/**
 * struct fuzz - What the CPUs share.
 * @seed:	The seed of all random numbers.
 * @round:	The round, each of which has VMs of its own.
 * @vm:		The VMs.
 * @hyp_vm:	Pages for EL2's structure of FUZZ_LATE, which EL2 owns from its creation on.
 * @pgd:	Pages for its PGD, likewise.
 * @hyp_vcpu:	Pages for EL2's structure of its vCPU, likewise.
 * @made:	Pages that each VM has been given for tables.
 * @late:	Whether FUZZ_LATE has been created.
 * @late_vcpu:	Whether its vCPU has been created.
 * @page:	Pages that random calls may share and donate.
 * @block:	As many pages as a table maps, aligned, or NULL.
 * @mailbox:	The page with the guest's commands.
 * @tx:		The page in which the host describes memory for FF-A calls.
 * @rx:		The page in which the secure world answers them.
 * @spare:	A page that replaces @tx at the end of a round.
 * @handle:	The handles of regions that went to the secure world, at most one for each step.
 * @nr_handles:	The number of handles.
 * @regions:	The number of regions that went to the secure world in all rounds.
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
