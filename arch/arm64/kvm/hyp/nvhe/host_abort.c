// SPDX-License-Identifier: GPL-2.0-only
/*
 * When the host accesses memory that it does not own (R2, R5), EL2 makes it take an abort
 * at its own EL1, and nothing else happens. For a trap that EL2 does not handle, the host
 * takes an undefined instruction exception.
 *
 * ESR_EL1 of the abort describes the stage-2 fault, with S1PTW set. The architecture never
 * sets that bit in an ESR_EL1 that hardware writes. So the host can tell this abort from a
 * page fault, which it could resolve.
 */

#include <asm/esr.h>
#include <asm/kvm_hyp.h>
#include <asm/ptrace.h>
#include <asm/sysreg.h>

#include <nvhe/host_abort.h>

/* Offsets from VBAR_EL1 of the four vectors for synchronous exceptions. */
#define VECT_SYNC_CUR_SP0	0x000
#define VECT_SYNC_CUR_SPX	0x200
#define VECT_SYNC_LOW_64	0x400
#define VECT_SYNC_LOW_32	0x600

static u64 host_sync_vector(u64 spsr)
{
	if (spsr & PSR_MODE32_BIT)
		return VECT_SYNC_LOW_32;

	switch (spsr & PSR_MODE_MASK) {
	case PSR_MODE_EL1h:
		return VECT_SYNC_CUR_SPX;
	case PSR_MODE_EL1t:
		return VECT_SYNC_CUR_SP0;
	default:
		return VECT_SYNC_LOW_64;
	}
}

/*
 * PSTATE on entry to EL1, as AArch64.TakeException() of the architecture has
 * it: condition flags, DIT and PAN survive, SSBS and PAN follow SCTLR_EL1.
 */
static u64 host_exception_pstate(u64 spsr)
{
	u64 sctlr = read_sysreg_el1(SYS_SCTLR);
	u64 pstate;

	pstate = spsr & (PSR_N_BIT | PSR_Z_BIT | PSR_C_BIT | PSR_V_BIT |
			 PSR_DIT_BIT | PSR_PAN_BIT);

	if (!(sctlr & SCTLR_EL1_SPAN))
		pstate |= PSR_PAN_BIT;

	if (sctlr & SCTLR_ELx_DSSBS)
		pstate |= PSR_SSBS_BIT;

	if (FIELD_GET(ARM64_FEATURE_MASK(ID_AA64PFR1_EL1_MTE), id_aa64pfr1_el1_sys_val))
		pstate |= PSR_TCO_BIT;

	return pstate | PSR_D_BIT | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_MODE_EL1h;
}

/* On return to the host it starts at its own exception vector. */
static void host_take_exception(u64 esr, u64 spsr, u64 vector)
{
	write_sysreg_el1(esr, SYS_ESR);
	write_sysreg_el1(spsr, SYS_SPSR);
	write_sysreg_el1(read_sysreg_el2(SYS_ELR), SYS_ELR);

	write_sysreg_el2(read_sysreg_el1(SYS_VBAR) + vector, SYS_ELR);
	write_sysreg_el2(host_exception_pstate(spsr), SYS_SPSR);
}

/**
 * host_inject_abort() - Make the host take the abort that trapped it here
 * @esr: ESR_EL2 of the trap, whose class is an instruction or a data abort from
 *	 a lower exception level.
 *
 * Runs on the CPU that trapped, with the host's EL1 context live.
 */
void host_inject_abort(u64 esr)
{
	u64 spsr = read_sysreg_el2(SYS_SPSR);
	u64 vector = host_sync_vector(spsr);
	u64 ec = ESR_ELx_EC(esr);

	if (vector == VECT_SYNC_CUR_SP0 || vector == VECT_SYNC_CUR_SPX) {
		ec = ec == ESR_ELx_EC_DABT_LOW ? ESR_ELx_EC_DABT_CUR : ESR_ELx_EC_IABT_CUR;
		esr &= ~ESR_ELx_EC_MASK;
		esr |= ec << ESR_ELx_EC_SHIFT;
	}

	write_sysreg_el1(read_sysreg_el2(SYS_FAR), SYS_FAR);
	host_take_exception(esr | ESR_ELx_S1PTW, spsr, vector);
}

/**
 * host_inject_undef() - Make the host take an undefined instruction exception for a trap
 *
 * For traps that the hypervisor does not handle, such as those of an extension for which
 * the kernel is not built. Runs on the CPU that trapped, with the host's EL1 context live.
 */
void host_inject_undef(void)
{
	u64 spsr = read_sysreg_el2(SYS_SPSR);
	u64 esr = (ESR_ELx_EC_UNKNOWN << ESR_ELx_EC_SHIFT) | ESR_ELx_IL;

	host_take_exception(esr, spsr, host_sync_vector(spsr));
}
