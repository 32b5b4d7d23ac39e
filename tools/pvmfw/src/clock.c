// SPDX-License-Identifier: GPL-2.0-only
/*
 * Deadlines (clock.h) in ticks of the virtual counter.
 */
#include "clock.h"
#include "counter.h"

u64 clock_deadline(unsigned int seconds)
{
	return counter_read() + counter_hz() * seconds;
}

bool clock_passed(u64 deadline)
{
	/* The host chooses the counter's start, so it may wrap before the deadline. */
	return (s64)(counter_read() - deadline) >= 0;
}
