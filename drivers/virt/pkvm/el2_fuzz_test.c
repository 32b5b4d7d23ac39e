// SPDX-License-Identifier: GPL-2.0-only
/*
 * A host that makes random hypercalls, on two CPUs at once, beside a guest that runs and shares.
 * The test predicts no results: EL2 itself checks its state, and panics if it is wrong
 * (nvhe/ghost.c, nvhe/pgtable_check.c). At the end of a round every VM can be torn down, and the
 * host owns every page again (R1, R5).
 *
 * Each step has a seed of its own, so that a round can be run again with some steps left out:
 * fuzz_only names those that are made. A panic ends the kernel, so it is a script on the build
 * machine that finds a short sequence which still fails: scripts/pkvm/run_fuzz_host.py.
 */
#include <linux/arm-smccc.h>
#include <linux/bitmap.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/pkvm.h>
#include <linux/random.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_debug.h>

#include "el2_fuzz.h"

#define GUARD_ENROLL	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID
#define RGUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID

static unsigned long fuzz_seed;
module_param(fuzz_seed, ulong, 0444);
MODULE_PARM_DESC(fuzz_seed, "Seed of the random host (0: one that differs from boot to boot)");

static unsigned int fuzz_steps = 500;
module_param(fuzz_steps, uint, 0444);
MODULE_PARM_DESC(fuzz_steps, "Steps of the random host in one round, on each CPU");

static unsigned int fuzz_rounds = 2;
module_param(fuzz_rounds, uint, 0444);
MODULE_PARM_DESC(fuzz_rounds, "Rounds of the random host, each with VMs of its own");

static unsigned int fuzz_first;
module_param(fuzz_first, uint, 0444);
MODULE_PARM_DESC(fuzz_first, "The first round");

static unsigned int fuzz_cpus = FUZZ_MAX_CPUS;
module_param(fuzz_cpus, uint, 0444);
MODULE_PARM_DESC(fuzz_cpus, "CPUs that the random host runs on, 1 or 2");

static char *fuzz_only;
module_param(fuzz_only, charp, 0444);
MODULE_PARM_DESC(fuzz_only, "The steps of each round to make, as a list of ranges (default: all)");

static unsigned int fuzz_spoil = UINT_MAX;
module_param(fuzz_spoil, uint, 0444);
MODULE_PARM_DESC(fuzz_spoil, "The step before which a page gets a wrong state (default: none)");

static unsigned long calls_of(const struct fuzz *f)
{
	return f->host[0].calls + f->host[1].calls;
}

static unsigned long windows_of(const struct fuzz *f)
{
	return f->host[0].windows + f->host[1].windows;
}

/* Give a page a wrong state, to test that the ghost finds it. */
static void spoil_page(struct fuzz *f)
{
	unsigned int i;

	for (i = 0; i < FUZZ_PAGES; i++) {
		if (!kvm_call_hyp_nvhe(__pkvm_debug, PKVM_DEBUG_SPOIL_PAGE,
				       page_to_pfn(f->page[i])))
			return;
	}
}

static int run_cpu(void *arg)
{
	struct fuzz_cpu *h = arg;
	struct fuzz *f = h->fuzz;

	for (h->step = 0; h->step < fuzz_steps; h->step++) {
		/* A step has the same random numbers, whichever steps before it were left out. */
		prandom_seed_state(&h->rnd, f->seed + ((u64)f->round << 40) +
				   ((u64)h->cpu << 32) + h->step);
		if (h->step == fuzz_spoil)
			spoil_page(f);
		if (!f->only || test_bit(h->step, f->only))
			fuzz_step(h);
		cond_resched();
	}
	el2_put();
	complete(&h->done);
	return 0;
}

