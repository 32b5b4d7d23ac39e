// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that a guest may be able to access, and that hold state of the host or of another
 * guest.
 *
 * Rule (R8): each register of the host keeps its value, whatever a guest of either kind writes,
 * also after the host has changed the register. A guest does not read the value that another guest
 * has left. The test skips registers that the CPU does not have, and prints their names.
 */
#include <linux/cpufeature.h>
#include <linux/preempt.h>

#include <asm/esr.h>
#include <asm/kvm_emulate.h>
#include <asm/sysreg.h>

#include "el2_guest.h"

/* Values that guest and host write. Each register implements some of their bits. */
#define GUESTS		0x1111111111111111ULL
#define HOSTS		0x2222222222222222ULL

#define MRS_X0		0xd5200000U
#define MSR_X0		0xd5000000U

#define HAS(reg, field)		(!!(read_cpuid(reg) & reg##_##field##_MASK))

static bool has_pmu(void)
{
	u64 ver = SYS_FIELD_GET(ID_AA64DFR0_EL1, PMUVer, read_cpuid(ID_AA64DFR0_EL1));

	return ver && ver != ID_AA64DFR0_EL1_PMUVer_IMP_DEF;
}

static bool has_keys(void)
{
	return HAS(ID_AA64ISAR1_EL1, APA) || HAS(ID_AA64ISAR1_EL1, API) ||
	       HAS(ID_AA64ISAR2_EL1, APA3);
}

static bool has_tags(void)
{
	return SYS_FIELD_GET(ID_AA64PFR1_EL1, MTE, read_cpuid(ID_AA64PFR1_EL1)) >= 2;
}

