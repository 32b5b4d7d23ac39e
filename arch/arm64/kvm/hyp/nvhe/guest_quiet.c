// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing counts and nothing traces while a protected guest runs: an event that is counted, or a
 * branch that is traced, would be the guest's. The host's counters stand still, its trace unit and
 * its record of branches are off, and afterwards all is as it was.
 *
 * Statistical profiling and trace into buffers is switched with the buffers (debug-sr.c). What
 * there is to be quiet is asked of the CPU, not of the host.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/sysreg.h>

#include <nvhe/guest_cpu.h>

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
 * pvm_quiet_begin() - Stop what counts and traces for the host on this CPU
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
