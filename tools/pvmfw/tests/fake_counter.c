// SPDX-License-Identifier: GPL-2.0-only
/*
 * The counter of the unit tests (fake_counter.h).
 */
#include "counter.h"
#include "fake_counter.h"

void (*fake_counter_tick)(void);

u64 fake_counter_value = (u64)-100;

u64 counter_read(void)
{
	if (fake_counter_tick)
		fake_counter_tick();
	return ++fake_counter_value;
}

u64 counter_hz(void)
{
	return FAKE_COUNTER_HZ;
}
