// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: gives the hypervisor the ID registers of the CPUs, from which it
 * makes those of VMs.
 */

#include <linux/cpufeature.h>
#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_pkvm_features.h>
#include <asm/kvm_pkvm_guest.h>

/* The registers of which the table of guest_features.c has a row. */
static const u32 id_regs[] __initconst = {
	SYS_ID_AA64PFR0_EL1,
	SYS_ID_AA64PFR1_EL1,
	SYS_ID_AA64PFR2_EL1,
	SYS_ID_AA64ZFR0_EL1,
	SYS_ID_AA64SMFR0_EL1,
	SYS_ID_AA64FPFR0_EL1,
	SYS_ID_AA64DFR0_EL1,
	SYS_ID_AA64DFR1_EL1,
	SYS_ID_AA64ISAR0_EL1,
	SYS_ID_AA64ISAR1_EL1,
	SYS_ID_AA64ISAR2_EL1,
	SYS_ID_AA64ISAR3_EL1,
	SYS_ID_AA64MMFR0_EL1,
	SYS_ID_AA64MMFR1_EL1,
	SYS_ID_AA64MMFR2_EL1,
	SYS_ID_AA64MMFR3_EL1,
	SYS_ID_AA64MMFR4_EL1,
};

/**
 * pkvm_guest_init_cpu() - Tell the hypervisor the ID registers that all CPUs agree on
 * @pfr0: ID_AA64PFR0_EL1 as guests may see it, with the state of the mitigations.
 *
 * Runs once, on a host that has not given up its privileges yet.
 */
void __init pkvm_guest_init_cpu(u64 pfr0)
{
	u64 *regs = pkvm_hyp_id_regs;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(id_regs); i++)
		regs[IDREG_IDX(id_regs[i])] = read_sanitised_ftr_reg(id_regs[i]);

	regs[IDREG_IDX(SYS_ID_AA64PFR0_EL1)] = pfr0;

	/* Hide what the kernel has found not to work on some CPU, or has no code for. */
	if (!cpus_have_final_cap(ARM64_HAS_WFXT))
		regs[IDREG_IDX(SYS_ID_AA64ISAR2_EL1)] &= ~ID_AA64ISAR2_EL1_WFxT_MASK;
	if (!system_supports_poe())
		regs[IDREG_IDX(SYS_ID_AA64MMFR3_EL1)] &= ~ID_AA64MMFR3_EL1_S1POE_MASK;

	pkvm_hyp_ctr_el0 = read_sanitised_ftr_reg(SYS_CTR_EL0);
}
