// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel that the unit tests enter.
 */
#include "boot.h"
#include "fake_trace.h"
#include "testing.h"

void fw_jump(u64 kernel, u64 fdt)
{
	assert_int_equal(fdt, RAM_BASE);
	fake_trace(EVENT_JUMP, kernel);
}
