/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counter that time is told by.
 */
#ifndef PVMFW_COUNTER_H
#define PVMFW_COUNTER_H

#include "types.h"

/**
 * counter_read() - Read the counter.
 *
 * Return: ticks since some point in time; what comes after UINT64_MAX is 0.
 */
u64 counter_read(void);

/**
 * counter_hz() - Tell how fast it counts.
 *
 * Return: ticks a second.
 */
u64 counter_hz(void);

#endif
