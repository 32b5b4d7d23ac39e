/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 by the CPU's own instructions (FEAT_SHA256), where it has them.
 */
#ifndef PVMFW_SHA256_HW_H
#define PVMFW_SHA256_HW_H

#include "types.h"

/** The constants of FIPS 180-4, section 4.2.2. */
extern const u32 sha256_k[64];

/**
 * sha256_hw_present() - Tell whether the CPU has the instructions.
 *
 * Return: true if so.
 */
bool sha256_hw_present(void);

/**
 * sha256_hw_blocks() - Hash whole blocks.
 * @state: the hash so far
 * @data: the blocks, 64 bytes each
 * @blocks: how many; may be 0
 *
 * Uses vector registers: not for the handler of exceptions, which does not save them.
 */
void sha256_hw_blocks(u32 state[8], const u8 *data, size_t blocks);

#endif
