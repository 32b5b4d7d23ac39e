// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PSCI calls (psci.h).
 */
#include <linux/psci.h>

#include "psci.h"
#include "smccc.h"

enum fw_status psci_check(void)
{
	struct smccc_res res;

	smccc_hvc(PSCI_0_2_FN_PSCI_VERSION, 0, 0, 0, &res);
	/* R0 is a 32-bit value here: NOT_SUPPORTED has its sign bit set, a version does not. */
	if ((u32)res.r[0] & 0x80000000u || (u32)res.r[0] < PSCI_VERSION(0, 2))
		return FW_EPSCI;
	return FW_OK;
}

void psci_system_off(void)
{
	struct smccc_res res;

	smccc_hvc(PSCI_0_2_FN_SYSTEM_OFF, 0, 0, 0, &res);
}

void psci_system_reset(void)
{
	struct smccc_res res;

	smccc_hvc(PSCI_0_2_FN_SYSTEM_RESET, 0, 0, 0, &res);
}
