// SPDX-License-Identifier: GPL-2.0-only
/*
 * fw_jump() for the unit tests: it records the jump instead of entering a kernel.
 */
#include "boot.h"
#include "fake_trace.h"
#include "testing.h"

void fw_jump(u64 kernel, u64 fdt)
{
	const struct fake_range tree = { fdt, 1 };

	/* The kernel must get the address to which its device tree was copied. */
	assert_true(fake_trace_first(EVENT_COPY, tree) >= 0);
	fake_trace(EVENT_JUMP, kernel);
}
