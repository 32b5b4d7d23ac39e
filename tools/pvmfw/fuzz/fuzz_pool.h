/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pool of shared memory that a fuzzer's device can access.
 */
#ifndef PVMFW_FUZZ_POOL_H
#define PVMFW_FUZZ_POOL_H

#include <string.h>

#include "fake_hyp.h"
#include "fuzz.h"
#include "layout.h"
#include "shared.h"

/**
 * struct fuzz_pool - A pool and what it needs.
 * @heap: private memory
 * @hyp: the hypervisor
 * @pool: shared memory
 * @tree: records of @heap
 */
struct fuzz_pool {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

/**
 * fuzz_pool_start() - Make a dynamic pool, with nothing shared.
 * @p: the pool
 * @bytes: bytes of the heap that refills it
 */
static inline void fuzz_pool_start(struct fuzz_pool *p, size_t bytes)
{
	uintptr_t base;

	if (!fake_hyp.arena)
		fake_hyp_reset();
	memset(fake_hyp.shared, 0, sizeof(fake_hyp.shared));
	base = (uintptr_t)fake_hyp.arena;
	memset(p, 0, sizeof(*p));
	FUZZ_RULE(buddy_init(&p->heap, base, FW_SCRATCH_SHIFT, p->tree) == FW_OK);
	FUZZ_RULE(buddy_add(&p->heap, base, bytes) == FW_OK);
	hyp_discover(&p->hyp);
	FUZZ_RULE(shared_init(&p->pool, &p->hyp, &p->heap, 0, 0) == FW_OK);
}

/**
 * fuzz_pool_end() - End a pool and check that nothing stays shared and nothing is lost.
 * @p: the pool
 * @bytes: as given to fuzz_pool_start()
 */
static inline void fuzz_pool_end(struct fuzz_pool *p, size_t bytes)
{
	FUZZ_RULE(shared_end(&p->pool) == FW_OK);
	FUZZ_RULE(shared_check_none(&p->pool, &p->hyp) == FW_OK);
	FUZZ_RULE(p->heap.free_bytes == bytes);
}

#endif
