// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lazy MMIO guard (guard.h). Rule: a page is guarded before it becomes valid.
 */
#include "guard.h"
#include "layout.h"
#include "mmu.h"

enum fw_status guard_init(struct guard *g, struct hyp *hyp, u64 enrolled, u64 uart)
{
	enum fw_status status;

	g->hyp = hyp;
	g->active = hyp_can_guard(hyp);
	if (!g->active)
		return FW_OK;
	if (enrolled)
		return FW_EHYP_ENROLL;
	status = hyp_query_guard(hyp);
	if (status != FW_OK)
		return status;
	return hyp_guard(hyp, align_down(uart, hyp->guard_granule));
}

static void make_valid(struct guard *g, u64 *entry)
{
	pgtable_validate(entry);
	mmu_sync();
	if (++g->pages_now > g->pages_peak)
		g->pages_peak = g->pages_now;
}

enum fw_status guard_adopt(struct guard *g, struct pgtable *pt, u64 page)
{
	enum fw_status status;
	u64 *entry;

	g->pt = pt;
	status = pgtable_split(pt, page, &entry);
	if (status == FW_OK)
		make_valid(g, entry);
	return status;
}

enum fw_status guard_fault(struct guard *g, u64 addr)
{
	enum fw_status status;
	u64 *entry;

	if (!g->pt)
		return FW_EFAULT;
	status = pgtable_split(g->pt, addr, &entry);
	if (status != FW_OK)
		return status;
	if (g->active) {
		/* A granule may hold several pages: guarding it again succeeds. */
		status = hyp_guard(g->hyp, align_down(addr, g->hyp->guard_granule));
		if (status != FW_OK)
			return status;
	}
	make_valid(g, entry);
	return FW_OK;
}

struct release {
	struct guard *g;
	u64 last;
	enum fw_status status;
};

static enum fw_status release_page(u64 page, void *ctx)
{
	struct release *r = ctx;
	u64 granule = align_down(page, r->g->hyp->guard_granule);
	enum fw_status status = FW_OK;

	/* Unguard a granule once, not for each of its pages. */
	if (granule != r->last)
		status = hyp_unguard(r->g->hyp, granule);
	r->last = granule;
	if (status != FW_OK)
		r->status = status;
	else
		r->g->pages_now--;
	return FW_OK;
}

static enum fw_status forget_page(u64 page, void *ctx)
{
	struct release *r = ctx;

	(void)page;
	r->g->pages_now--;
	return FW_OK;
}

enum fw_status guard_release(struct guard *g, u64 addr, u64 size)
{
	struct release r = { .g = g, .last = UINT64_MAX, .status = FW_OK };

	if (!g->pt)
		return FW_OK;
	pgtable_each_valid(g->pt, addr, size, g->active ? release_page : forget_page, &r);
	return r.status;
}
