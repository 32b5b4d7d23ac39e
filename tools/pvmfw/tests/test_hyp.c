// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the firmware queries features only of KVM, known by its UID; NOT_SUPPORTED is not
 * taken for a bitmap; sharing needs all three of its calls, the guard all four; PSCI must be
 * present.
 */
#include "fake_hyp.h"
#include "hyp.h"
#include "psci.h"
#include "testing.h"

static int setup(void **state)
{
	(void)state;
	fake_hyp_reset();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_hyp_release();
	return 0;
}

static void discover(void **state)
{
	struct hyp hyp;

	(void)state;
	hyp_discover(&hyp);
	assert_int_equal(hyp.features, 0x1fd);
	assert_true(hyp_can_share(&hyp));
	assert_true(hyp_can_guard(&hyp));

	fake_hyp.is_kvm = false;
	hyp_discover(&hyp);
	assert_int_equal(hyp.features, 0);
	assert_false(hyp_can_share(&hyp));
	assert_false(hyp_can_guard(&hyp));
}

static void all_calls_needed(void **state)
{
	struct hyp hyp;
	unsigned int bit;

	(void)state;
	for (bit = 0; bit < 32; bit++) {
		fake_hyp.features = 0xffffffff & ~(1u << bit);
		/* A bitmap with bit 31 set is not an error code. */
		hyp_discover(&hyp);
		assert_int_equal(hyp_can_share(&hyp), bit < 2 || bit > 4);
		assert_int_equal(hyp_can_guard(&hyp), bit < 5 || bit > 8);
	}
}

static void features_not_supported(void **state)
{
	struct hyp hyp;

	(void)state;
	fake_hyp.features = (u64)-1;
	hyp_discover(&hyp);
	assert_int_equal(hyp.features, 0);
}

/* fake_hyp has no PSCI_VERSION: NOT_SUPPORTED must not be taken for a high version. */
static void no_psci(void **state)
{
	(void)state;
	assert_int_equal(psci_check(), FW_EPSCI);
}

static void every_status_has_a_message(void **state)
{
	int i, j;

	(void)state;
	for (i = 0; i < FW_STATUS_COUNT; i++) {
		assert_string_not_equal(fw_strstatus(i), "unknown error");
		for (j = 0; j < i; j++)
			assert_string_not_equal(fw_strstatus(i), fw_strstatus(j));
	}
	assert_string_equal(fw_strstatus(FW_STATUS_COUNT), "unknown error");
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(discover, setup, teardown),
		cmocka_unit_test_setup_teardown(all_calls_needed, setup, teardown),
		cmocka_unit_test_setup_teardown(features_not_supported, setup, teardown),
		cmocka_unit_test_setup_teardown(no_psci, setup, teardown),
		cmocka_unit_test(every_status_has_a_message),
	};

	return cmocka_run_group_tests_name("pvmfw hyp", tests, NULL, NULL);
}