/* For each register, functions that read and write it. Not all registers need the latter. */
#define ACCESS(reg)								\
static u64 get_##reg(void)	{ return read_sysreg_s(SYS_##reg); }		\
static void __maybe_unused set_##reg(u64 value)					\
{										\
	write_sysreg_s(value, SYS_##reg);					\
	isb();									\
}

#define SYS_DBGBVR0_EL1		SYS_DBGBVRn_EL1(0)

ACCESS(PIR_EL1)
ACCESS(PIRE0_EL1)
ACCESS(POR_EL1)
ACCESS(POR_EL0)
ACCESS(TCR2_EL1)
ACCESS(TPIDR2_EL0)
ACCESS(SMPRI_EL1)
ACCESS(FPMR)
ACCESS(APIAKEYLO_EL1)
ACCESS(APIBKEYLO_EL1)
ACCESS(APDAKEYLO_EL1)
ACCESS(APDBKEYLO_EL1)
ACCESS(APGAKEYLO_EL1)
ACCESS(TFSR_EL1)
ACCESS(TFSRE0_EL1)
ACCESS(RGSR_EL1)
ACCESS(GCR_EL1)
ACCESS(TRFCR_EL1)
ACCESS(PMCCFILTR_EL0)
ACCESS(PMUSERENR_EL0)
ACCESS(PMINTENSET_EL1)
ACCESS(PMCR_EL0)
ACCESS(DBGBVR0_EL1)
ACCESS(MDSCR_EL1)
ACCESS(CSSELR_EL1)
ACCESS(TPIDRRO_EL0)
ACCESS(AFSR0_EL1)
ACCESS(CNTKCTL_EL1)

static bool has_s1pie(void)	{ return HAS(ID_AA64MMFR3_EL1, S1PIE); }
static bool has_s1poe(void)	{ return HAS(ID_AA64MMFR3_EL1, S1POE); }
static bool has_tcr2(void)	{ return HAS(ID_AA64MMFR3_EL1, TCRX); }
static bool has_sme(void)	{ return HAS(ID_AA64PFR1_EL1, SME); }
static bool has_fpmr(void)	{ return system_supports_fpmr(); }
static bool has_trace(void)	{ return HAS(ID_AA64DFR0_EL1, TraceFilt); }
static bool always(void)	{ return true; }

#define LOOK(reg, has)	{ #reg, SYS_##reg, has, get_##reg }
#define SPARE(reg, has)	{ #reg, SYS_##reg, has, get_##reg, set_##reg }

static const struct {
	const char *name;
	u32 sysreg;
	bool (*is_there)(void);
	u64 (*get)(void);
	/* NULL if the running host needs the value, so that the test must not change it. */
	void (*set)(u64 value);
} regs[] = {
	LOOK(PIR_EL1, has_s1pie),
	LOOK(PIRE0_EL1, has_s1pie),
	SPARE(POR_EL1, has_s1poe),
	SPARE(POR_EL0, has_s1poe),
	LOOK(TCR2_EL1, has_tcr2),
	SPARE(TPIDR2_EL0, has_sme),
	SPARE(SMPRI_EL1, has_sme),
	SPARE(FPMR, has_fpmr),
	/* The kernel may be compiled to use this key. */
	LOOK(APIAKEYLO_EL1, has_keys),
	SPARE(APIBKEYLO_EL1, has_keys),
	SPARE(APDAKEYLO_EL1, has_keys),
	SPARE(APDBKEYLO_EL1, has_keys),
	SPARE(APGAKEYLO_EL1, has_keys),
	SPARE(TFSR_EL1, has_tags),
	SPARE(TFSRE0_EL1, has_tags),
	SPARE(RGSR_EL1, has_tags),
	SPARE(GCR_EL1, has_tags),
	SPARE(TRFCR_EL1, has_trace),
	SPARE(PMCCFILTR_EL0, has_pmu),
	SPARE(PMUSERENR_EL0, has_pmu),
	LOOK(PMINTENSET_EL1, has_pmu),
	LOOK(PMCR_EL0, has_pmu),
	SPARE(DBGBVR0_EL1, always),
	LOOK(MDSCR_EL1, always),
	LOOK(CSSELR_EL1, always),
	SPARE(TPIDRRO_EL0, always),
	LOOK(AFSR0_EL1, always),
	LOOK(CNTKCTL_EL1, always),
};

/*
 * Have a guest execute one instruction, with @x0 in its x0. If the host would have to emulate it
 * for a non-protected guest, the host skips it.
 *
 * Return: ESR_EL1 of the exception that the guest took, or 0. @x0 is set to the guest's x0.
 */
static u64 execute(struct kunit *test, struct el2_guest *g, u32 insn, u64 *x0)
{
	enum el2_exit exit = el2_guest_do(test, g, EL2_GUEST_INSN, insn, *x0, 0, 0);

	while (exit == EL2_EXIT_SYSREG) {
		kvm_incr_pc(g->vm->vcpu[0]);
		exit = el2_guest_run(test, g);
	}
	KUNIT_ASSERT_EQ(test, exit, EL2_EXIT_PARKED);
	*x0 = el2_guest_result(g, 0);

	return el2_guest_result(g, 1);
}

static void guest_writes(struct kunit *test, struct el2_guest *g, unsigned int i)
{
	u64 value = GUESTS;

	execute(test, g, MSR_X0 | regs[i].sysreg, &value);
}

static void expect_host_keeps(struct kunit *test, struct el2_guest *g, unsigned int i)
{
	u64 before, after, saved, left = 0, found = 0;

	/* When the host switches threads, it changes some of the registers. */
	preempt_disable();
	before = regs[i].get();
	guest_writes(test, g, i);
	after = regs[i].get();
	if (regs[i].set) {
		saved = regs[i].get();
		regs[i].set(HOSTS);
		left = regs[i].get();
		guest_writes(test, g, i);
		found = regs[i].get();
		regs[i].set(saved);
	}
	preempt_enable();

	KUNIT_EXPECT_EQ_MSG(test, after, before, "%s", regs[i].name);
	KUNIT_EXPECT_EQ_MSG(test, found, left, "%s, used by the host", regs[i].name);
}

static void host_keeps_its_values(struct kunit *test)
{
	struct el2_guest *g;
	unsigned int i, kind;

	for (kind = 0; kind < 2; kind++) {
		g = kind ? el2_guest_boot_np(test) : el2_guest_boot(test);
		for (i = 0; i < ARRAY_SIZE(regs); i++) {
			if (regs[i].is_there())
				expect_host_keeps(test, g, i);
			else if (!kind)
				kunit_info(test, "the CPU has no %s", regs[i].name);
		}
		el2_put();
	}
}

/* Have a guest write a register and read it again. Return 0 if the guest cannot read it. */
static u64 write_and_read(struct kunit *test, struct el2_guest *g, unsigned int i)
{
	u64 value = 0;

	guest_writes(test, g, i);

	return execute(test, g, MRS_X0 | regs[i].sysreg, &value) ? 0 : value;
}

static void next_guest_finds_nothing(struct kunit *test)
{
	u64 left[ARRAY_SIZE(regs)] = {}, value;
	struct el2_guest *g, *next;
	unsigned int i, kinds;

	for (kinds = 0; kinds < 4; kinds++) {
		g = kinds & 1 ? el2_guest_boot_np(test) : el2_guest_boot(test);
		for (i = 0; i < ARRAY_SIZE(regs); i++)
			if (regs[i].is_there())
				left[i] = write_and_read(test, g, i);
		el2_put();

		next = kinds & 2 ? el2_guest_boot_np(test) : el2_guest_boot(test);
		for (i = 0; i < ARRAY_SIZE(regs); i++) {
			value = 0;
			if (!left[i] || execute(test, next, MRS_X0 | regs[i].sysreg, &value))
				continue;
			KUNIT_EXPECT_NE_MSG(test, value, left[i], "%s", regs[i].name);
		}
		el2_put();
	}
}

/* Rule: if the host requests AArch32 for a vCPU on a CPU without it, the vCPU runs in AArch64. */
static void no_aarch32_without(struct kunit *test)
{
	u64 el1 = SYS_FIELD_GET(ID_AA64PFR0_EL1, EL1, read_cpuid(ID_AA64PFR0_EL1));
	struct el2_guest *g;
	u64 value = GUESTS;

	if (el1 != ID_AA64PFR0_EL1_EL1_IMP)
		kunit_skip(test, "the CPU has AArch32 at EL1");

	g = el2_guest_boot_np(test);
	g->vm->vcpu[0]->arch.hcr_el2 &= ~HCR_RW;
	KUNIT_EXPECT_EQ(test, execute(test, g, MSR_X0 | SYS_TPIDR_EL1, &value), 0);
	value = 0;
	KUNIT_EXPECT_EQ(test, execute(test, g, MRS_X0 | SYS_TPIDR_EL1, &value), 0);
	KUNIT_EXPECT_EQ(test, value, GUESTS);
}

static struct kunit_case el2_state_cases[] = {
	KUNIT_CASE(host_keeps_its_values),
	KUNIT_CASE(next_guest_finds_nothing),
	KUNIT_CASE(no_aarch32_without),
	{}
};

static struct kunit_suite el2_state_suite = {
	.name		= "pkvm_el2_state",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_state_cases,
};

kunit_test_suite(el2_state_suite);
