/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Helpers of the fuzzers. Each fuzzer is a libFuzzer program that acts as a hostile host: its
 * input decides all that the host can choose. Sanitizers find stray accesses; a broken rule
 * ends the program.
 */
#ifndef PVMFW_FUZZ_H
#define PVMFW_FUZZ_H

#include "types.h"

/* End the program if a rule does not hold; libFuzzer then reports the input. */
#define FUZZ_RULE(holds) do {			\
	if (!(holds))				\
		__builtin_trap();		\
} while (0)

/**
 * struct fuzz_input - The rest of the input.
 * @at: the next byte
 * @left: number of bytes left
 */
struct fuzz_input {
	const u8 *at;
	size_t left;
};

/**
 * fuzz_take() - Take a number from the input.
 * @in: the input
 * @bytes: size of the number, at most 8
 *
 * Return: the number, little-endian; bytes beyond the end of the input are 0.
 */
static inline u64 fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < bytes && in->left; i++, in->left--)
		value |= (u64)*in->at++ << 8 * i;
	return value;
}

/* libFuzzer calls this for each input; fuzz.mk renames it to LLVMFuzzerTestOneInput(). */
int fuzz_one_input(const u8 *data, size_t size);

#endif
