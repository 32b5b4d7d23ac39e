// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of the host that the hypervisor changes while a guest runs, for CPU features that no
 * emulator has: trace filters, branch records, MPAM. The test builds the hypervisor's own code for
 * EL1, with variables in place of the registers.
 *
 * Rule: the host's counters, trace and branch records are off while a protected guest runs, and
 * MPAM traps while any guest runs. Afterwards the registers have their old values. The hypervisor
 * does not access a register that the CPU does not have.
 */
#include <kunit/test.h>
#include <linux/bitfield.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/sysreg.h>

static struct {
	u64 id_aa64dfr0_el1;
	u64 id_aa64pfr0_el1;
	u64 id_aa64pfr1_el1;
	u64 pmcntenset_el0;
	u64 SYS_TRFCR;
	u64 SYS_BRBCR;
	u64 mpam2;
	u64 mpamhcr;
	u64 mpamidr;
	unsigned int touched_pmu;
	unsigned int touched_trace;
	unsigned int touched_mpam;
} cpu;

#define WRITE_pmcntenset_el0(val)	(cpu.touched_pmu++, cpu.pmcntenset_el0 |= (val))
#define WRITE_pmcntenclr_el0(val)	(cpu.touched_pmu++, cpu.pmcntenset_el0 &= ~(val))

/* MPAM2_EL2, MPAMHCR_EL2 and MPAMIDR_EL1, by their encodings. */
static u64 *mpam_reg(u32 sysreg)
{
	cpu.touched_mpam++;

	switch (sysreg) {
	case sys_reg(3, 4, 10, 5, 0):
		return &cpu.mpam2;
	case sys_reg(3, 4, 10, 4, 0):
		return &cpu.mpamhcr;
	default:
		return &cpu.mpamidr;
	}
}

#undef read_sysreg
#undef write_sysreg
#undef read_sysreg_el1
#undef write_sysreg_el1
#undef read_sysreg_s
#undef write_sysreg_s
#define read_sysreg(reg)		(cpu.reg)
#define write_sysreg(val, reg)		WRITE_##reg(val)
#define read_sysreg_el1(reg)		(cpu.touched_trace++, cpu.reg)
#define write_sysreg_el1(val, reg)	(cpu.touched_trace++, cpu.reg = (val))
#define read_sysreg_s(reg)		(*mpam_reg(reg))
#define write_sysreg_s(val, reg)	(*mpam_reg(reg) = (val))

#include "../../../arch/arm64/kvm/hyp/nvhe/guest_mpam.c"
#include "../../../arch/arm64/kvm/hyp/nvhe/guest_quiet.c"

#define COUNTERS	0x80000003ULL
#define TRACE		0x61ULL
#define BRANCHES	0x13ULL
/* A value of MPAM2_EL2: MPAMEN and the numbers of two partitions. */
#define PARTITIONS	(BIT(63) | 0x50006)

static int cpu_regs_init(struct kunit *test)
{
	memset(&cpu, 0, sizeof(cpu));
	cpu.pmcntenset_el0 = COUNTERS;
	cpu.SYS_TRFCR = TRACE;
	cpu.SYS_BRBCR = BRANCHES;
	cpu.mpam2 = PARTITIONS;

	return 0;
}

static void quiet(struct kunit *test, u64 counters, u64 trace, u64 branches)
{
	preempt_disable();
	pvm_quiet_begin();
	KUNIT_EXPECT_EQ(test, cpu.pmcntenset_el0, counters);
	KUNIT_EXPECT_EQ(test, cpu.SYS_TRFCR, trace);
	KUNIT_EXPECT_EQ(test, cpu.SYS_BRBCR, branches);
	pvm_quiet_end();
	preempt_enable();

	KUNIT_EXPECT_EQ(test, cpu.pmcntenset_el0, COUNTERS);
	KUNIT_EXPECT_EQ(test, cpu.SYS_TRFCR, TRACE);
	KUNIT_EXPECT_EQ(test, cpu.SYS_BRBCR, BRANCHES);
}

static void all_are_off(struct kunit *test)
{
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_PMUVer_MASK, 1) |
			      FIELD_PREP(ID_AA64DFR0_EL1_TraceFilt_MASK, 1) |
			      FIELD_PREP(ID_AA64DFR0_EL1_BRBE_MASK, 1);
	quiet(test, 0, 0, 0);
}

