// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256 (sha256.h) as FIPS 180-4, section 6.2, defines it, with the names of the standard.
 */
#include <string.h>
#include <sys/cdefs.h>

#include "sha256.h"
#include "sha256_hw.h"

const u32 sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5,
	0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
	0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
	0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
	0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static u32 rotr(u32 x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

static u32 load_be32(const u8 *p)
{
	u32 value;

	memcpy(&value, p, sizeof(value));
	return __builtin_bswap32(value);
}

static void store_be32(u8 *p, u32 value)
{
	value = __builtin_bswap32(value);
	memcpy(p, &value, sizeof(value));
}

/*
 * Step 3 for one t. Instead of moving the eight variables, the caller rotates the arguments.
 */
static __always_inline void round_step(u32 a, u32 b, u32 c, u32 *d, u32 e, u32 f, u32 g,
				       u32 *h, u32 kw)
{
	u32 t1 = *h + (rotr(e, 6) ^ rotr(e, 11) ^ rotr(e, 25)) + (g ^ (e & (f ^ g))) + kw;
	u32 t2 = (rotr(a, 2) ^ rotr(a, 13) ^ rotr(a, 22)) + ((a & b) | (c & (a | b)));

	*d += t1;
	*h = t1 + t2;
}

/* W of step 1 for t >= 16, in a ring of sixteen words; @i is t modulo 16. */
static __always_inline void schedule(u32 w[16], unsigned int i)
{
	u32 w15 = w[(i + 1) & 15], w2 = w[(i + 14) & 15];

	w[i] += (rotr(w15, 7) ^ rotr(w15, 18) ^ w15 >> 3) + w[(i + 9) & 15] +
		(rotr(w2, 17) ^ rotr(w2, 19) ^ w2 >> 10);
}

/*
 * Eight rounds, after which each variable is in its place again. @kt and @wt point to K and
 * W of the first of them.
 */
static __always_inline void eight_rounds(u32 v[8], const u32 *kt, const u32 *wt)
{
	round_step(v[0], v[1], v[2], &v[3], v[4], v[5], v[6], &v[7], kt[0] + wt[0]);
	round_step(v[7], v[0], v[1], &v[2], v[3], v[4], v[5], &v[6], kt[1] + wt[1]);
	round_step(v[6], v[7], v[0], &v[1], v[2], v[3], v[4], &v[5], kt[2] + wt[2]);
	round_step(v[5], v[6], v[7], &v[0], v[1], v[2], v[3], &v[4], kt[3] + wt[3]);
	round_step(v[4], v[5], v[6], &v[7], v[0], v[1], v[2], &v[3], kt[4] + wt[4]);
	round_step(v[3], v[4], v[5], &v[6], v[7], v[0], v[1], &v[2], kt[5] + wt[5]);
	round_step(v[2], v[3], v[4], &v[5], v[6], v[7], v[0], &v[1], kt[6] + wt[6]);
	round_step(v[1], v[2], v[3], &v[4], v[5], v[6], v[7], &v[0], kt[7] + wt[7]);
}

/* Process one block, without special instructions. */
static void compress(u32 state[8], const u8 *data)
{
	u32 v[8], w[16];
	unsigned int t, i;

	for (i = 0; i < 8; i++)
		v[i] = state[i];
	for (i = 0; i < 16; i++)
		w[i] = load_be32(data + 4 * i);
	for (t = 0; t < 64; t += 16) {
		for (i = 0; t && i < 16; i++)
			schedule(w, i);
		eight_rounds(v, &sha256_k[t], &w[0]);
		eight_rounds(v, &sha256_k[t + 8], &w[8]);
	}
	for (i = 0; i < 8; i++)
		state[i] += v[i];
}

static void compress_blocks(struct sha256 *sha, const u8 *data, size_t blocks)
{
	if (sha->hw) {
		sha256_hw_blocks(sha->state, data, blocks);
		return;
	}
	for (; blocks; blocks--, data += SHA256_BLOCK_SIZE)
		compress(sha->state, data);
}

void sha256_init(struct sha256 *sha)
{
	static const u32 initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, initial, sizeof(initial));
	sha->bytes = 0;
	sha->hw = sha256_hw_present();
}

void sha256_update(struct sha256 *sha, const void *data, size_t len)
{
	size_t fill = sha->bytes % SHA256_BLOCK_SIZE;
	const u8 *from = data;

	sha->bytes += len;
	if (fill) {
		size_t part = SHA256_BLOCK_SIZE - fill < len ? SHA256_BLOCK_SIZE - fill : len;

		memcpy(sha->block + fill, from, part);
		if (fill + part < SHA256_BLOCK_SIZE)
			return;
		compress_blocks(sha, sha->block, 1);
		from += part;
		len -= part;
	}
	compress_blocks(sha, from, len / SHA256_BLOCK_SIZE);
	from += align_down(len, SHA256_BLOCK_SIZE);
	len %= SHA256_BLOCK_SIZE;
	if (len)
		memcpy(sha->block, from, len);
}

void sha256_final(struct sha256 *sha, u8 digest[SHA256_DIGEST_SIZE])
{
	static const u8 padding[SHA256_BLOCK_SIZE] = { 0x80 };
	u64 bits = sha->bytes * 8;
	size_t fill = sha->bytes % SHA256_BLOCK_SIZE;
	u8 length[8];
	unsigned int i;

	store_be32(length, (u32)(bits >> 32));
	store_be32(length + 4, (u32)bits);
	sha256_update(sha, padding, (fill < 56 ? 56 : 120) - fill);
	sha256_update(sha, length, sizeof(length));
	for (i = 0; i < 8; i++)
		store_be32(digest + 4 * i, sha->state[i]);
}
