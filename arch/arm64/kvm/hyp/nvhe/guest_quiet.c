// SPDX-License-Identifier: GPL-2.0-only
/*
 * While a protected guest runs, the host's performance counters, its trace unit and its branch
 * records are off: they would count and record what the guest does. Afterwards EL2 restores them.
 *
 * debug-sr.c switches statistical profiling, and trace into buffers, together with the buffers. EL2
 * reads from the CPU, not from the host, which of these features there are.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/sysreg.h>

#include <nvhe/guest_quiet.h>

/* ID_AA64DFR0_EL1: statistical profiling, trace buffers. */
#define DFR0_SPE		GENMASK_ULL(35, 32)
#define DFR0_TRBE		GENMASK_ULL(47, 44)

/* The name of BRBCR_EL1 at EL2 where HCR_EL2.E2H is set. */
#ifndef SYS_BRBCR_EL12
#define SYS_BRBCR_EL12		sys_reg(2, 5, 9, 0, 0)
#endif

struct host_counting {
	u64 pmcnten;
	u64 trfcr;
	u64 brbcr;
};

static DEFINE_PER_CPU(struct host_counting, host_counting);

static bool has_pmu(u64 dfr0)
{
	unsigned int ver = SYS_FIELD_GET(ID_AA64DFR0_EL1, PMUVer, dfr0);

	return ver && ver != ID_AA64DFR0_EL1_PMUVer_IMP_DEF;
}

/**
 * pkvm_set_buffer_flags() - Find out which buffers of the host this CPU has to drain
 * @vcpu: the vCPU that is to run on it.
 *
 * EL2 does not ask the host. If the host concealed a buffer, the CPU would write to it while the
 * guest runs; if the host claimed one that does not exist, EL2 would access missing registers.
 */
void pkvm_set_buffer_flags(struct kvm_vcpu *vcpu)
{
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	vcpu_clear_flag(vcpu, DEBUG_STATE_SAVE_SPE);
	if (FIELD_GET(DFR0_SPE, dfr0) && !(read_sysreg_s(SYS_PMBIDR_EL1) & PMBIDR_EL1_P))
		vcpu_set_flag(vcpu, DEBUG_STATE_SAVE_SPE);

	vcpu_clear_flag(vcpu, DEBUG_STATE_SAVE_TRBE);
	if (FIELD_GET(DFR0_TRBE, dfr0) && !(read_sysreg_s(SYS_TRBIDR_EL1) & TRBIDR_EL1_P))
		vcpu_set_flag(vcpu, DEBUG_STATE_SAVE_TRBE);
}

/**
 * pvm_quiet_begin() - Stop the host's counters, trace and branch records on this CPU
 *
 * Before a protected vCPU is entered. Ends with pvm_quiet_end().
 */
void pvm_quiet_begin(void)
{
	struct host_counting *host = this_cpu_ptr(&host_counting);
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	if (has_pmu(dfr0)) {
		host->pmcnten = read_sysreg(pmcntenset_el0);
		if (host->pmcnten)
			write_sysreg(host->pmcnten, pmcntenclr_el0);
	}

	if (dfr0 & ID_AA64DFR0_EL1_TraceFilt_MASK) {
		host->trfcr = read_sysreg_el1(SYS_TRFCR);
		write_sysreg_el1(0, SYS_TRFCR);
	}

	if (dfr0 & ID_AA64DFR0_EL1_BRBE_MASK) {
		host->brbcr = read_sysreg_el1(SYS_BRBCR);
		write_sysreg_el1(0, SYS_BRBCR);
	}
}

/**
 * pvm_quiet_end() - Undo pvm_quiet_begin()
 */
void pvm_quiet_end(void)
{
	struct host_counting *host = this_cpu_ptr(&host_counting);
	u64 dfr0 = read_sysreg(id_aa64dfr0_el1);

	if (dfr0 & ID_AA64DFR0_EL1_BRBE_MASK)
		write_sysreg_el1(host->brbcr, SYS_BRBCR);

	if (dfr0 & ID_AA64DFR0_EL1_TraceFilt_MASK)
		write_sysreg_el1(host->trfcr, SYS_TRFCR);

	if (has_pmu(dfr0) && host->pmcnten)
		write_sysreg(host->pmcnten, pmcntenset_el0);
}
