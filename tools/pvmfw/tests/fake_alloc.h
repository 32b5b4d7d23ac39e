/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Allocations that fail although there is memory: the linker puts this between the
 * allocator and whoever calls it from another file.
 */
#ifndef PVMFW_FAKE_ALLOC_H
#define PVMFW_FAKE_ALLOC_H

#include "types.h"

/**
 * struct fake_alloc - What the test sets, and what has happened.
 * @fail_at: the allocation that fails, counted from 1; 0: none
 * @calls: allocations that were asked for
 */
struct fake_alloc {
	u64 fail_at;
	u64 calls;
};

/** The one allocator; the test zeroes it. */
extern struct fake_alloc fake_alloc;

#endif
