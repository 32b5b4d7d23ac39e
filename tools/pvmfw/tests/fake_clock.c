// SPDX-License-Identifier: GPL-2.0-only
/*
 * A clock that goes on by one tenth of a second whenever someone looks at it.
 */
#include "clock.h"
#include "fake_clock.h"

#define TICKS_PER_SECOND 10

void (*fake_clock_tick)(void);

static u64 ticks;

u64 clock_ticks(void)
{
	return ticks;
}

u64 clock_deadline(unsigned int seconds)
{
	return ticks + (u64)seconds * TICKS_PER_SECOND;
}

bool clock_passed(u64 deadline)
{
	if (fake_clock_tick)
		fake_clock_tick();
	return ++ticks > deadline;
}