static void run_cpus(struct kunit *test, struct fuzz *f)
{
	struct task_struct *task[FUZZ_MAX_CPUS];
	unsigned int i;

	for (i = 0; i < fuzz_cpus; i++) {
		f->host[i].fuzz = f;
		f->host[i].cpu = i ? EL2_OTHER_CPU : EL2_CPU;
		f->host[i].loaded = -1;
		init_completion(&f->host[i].done);
		task[i] = kthread_create(run_cpu, &f->host[i], "el2_fuzz/%u", i);
		KUNIT_ASSERT_FALSE(test, IS_ERR(task[i]));
		kthread_bind(task[i], f->host[i].cpu);
	}
	for (i = 0; i < fuzz_cpus; i++)
		wake_up_process(task[i]);
	for (i = 0; i < fuzz_cpus; i++)
		wait_for_completion(&f->host[i].done);
}

static void begin(struct kunit *test, struct fuzz *f)
{
	struct el2_guest *g = el2_guest_boot(test);
	struct el2_vm *late;
	unsigned int i;

	f->vm[FUZZ_GUEST] = g->vm;
	f->mailbox = g->mailbox;
	/* In every other round the guest begins with guards, and else makes them itself. */
	if (f->round % 2 == 0) {
		KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, GUARD_ENROLL, 0, 0, 0), 0);
		el2_guest_hvc_tables(test, g, RGUARD_MAP, (u64)FUZZ_WINDOW_GFN << PAGE_SHIFT,
				     PTRS_PER_PTE);
		KUNIT_ASSERT_EQ(test, el2_guest_result(g, 0), 0);
	}
	el2_put();
	f->vm[FUZZ_PROTECTED] = el2_vm_create(test, 1);
	f->vm[FUZZ_NP] = el2_np_vm_create(test, 1);

	late = el2_vm_alloc(test, 1);
	f->vm[FUZZ_LATE] = late;
	f->late = false;
	f->late_vcpu = false;
	f->hyp_vm = late->hyp_vm;
	f->pgd = late->pgd;
	f->hyp_vcpu = late->hyp_vcpu[0];

	for (i = 0; i < FUZZ_PAGES; i++)
		f->page[i] = el2_page(test);
	f->tx = el2_page(test);
	f->rx = el2_page(test);
	f->spare = el2_page(test);
	fuzz_ffa_begin(f);

	/* The pages that are in the memcaches already are part of the VMs' metadata counts. */
	for (i = 0; i < FUZZ_VMS; i++)
		atomic_set(&f->made[i], f->vm[i]->vcpu[0]->arch.pkvm_memcache.nr_pages);
}

/* Take back all pages of a guest, at every gfn that random calls use. */
static void empty_vm(struct kunit *test, struct el2_vm *vm)
{
	static const u64 ranges[][2] = {
		{ 0, 4 * PTRS_PER_PTE },
		{ PAGE_SIZE - 1, PAGE_SIZE + PKVM_DONATE_MAX_GRANULES },
		{ BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT) - 1, BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT) },
	};
	unsigned int i;
	u64 gfn, nr;

	if (!vm->dying)
		KUNIT_EXPECT_EQ(test, el2_start_teardown(vm), 0);
	/* Except with -EBUSY the VM has no page any more, and its tables may be gone. */
	if (el2_finalize(vm) != -EBUSY)
		return;
	el2_take_all(test, vm);
	if (!vm->kvm->arch.pkvm.enabled)
		return;

	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		for (gfn = ranges[i][0]; gfn < ranges[i][1]; gfn += nr) {
			nr = min_t(u64, ranges[i][1] - gfn, PKVM_RECLAIM_MAX_GRANULES);
			KUNIT_EXPECT_EQ(test, el2_reclaim(vm, gfn, nr), 0);
		}
	}
}

