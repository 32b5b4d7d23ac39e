/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counter of the unit tests: it advances by one tick at each counter_read().
 */
#ifndef PVMFW_FAKE_COUNTER_H
#define PVMFW_FAKE_COUNTER_H

#include "types.h"

#define FAKE_COUNTER_HZ 10

/** Called at each counter_read() unless NULL. */
extern void (*fake_counter_tick)(void);

/** The last value. It starts just before it wraps, so that every test covers a wrap. */
extern u64 fake_counter_value;

#endif
