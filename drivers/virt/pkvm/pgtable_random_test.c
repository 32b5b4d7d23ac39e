// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of all operations of kvm_pgtable on a stage-2 table, and of the same operations
 * on the model, for a guest's table and for the host's. Rule: after every step result and leaves
 * equal those of the model, the tables are sound (pgtable_check.c), and a TLBI covered each removed
 * translation.
 *
 * A failure prints the seed, the step and the operation. The parameters seed= and steps= repeat a
 * run. Long runs have several rounds, each with empty tables and another seed, since KUnit ends a
 * case that takes too long.
 */
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "pgtable_kunit.h"

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random sequences (0: a random seed)");

static unsigned int steps = 3000;
module_param(steps, uint, 0444);
MODULE_PARM_DESC(steps, "Steps of a sequence; one with failing allocations has a third");

static unsigned int rounds = 1;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "Rounds of each sequence, with consecutive seeds");

enum s2_op {
	OP_MAP,
	OP_OWNER,
	OP_UNMAP,
	OP_WRPROTECT,
	OP_RELAX,
	OP_YOUNG,
	OP_AGE,
	OP_SPLIT,
	OP_COALESCE,
	OP_NR,
};

static const char * const op_name[OP_NR] = {
	"map", "set_owner", "unmap", "wrprotect", "relax", "mkyoung", "age", "split", "coalesce",
};

static const unsigned int op_weight[OP_NR] = { 32, 16, 22, 8, 8, 5, 5, 4, 0 };
static const unsigned int op_host_weight[OP_NR] = { 30, 28, 8, 6, 6, 4, 4, 4, 10 };

/**
 * struct s2_step - A random operation.
 * @op:		The operation.
 * @ipa:	The first IPA, in bytes.
 * @size:	The size in bytes.
 * @phys:	Output address (map).
 * @prot:	Attributes (map), permissions (relax).
 * @owner:	Owner (set_owner).
 * @tables:	The limit of pages for a split, or of tables for coalescing.
 * @fault:	Map as a fault handler does.
 * @force_pte:	Map only pages.
 * @mkold:	Clear the access flag when ageing.
 */
struct s2_step {
	enum s2_op		op;
	u64			ipa;
	u64			size;
	u64			phys;
	enum kvm_pgtable_prot	prot;
	u8			owner;
	int			tables;
	bool			fault;
	bool			force_pte;
	bool			mkold;
};

struct s2_run {
	unsigned long		seed;
	struct s2_fixture		*f;
	struct s2_model		*m;
	struct rnd_state	rnd;
};

static u32 s2_rand(struct s2_run *r, u32 below)
{
	return prandom_u32_state(&r->rnd) % below;
}

static bool s2_force;

static bool s2_force_cb(u64 addr, u64 end, enum kvm_pgtable_prot prot)
{
	return s2_force;
}

static enum s2_op s2_draw_op(struct s2_run *r)
{
	const unsigned int *weight = r->f->host ? op_host_weight : op_weight;
	u32 x = s2_rand(r, 100);
	enum s2_op op = 0;

	while (x >= weight[op])
		x -= weight[op++];
	return op;
}

static enum kvm_pgtable_prot s2_draw_prot(struct s2_run *r)
{
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R;

	if (s2_rand(r, 2))
		prot |= KVM_PGTABLE_PROT_W;
	if (s2_rand(r, 2))
		prot |= KVM_PGTABLE_PROT_X;
	if (!s2_rand(r, 4))
		prot |= KVM_PGTABLE_PROT_SW0;
	if (!s2_rand(r, 4))
		prot |= KVM_PGTABLE_PROT_SW3;
	return prot;
}

/* Draw attributes for the host: mostly the default of that address, some with software bits. */
static enum kvm_pgtable_prot s2_draw_host_prot(struct s2_run *r, u64 phys)
{
	bool memory = s2_host_is_memory(r->f, phys);
	u32 x = s2_rand(r, 10);

	if (x == 0)
		return s2_draw_prot(r);
	if (x == 1)
		memory = !memory;
	if (x == 2)
		return KVM_PGTABLE_PROT_RWX | (KVM_PGTABLE_PROT_SW0 << s2_rand(r, 4));
	return memory ? PKVM_HOST_MEM_PROT : PKVM_HOST_MMIO_PROT;
}

/*
 * Draw a range: mostly a few leaves of one level, sometimes pages without alignment. For speed,
 * ranges that become pages need only a few tables.
 */
