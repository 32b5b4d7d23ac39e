// SPDX-License-Identifier: GPL-2.0-only
/*
 * The TRNG calls of a protected guest (Arm DEN0098).
 *
 * Rule: EL2 takes entropy from the CPU's RNDRRS, or else from the secure firmware, and never from
 * the host. A guest gets as many bits as it requests. Without a source the calls return
 * NOT_SUPPORTED. The firmware of tools/testing/spmc has a source with known bits.
 */
#include <linux/arm-smccc.h>

#include <asm/archrandom.h>

#include "el2_ffa.h"
#include "el2_guest.h"

#define INVALID		(-2)

static bool cpu_has_source(void)
{
	return cpus_have_final_cap(ARM64_HAS_RNG);
}

static bool firmware_has_source(void)
{
	struct arm_smccc_res res;

	if (arm_smccc_get_version() < ARM_SMCCC_VERSION_1_1)
		return false;
	arm_smccc_1_1_invoke(ARM_SMCCC_TRNG_VERSION, &res);

	return (s32)res.a0 > 0;
}

static void source(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);
	u64 bits[2];

	if (!cpu_has_source() && !firmware_has_source()) {
		KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_VERSION, 0, 0, 0),
				SMCCC_RET_NOT_SUPPORTED);
		KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 64, 0, 0),
				SMCCC_RET_NOT_SUPPORTED);
		return;
	}

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_VERSION, 0, 0, 0), 0x10000);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_FEATURES,
					    ARM_SMCCC_TRNG_RND64, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 64, 0, 0), 0);
	bits[0] = el2_guest_result(g, 3);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 64, 0, 0), 0);
	bits[1] = el2_guest_result(g, 3);
	if (cpu_has_source()) {
		KUNIT_EXPECT_NE(test, bits[0], bits[1]);
		return;
	}
	KUNIT_EXPECT_EQ(test, bits[0], SPMC_ENTROPY + 3);
	KUNIT_EXPECT_EQ(test, bits[1], SPMC_ENTROPY + 3);
}

/* x3 has the lowest bits. Bits above the requested number are 0, whatever the source returned. */
static void requested_number_of_bits(struct kunit *test)
{
	struct el2_guest *g = el2_guest_boot(test);

	if (!cpu_has_source() && !firmware_has_source())
		kunit_skip(test, "there is no source of entropy");

	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 192, 0, 0), 0);
	KUNIT_EXPECT_NE(test, el2_guest_result(g, 1), 0);
	KUNIT_EXPECT_NE(test, el2_guest_result(g, 2), 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 70, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 2) >> 6, 0);
	KUNIT_ASSERT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND32, 40, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 1), 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 2) >> 8, 0);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 3) >> 32, 0);

	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 0, 0, 0), INVALID);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND64, 193, 0, 0), INVALID);
	KUNIT_EXPECT_EQ(test, el2_guest_hvc(test, g, ARM_SMCCC_TRNG_RND32, 97, 0, 0), INVALID);
	KUNIT_EXPECT_EQ(test, el2_guest_result(g, 3), 0);
}

static struct kunit_case el2_trng_cases[] = {
	KUNIT_CASE(source),
	KUNIT_CASE(requested_number_of_bits),
	{}
};

static struct kunit_suite el2_trng_suite = {
	.name		= "pkvm_el2_trng",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_trng_cases,
};

kunit_test_suite(el2_trng_suite);
