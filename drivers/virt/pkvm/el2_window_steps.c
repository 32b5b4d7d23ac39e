// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random calls on the windows of a guest: the host shares and takes back pages and a block, donates
 * pages to the same IPAs, and offers pages that are not its own; the guest guards and unguards the
 * IPAs, and shares, unshares and relinquishes what is there. Each step predicts the result of its
 * call by the record (el2_windows.h), and brings the record up to date (R1, R2, R7).
 *
 * All functions must run in the test case's thread, with the guest's vCPU loaded on its CPU.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_np.h>

#include "el2_windows.h"

#define MEM_SHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define MEM_UNSHARE	ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define MEM_RELINQUISH	ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID
#define GUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID
#define GUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID
#define RGUARD_MAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID
#define RGUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID

#define RW		KVM_PGTABLE_PROT_RW

/* A poisoned IPA stays so until the guest dies. */
#define MAX_POISONED	3

/**
 * windows_place() - Draw an IPA.
 * @w:	The record.
 *
 * Return: its index, mostly one of a few: some adjacent, some at the ends of the blocks.
 */
unsigned int windows_place(struct el2_windows *w)
{
	static const unsigned int places[] = {
		0, 1, 2, 3, WINDOWS_BLOCK - 2, WINDOWS_BLOCK - 1, WINDOWS_BLOCK, WINDOWS_BLOCK + 1,
		WINDOWS_PLACES - 1,
	};

	return windows_below(w, 8) ? places[windows_below(w, ARRAY_SIZE(places))] :
				  windows_below(w, WINDOWS_PLACES);
}

static bool is_own(const struct el2_windows *w, unsigned int at)
{
	return w->place[at] >= 0 && w->place[at] < SHARED;
}

/* The page at an IPA, of guest or host; not of the block. */
static unsigned int page_at(const struct el2_windows *w, unsigned int at)
{
	return is_own(w, at) ? w->place[at] : w->place[at] - SHARED;
}

/**
 * windows_count() - Count the IPAs at which something is.
 * @w:	The record.
 * @is:	What: windows_is_shared() or windows_is_guarded().
 *
 * Return: how many there are, in granules.
 */
unsigned int windows_count(const struct el2_windows *w,
			   bool (*is)(const struct el2_windows *w, unsigned int at))
{
	unsigned int at, nr = 0;

	for (at = 0; at < WINDOWS_PLACES; at++)
		nr += is(w, at);
	return nr;
}

static void expect_answer(struct el2_windows *w, const char *call, s64 real, s64 want)
{
	w->nr_refused += want < 0;
	KUNIT_ASSERT_EQ_MSG(w->test, real, want, "step %u: %s", w->step, call);
}

/* The first word of a page, which the guest accesses past the caches. */
static u64 host_reads(struct page *page)
{
	u64 *word = page_address(page);

	el2_to_poc(word, sizeof(*word));
	return READ_ONCE(*word);
}

/**
 * windows_write() - Write the first word of a page as the host.
 * @w:		The record.
 * @p:		The page, which the host can access.
 * @value:	The value.
 */
void windows_write(struct el2_windows *w, unsigned int p, u64 value)
{
	u64 *word = page_address(w->page[p]);

	w->contents[p] = value;
	WRITE_ONCE(*word, value);
	el2_to_poc(word, sizeof(*word));
}

/* The page of the host in a window goes, or the block as a whole. Return the number of granules. */
static unsigned int unshare_place(struct el2_windows *w, unsigned int at)
{
	unsigned int first = ALIGN_DOWN(at, WINDOWS_BLOCK), i;

	if (!windows_is_shared(w, at))
		return 0;
	if (w->place[at] != SHARED_BLOCK) {
		w->in_windows[page_at(w, at)]--;
		w->place[at] = GUARDED;
		return 1;
	}
	for (i = 0; i < WINDOWS_BLOCK; i++)
		w->place[first + i] = GUARDED;
	return WINDOWS_BLOCK;
}

