// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU without instructions for SHA-256, as the build machine may be; sha256_arm.c tests
 * them where they are.
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
	fail_msg("this CPU has no such instructions");
}
