// SPDX-License-Identifier: GPL-2.0-only
/*
 * sha256_hw.h for the unit tests: a CPU without instructions for SHA-256, as the build machine
 * may not be arm64. sha256_arm.c tests the instructions on an arm64 host.
 */
#include "sha256_hw.h"
#include "testing.h"

bool sha256_hw_present(void)
{
	return false;
}

void sha256_hw_blocks(u32 state[8], const u8 *data, size_t blocks)
{
	(void)state;
	(void)data;
	(void)blocks;
	fail_msg("used the CPU's instructions for SHA-256, which are not present");
}
