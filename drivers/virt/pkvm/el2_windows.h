/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A record of the windows of a guest, for random calls on them: what is at each IPA, and who has
 * each page. el2_window_steps.c makes the calls, and el2_random_window_test.c compares.
 */
#ifndef __PKVM_EL2_WINDOWS_H__
#define __PKVM_EL2_WINDOWS_H__

#include <linux/prandom.h>

#include "el2_guest.h"

#define WINDOWS_BLOCK_ORDER	(PMD_SHIFT - PAGE_SHIFT)
#define WINDOWS_BLOCK		BIT(WINDOWS_BLOCK_ORDER)

/* The IPAs of the test: two blocks, aligned, where the guest has nothing else. */
#define WINDOWS_BLOCKS		2
#define WINDOWS_PLACES		(WINDOWS_BLOCKS * WINDOWS_BLOCK)
#define WINDOWS_GFN		(BIT_ULL(EL2_IPA_BITS) / 2 >> PAGE_SHIFT)

#define WINDOWS_PAGES		6
#define WINDOWS_WRONG		8

/*
 * What is at an IPA: nothing, a guard, a page that the host took by force, page p of the guest's
 * own (p), page p of the host in a window (SHARED + p), or a part of the host's block.
 */
#define EMPTY		-1
#define GUARDED		-2
#define POISONED	-3
#define SHARED		WINDOWS_PAGES
#define SHARED_BLOCK	(2 * WINDOWS_PAGES)

enum page_owner {
	HOST,
	HOST_SHARED,	/* with EL2 */
	GUEST,
	GUEST_SHARED,	/* with the host */
};

/**
 * struct el2_windows - The record.
 * @test:		The test case.
 * @g:			The guest, enrolled.
 * @np:			A non-protected VM, with which the host shares pages, too.
 * @page:		Pages that are the host's or the guest's.
 * @owner:		The owner of each.
 * @in_windows:		In how many windows it is.
 * @in_np:		Whether the host shares it with @np, at the gfn of its index.
 * @contents:		Its first word.
 * @block:		A block of the host.
 * @wrong:		Frame numbers that the host must not share.
 * @place:		What is at each IPA.
 * @poisoned:		At how many IPAs the host has taken a page by force.
 * @nr_shared:		How often a page was shared in a window.
 * @nr_blocks:		How often the block was.
 * @nr_refused:		How often EL2 refused the guest or the host.
 * @step:		The number of the step.
 * @rnd:		The state of the random numbers.
 */
struct el2_windows {
	struct kunit		*test;
	struct el2_guest	*g;
	struct el2_vm		*np;
	struct page		*page[WINDOWS_PAGES];
	enum page_owner		owner[WINDOWS_PAGES];
	unsigned int		in_windows[WINDOWS_PAGES];
	bool			in_np[WINDOWS_PAGES];
	u64			contents[WINDOWS_PAGES];
	struct page		*block;
	u64			wrong[WINDOWS_WRONG];
	s8			*place;
	unsigned int		poisoned;
	unsigned int		nr_shared;
	unsigned int		nr_blocks;
	unsigned int		nr_refused;
	unsigned int		step;
	struct rnd_state	rnd;
};

static inline u32 windows_below(struct el2_windows *w, u32 end)
{
	return prandom_u32_state(&w->rnd) % end;
}

static inline u64 windows_gfn(unsigned int at)
{
	return WINDOWS_GFN + at;
}

static inline bool windows_is_shared(const struct el2_windows *w, unsigned int at)
{
	return w->place[at] >= SHARED;
}

static inline bool windows_is_guarded(const struct el2_windows *w, unsigned int at)
{
	return w->place[at] == GUARDED || windows_is_shared(w, at);
}

static inline bool windows_is_hosts(const struct el2_windows *w, unsigned int p)
{
	return w->owner[p] != GUEST;
}

unsigned int windows_place(struct el2_windows *w);
unsigned int windows_count(const struct el2_windows *w,
			   bool (*is)(const struct el2_windows *w, unsigned int at));
u64 windows_granules(struct el2_windows *w);
void windows_write(struct el2_windows *w, unsigned int p, u64 value);
unsigned int windows_guard(struct el2_windows *w, unsigned int at, unsigned int nr, bool map);
void windows_step(struct el2_windows *w);

#endif /* __PKVM_EL2_WINDOWS_H__ */
