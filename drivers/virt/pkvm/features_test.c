// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the CPU features that VMs get, and the traps that EL2 derives from it, with ID
 * registers of CPUs that no emulator has. Rule (R8): a feature is shown if and only if EL2 does not
 * trap it. The test builds the hypervisor's own code for EL1.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../../../arch/arm64/kvm/hyp/nvhe/guest_features.c"

#define ALL_OPTIONS	(BIT(PKVM_WITH_SVE) | BIT(PKVM_WITH_PTRAUTH) | BIT(PKVM_WITH_MTE) |	\
			 BIT(PKVM_WITH_GICV3))

/* What a VM is shown of one register. That the CPU has no other feature makes no difference. */
static noinline_for_stack u64 show_id_reg(unsigned int reg, bool is_protected,
					  unsigned long options, u64 cpu, u64 want)
{
	u64 cpus[KVM_ARM_ID_REG_NUM] = {}, wants[KVM_ARM_ID_REG_NUM] = {};
	u64 shown[KVM_ARM_ID_REG_NUM];

	cpus[reg] = cpu;
	wants[reg] = want;
	pkvm_show_id_regs(shown, is_protected, options, cpus, wants);

	return shown[reg];
}

/* The value of a field that a VM gets on a CPU with @val in it. */
static u64 show_field(unsigned int reg, u64 mask, bool is_protected, unsigned long options,
		      u64 val)
{
	u64 shown = show_id_reg(reg, is_protected, options, val << __ffs(mask), ~0ULL);

	return (shown & mask) >> __ffs(mask);
}

