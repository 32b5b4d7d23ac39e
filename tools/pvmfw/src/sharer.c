// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dynamic sharer (sharer.h). Rule: a region returns to the heap only if all of it was
 * unshared.
 */
#include <string.h>

#include "sharer.h"

/*
 * Unshare the shared granules of @r. If the hypervisor refuses one, continue behind it and
 * leak the region.
 */
static enum fw_status unshare_region(struct sharer *s, struct sharer_region *r)
{
	u64 at = 0, kept = 0, done;

	while (at < r->shared) {
		enum fw_status status;

		status = hyp_unshare(s->hyp, r->base + at * s->granule, r->shared - at, &done);
		s->shared_now -= done;
		at += done;
		if (status != FW_OK) {
			kept++;
			at++;
		}
	}
	r->shared = kept;
	r->leaked = kept;
	return kept ? FW_EHYP_UNSHARE : FW_OK;
}

enum fw_status sharer_init(struct sharer *s, struct hyp *hyp, struct buddy *heap)
{
	enum fw_status status;

	memset(s, 0, sizeof(*s));
	s->hyp = hyp;
	s->heap = heap;
	s->visible = !hyp_can_share(hyp);
	s->granule = PAGE_SIZE;
	if (s->visible)
		return FW_OK;
	status = hyp_query_granule(hyp);
	if (status != FW_OK)
		return status;
	s->granule = hyp->granule;
	return FW_OK;
}

enum fw_status sharer_take(struct sharer *s, size_t size, uintptr_t *base, size_t *got)
{
	struct sharer_region *r;
	enum fw_status status;
	void *block;

	if (size < s->granule)
		size = s->granule;
	if (s->count == SHARER_MAX_REGIONS)
		return FW_ENOMEM;
	block = buddy_zalloc(s->heap, size);
	if (!block)
		return FW_ENOMEM;

	r = &s->region[s->count++];
	r->base = (uintptr_t)block;
	r->size = buddy_block_size(size);
	r->shared = 0;
	r->leaked = false;
	*base = r->base;
	*got = r->size;
	if (s->visible)
		return FW_OK;

	status = hyp_share(s->hyp, r->base, r->size / s->granule, &r->shared);
	s->shared_now += r->shared;
	if (s->shared_now > s->shared_peak)
		s->shared_peak = s->shared_now;
	if (status == FW_OK)
		return FW_OK;

	if (unshare_region(s, r) != FW_OK)
		return status;
	s->count--;
	if (buddy_free(s->heap, block, r->size) != FW_OK)
		return FW_EBADFREE;
	return status;
}

enum fw_status sharer_end(struct sharer *s)
{
	enum fw_status result = FW_OK;
	unsigned int i, kept = 0;

	for (i = s->count; i--;) {
		struct sharer_region *r = &s->region[i];
		enum fw_status status = FW_EHYP_UNSHARE;

		if (!r->leaked)
			status = unshare_region(s, r);
		if (status == FW_OK)
			status = buddy_free(s->heap, (void *)r->base, r->size);
		if (status == FW_OK)
			r->size = 0;
		else
			result = status;
	}

	for (i = 0; i < s->count; i++)
		if (s->region[i].size)
			s->region[kept++] = s->region[i];
	s->count = kept;
	return result;
}
