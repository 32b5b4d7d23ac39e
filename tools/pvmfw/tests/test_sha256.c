// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: the digest is that of FIPS 180-4, whatever the pieces in which the data is added. The
 * test vectors are from the standard and from NIST's CAVP.
 */
#include "sha256.h"
#include "testing.h"

static void check(const char *data, size_t len, size_t step, const char *expected)
{
	u8 digest[SHA256_DIGEST_SIZE];
	char hex[2 * SHA256_DIGEST_SIZE + 1];
	struct sha256 sha;
	size_t at, i;

	sha256_init(&sha);
	for (at = 0; at < len; at += step)
		sha256_update(&sha, data + at, len - at < step ? len - at : step);
	sha256_final(&sha, digest);
	for (i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(hex, expected);
}

static void empty(void **state)
{
	(void)state;
	check("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void short_message(void **state)
{
	(void)state;
	check("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	check("\xd3", 1, 1, "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
}

/* 56 bytes: the length does not fit into the block of the last byte. */
static void two_blocks(void **state)
{
	static const char message[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	size_t step;

	(void)state;
	for (step = 1; step <= sizeof(message); step++)
		check(message, sizeof(message) - 1, step,
		      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void four_blocks(void **state)
{
	char message[8 * 14 + 1];
	size_t step, i, j;

	(void)state;
	/* "abcdefgh", "bcdefghi", and so on up to "nopqrstu". */
	for (i = 0; i < 14; i++)
		for (j = 0; j < 8; j++)
			message[8 * i + j] = (char)('a' + i + j);
	for (step = 1; step <= sizeof(message); step += 7)
		check(message, sizeof(message) - 1, step,
		      "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
}

static void million(void **state)
{
	const size_t len = 1000000;
	char *message = malloc(len);

	(void)state;
	assert_non_null(message);
	memset(message, 'a', len);
	check(message, len, len,
	      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	check(message, len, 4093,
	      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(message);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(short_message),
		cmocka_unit_test(two_blocks),
		cmocka_unit_test(four_blocks),
		cmocka_unit_test(million),
	};

	return cmocka_run_group_tests_name("pvmfw sha256", tests, NULL, NULL);
}
