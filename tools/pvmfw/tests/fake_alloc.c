// SPDX-License-Identifier: GPL-2.0-only
/*
 * Failing allocations (fake_alloc.h). The linker's --wrap requires these names.
 */
#include "buddy.h"
#include "fake_alloc.h"

void *__real_buddy_alloc(struct buddy *b, size_t size);
void *__real_buddy_zalloc(struct buddy *b, size_t size);
void *__wrap_buddy_alloc(struct buddy *b, size_t size);
void *__wrap_buddy_zalloc(struct buddy *b, size_t size);

struct fake_alloc fake_alloc;

void *__wrap_buddy_alloc(struct buddy *b, size_t size)
{
	return ++fake_alloc.calls == fake_alloc.fail_at ? NULL : __real_buddy_alloc(b, size);
}

void *__wrap_buddy_zalloc(struct buddy *b, size_t size)
{
	return ++fake_alloc.calls == fake_alloc.fail_at ? NULL : __real_buddy_zalloc(b, size);
}
