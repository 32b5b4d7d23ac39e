/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counter by which the firmware measures time.
 */
#ifndef PVMFW_COUNTER_H
#define PVMFW_COUNTER_H

#include "types.h"

/**
 * counter_read() - Read the counter.
 *
 * Return: ticks since an arbitrary point in time; wraps from UINT64_MAX to 0.
 */
u64 counter_read(void);

/**
 * counter_hz() - Get the frequency of the counter.
 *
 * Return: ticks per second.
 */
u64 counter_hz(void);

#endif
