// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of events (fake_trace.h).
 */
#include "fake_trace.h"
#include "testing.h"

static struct {
	enum fake_event event;
	u64 at;
} trace[4096];

static unsigned int count;

void fake_trace_reset(void)
{
	count = 0;
}

void fake_trace(enum fake_event event, u64 at)
{
	if (count == ARRAY_SIZE(trace))
		return;
	trace[count].event = event;
	trace[count++].at = at;
}

static bool matches(unsigned int i, enum fake_event event, struct fake_range where)
{
	return trace[i].event == event && range_inside(trace[i].at, 1, where.base, where.size);
}

int fake_trace_first(enum fake_event event, struct fake_range where)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		if (matches(i, event, where))
			return (int)i;
	return -1;
}

int fake_trace_last(enum fake_event event, struct fake_range where)
{
	unsigned int i;

	for (i = count; i--;)
		if (matches(i, event, where))
			return (int)i;
	return -1;
}

unsigned int fake_trace_count(enum fake_event event)
{
	unsigned int i, n = 0;

	for (i = 0; i < count; i++)
		n += trace[i].event == event;
	return n;
}