/* On a CPU with one of the features, the hypervisor changes only the register of that feature. */
static void one_is_off(struct kunit *test)
{
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_PMUVer_MASK, 1);
	quiet(test, 0, TRACE, BRANCHES);
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_TraceFilt_MASK, 1);
	quiet(test, COUNTERS, 0, BRANCHES);
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_BRBE_MASK, 1);
	quiet(test, COUNTERS, TRACE, 0);
}

/* The same for a PMU that does not follow the architecture, as it has other registers. */
static void missing_registers_not_accessed(struct kunit *test)
{
	quiet(test, COUNTERS, TRACE, BRANCHES);
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_PMUVer_MASK,
					 ID_AA64DFR0_EL1_PMUVer_IMP_DEF);
	quiet(test, COUNTERS, TRACE, BRANCHES);
	KUNIT_EXPECT_EQ(test, cpu.touched_pmu, 0);
	KUNIT_EXPECT_EQ(test, cpu.touched_trace, 0);

	pkvm_mpam_trap();
	pkvm_mpam_untrap();
	KUNIT_EXPECT_EQ(test, cpu.touched_mpam, 0);
}

/* Counters that the host has switched off stay off. */
static void stopped_counters_stay_off(struct kunit *test)
{
	cpu.id_aa64dfr0_el1 = FIELD_PREP(ID_AA64DFR0_EL1_PMUVer_MASK, 1);
	cpu.pmcntenset_el0 = 0;
	preempt_disable();
	pvm_quiet_begin();
	pvm_quiet_end();
	preempt_enable();
	KUNIT_EXPECT_EQ(test, cpu.touched_pmu, 0);
	KUNIT_EXPECT_EQ(test, cpu.pmcntenset_el0, 0);
}

/*
 * Expect the traps of MPAM registers: @mpam2 are the bits in MPAM2_EL2, @mpamhcr those in
 * MPAMHCR_EL2. The bit that traps MPAMIDR_EL1 is in one of the two, depending on the CPU.
 */
static void expect_mpam_traps(struct kunit *test, u64 mpam2, u64 mpamhcr)
{
	pkvm_mpam_trap();
	KUNIT_EXPECT_EQ(test, cpu.mpam2, PARTITIONS | mpam2);
	KUNIT_EXPECT_EQ(test, cpu.mpamhcr, mpamhcr);
	pkvm_mpam_untrap();
	KUNIT_EXPECT_EQ(test, cpu.mpam2, PARTITIONS);
	KUNIT_EXPECT_EQ(test, cpu.mpamhcr, 0);
}

static void mpam_traps(struct kunit *test)
{
	cpu.id_aa64pfr0_el1 = FIELD_PREP(ID_AA64PFR0_EL1_MPAM_MASK, 1);
	expect_mpam_traps(test, BIT(49) | BIT(48), 0);
	cpu.mpamidr = BIT(17);
	expect_mpam_traps(test, BIT(49) | BIT(48), BIT(31));
	cpu.mpamidr = BIT(58);
	expect_mpam_traps(test, BIT(49) | BIT(48) | BIT(58), 0);

	/* A CPU with MPAM v0.1 has only the field MPAM_frac. */
	cpu.id_aa64pfr0_el1 = 0;
	cpu.id_aa64pfr1_el1 = FIELD_PREP(ID_AA64PFR1_EL1_MPAM_frac_MASK, 1);
	expect_mpam_traps(test, BIT(49) | BIT(48) | BIT(58), 0);
}

static struct kunit_case cpu_regs_cases[] = {
	KUNIT_CASE(all_are_off),
	KUNIT_CASE(one_is_off),
	KUNIT_CASE(missing_registers_not_accessed),
	KUNIT_CASE(stopped_counters_stay_off),
	KUNIT_CASE(mpam_traps),
	{}
};

static struct kunit_suite cpu_regs_suite = {
	.name		= "pkvm_cpu_regs",
	.init		= cpu_regs_init,
	.test_cases	= cpu_regs_cases,
};

kunit_test_suite(cpu_regs_suite);
