// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stack canary (canary.h). This file is compiled without stack protection, as it sets
 * the canary.
 */
#include <linux/arm-smccc.h>

#include "canary.h"
#include "console.h"
#include "counter.h"
#include "psci.h"
#include "smccc.h"

#define TRNG_BITS		64

/* Bits 63:60 of ID_AA64ISAR0_EL1. */
#define ISAR0_RNDR(isar0)	((isar0) >> 60)

/* The canary has a zero byte: a string that overruns a frame ends there. */
#define STRING_END		0xfful

unsigned long __stack_chk_guard;

/* The Arm TRNG firmware interface (DEN 0098); errors are negative. */
static bool from_hypervisor(u64 *word)
{
	struct smccc_res res;

	smccc_hvc(ARM_SMCCC_TRNG_VERSION, 0, 0, 0, &res);
	if ((s32)res.r[0] < 0)
		return false;
	smccc_hvc(ARM_SMCCC_TRNG_RND64, TRNG_BITS, 0, 0, &res);
	*word = res.r[3];
	return !res.r[0];
}

static bool from_cpu(u64 *word)
{
	u64 isar0, failed;

	asm("mrs %0, id_aa64isar0_el1" : "=r" (isar0));
	if (!ISAR0_RNDR(isar0))
		return false;
	/* RNDR sets the Z flag if it has no random number now. */
	asm volatile("mrs %0, s3_3_c2_c4_0\n\tcset %1, eq" : "=r" (*word), "=r" (failed) :: "cc");
	return !failed;
}

void canary_init(void)
{
	u64 word;

	if (!from_hypervisor(&word) && !from_cpu(&word))
		word = counter_read() * 0x9e3779b97f4a7c15ull;
	__stack_chk_guard = word & ~STRING_END;
}

void __stack_chk_fail(void)
{
	pr_info("error: a stack frame was overrun");
	pr_info("reset");
	psci_system_reset();
	for (;;)
		;
}
