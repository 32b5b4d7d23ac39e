/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every unit test needs.
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
 * test_random() - Next number of a sequence that is the same in every run.
 * @state: the state of the sequence, started with any seed
 *
 * Return: 31 bits.
 */
static inline u32 test_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return (u32)(*state >> 33);
}

#endif
