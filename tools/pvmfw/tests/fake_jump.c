// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel that the unit tests enter.
 */
#include "boot.h"
#include "fake_trace.h"
#include "testing.h"

void fw_jump(u64 kernel, u64 fdt)
{
	const struct fake_range tree = { fdt, 1 };

	/* It is told where its tree was put. */
	assert_true(fake_trace_first(EVENT_COPY, tree) >= 0);
	fake_trace(EVENT_JUMP, kernel);
}
