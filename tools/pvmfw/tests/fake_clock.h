/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time in the unit tests.
 */
#ifndef PVMFW_FAKE_CLOCK_H
#define PVMFW_FAKE_CLOCK_H

/** What happens whenever someone waits, or NULL. */
extern void (*fake_clock_tick)(void);

#endif
