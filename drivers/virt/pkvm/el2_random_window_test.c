// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls of host and guest on the windows of a guest, with a record of each IPA and each page
 * (el2_windows.h). After every step the result must be the one that the record predicts, the host
 * can read exactly the pages that are not private, and EL2's counts are those of the record (R1,
 * R2).
 *
 * A failure prints the seed and the step. The parameters window_seed= and window_steps= repeat a
 * run.
 */
#include <linux/arm-smccc.h>
#include <linux/moduleparam.h>
#include <linux/pkvm.h>
#include <linux/random.h>

#include "el2_windows.h"

static unsigned long window_seed;
module_param(window_seed, ulong, 0444);
MODULE_PARM_DESC(window_seed, "Seed of the random calls on windows (0: a random seed)");

static unsigned int window_steps = 10000;
module_param(window_steps, uint, 0444);
MODULE_PARM_DESC(window_steps, "Number of random calls on windows");

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define GUARD_ENROLL	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID

static int want_of_place(const struct el2_windows *w, unsigned int at)
{
	switch (w->place[at]) {
	case EMPTY:
		return 0;
	case POISONED:
		return -EHWPOISON;
	default:
		return windows_is_guarded(w, at) ? -EPERM : -EEXIST;
	}
}

/* Compare EL2 with the record: each page, an IPA, and the counts. */
static void check(struct el2_windows *w)
{
	unsigned int at = windows_place(w), shared = windows_count(w, windows_is_shared), p;
	u64 guarded;

	for (p = 0; p < WINDOWS_PAGES; p++)
		KUNIT_ASSERT_EQ_MSG(w->test, el2_readable(w->page[p]), windows_is_hosts(w, p),
				    "seed %lu, step %u, page %u", window_seed, w->step, p);
	KUNIT_ASSERT_EQ_MSG(w->test,
			    (int)kvm_call_hyp_nvhe(__pkvm_guest_check_place, windows_gfn(at)),
			    want_of_place(w, at), "seed %lu, step %u", window_seed, w->step);
	KUNIT_ASSERT_EQ_MSG(w->test, windows_granules(w), shared, "seed %lu, step %u", window_seed,
			    w->step);
	guarded = w->g->vm->kvm->stat.protected.bytes_guarded >> PAGE_SHIFT;
	KUNIT_ASSERT_EQ_MSG(w->test, guarded, windows_count(w, windows_is_guarded) - shared,
			    "seed %lu, step %u", window_seed, w->step);
}

/* What the host cannot share: pages of guests and of EL2, what EL2 uses, and what is no memory. */
static void make_wrong(struct el2_windows *w)
{
	struct el2_vm *other = el2_vm_alloc(w->test, 1);
	struct page *private = el2_page(w->test), *shared = el2_page(w->test);
	u64 hyp = virt_to_pfn(other->hyp_vm);

	KUNIT_ASSERT_EQ(w->test, el2_init_vm(other), 0);
	KUNIT_ASSERT_EQ(w->test, el2_init_vcpu(other, 0), 0);
	el2_put();
	KUNIT_ASSERT_EQ(w->test, el2_load(other, 0), 0);
	KUNIT_ASSERT_EQ(w->test, el2_donate(other, 0, private, 0), 0);
	el2_put();
	KUNIT_ASSERT_EQ(w->test, el2_load(w->g->vm, 0), 0);
	KUNIT_ASSERT_EQ(w->test, el2_donate(w->g->vm, 0, shared, EL2_TEST_GFN), 0);
	KUNIT_ASSERT_EQ(w->test, el2_guest_hvc(w->test, w->g, MEM_SHARE,
					       (u64)EL2_TEST_GFN << PAGE_SHIFT, 0, 0), 0);

	w->wrong[0] = page_to_pfn(private);
	w->wrong[1] = page_to_pfn(shared);
	w->wrong[2] = page_to_pfn(w->g->code);
	w->wrong[3] = page_to_pfn(w->g->mailbox);
	w->wrong[4] = virt_to_pfn(w->g->vm->kvm);
	w->wrong[5] = hyp;
	/* The RTC of QEMU's virt machine, and an address beyond all memory. */
	w->wrong[6] = 0x09010000 >> PAGE_SHIFT;
	w->wrong[7] = BIT_ULL(48 - PAGE_SHIFT);
}

static void begin(struct kunit *test, struct el2_windows *w)
{
	unsigned int i;

	w->test = test;
	w->place = kunit_kmalloc(test, WINDOWS_PLACES, GFP_KERNEL);
	w->block = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN, WINDOWS_BLOCK_ORDER);
	KUNIT_ASSERT_NOT_NULL(test, w->place);
	KUNIT_ASSERT_NOT_NULL(test, w->block);
	memset(w->place, EMPTY, WINDOWS_PLACES);
	w->g = el2_guest_boot(test);
	w->np = el2_np_vm_create(test, 1);
	make_wrong(w);
	for (i = 0; i < WINDOWS_PAGES; i++) {
		w->page[i] = el2_page(test);
		windows_write(w, i, i);
	}
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, w->g, GUARD_ENROLL, 0, 0, 0), 0);
	/* By blocks, which the steps split and EL2 makes again. */
	for (i = 0; i < WINDOWS_PLACES; )
		i += windows_guard(w, i, WINDOWS_PLACES - i, true);
}

static void end(struct kunit *test, struct el2_windows *w)
{
	unsigned int i;

	kunit_info(test, "%u pages and %u blocks in windows, %u refusals\n", w->nr_shared,
		   w->nr_blocks, w->nr_refused);
	el2_put();
	el2_take_all(test, w->g->vm);
	el2_take_all(test, w->np);
	for (i = 0; i < WINDOWS_PAGES; i++) {
		if (w->owner[i] == HOST_SHARED)
			KUNIT_EXPECT_EQ(test, el2_unshare(w->page[i]), 0);
		if (w->owner[i] == HOST || w->owner[i] == HOST_SHARED)
			el2_expect_owned(test, w->page[i]);
	}
	for (i = 0; i < WINDOWS_BLOCK; i++)
		el2_expect_owned(test, w->block + i);
	__free_pages(w->block, WINDOWS_BLOCK_ORDER);
}

/* Rule: whatever host and guest do, a page is the guest's own or in a window, never both. */
static void random_windows(struct kunit *test)
{
	struct el2_windows *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, w);
	if (!window_seed)
		window_seed = get_random_u32() | 1;
	kunit_info(test, "seed %lu, %u steps\n", window_seed, window_steps);
	prandom_seed_state(&w->rnd, window_seed);
	begin(test, w);
	for (w->step = 0; w->step < window_steps; w->step++) {
		windows_step(w);
		check(w);
		cond_resched();
	}
	end(test, w);
}

static struct kunit_case el2_random_window_cases[] = {
	KUNIT_CASE_SLOW(random_windows),
	{}
};

static struct kunit_suite el2_random_window_suite = {
	.name		= "pkvm_el2_random_window",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_random_window_cases,
};

kunit_test_suite(el2_random_window_suite);
