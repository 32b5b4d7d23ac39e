// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suites of pkvm_el2_kunit, which test EL2 of a protected host by hypercalls.
 */
#include <linux/module.h>

#include "el2_kunit.h"

static struct kunit_suite el2_host_suite = {
	.name		= "pkvm_el2_host",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_host_cases,
};

static struct kunit_suite el2_share_suite = {
	.name		= "pkvm_el2_share",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_share_cases,
};

static struct kunit_suite el2_vm_suite = {
	.name		= "pkvm_el2_vm",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_vm_cases,
};

static struct kunit_suite el2_donate_suite = {
	.name		= "pkvm_el2_donate",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_donate_cases,
};

static struct kunit_suite el2_teardown_suite = {
	.name		= "pkvm_el2_teardown",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_teardown_cases,
};

static struct kunit_suite el2_guest_suite = {
	.name		= "pkvm_el2_guest",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_guest_cases,
};

static struct kunit_suite el2_isolation_suite = {
	.name		= "pkvm_el2_isolation",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_isolation_cases,
};

static struct kunit_suite el2_state_suite = {
	.name		= "pkvm_el2_state",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_state_cases,
};

static struct kunit_suite el2_trng_suite = {
	.name		= "pkvm_el2_trng",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_trng_cases,
};

static struct kunit_suite el2_force_suite = {
	.name		= "pkvm_el2_force",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_force_cases,
};

static struct kunit_suite el2_np_share_suite = {
	.name		= "pkvm_el2_np_share",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_np_share_cases,
};

static struct kunit_suite el2_range_suite = {
	.name		= "pkvm_el2_range",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_range_cases,
};

static struct kunit_suite el2_random_suite = {
	.name		= "pkvm_el2_random",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_random_cases,
};

static struct kunit_suite el2_ffa_suite = {
	.name		= "pkvm_el2_ffa",
	.init		= el2_ffa_init,
	.exit		= el2_ffa_exit,
	.test_cases	= el2_ffa_cases,
};

#ifdef CONFIG_PKVM_STAGE2_DEBUG
static struct kunit_suite el2_coalesce_suite = {
	.name		= "pkvm_el2_coalesce",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_coalesce_cases,
};

kunit_test_suite(el2_coalesce_suite);
#endif

kunit_test_suites(&el2_host_suite, &el2_share_suite, &el2_vm_suite, &el2_donate_suite,
		  &el2_teardown_suite, &el2_guest_suite, &el2_isolation_suite,
		  &el2_state_suite, &el2_trng_suite, &el2_force_suite, &el2_np_share_suite,
		  &el2_range_suite, &el2_random_suite, &el2_ffa_suite);

MODULE_DESCRIPTION("KUnit tests of the protected KVM hypervisor");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