/**
 * windows_granules() - Get EL2's count of what is in windows.
 * @w:	The record.
 *
 * Return: the number of granules of the guest's IPA space.
 */
u64 windows_granules(struct el2_windows *w)
{
	/* EL2 shows its counts when the vCPU is put. */
	el2_put();
	KUNIT_ASSERT_EQ(w->test, el2_load(w->g->vm, 0), 0);
	return w->g->vm->kvm->stat.protected.bytes_window >> PAGE_SHIFT;
}

/* The host answers a fault at an IPA with a page of its own, or of somebody else. */
static void step_window(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES), at = windows_place(w);
	int want;

	if (w->owner[p] != HOST)
		want = -EPERM;
	else if (w->place[at] == GUARDED)
		want = 0;
	else if (windows_is_shared(w, at))
		want = w->place[at] == SHARED + p ? -EAGAIN : -EEXIST;
	else
		want = -ENOENT;

	expect_answer(w, "share in a window",
		      el2_np_share(w->test, w->g->vm, page_to_pfn(w->page[p]), windows_gfn(at), 1,
				   RW), want);
	if (want)
		return;
	w->place[at] = SHARED + p;
	w->in_windows[p]++;
	w->nr_shared++;
}

static void step_window_wrong(struct el2_windows *w)
{
	static const u64 prots[] = {
		0, KVM_PGTABLE_PROT_W, KVM_PGTABLE_PROT_RWX, RW | KVM_PGTABLE_PROT_DEVICE,
		RW | KVM_PGTABLE_PROT_NORMAL_NC, RW | KVM_PGTABLE_PROT_SW0,
	};
	u64 pfn = w->wrong[windows_below(w, WINDOWS_WRONG)], gfn = windows_gfn(windows_place(w));
	int want = pfn_is_map_memory(pfn) ? -EPERM : -EINVAL;
	struct page *page = w->page[windows_below(w, WINDOWS_PAGES)];

	expect_answer(w, "share what is not the host's",
		      el2_np_share(w->test, w->g->vm, pfn, gfn, 1, RW), want);
	expect_answer(w, "share as something else",
		      el2_np_share(w->test, w->g->vm, page_to_pfn(page), gfn, 1,
				   prots[windows_below(w, ARRAY_SIZE(prots))]), -EINVAL);
}

/* How many granules from @at on, up to @nr, the guest can guard, or has guarded. */
static unsigned int run_length(struct el2_windows *w, unsigned int at, unsigned int nr, bool map)
{
	unsigned int end = at + nr, i = at;

	while (i < end && (windows_is_guarded(w, i) || (map && w->place[i] == EMPTY)))
		i++;
	return i - at;
}

/**
 * windows_guard() - Have the guest guard or unguard IPAs.
 * @w:		The record.
 * @at:		The first IPA.
 * @nr:		How many, at least 1.
 * @map:	Guard them.
 *
 * Return: how many of them, from the first one on, are done; 0 if EL2 refuses.
 */
unsigned int windows_guard(struct el2_windows *w, unsigned int at, unsigned int nr, bool map)
{
	unsigned int want = run_length(w, at, nr, map), done, i;
	bool range = nr > 1 || windows_below(w, 2);
	u32 fn = range ? (map ? RGUARD_MAP : RGUARD_UNMAP) : (map ? GUARD_MAP : GUARD_UNMAP);

	el2_guest_hvc_tables(w->test, w->g, fn, windows_gfn(at) << PAGE_SHIFT, range ? nr : 0);
	expect_answer(w, map ? "guard" : "unguard", el2_guest_result(w->g, 0),
		      want ? SMCCC_RET_SUCCESS : SMCCC_RET_INVALID_PARAMETER);
	if (!want)
		return 0;

	/* EL2 may do less than it is asked for, but nothing behind the end. */
	done = range ? el2_guest_result(w->g, 1) : 1;
	KUNIT_ASSERT_GT(w->test, done, 0);
	KUNIT_ASSERT_LE(w->test, done, want);
	for (i = at; i < at + done; i++) {
		if (!map)
			unshare_place(w, i);
		if (!map || w->place[i] == EMPTY)
			w->place[i] = map ? GUARDED : EMPTY;
	}
	/* It has taken the block back, but lacks the table to remove a part of the guard. */
	if (!map && done < want && w->place[at + done] == SHARED_BLOCK &&
	    windows_granules(w) == windows_count(w, windows_is_shared) - WINDOWS_BLOCK)
		unshare_place(w, at + done);
	return done;
}

