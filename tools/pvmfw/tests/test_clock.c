// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: a deadline passes exactly after its seconds and stays passed, also if the counter
 * wraps in between.
 */
#include "clock.h"
#include "fake_counter.h"
#include "testing.h"

static void deadlines(void **state)
{
	static const u64 starts[] = {
		0, 1000, INT64_MAX - 10, (u64)INT64_MAX + 1, UINT64_MAX - 60, UINT64_MAX - 50,
		UINT64_MAX - 10, UINT64_MAX - 1, UINT64_MAX,
	};
	u64 deadline, at;
	u32 i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		fake_counter_value = starts[i];
		deadline = clock_deadline(5);
		/* Each clock_passed() advances the counter by a tick. */
		for (at = 1; at < 5 * FAKE_COUNTER_HZ; at++)
			assert_false(clock_passed(deadline));
		for (at = 0; at < 1000; at++)
			assert_true(clock_passed(deadline));
	}
}

static void at_once(void **state)
{
	(void)state;
	fake_counter_value = UINT64_MAX - 1;
	assert_true(clock_passed(clock_deadline(0)));
	assert_true(clock_passed(clock_deadline(0)));
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(deadlines),
		cmocka_unit_test(at_once),
	};

	return cmocka_run_group_tests_name("pvmfw clock", tests, NULL, NULL);
}
