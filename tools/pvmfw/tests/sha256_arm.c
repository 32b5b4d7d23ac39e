// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: SHA-256 by the CPU's instructions gives the digests of the standard's test vectors,
 * and the same digest as plain C for any data, alignment and pieces in which it is added.
 *
 * A program for Linux on arm64, linked with the firmware's own files. boot.py runs it. Its
 * exit status is 0 if no check failed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"
#include "sha256_hw.h"

#define LARGEST	1000

static const struct {
	const char *text;
	const char *digest;
} vectors[] = {
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
};

static unsigned int failed;

static void expect(bool good, const char *what)
{
	if (!good) {
		printf("failed: %s\n", what);
		failed++;
	}
}

/* Hash @len bytes, with the instructions or without, in pieces of @piece bytes; 0: at once. */
static void hash(const u8 *data, size_t len, size_t piece, bool hw, u8 *digest)
{
	struct sha256 sha;

	sha256_init(&sha);
	expect(sha.hw, "sha256_init() uses the CPU's instructions");
	sha.hw = hw;
	while (len) {
		size_t part = piece && piece < len ? piece : len;

		sha256_update(&sha, data, part);
		data += part;
		len -= part;
	}
	sha256_final(&sha, digest);
}

static void check_vectors(void)
{
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	u8 digest[SHA256_DIGEST_SIZE];
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		hash((const u8 *)vectors[i].text, strlen(vectors[i].text), 0, true, digest);
		for (j = 0; j < SHA256_DIGEST_SIZE; j++)
			sprintf(hex + 2 * j, "%02x", digest[j]);
		expect(!strcmp(hex, vectors[i].digest), vectors[i].text);
	}
}

static void check_each_other(void)
{
	static u8 data[LARGEST + 16];
	u8 with[SHA256_DIGEST_SIZE], without[SHA256_DIGEST_SIZE];
	size_t len;

	srand(1);
	for (len = 0; len < sizeof(data); len++)
		data[len] = (u8)rand();
	for (len = 0; len <= LARGEST; len++) {
		hash(data + len % 16, len, len % 7 * 33, true, with);
		hash(data + len % 16, len, 0, false, without);
		expect(!memcmp(with, without, sizeof(with)), "both digests are equal");
	}
}

int main(void)
{
	if (!sha256_hw_present()) {
		printf("this CPU has no instructions for SHA-256\n");
		return EXIT_FAILURE;
	}
	check_vectors();
	check_each_other();
	printf("%u checks failed\n", failed);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
