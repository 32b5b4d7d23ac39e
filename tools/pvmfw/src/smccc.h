/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls to the hypervisor by the SMC Calling Convention 1.1, HVC conduit.
 */
#ifndef PVMFW_SMCCC_H
#define PVMFW_SMCCC_H

#include "types.h"

/**
 * struct smccc_res - What a call returns.
 * @r: R0 to R3; R0 is a signed status in most calls
 */
struct smccc_res {
	u64 r[4];
};

/**
 * smccc_hvc() - Make a call.
 * @fn: function id
 * @a1: R1
 * @a2: R2
 * @a3: R3
 * @res: filled in
 *
 * May be called from the exception handler.
 */
void smccc_hvc(u64 fn, u64 a1, u64 a2, u64 a3, struct smccc_res *res);

#endif
