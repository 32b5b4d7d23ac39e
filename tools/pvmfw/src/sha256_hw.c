// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256 by the CPU's instructions (sha256_hw.h). Only this file is compiled for vector
 * registers. A vector holds four words of the schedule. SHA256H and SHA256H2 together do
 * four rounds.
 */
#include <arm_neon.h>

#include "sha256_hw.h"

#define BLOCK_SIZE		64
#define VECTORS			4
#define ROUNDS			64
#define ROUNDS_AT_ONCE		16

/* Bits 15:12 of ID_AA64ISAR0_EL1. */
#define ISAR0_SHA2(isar0)	((isar0) >> 12 & 0xf)

bool sha256_hw_present(void)
{
	u64 isar0;

	asm("mrs %0, id_aa64isar0_el1" : "=r" (isar0));
	return ISAR0_SHA2(isar0);
}

/* The next four words of W, from the sixteen before them. */
static inline uint32x4_t schedule(uint32x4_t w0, uint32x4_t w4, uint32x4_t w8, uint32x4_t w12)
{
	return vsha256su1q_u32(vsha256su0q_u32(w0, w4), w8, w12);
}

void sha256_hw_blocks(u32 state[8], const u8 *data, size_t blocks)
{
	uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
	unsigned int i, t;

	for (; blocks; blocks--, data += BLOCK_SIZE) {
		const uint32x4_t abcd_before = abcd, efgh_before = efgh;
		uint32x4_t w[VECTORS], kw, abcd_old;

#pragma GCC unroll 4
		for (i = 0; i < VECTORS; i++)
			w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
#pragma GCC unroll 4
		for (t = 0; t < ROUNDS; t += ROUNDS_AT_ONCE) {
#pragma GCC unroll 4
			for (i = 0; i < VECTORS; i++) {
				kw = vaddq_u32(w[i], vld1q_u32(&sha256_k[t + 4 * i]));
				abcd_old = abcd;
				abcd = vsha256hq_u32(abcd, efgh, kw);
				efgh = vsha256h2q_u32(efgh, abcd_old, kw);
				/* W for the rounds t + 16 and on. */
				if (t + ROUNDS_AT_ONCE < ROUNDS)
					w[i] = schedule(w[i], w[(i + 1) % 4], w[(i + 2) % 4],
							w[(i + 3) % 4]);
			}
		}
		abcd = vaddq_u32(abcd, abcd_before);
		efgh = vaddq_u32(efgh, efgh_before);
	}
	vst1q_u32(state, abcd);
	vst1q_u32(state + 4, efgh);
}
