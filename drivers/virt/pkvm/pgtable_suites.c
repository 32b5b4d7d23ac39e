// SPDX-License-Identifier: GPL-2.0-only
/*
 * The suites of pkvm_pgtable_kunit, which run KVM's stage-2 page-table code at EL1 with fake
 * mm_ops.
 */
#include <linux/module.h>

#include "pgtable_kunit.h"

static struct kunit_suite s2_map_suite = {
	.name		= "pkvm_pgtable_map",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_map_cases,
};

static struct kunit_suite s2_attr_suite = {
	.name		= "pkvm_pgtable_attr",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_attr_cases,
};

static struct kunit_suite s2_table_suite = {
	.name		= "pkvm_pgtable_table",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_table_cases,
};

static struct kunit_suite s2_random_suite = {
	.name		= "pkvm_pgtable_random",
	.init		= s2_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_random_cases,
};

static struct kunit_suite s2_host_suite = {
	.name		= "pkvm_pgtable_host",
	.init		= s2_host_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_host_cases,
};

static struct kunit_suite s2_host_random_suite = {
	.name		= "pkvm_pgtable_host_random",
	.init		= s2_host_fixture_init,
	.exit		= s2_fixture_exit,
	.test_cases	= s2_host_random_cases,
};

static struct kunit_suite s2_account_suite = {
	.name		= "pkvm_pgtable_account",
	.init		= s2_account_init,
	.test_cases	= s2_account_cases,
};

kunit_test_suites(&s2_account_suite, &s2_map_suite, &s2_attr_suite, &s2_table_suite,
		  &s2_random_suite, &s2_host_suite, &s2_host_random_suite);

MODULE_DESCRIPTION("KUnit tests of the KVM stage-2 page-table code");
MODULE_IMPORT_NS(EXPORTED_FOR_KUNIT_TESTING);
MODULE_LICENSE("GPL");
