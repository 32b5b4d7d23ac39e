// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random valid and invalid hypercalls on two VMs and a few pages, with a record of the owners.
 * After every step the result must be the one that the record predicts, and the host can read
 * exactly the pages that it owns (R1, R2). Reclaimed pages are zeroed (R3).
 *
 * A failure prints the seed and the step. The parameters seed= and steps= repeat a run.
 */
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

#include "el2_kunit.h"

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random hypercalls (0: a random seed)");

static unsigned int steps = 2000;
module_param(steps, uint, 0444);
MODULE_PARM_DESC(steps, "Number of random hypercalls");

#define NR_VMS		2
#define NR_PAGES	6
#define NR_GFNS		8
#define NR_RUN		3

/* Some gfns are adjacent, others are in different tables. */
static const u64 gfns[NR_GFNS] = { 0, 1, 2, 511, 512, 513, 8192, 262144 };

/* The state of a gfn without a page. */
#define EMPTY		-1
#define POISONED	-2

enum page_owner {
	HOST,
	HOST_SHARED,
	GUEST,
};

/**
 * struct record - The expected state of the VMs and pages.
 * @vm:		The VMs.
 * @loaded:	The index of the VM that is loaded on this CPU, or -1.
 * @page:	The pages.
 * @owner:	The owner of each page.
 * @place:	The index of the page at each gfn of each VM, or EMPTY or POISONED.
 * @rnd:	The state of the random numbers.
 */
struct record {
	struct el2_vm		*vm[NR_VMS];
	int			loaded;
	struct page		*page[NR_PAGES];
	enum page_owner		owner[NR_PAGES];
	int			place[NR_VMS][NR_GFNS];
	struct rnd_state	rnd;
};

static u32 rand_below(struct record *r, u32 below)
{
	return prandom_u32_state(&r->rnd) % below;
}

/* Check for a VM without pages and without poisoned gfns, which have to be reclaimed as well. */
static bool is_empty(struct record *r, unsigned int v)
{
	unsigned int g;

	for (g = 0; g < NR_GFNS; g++) {
		if (r->place[v][g] != EMPTY)
			return false;
	}
	return true;
}

static void expect_answer(struct kunit *test, const char *call, int real, int want)
{
	KUNIT_ASSERT_EQ_MSG(test, real, want, "%s", call);
}

static void step_share(struct kunit *test, struct record *r)
{
	unsigned int p = rand_below(r, NR_PAGES);
	int want = r->owner[p] == HOST ? 0 : -EPERM;

	expect_answer(test, "share", el2_share(r->page[p]), want);
	if (!want)
		r->owner[p] = HOST_SHARED;
}

static void step_unshare(struct kunit *test, struct record *r)
{
	unsigned int p = rand_below(r, NR_PAGES);
	int want = r->owner[p] == HOST_SHARED ? 0 : -EPERM;

	expect_answer(test, "unshare", el2_unshare(r->page[p]), want);
	if (!want)
		r->owner[p] = HOST;
}

static void step_load(struct kunit *test, struct record *r)
{
	unsigned int v = rand_below(r, NR_VMS);
	int want = r->vm[v]->dying ? -ENOENT : r->loaded >= 0 ? -EBUSY : 0;

	expect_answer(test, "load", el2_load(r->vm[v], 0), want);
	if (!want)
		r->loaded = v;
}

static void step_put(struct kunit *test, struct record *r)
{
	el2_put();
	r->loaded = -1;
}

static int donate_one(struct record *r, int v, unsigned int g, unsigned int p)
{
	if (r->place[v][g] != EMPTY)
		return r->place[v][g] == POISONED ? -EHWPOISON : -EEXIST;

	if (r->owner[p] != HOST)
		return -EPERM;

	r->owner[p] = GUEST;
	r->place[v][g] = p;
	return 0;
}

/* Donate pages to adjacent gfns, maybe one of them twice: EL2 stops at the first refusal. */
static void step_donate(struct kunit *test, struct record *r)
{
	unsigned int nr = min(1 + rand_below(r, NR_RUN), PKVM_DONATE_MAX_GRANULES), i;
	unsigned int g = rand_below(r, NR_GFNS);
	struct page *page[NR_RUN];
	unsigned int p[NR_RUN];
	int v = r->loaded;
	int want = 0;

	while (nr > 1 && (g + nr > NR_GFNS || gfns[g + nr - 1] != gfns[g] + nr - 1))
		nr--;
	for (i = 0; i < nr; i++) {
		p[i] = rand_below(r, NR_PAGES);
		page[i] = r->page[p[i]];
	}

	if (v < 0 || gfns[g] % PTRS_PER_PTE + nr > PTRS_PER_PTE)
		want = -EINVAL;
	for (i = 0; i < nr && !want; i++)
		want = donate_one(r, v, g + i, p[i]);
	if (!want)
		want = nr;
	else if (i > 1)
		want = i - 1;

	expect_answer(test, "donate", el2_donate_run(r->vm[max(v, 0)], 0, page, gfns[g], nr), want);
}

