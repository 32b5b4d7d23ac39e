// SPDX-License-Identifier: GPL-2.0-only
/*
 * No guest of either kind can access MPAM registers: they choose the partition of caches and memory
 * bandwidth in which the host's programs run.
 *
 * R8: the ID registers of all VMs hide MPAM, so its registers trap. EL2 asks the CPU for MPAM,
 *     since the kernel need not know of it.
 */

#include <linux/bits.h>

#include <asm/sysreg.h>

#include <nvhe/guest_mpam.h>

/* The bits of MPAM2_EL2, MPAMHCR_EL2 and MPAMIDR_EL1 that are about traps of guests. */
#define SYS_MPAMIDR_EL1		sys_reg(3, 0, 10, 4, 4)
#define MPAM2_TRAPS		(BIT(48) | BIT(49))
#define MPAM2_TIDR		BIT(58)
#define MPAMHCR_TRAP_IDR	BIT(31)
#define MPAMIDR_HAS_HCR		BIT(17)
#define MPAMIDR_HAS_TIDR	BIT(58)

static bool cpu_has_mpam(void)
{
	return read_sysreg(id_aa64pfr0_el1) & ID_AA64PFR0_EL1_MPAM_MASK ||
	       read_sysreg(id_aa64pfr1_el1) & ID_AA64PFR1_EL1_MPAM_frac_MASK;
}

static void set_mpam_traps(bool on)
{
	u64 idr = read_sysreg_s(SYS_MPAMIDR_EL1);
	u64 bits = MPAM2_TRAPS;

	if (idr & MPAMIDR_HAS_HCR)
		sysreg_clear_set_s(SYS_MPAMHCR_EL2, MPAMHCR_TRAP_IDR, on ? MPAMHCR_TRAP_IDR : 0);
	else if (idr & MPAMIDR_HAS_TIDR)
		bits |= MPAM2_TIDR;

	sysreg_clear_set_s(SYS_MPAM2_EL2, bits, on ? bits : 0);
}

/**
 * pkvm_mpam_trap() - Make a guest's accesses to the host's MPAM registers trap
 *
 * Ends with pkvm_mpam_untrap().
 */
void pkvm_mpam_trap(void)
{
	if (cpu_has_mpam())
		set_mpam_traps(true);
}

/**
 * pkvm_mpam_untrap() - Undo pkvm_mpam_trap()
 */
void pkvm_mpam_untrap(void)
{
	if (cpu_has_mpam())
		set_mpam_traps(false);
}
