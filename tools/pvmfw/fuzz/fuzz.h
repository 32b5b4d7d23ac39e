/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the fuzzing harnesses share. Each is a program of libFuzzer's that plays
 * the host: its input is all that the host can choose. Sanitizers find wild
 * accesses; a broken rule ends the program.
 */
#ifndef PVMFW_FUZZ_H
#define PVMFW_FUZZ_H

#include "types.h"

/* End the program, which libFuzzer takes for a finding. */
#define FUZZ_RULE(holds) do {			\
	if (!(holds))				\
		__builtin_trap();		\
} while (0)

/**
 * struct fuzz_input - What of the input is left.
 * @at: the next byte
 * @left: how many bytes there are
 */
struct fuzz_input {
	const u8 *at;
	size_t left;
};

/**
 * fuzz_take() - Take a number from the input.
 * @in: the input
 * @bytes: how many bytes, at most 8
 *
 * Return: the number, little-endian; zeroes once the input is used up.
 */
static inline u64 fuzz_take(struct fuzz_input *in, unsigned int bytes)
{
	u64 value = 0;
	unsigned int i;

	for (i = 0; i < bytes && in->left; i++, in->left--)
		value |= (u64)*in->at++ << 8 * i;
	return value;
}

/* What libFuzzer calls for each input; the makefile gives it the name that it expects. */
int fuzz_one_input(const u8 *data, size_t size);

#endif
