// SPDX-License-Identifier: GPL-2.0-only
/*
 * The deadlines of clock.h.
 */
#include "clock.h"
#include "counter.h"

u64 clock_deadline(unsigned int seconds)
{
	return counter_read() + counter_hz() * seconds;
}

bool clock_passed(u64 deadline)
{
	/* Where the counter stands is the host's choice: it may wrap before then. */
	return (s64)(counter_read() - deadline) >= 0;
}