static void end_vm(struct kunit *test, struct fuzz *f, unsigned int v)
{
	struct el2_vm *vm = f->vm[v];

	vm->metadata += atomic_read(&f->made[v]) - vm->vcpu[0]->arch.pkvm_memcache.nr_pages;
	if (vm->handle)
		empty_vm(test, vm);
	else	/* A step has finalized it, but not freed the returned pages. */
		el2_finalize(vm);
	if (!vm->handle)
		KUNIT_EXPECT_EQ(test, vm->metadata, 0);
	el2_vm_destroy(test, vm);
}

static void end(struct kunit *test, struct fuzz *f)
{
	unsigned int i;

	el2_put();
	f->regions += fuzz_ffa_end(f);
	/* Random calls may have shared the pages for FUZZ_LATE with EL2 before it was created. */
	if (f->late) {
		el2_vm_was_made(f->vm[FUZZ_LATE], f->late_vcpu);
	} else {
		el2_unshare(virt_to_page(f->hyp_vm));
		el2_unshare(virt_to_page(f->pgd));
	}
	for (i = 0; i < FUZZ_VMS; i++)
		end_vm(test, f, i);

	for (i = 0; i < FUZZ_PAGES; i++) {
		el2_unshare(f->page[i]);
		el2_expect_owned(test, f->page[i]);
	}
	/* Random calls share and donate only the first pages of the block on their own. */
	for (i = 0; f->block && i < FUZZ_PAGES; i++) {
		el2_unshare(f->block + i);
		el2_expect_owned(test, f->block + i);
	}
	/* Random calls may have shared the mailbox with EL2 after the guest's death. */
	el2_unshare(f->mailbox);
	el2_expect_owned(test, f->mailbox);
	el2_unshare(f->tx);
	el2_expect_owned(test, f->tx);
	el2_expect_owned(test, f->rx);
	el2_expect_owned(test, f->spare);
}

/* Parse the list of steps that are made again. */
static void parse_only(struct kunit *test, struct fuzz *f)
{
	if (!fuzz_only)
		return;

	f->only = kunit_kcalloc(test, BITS_TO_LONGS(fuzz_steps), sizeof(long), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->only);
	KUNIT_ASSERT_EQ(test, bitmap_parselist(fuzz_only, f->only, fuzz_steps), 0);
}

/* Rule: no order of calls, right or wrong, makes EL2 panic, or lose a page. */
static void random_host(struct kunit *test)
{
	struct fuzz *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, f);
	f->seed = fuzz_seed ?: get_random_u32();
	fuzz_cpus = clamp(fuzz_cpus, 1, FUZZ_MAX_CPUS);
	kunit_info(test, "seed %llu, %u rounds of %u steps on %u CPUs\n", f->seed, fuzz_rounds,
		   fuzz_steps, fuzz_cpus);
	parse_only(test, f);
	f->handle = kunit_kcalloc(test, fuzz_cpus * fuzz_steps, sizeof(*f->handle), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, f->handle);
	f->block = alloc_pages(GFP_KERNEL | __GFP_NOWARN, ilog2(PTRS_PER_PTE));

	for (i = 0; i < fuzz_rounds && test->status != KUNIT_FAILURE; i++) {
		f->round = fuzz_first + i;
		/* If EL2 panics, run_fuzz_host.py finds the round by this line. */
		kunit_info(test, "round %u, after %lu calls\n", f->round, calls_of(f));
		begin(test, f);
		run_cpus(test, f);
		end(test, f);
	}

	if (f->block)
		__free_pages(f->block, ilog2(PTRS_PER_PTE));
	kunit_info(test, "%lu regions went to the secure world\n", f->regions);
	kunit_info(test, "%lu pages and blocks went into windows\n", windows_of(f));
	kunit_info(test, "%lu calls in all\n", calls_of(f));
}

static struct kunit_case el2_fuzz_cases[] = {
	KUNIT_CASE_SLOW(random_host),
	{}
};

static struct kunit_suite el2_fuzz_suite = {
	.name		= "pkvm_el2_fuzz",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_fuzz_cases,
};

kunit_test_suite(el2_fuzz_suite);