static void s2_draw_range(struct s2_run *r, struct s2_step *s, bool pages_only)
{
	u64 end = r->m->base + (u64)r->m->pages * PAGE_SIZE;
	u32 x = s2_rand(r, 100);
	s8 level = x < 3 ? KVM_PGTABLE_MIN_BLOCK_LEVEL : x < 30 ? 2 : 3;
	unsigned int near = kvm_granule_size(2) / PAGE_SIZE * 6;
	unsigned long edge = r->m->pages / (r->f->host && s2_rand(r, 2) ? 4 : 2);
	u64 unit = kvm_granule_size(level);

	if (level < 2 && pages_only)
		unit = kvm_granule_size(2);

	/*
	 * Prefer addresses near the middle of the window, at a border of its tables, and for the
	 * host near the end of memory, so that ranges overlap there.
	 */
	s->ipa = r->m->base + (u64)s2_rand(r, r->m->pages) * PAGE_SIZE;
	if (s2_rand(r, 4))
		s->ipa = r->m->base + (u64)(r->m->pages - edge) * PAGE_SIZE +
			 (s64)((int)s2_rand(r, near) - (int)near / 2) * PAGE_SIZE;
	s->ipa = ALIGN_DOWN(s->ipa, unit);
	s->size = (1 + s2_rand(r, unit == PAGE_SIZE ? 40 : 2)) * unit;
	if (pages_only)
		s->size = min(s->size, kvm_granule_size(2));
	s->ipa = clamp(s->ipa, r->m->base, end - PAGE_SIZE);
	s->size = min(s->size, end - s->ipa);
}

/* The host's table is an identity map with one walker. Only single pages change owner. */
static struct s2_step s2_draw_host(struct s2_run *r)
{
	struct s2_step s = { .op = s2_draw_op(r) };

	s.force_pte = !s2_rand(r, 8);
	s.mkold = s2_rand(r, 2);
	s.owner = s2_rand(r, 2) ? 1 + s2_rand(r, KVM_MAX_OWNER_ID) : 0;
	s.tables = s2_rand(r, 16) ? s2_rand(r, 4) : PTRS_PER_PTE + 1;
	s2_draw_range(r, &s, (s.op == OP_OWNER && s.owner) || (s.op == OP_MAP && s.force_pte));
	s.phys = s.ipa;
	s.prot = s2_draw_host_prot(r, s.phys);
	if (s.op == OP_RELAX)
		s.prot &= KVM_PGTABLE_PROT_RWX;
	return s;
}

static struct s2_step s2_draw(struct s2_run *r)
{
	struct s2_step s = { .op = s2_draw_op(r) };
	bool pages_only;
	u64 align;

	s.force_pte = !s2_rand(r, 8);
	s.fault = s2_rand(r, 2);
	s.mkold = s2_rand(r, 2);
	s.prot = s2_draw_prot(r);
	s.owner = s2_rand(r, 3) ? KVM_MAX_OWNER_ID : 0;
	s.tables = s2_rand(r, 16) ? s2_rand(r, 4) : PTRS_PER_PTE + 1;
	align = s2_rand(r, 8) ? BIT_ULL(40) : PAGE_SIZE;

	pages_only = s.op == OP_OWNER ||
		     (s.op == OP_MAP && (s.force_pte || align == PAGE_SIZE));
	s2_draw_range(r, &s, pages_only);

	/* Mostly use a fixed output for each input, so that a map meets its own leaves again. */
	s.phys = S2_DATA_PHYS + s.ipa;
	if (align == PAGE_SIZE)
		s.phys += PAGE_SIZE * s2_rand(r, 4);

	if (s.op == OP_RELAX)
		s.prot &= KVM_PGTABLE_PROT_RWX;
	return s;
}

/* Make the operation on the tables. Return its result. */
static s64 s2_do(struct s2_run *r, const struct s2_step *s)
{
	struct kvm_mmu_memory_cache *mc = &r->f->mmu.split_page_cache;
	struct kvm_pgtable *pgt = &r->f->pgt;
	enum kvm_pgtable_walk_flags flags = 0;

	switch (s->op) {
	case OP_MAP:
		s2_force = s->force_pte;
		if (s->fault)
			flags = KVM_PGTABLE_WALK_HANDLE_FAULT | KVM_PGTABLE_WALK_SHARED;
		return kvm_pgtable_stage2_map(pgt, s->ipa, s->size, s->phys, s->prot, &r->f->pool,
					      flags);
	case OP_OWNER:
		return kvm_pgtable_stage2_set_owner(pgt, s->ipa, s->size, &r->f->pool, s->owner);
	case OP_UNMAP:
		return kvm_pgtable_stage2_unmap(pgt, s->ipa, s->size);
	case OP_WRPROTECT:
		return kvm_pgtable_stage2_wrprotect(pgt, s->ipa, s->size);
	case OP_RELAX:
		return kvm_pgtable_stage2_relax_perms(pgt, s->ipa, s->prot);
	case OP_YOUNG:
		return kvm_pgtable_stage2_mkyoung(pgt, s->ipa);
	case OP_AGE:
		return kvm_pgtable_stage2_test_clear_young(pgt, s->ipa, s->size, s->mkold);
	case OP_SPLIT:
		mc->nobjs = s->tables;
		return kvm_pgtable_stage2_split(pgt, s->ipa, s->size, mc);
	case OP_COALESCE:
		return kvm_pgtable_stage2_coalesce(pgt, s->ipa, s->size, s->tables);
	default:
		return -EINVAL;
	}
}

