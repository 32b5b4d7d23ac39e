/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Makes a chosen allocation fail although there is memory. The linker redirects calls of
 * buddy_alloc() and buddy_zalloc() from other files to fake_alloc.c.
 */
#ifndef PVMFW_FAKE_ALLOC_H
#define PVMFW_FAKE_ALLOC_H

#include "types.h"

/**
 * struct fake_alloc - Which allocation fails.
 * @fail_at: number of the allocation that fails, counted from 1; 0: none
 * @calls: allocations requested so far
 */
struct fake_alloc {
	u64 fail_at;
	u64 calls;
};

/** The only instance; the test zeroes it. */
extern struct fake_alloc fake_alloc;

#endif
