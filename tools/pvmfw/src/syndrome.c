// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decodes ESR_EL1 (syndrome.h) as the Arm ARM defines its fields.
 */
#include <stddef.h>

#include "syndrome.h"

#define ESR_EC(esr)	(((esr) >> 26) & 0x3f)
#define ESR_FSC(esr)	((esr) & 0x3f)
#define ESR_WNR		0x40
#define ESR_CM		0x100
#define ESR_FNV		0x400

#define EC_IABT_CUR	0x21
#define EC_DABT_CUR	0x25

/* Translation faults at the first and at the last level of a walk. */
#define FSC_TRANSLATION_0 0x04
#define FSC_TRANSLATION_3 0x07

const char *syndrome_class(u64 esr)
{
	switch (ESR_EC(esr)) {
	case 0x00: return "unknown or undefined instruction";
	case 0x07: return "access to FP/SIMD";
	case 0x0e: return "illegal execution state";
	case 0x15: return "SVC";
	case 0x16: return "HVC";
	case 0x18: return "trapped system register";
	case 0x20: case EC_IABT_CUR: return "instruction abort";
	case 0x22: return "misaligned PC";
	case 0x24: case EC_DABT_CUR: return "data abort";
	case 0x26: return "misaligned SP";
	case 0x2f: return "SError";
	case 0x3c: return "BRK";
	default: return "unexpected class";
	}
}

const char *syndrome_access(u64 esr)
{
	if (ESR_EC(esr) == EC_IABT_CUR)
		return "execute";
	if (ESR_EC(esr) == EC_DABT_CUR)
		return esr & ESR_WNR ? "write" : "read";
	return NULL;
}

const char *syndrome_fault(u64 esr)
{
	switch (ESR_FSC(esr)) {
	case 0x00 ... 0x03: return "address size fault";
	case 0x04 ... 0x07: return "translation fault";
	case 0x08 ... 0x0b: return "access flag fault";
	case 0x0c ... 0x0f: return "permission fault";
	case 0x10: return "external abort";
	case 0x14 ... 0x17: return "external abort on a table walk";
	case 0x21: return "alignment fault";
	case 0x30: return "TLB conflict";
	default: return "other fault";
	}
}

bool syndrome_is_untranslated(u64 esr)
{
	return ESR_EC(esr) == EC_DABT_CUR && !(esr & (ESR_FNV | ESR_CM)) &&
	       ESR_FSC(esr) >= FSC_TRANSLATION_0 && ESR_FSC(esr) <= FSC_TRANSLATION_3;
}
