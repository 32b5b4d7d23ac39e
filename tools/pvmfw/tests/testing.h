/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Includes and a random number generator that every unit test uses.
 */
#ifndef PVMFW_TESTING_H
#define PVMFW_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layout.h"
#include "types.h"

/**
 * test_random() - Get the next number of a pseudo-random sequence.
 * @state: the state of the sequence; the first value is the seed
 *
 * Return: 31 bits.
 */
static inline u32 test_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

#endif