#define SHOWN(is_protected, options, reg, field, val)						\
	show_field(REG(reg), ID_AA64##reg##_EL1_##field##_MASK, is_protected, options, val)

/* Expect that neither kind of VM gets a field, with the lowest value of the feature. */
static void expect_hidden(struct kunit *test, unsigned int reg, u64 mask)
{
	u64 cpu = mask & -mask;

	KUNIT_EXPECT_EQ(test, show_id_reg(reg, true, ALL_OPTIONS, cpu, ~0ULL) & mask, 0);
	KUNIT_EXPECT_EQ(test, show_id_reg(reg, false, ALL_OPTIONS, cpu, ~0ULL) & mask, 0);
}

/* Get a VM's ID registers on a CPU with all features. */
static void show_everything(bool is_protected, unsigned long options, u64 *shown)
{
	unsigned int i;

	for (i = 0; i < KVM_ARM_ID_REG_NUM; i++)
		shown[i] = show_id_reg(i, is_protected, options, 0x1111111111111111ULL, ~0ULL);
}

/* What a VM is shown of all registers at once is what it is shown of each. */
static void all_registers(struct kunit *test)
{
	u64 cpu[KVM_ARM_ID_REG_NUM], want[KVM_ARM_ID_REG_NUM], shown[KVM_ARM_ID_REG_NUM];
	unsigned int i, is_protected;

	for (i = 0; i < KVM_ARM_ID_REG_NUM; i++) {
		cpu[i] = 0x0123456789abcdefULL * (i + 1);
		want[i] = ~cpu[i];
	}

	for (is_protected = 0; is_protected < 2; is_protected++) {
		memset(shown, 0xff, sizeof(shown));
		pkvm_show_id_regs(shown, is_protected, ALL_OPTIONS, cpu, want);
		for (i = 0; i < KVM_ARM_ID_REG_NUM; i++)
			KUNIT_EXPECT_EQ_MSG(test, shown[i],
					    show_id_reg(i, is_protected, ALL_OPTIONS, cpu[i],
							want[i]), "register %u", i);
	}
}

static void no_field_twice(struct kunit *test)
{
	u64 seen[KVM_ARM_ID_REG_NUM] = {};
	const struct pkvm_id_field *fields;
	unsigned int i, nr;

	fields = pkvm_id_fields(&nr);
	KUNIT_ASSERT_GT(test, nr, 0);
	for (i = 0; i < nr; i++) {
		KUNIT_EXPECT_LT(test, fields[i].reg, KVM_ARM_ID_REG_NUM);
		KUNIT_EXPECT_EQ(test, seen[fields[i].reg] & id_field_mask(&fields[i]), 0);
		seen[fields[i].reg] |= id_field_mask(&fields[i]);
	}
}

/* A hidden field has the limit 0, and an offered one a limit above 0. */
static void row_limits(struct kunit *test)
{
	const struct pkvm_id_field *fields;
	unsigned int i, nr;

	fields = pkvm_id_fields(&nr);
	for (i = 0; i < nr; i++) {
		if (!is_offered(fields[i].pvm))
			KUNIT_EXPECT_EQ_MSG(test, fields[i].pvm_max, 0, "row %u", i);
		if (!is_offered(fields[i].np))
			KUNIT_EXPECT_EQ_MSG(test, fields[i].np_max, 0, "row %u", i);
		else
			KUNIT_EXPECT_NE_MSG(test, fields[i].np_max, 0, "row %u", i);
	}
}

static void unknown_is_hidden(struct kunit *test)
{
	/* All fields of ID_AA64PFR0_EL1 have a row, some of ID_AA64PFR2_EL1 and MMFR4 do not. */
	u64 pfr2 = show_id_reg(REG(PFR2), false, ALL_OPTIONS, ~0ULL, ~0ULL);
	u64 mmfr4 = show_id_reg(REG(MMFR4), false, ALL_OPTIONS, ~0ULL, ~0ULL);

	KUNIT_EXPECT_EQ(test, pfr2, ID_AA64PFR2_EL1_FPMR_IMP << ID_AA64PFR2_EL1_FPMR_SHIFT);
	KUNIT_EXPECT_EQ(test, mmfr4 & ~ID_AA64MMFR4_EL1_E2H0_MASK, 0);

	/* Registers without any row: ID_AA64AFR0_EL1, and one that is not allocated. */
	KUNIT_EXPECT_EQ(test, show_id_reg(IDREG_IDX(SYS_ID_AA64AFR0_EL1), false,
					  ALL_OPTIONS, ~0ULL, ~0ULL), 0);
	KUNIT_EXPECT_EQ(test, show_id_reg(IDREG_IDX(sys_reg(3, 0, 0, 7, 7)), true,
					  ALL_OPTIONS, ~0ULL, ~0ULL), 0);
}

static void never_offered(struct kunit *test)
{
	expect_hidden(test, REG(PFR1), ID_AA64PFR1_EL1_GCS_MASK);
	expect_hidden(test, REG(PFR1), ID_AA64PFR1_EL1_SME_MASK);
	expect_hidden(test, REG(PFR1), ID_AA64PFR1_EL1_THE_MASK);
	expect_hidden(test, REG(PFR1), ID_AA64PFR1_EL1_NMI_MASK);
	expect_hidden(test, REG(PFR0), ID_AA64PFR0_EL1_MPAM_MASK);
	expect_hidden(test, REG(PFR1), ID_AA64PFR1_EL1_MPAM_frac_MASK);
	expect_hidden(test, REG(PFR0), ID_AA64PFR0_EL1_AMU_MASK);
	expect_hidden(test, REG(MMFR3), ID_AA64MMFR3_EL1_D128_MASK);
	expect_hidden(test, REG(MMFR3), ID_AA64MMFR3_EL1_SCTLRX_MASK);
	expect_hidden(test, REG(MMFR3), ID_AA64MMFR3_EL1_AIE_MASK);
	expect_hidden(test, REG(MMFR2), ID_AA64MMFR2_EL1_NV_MASK);
	expect_hidden(test, REG(ISAR1), ID_AA64ISAR1_EL1_LS64_MASK);
	expect_hidden(test, REG(DFR0), ID_AA64DFR0_EL1_BRBE_MASK);
	expect_hidden(test, REG(DFR0), ID_AA64DFR0_EL1_PMSVer_MASK);
	expect_hidden(test, REG(DFR0), ID_AA64DFR0_EL1_TraceBuffer_MASK);
}

static void offered_on_request(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, SVE, 1), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, BIT(PKVM_WITH_SVE), PFR0, SVE, 1), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(true, BIT(PKVM_WITH_SVE), PFR0, SVE, 0), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(false, 0, PFR0, SVE, 1), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, ZFR0, SVEver, 1), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, ISAR1, API, 5), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, BIT(PKVM_WITH_PTRAUTH), ISAR1, API, 5), 5);
	KUNIT_EXPECT_EQ(test, SHOWN(true, ALL_OPTIONS, PFR1, MTE, 3), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(false, ALL_OPTIONS, PFR1, MTE, 3), 3);
	KUNIT_EXPECT_EQ(test, SHOWN(false, 0, PFR1, MTE, 3), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, ALL_OPTIONS, PFR0, GIC, 3), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, GIC, 1), 0);
}

