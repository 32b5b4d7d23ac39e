/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time in the unit tests.
 */
#ifndef PVMFW_FAKE_COUNTER_H
#define PVMFW_FAKE_COUNTER_H

#include "types.h"

#define FAKE_COUNTER_HZ 10

/** What happens whenever someone looks at the counter, or NULL. */
extern void (*fake_counter_tick)(void);

/** What it was last. It starts just before it wraps, so that nobody may rely on that. */
extern u64 fake_counter_value;

#endif