/* Make the operation on the model. Return its result. */
static s64 s2_predict(struct s2_run *r, const struct s2_step *s)
{
	struct s2_model *m = r->m;

	switch (s->op) {
	case OP_MAP:
		return s2_model_map(m, s->ipa, s->size, s->phys, s->prot, s->force_pte, s->fault);
	case OP_OWNER:
		return s2_model_set_owner(m, s->ipa, s->size, s->owner);
	case OP_UNMAP:
		s2_model_unmap(m, s->ipa, s->size);
		return 0;
	case OP_WRPROTECT:
		s2_model_wrprotect(m, s->ipa, s->size);
		return 0;
	case OP_RELAX:
		return s2_model_relax(m, s->ipa, s->prot);
	case OP_YOUNG:
		return s2_model_mkyoung(m, s->ipa);
	case OP_AGE:
		return s2_model_age(m, s->ipa, s->size, s->mkold);
	case OP_SPLIT:
		return s2_model_split(m, s->ipa, s->size, s->tables);
	case OP_COALESCE:
		return s2_model_coalesce(m, s->ipa, s->size, s->tables);
	default:
		return -EINVAL;
	}
}

static void s2_step(struct s2_run *r, unsigned int nr, bool starve)
{
	struct kunit *test = r->f->test;
	struct s2_step s = r->f->host ? s2_draw_host(r) : s2_draw(r);
	s64 real, want;

	r->f->pool.fail_in = starve && s.op != OP_SPLIT ? s2_rand(r, 4) : 0;
	r->m->fail_in = r->f->pool.fail_in;
	s2_forget_events(r->f);
	r->m->stale = 0;

	real = s2_do(r, &s);
	want = s2_predict(r, &s);

	if (real != want)
		KUNIT_FAIL(test, "the result is 0x%llx, must be 0x%llx", real, want);
	else if (r->m->stale)
		KUNIT_FAIL(test, "0x%llx was unmapped without a TLBI", r->m->stale);
	else if (s2_check(r->f, r->m))
		return;

	KUNIT_FAIL_AND_ABORT(test, "seed=%lu, step %u: %s 0x%llx + 0x%llx -> 0x%llx, 0x%llx%s%s",
			     r->seed, nr, op_name[s.op], s.ipa, s.size, s.phys, (u64)s.prot,
			     s.fault ? ", fault" : "", s.force_pte ? ", pages" : "");
}

/* The parameter of a case is the number of its round, counted from 1. */
static const void *round_gen_params(const void *prev, char *desc)
{
	unsigned long round = (unsigned long)prev + 1;

	if (round > rounds)
		return NULL;

	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "round %lu", round);
	return (const void *)round;
}

static void s2_random_run(struct kunit *test, unsigned int nr, bool starve)
{
	struct s2_run r = { .f = test->priv };
	unsigned int i;

	if (!seed)
		seed = get_random_u32() | 1;
	r.seed = seed + (unsigned long)test->param_value - 1;
	kunit_info(test, "seed=%lu, %u steps\n", r.seed, nr);
	prandom_seed_state(&r.rnd, r.seed);
	r.m = s2_model_create(r.f);
	r.f->pgt.force_pte_cb = s2_force_cb;
	for (i = 0; i < nr; i++) {
		s2_step(&r, i, starve);
		/* Avoid RCU stall warnings, which come after 20 s. */
		cond_resched();
	}
	r.f->pool.fail_in = 0;
}

/* Rule: any sequence of operations has the results that the model predicts. */
static void random_sequence(struct kunit *test)
{
	s2_random_run(test, steps, false);
}

/* Rule: with failing allocations, too: an operation that fails keeps what it has done before. */
static void random_sequence_without_memory(struct kunit *test)
{
	s2_random_run(test, steps / 3, true);
}

static struct kunit_case s2_random_cases[] = {
	KUNIT_CASE_PARAM_ATTR(random_sequence, round_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(random_sequence_without_memory, round_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite s2_random_suite = {
	.name		= "pkvm_pgtable_random",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_random_cases,
};

kunit_test_suite(s2_random_suite);

static struct kunit_case s2_host_random_cases[] = {
	KUNIT_CASE_PARAM_ATTR(random_sequence, round_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(random_sequence_without_memory, round_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

static struct kunit_suite s2_host_random_suite = {
	.name		= "pkvm_pgtable_host_random",
	.init		= s2_host_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_host_random_cases,
};

kunit_test_suite(s2_host_random_suite);