static void offered_to_both(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, ISAR2, MOPS, 1), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(false, 0, ISAR2, MOPS, 1), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, MMFR0, TGRAN16, 1), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, ISAR0, ATOMIC, 2), 2);
	/* A protected VM never gets AArch32. */
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, EL0, 2), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(false, 0, PFR0, EL0, 2), 2);
	/* CSV2_2 includes SCXTNUM, which no VM gets. */
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, CSV2, 3), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(false, 0, PFR0, CSV2, 3), 1);
}

/* In a signed field 0b1111 is less than 0b0000, and a VM gets no more than the CPU has. */
static void signed_fields(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, MMFR0, TGRAN64, 0xf), 0xf);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, MMFR0, TGRAN64, 0), 0);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, FP, 1), 1);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, PFR0, FP, 0xf), 0xf);
	KUNIT_EXPECT_EQ(test, SHOWN(true, 0, DFR0, DoubleLock, 0xf), 0xf);
}

/* The host's value is a further limit for a non-protected VM. */
static void host_only_narrows(struct kunit *test)
{
	u64 cpu = FIELD_PREP(ID_AA64ISAR0_EL1_TLB_MASK, 1) |
		  FIELD_PREP(ID_AA64ISAR0_EL1_AES_MASK, 2);
	u64 less = FIELD_PREP(ID_AA64ISAR0_EL1_TLB_MASK, 2) |
		   FIELD_PREP(ID_AA64ISAR0_EL1_AES_MASK, 1);

	KUNIT_EXPECT_EQ(test, show_id_reg(REG(ISAR0), false, 0, cpu, less),
			FIELD_PREP(ID_AA64ISAR0_EL1_TLB_MASK, 1) |
			FIELD_PREP(ID_AA64ISAR0_EL1_AES_MASK, 1));
	KUNIT_EXPECT_EQ(test, show_id_reg(REG(ISAR0), true, 0, cpu, less), cpu);
	KUNIT_EXPECT_EQ(test, show_id_reg(REG(ISAR0), true, 0, cpu, 0), cpu);
}

static void traps_without_features(struct kunit *test)
{
	u64 shown[KVM_ARM_ID_REG_NUM] = {};
	struct pkvm_feature_traps traps;

	pkvm_find_traps(shown, &traps);
	KUNIT_EXPECT_EQ(test, traps.hcr, HCR_TID5 | HCR_TTLBOS);
	/* TALLINT is the only bit that traps; all other bits enable. */
	KUNIT_EXPECT_EQ(test, traps.hcrx, HCRX_EL2_TALLINT);
	KUNIT_EXPECT_EQ(test, traps.fgu[HFGxTR_GROUP] & __HFGRTR_EL2_nMASK, __HFGRTR_EL2_nMASK);
	KUNIT_EXPECT_EQ(test, traps.fgu[HFGITR_GROUP] & __HFGITR_EL2_nMASK, __HFGITR_EL2_nMASK);
	KUNIT_EXPECT_EQ(test, traps.fgu[HDFGRTR_GROUP] & __HDFGRTR_EL2_nMASK,
			__HDFGRTR_EL2_nMASK);
	KUNIT_EXPECT_EQ(test, traps.fgu[HAFGRTR_GROUP], __HAFGRTR_EL2_MASK);
	KUNIT_EXPECT_TRUE(test, traps.fgu[HFGITR_GROUP] & HFGITR_EL2_TLBIVALE1OS);
}

