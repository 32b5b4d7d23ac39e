/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 by the CPU's instructions (FEAT_SHA256).
 */
#ifndef PVMFW_SHA256_HW_H
#define PVMFW_SHA256_HW_H

#include "types.h"

/** The constants of FIPS 180-4, section 4.2.2. */
extern const u32 sha256_k[64];

/**
 * sha256_hw_present() - Check whether the CPU has the instructions.
 *
 * Return: true if so.
 */
bool sha256_hw_present(void);

/**
 * sha256_hw_blocks() - Hash whole blocks.
 * @state: the hash so far
 * @data: the blocks, 64 bytes each
 * @blocks: number of blocks; may be 0
 *
 * Only where sha256_hw_present() is true.
 */
void sha256_hw_blocks(u32 state[8], const u8 *data, size_t blocks);

#endif
