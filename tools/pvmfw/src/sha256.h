/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 (FIPS 180-4), by the CPU's instructions if it has them.
 */
#ifndef PVMFW_SHA256_H
#define PVMFW_SHA256_H

#include "types.h"

#define SHA256_DIGEST_SIZE	32
#define SHA256_BLOCK_SIZE	64

/**
 * struct sha256 - A computation of a digest.
 * @state: the hash so far
 * @bytes: bytes added so far
 * @hw: the CPU has instructions for SHA-256
 * @block: the last bytes, which do not fill a block yet
 */
struct sha256 {
	u32 state[8];
	u64 bytes;
	bool hw;
	u8 block[SHA256_BLOCK_SIZE];
};

/**
 * sha256_init() - Start a computation.
 * @sha: the computation
 */
void sha256_init(struct sha256 *sha);

/**
 * sha256_update() - Add data.
 * @sha: the computation
 * @data: private memory, as it may be read more than once
 * @len: bytes
 */
void sha256_update(struct sha256 *sha, const void *data, size_t len);

/**
 * sha256_final() - Finish a computation.
 * @sha: the computation; must not be used afterwards
 * @digest: set to the digest
 */
void sha256_final(struct sha256 *sha, u8 digest[SHA256_DIGEST_SIZE]);

#endif