/* On a CPU with every feature, GCS, SME, THE, D128 and MPAM stay off in both kinds of VM. */
static void traps_with_all_features(struct kunit *test)
{
	const u64 off = HFGxTR_EL2_nGCS_EL0 | HFGxTR_EL2_nGCS_EL1 | HFGxTR_EL2_nTPIDR2_EL0 |
			HFGxTR_EL2_nSMPRI_EL1 | HFGxTR_EL2_nRCWMASK_EL1 | HFGxTR_EL2_nACCDATA_EL1 |
			HFGxTR_EL2_nS2POR_EL1 | HFGxTR_EL2_nMAIR2_EL1 | HFGxTR_EL2_nAMAIR2_EL1;
	const u64 pie = HFGxTR_EL2_nPIR_EL1 | HFGxTR_EL2_nPIRE0_EL1 | HFGxTR_EL2_nPOR_EL0 |
			HFGxTR_EL2_nPOR_EL1;
	const u64 never = HCRX_EL2_GCSEn | HCRX_EL2_D128En | HCRX_EL2_SCTLR2En | HCRX_EL2_EnAS0 |
			  HCRX_EL2_EnALS | HCRX_EL2_EnASR | HCRX_EL2_EnIDCP128 | HCRX_EL2_PACMEn;
	u64 shown[KVM_ARM_ID_REG_NUM];
	struct pkvm_feature_traps traps;

	show_everything(true, ALL_OPTIONS, shown);
	pkvm_find_traps(shown, &traps);
	KUNIT_EXPECT_EQ(test, traps.fgu[HFGxTR_GROUP] & (off | pie), off | pie);
	KUNIT_EXPECT_EQ(test, traps.hcrx & never, 0);
	KUNIT_EXPECT_EQ(test, traps.hcrx, HCRX_EL2_MSCEn | HCRX_EL2_MCE2 | HCRX_EL2_TALLINT);
	KUNIT_EXPECT_EQ(test, traps.hcr & (HCR_API | HCR_APK), HCR_API | HCR_APK);
	KUNIT_EXPECT_FALSE(test, traps.hcr & HCR_ATA);

	show_everything(false, ALL_OPTIONS, shown);
	pkvm_find_traps(shown, &traps);
	KUNIT_EXPECT_EQ(test, traps.fgu[HFGxTR_GROUP] & (off | pie), off);
	KUNIT_EXPECT_EQ(test, traps.hcrx & never, 0);
	KUNIT_EXPECT_EQ(test, traps.hcrx & (HCRX_EL2_TCR2En | HCRX_EL2_EnFPM),
			HCRX_EL2_TCR2En | HCRX_EL2_EnFPM);
}

static void no_keys_without_ptrauth(struct kunit *test)
{
	u64 shown[KVM_ARM_ID_REG_NUM];
	struct pkvm_feature_traps traps;

	show_everything(true, ALL_OPTIONS & ~BIT(PKVM_WITH_PTRAUTH), shown);
	pkvm_find_traps(shown, &traps);
	KUNIT_EXPECT_EQ(test, traps.hcr & (HCR_API | HCR_APK), 0);
}

/* PIR and POR are switched with TCR2: without it they are the host's, and trap. */
static void permissions_need_tcr2(struct kunit *test)
{
	const u64 regs = HFGxTR_EL2_nPIR_EL1 | HFGxTR_EL2_nPIRE0_EL1 | HFGxTR_EL2_nPOR_EL0 |
			 HFGxTR_EL2_nPOR_EL1;
	u64 shown[KVM_ARM_ID_REG_NUM];
	struct pkvm_feature_traps traps;

	show_everything(false, ALL_OPTIONS, shown);
	shown[REG(MMFR3)] &= ~ID_AA64MMFR3_EL1_TCRX_MASK;
	pkvm_find_traps(shown, &traps);
	KUNIT_EXPECT_EQ(test, traps.fgu[HFGxTR_GROUP] & regs, regs);
}

static struct kunit_case features_cases[] = {
	KUNIT_CASE(all_registers),
	KUNIT_CASE(no_field_twice),
	KUNIT_CASE(row_limits),
	KUNIT_CASE(unknown_is_hidden),
	KUNIT_CASE(never_offered),
	KUNIT_CASE(offered_on_request),
	KUNIT_CASE(offered_to_both),
	KUNIT_CASE(signed_fields),
	KUNIT_CASE(host_only_narrows),
	KUNIT_CASE(traps_without_features),
	KUNIT_CASE(traps_with_all_features),
	KUNIT_CASE(no_keys_without_ptrauth),
	KUNIT_CASE(permissions_need_tcr2),
	{}
};

static struct kunit_suite features_suite = {
	.name		= "pkvm_features",
	.test_cases	= features_cases,
};

kunit_test_suite(features_suite);

MODULE_DESCRIPTION("KUnit tests of the CPU features of VMs on a protected host");
MODULE_LICENSE("GPL");