/* The guest guards what it can of a block. */
static void guard_block(struct el2_windows *w, unsigned int first)
{
	unsigned int end = first + WINDOWS_BLOCK, at = first;

	while (at < end)
		at += windows_guard(w, at, end - at, true) ?: 1;
}

/* The host takes back what is in a range, by as many calls as that needs. */
static void take(struct el2_windows *w, unsigned int at, u64 nr)
{
	struct arm_smccc_res res;
	unsigned int i;

	while (nr) {
		unsigned int taken = 0;
		s64 done;

		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(__pkvm_host_unshare_guest),
				  w->g->vm->handle, windows_gfn(at), nr, &res);
		done = res.a1;
		KUNIT_ASSERT_GT(w->test, done, 0);
		KUNIT_ASSERT_LE(w->test, (u64)done, nr);
		for (i = at; i < at + done; i++)
			taken += unshare_place(w, i);
		KUNIT_ASSERT_EQ(w->test, res.a3, taken);
		at += done;
		nr -= done;
	}
}

static void step_take(struct el2_windows *w)
{
	unsigned int at = windows_place(w);

	take(w, at, windows_below(w, 4) ? 1 : 1 + windows_below(w, WINDOWS_PLACES - at));
}

static void step_window_block(struct el2_windows *w)
{
	unsigned int first = windows_below(w, WINDOWS_BLOCKS) * WINDOWS_BLOCK, i;
	int want = 0;

	/* Make place for it, as far as the guest can. */
	if (windows_below(w, 2)) {
		take(w, first, WINDOWS_BLOCK);
		guard_block(w, first);
	}
	for (i = first; i < first + WINDOWS_BLOCK && want != -ENOENT; i++) {
		if (!windows_is_guarded(w, i))
			want = -ENOENT;
		else if (windows_is_shared(w, i))
			want = w->place[i] == SHARED_BLOCK ? -EAGAIN : -EEXIST;
	}
	expect_answer(w, "share a block in a window",
		      el2_np_share(w->test, w->g->vm, page_to_pfn(w->block), windows_gfn(first),
				   WINDOWS_BLOCK, RW), want);
	if (want)
		return;
	for (i = first; i < first + WINDOWS_BLOCK; i++)
		w->place[i] = SHARED_BLOCK;
	w->nr_blocks++;
}

/* The host donates a page to the same IPAs. */
static void step_donate(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES), at = windows_place(w);
	int want;

	if (w->place[at] == POISONED)
		want = -EHWPOISON;
	else if (windows_is_guarded(w, at))
		want = -EPERM;
	else if (is_own(w, at))
		want = -EEXIST;
	else
		want = w->owner[p] == HOST && !w->in_windows[p] && !w->in_np[p] ? 0 : -EPERM;

	expect_answer(w, "donate", el2_donate(w->g->vm, 0, w->page[p], windows_gfn(at)), want);
	if (want)
		return;
	w->owner[p] = GUEST;
	w->place[at] = p;
}