static void poison(struct record *r, int p)
{
	unsigned int v, g;

	for (v = 0; v < NR_VMS; v++) {
		for (g = 0; g < NR_GFNS; g++) {
			if (r->place[v][g] == p)
				r->place[v][g] = POISONED;
		}
	}
}

static void step_force(struct kunit *test, struct record *r)
{
	unsigned int p = rand_below(r, NR_PAGES);
	int want = r->owner[p] == GUEST ? 0 : -EPERM;

	/* Not too often, since a poisoned gfn stays so until its VM dies. */
	if (rand_below(r, 4))
		return;
	expect_answer(test, "force_reclaim", el2_force_reclaim(page_to_pfn(r->page[p])), want);
	if (want)
		return;
	r->owner[p] = HOST;
	poison(r, p);
	KUNIT_ASSERT_TRUE(test, el2_holds_zeroes(r->page[p]));
	memset(page_address(r->page[p]), 0x55, PAGE_SIZE);
}

static void step_start_teardown(struct kunit *test, struct record *r)
{
	unsigned int v = rand_below(r, NR_VMS);
	int want = r->vm[v]->dying ? -EINVAL : r->loaded == v ? -EBUSY : 0;

	/* Most of the time, do not kill a VM that has no page yet. */
	if (is_empty(r, v) && rand_below(r, 8))
		return;
	expect_answer(test, "start_teardown", el2_start_teardown(r->vm[v]), want);
}

static void step_reclaim(struct kunit *test, struct record *r)
{
	unsigned int v = rand_below(r, NR_VMS);
	unsigned int g = rand_below(r, NR_GFNS);
	int want = r->vm[v]->dying ? 0 : -EPERM;
	int p = r->place[v][g];

	expect_answer(test, "reclaim", el2_reclaim(r->vm[v], gfns[g], 1), want);
	if (want)
		return;
	r->place[v][g] = EMPTY;
	if (p < 0)
		return;
	r->owner[p] = HOST;
	KUNIT_ASSERT_TRUE(test, el2_holds_zeroes(r->page[p]));
	memset(page_address(r->page[p]), 0x55, PAGE_SIZE);
}

static void step_finalize(struct kunit *test, struct record *r)
{
	unsigned int v = rand_below(r, NR_VMS);
	struct el2_vm *vm = r->vm[v];
	int ret;

	if (!vm->dying) {
		expect_answer(test, "finalize", el2_finalize(vm), -EPERM);
		return;
	}
	if (!is_empty(r, v)) {
		expect_answer(test, "finalize", el2_finalize(vm), -EBUSY);
		return;
	}
	do {
		ret = el2_finalize(vm);
	} while (ret == -EAGAIN);
	expect_answer(test, "finalize", ret, 0);
	KUNIT_ASSERT_EQ(test, vm->metadata, 0);
	el2_vm_destroy(test, vm);
	r->vm[v] = el2_vm_create(test, 1);
}

static void (*const calls[])(struct kunit *test, struct record *r) = {
	step_share, step_unshare, step_load, step_put, step_donate, step_donate, step_donate,
	step_force, step_start_teardown, step_reclaim, step_reclaim, step_finalize,
};

/* Rule: EL2 returns the predicted results for any sequence of calls, and loses no page. */
static void random_hypercalls(struct kunit *test)
{
	struct record *r = kunit_kzalloc(test, sizeof(*r), GFP_KERNEL);
	unsigned int i, p;

	KUNIT_ASSERT_NOT_NULL(test, r);
	if (!seed)
		seed = get_random_u32() | 1;
	kunit_info(test, "seed %lu, %u steps\n", seed, steps);
	prandom_seed_state(&r->rnd, seed);
	memset(r->place, EMPTY, sizeof(r->place));
	r->loaded = -1;
	for (i = 0; i < NR_PAGES; i++)
		r->page[i] = el2_page(test);
	for (i = 0; i < NR_VMS; i++)
		r->vm[i] = el2_vm_create(test, 1);

	for (i = 0; i < steps; i++) {
		calls[rand_below(r, ARRAY_SIZE(calls))](test, r);
		for (p = 0; p < NR_PAGES; p++)
			KUNIT_ASSERT_EQ_MSG(test, el2_readable(r->page[p]), r->owner[p] != GUEST,
					    "seed %lu, step %u, page %u", seed, i, p);
	}

	for (p = 0; p < NR_PAGES; p++) {
		if (r->owner[p] == HOST_SHARED)
			KUNIT_EXPECT_EQ(test, el2_unshare(r->page[p]), 0);
	}
}

static struct kunit_case el2_random_cases[] = {
	KUNIT_CASE_SLOW(random_hypercalls),
	{}
};

static struct kunit_suite el2_random_suite = {
	.name		= "pkvm_el2_random",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_random_cases,
};

kunit_test_suite(el2_random_suite);
