// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random sequences of everything that kvm_pgtable does to a stage-2 table, beside the same
 * operations on the model. After every step: the same answer, the same leaves, sound tables
 * (pgtable_check.c), and no translation that went away without a TLBI. Once over a guest's table
 * and once over the host's.
 *
 * A failure names the seed, the step and the operation; seed=, steps= run it again. Long runs are
 * cut into rounds, each from empty tables and with a seed of its own: KUnit ends a case that takes
 * too long.
 */
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched.h>

#include "pgtable_kunit.h"

static unsigned long seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Seed of the random sequences (0: one that differs from boot to boot)");

static unsigned int steps = 3000;
module_param(steps, uint, 0444);
MODULE_PARM_DESC(steps, "Steps of a random sequence that has memory; the other takes a third");

static unsigned int rounds = 1;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "How often each sequence is run, from the seed on");

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
 * struct s2_step - One operation, drawn at random.
 * @op:		Which.
 * @ipa:	First IPA.
 * @size:	Bytes.
 * @phys:	Output address (map).
 * @prot:	Attributes (map), permissions (relax).
 * @owner:	Owner (set_owner).
 * @tables:	Pages that a split may take, or tables that coalescing may.
 * @fault:	Map as a fault handler does.
 * @force_pte:	Map pages only.
 * @mkold:	Age by clearing.
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

/* What the host maps: mostly the default for that address, or the default with software bits. */
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
 * Most ranges are a few leaves of one level, some are pages without alignment. What ends up as
 * pages is kept below a few tables, for the sake of speed.
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
	 * Near to the middle of the window, where its tables meet, ranges meet as well. So they do
	 * in the host's where memory ends.
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

/* The host's is an identity map, which no one else walks. Only pages are given away. */
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

	/* Mostly one output for one input, so that a map finds its own leaves again. */
	s.phys = S2_DATA_PHYS + s.ipa;
	if (align == PAGE_SIZE)
		s.phys += PAGE_SIZE * s2_rand(r, 4);

	if (s.op == OP_RELAX)
		s.prot &= KVM_PGTABLE_PROT_RWX;
	return s;
}

/* The operation on the tables: its result, or for mkyoung and age the value that they return. */
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

/* The same on the model. */
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
		KUNIT_FAIL(test, "it returned 0x%llx, must return 0x%llx", real, want);
	else if (r->m->stale)
		KUNIT_FAIL(test, "0x%llx is no longer mapped, but may be in a TLB", r->m->stale);
	else if (s2_check(r->f, r->m))
		return;

	KUNIT_FAIL_AND_ABORT(test, "seed=%lu, step %u: %s 0x%llx + 0x%llx -> 0x%llx, 0x%llx%s%s",
			     r->seed, nr, op_name[s.op], s.ipa, s.size, s.phys, (u64)s.prot,
			     s.fault ? ", fault" : "", s.force_pte ? ", pages" : "");
}

/* The parameter of a case is the number of its round, from 1 on. */
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
		/* RCU takes a CPU that does nothing else for 20 s for a stalled one. */
		cond_resched();
	}
	r.f->pool.fail_in = 0;
}

/* Rule: any sequence of operations gives what the plain array says. */
static void random_sequence(struct kunit *test)
{
	s2_random_run(test, steps, false);
}

/* Rule: so does one in which an allocation fails now and then: what was done until then stays. */
static void random_sequence_without_memory(struct kunit *test)
{
	s2_random_run(test, steps / 3, true);
}

struct kunit_case s2_random_cases[] = {
	KUNIT_CASE_PARAM_ATTR(random_sequence, round_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(random_sequence_without_memory, round_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};

struct kunit_case s2_host_random_cases[] = {
	KUNIT_CASE_PARAM_ATTR(random_sequence, round_gen_params, { .speed = KUNIT_SPEED_SLOW }),
	KUNIT_CASE_PARAM_ATTR(random_sequence_without_memory, round_gen_params,
			      { .speed = KUNIT_SPEED_SLOW }),
	{}
};