static void step_force(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES), at;
	int want = w->owner[p] == GUEST ? 0 : -EPERM;

	for (at = 0; at < WINDOWS_PLACES && w->place[at] != p; at++)
		;
	/* The second block stays free of poison, so that the host's block can be there again. */
	if (!want && (w->poisoned == MAX_POISONED || at >= WINDOWS_BLOCK))
		return;
	expect_answer(w, "force_reclaim", el2_force_reclaim(page_to_pfn(w->page[p])), want);
	if (want)
		return;
	KUNIT_ASSERT_TRUE(w->test, el2_holds_zeroes(w->page[p]));
	w->place[at] = POISONED;
	w->poisoned++;
	w->owner[p] = HOST;
	w->contents[p] = 0;
}

static void step_hyp(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES);
	bool alone = w->owner[p] == HOST && !w->in_windows[p] && !w->in_np[p];

	if (windows_below(w, 2)) {
		expect_answer(w, "unshare_hyp", el2_unshare(w->page[p]),
			      w->owner[p] == HOST_SHARED ? 0 : -EPERM);
		if (w->owner[p] == HOST_SHARED)
			w->owner[p] = HOST;
		return;
	}
	expect_answer(w, "share_hyp", el2_share(w->page[p]), alone ? 0 : -EPERM);
	if (alone)
		w->owner[p] = HOST_SHARED;
}

/* The host shares a page with another VM, too, or takes it back there. */
static void step_np(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES);
	int want = w->owner[p] != HOST ? -EPERM : w->in_np[p] ? -EAGAIN : 0;
	struct arm_smccc_res res;

	if (windows_below(w, 2)) {
		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(__pkvm_host_unshare_guest), w->np->handle, p,
				  1, &res);
		KUNIT_ASSERT_EQ(w->test, res.a3, w->in_np[p]);
		w->in_np[p] = false;
		return;
	}
	el2_put();
	KUNIT_ASSERT_EQ(w->test, el2_load(w->np, 0), 0);
	expect_answer(w, "share with an np-VM",
		      el2_np_share(w->test, w->np, page_to_pfn(w->page[p]), p, 1, RW), want);
	el2_put();
	KUNIT_ASSERT_EQ(w->test, el2_load(w->g->vm, 0), 0);
	if (!want)
		w->in_np[p] = true;
}

static void step_relax(struct el2_windows *w)
{
	unsigned int at = windows_place(w);
	u64 gfn = windows_gfn(at);

	expect_answer(w, "allow to write",
		      (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, gfn, RW),
		      windows_is_shared(w, at) ? 0 : -EAGAIN);
	expect_answer(w, "allow to execute",
		      (int)kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, gfn,
					     KVM_PGTABLE_PROT_RWX), -EINVAL);
}

static void step_guard_few(struct el2_windows *w)
{
	unsigned int at = windows_place(w), most = min(WINDOWS_PLACES - at, 8);
	unsigned int nr = windows_below(w, 2) ? 1 : 1 + windows_below(w, most);
	bool map = windows_below(w, 4);

	windows_guard(w, at, nr, map);
}

static void step_guard_block(struct el2_windows *w)
{
	guard_block(w, windows_below(w, WINDOWS_BLOCKS) * WINDOWS_BLOCK);
}

/* The guest treats a place as memory of its own. */
static void step_own(struct el2_windows *w)
{
	static const u32 calls[] = { MEM_SHARE, MEM_UNSHARE, MEM_RELINQUISH, MEM_RELINQUISH };
	unsigned int at = windows_place(w), p = page_at(w, at);
	u32 call = calls[windows_below(w, ARRAY_SIZE(calls))];
	enum page_owner from = call == MEM_UNSHARE ? GUEST_SHARED : GUEST;
	bool good = is_own(w, at) && w->owner[p] == from;
	enum el2_exit exit;

	/* The host would have to give a page for this call. */
	if (call == MEM_SHARE && (w->place[at] == EMPTY || w->place[at] == POISONED))
		return;
	/* EL2 tells the host of a page that the guest has relinquished. */
	exit = el2_guest_do(w->test, w->g, EL2_GUEST_HVC, call, windows_gfn(at) << PAGE_SHIFT, 0,
			    0);
	if (good && call == MEM_RELINQUISH) {
		KUNIT_ASSERT_EQ(w->test, exit, EL2_EXIT_HVC);
		exit = el2_guest_run(w->test, w->g);
	}
	KUNIT_ASSERT_EQ(w->test, exit, EL2_EXIT_PARKED);
	expect_answer(w, "share, unshare or relinquish", el2_guest_result(w->g, 0),
		      good ? SMCCC_RET_SUCCESS : SMCCC_RET_INVALID_PARAMETER);
	if (!good)
		return;
	w->owner[p] = call == MEM_SHARE ? GUEST_SHARED : call == MEM_UNSHARE ? GUEST : HOST;
	if (call != MEM_RELINQUISH)
		return;
	KUNIT_ASSERT_TRUE(w->test, el2_holds_zeroes(w->page[p]));
	w->contents[p] = 0;
	w->place[at] = EMPTY;
}

static void guest_does_mmio(struct el2_windows *w, u64 ipa)
{
	struct kvm_vcpu *vcpu = w->g->vm->vcpu[0];

	KUNIT_ASSERT_EQ(w->test, el2_guest_do(w->test, w->g, EL2_GUEST_READ, 0, ipa, 0, 0),
			EL2_EXIT_MMIO);
	vcpu->arch.ctxt.regs.regs[0] = 0x77;
	vcpu_set_flag(vcpu, INCREMENT_PC);
	KUNIT_ASSERT_EQ(w->test, el2_guest_run(w->test, w->g), EL2_EXIT_PARKED);
	KUNIT_ASSERT_EQ(w->test, el2_guest_result(w->g, 0), 0x77);
}

/* The guest accesses its own page, the host's, or MMIO. */
static void step_access(struct el2_windows *w)
{
	unsigned int at = windows_place(w), p = page_at(w, at);
	u64 ipa = windows_gfn(at) << PAGE_SHIFT, value = prandom_u32_state(&w->rnd);

	if (w->place[at] == GUARDED)
		guest_does_mmio(w, ipa);
	if (w->place[at] < 0 || w->place[at] == SHARED_BLOCK)
		return;
	KUNIT_ASSERT_EQ(w->test, el2_guest_do(w->test, w->g, EL2_GUEST_READ, 0, ipa, 0, 0),
			EL2_EXIT_PARKED);
	KUNIT_ASSERT_EQ(w->test, el2_guest_result(w->g, 0), w->contents[p]);
	KUNIT_ASSERT_EQ(w->test, el2_guest_do(w->test, w->g, EL2_GUEST_WRITE, 0, ipa, value, 0),
			EL2_EXIT_PARKED);
	w->contents[p] = value;
}

static void step_host_access(struct el2_windows *w)
{
	unsigned int p = windows_below(w, WINDOWS_PAGES);

	if (!windows_is_hosts(w, p))
		return;
	KUNIT_ASSERT_EQ(w->test, host_reads(w->page[p]), w->contents[p]);
	windows_write(w, p, prandom_u32_state(&w->rnd));
}

static void (*const steps[])(struct el2_windows *w) = {
	step_window, step_window, step_window, step_window, step_window, step_window,
	step_window_wrong, step_window_block, step_take, step_take, step_take, step_donate,
	step_force, step_hyp, step_np, step_relax, step_guard_few, step_guard_few,
	step_guard_few, step_guard_few, step_guard_few, step_guard_block, step_own, step_own,
	step_own, step_access, step_access, step_access, step_host_access,
};

/**
 * windows_step() - Make a random call, or an access, and predict the result.
 * @w:	The record.
 *
 * Fails and ends the test case if EL2 returns something else.
 */
void windows_step(struct el2_windows *w)
{
	steps[windows_below(w, ARRAY_SIZE(steps))](w);
}
