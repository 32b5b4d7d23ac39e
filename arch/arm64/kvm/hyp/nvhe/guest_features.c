// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of the CPU features that VMs on a protected host have: a row for each field of an ID
 * register, and the traps and enables that follow from the fields.
 *
 * R8: what a VM is shown, works, and what it is not shown, is not there. A field that has no row is
 *     hidden. A trap is lifted, and an instruction enabled, only by a field that the VM is shown.
 *
 * Nothing in here reads a register or a global. guest_cpu.c passes the CPU's registers and the
 * features that a VM requests, and applies the results.
 */

#include <linux/bits.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>

#include <asm/kvm_arm.h>
#include <asm/kvm_pkvm_features.h>
#include <asm/sysreg.h>

/* No limit in the table: the value of the CPU. */
#define ANY		0xff

#define REG(reg)	IDREG_IDX(SYS_ID_AA64##reg##_EL1)
#define FIELD_AT(r, f)							\
	.reg = REG(r), .shift = ID_AA64##r##_EL1_##f##_SHIFT,		\
	.width = ID_AA64##r##_EL1_##f##_WIDTH

/* An unsigned field: 0 means that there is no such feature. */
#define ROW(r, f, pv, pm, n, nm, o)	{ FIELD_AT(r, f),		\
	.pvm = PKVM_##pv, .pvm_max = pm, .np = PKVM_##n, .np_max = nm, .option = PKVM_##o }
/* A signed field: 0b1111 means that there is no such feature. */
#define ROW_S(r, f, pv, pm, n, nm, o)	{ FIELD_AT(r, f),		\
	.is_signed = true, .hidden = 0xf,				\
	.pvm = PKVM_##pv, .pvm_max = pm, .np = PKVM_##n, .np_max = nm, .option = PKVM_##o }

/* register, field, protected: how, at most, non-protected: how, at most, only if the VM asked */
static const struct pkvm_id_field id_fields[] = {
	/* Both kinds have EL1 and EL0. What is shown of EL2 and EL3 is what is above the guest. */
	ROW(PFR0, EL0,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),
	ROW(PFR0, EL1,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),
	ROW(PFR0, EL2,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),
	ROW(PFR0, EL3,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),
	ROW_S(PFR0, FP,		STATE, ANY,		STATE, ANY,		ALWAYS),
	ROW_S(PFR0, AdvSIMD,	STATE, ANY,		STATE, ANY,		ALWAYS),
	ROW(PFR0, GIC,		STATE, 1,		STATE, 1,		WITH_GICV3),
	/* ESB works, its record is VDISR_EL2. There are no error records. */
	ROW(PFR0, RAS,		STATE, 1,		STATE, ANY,		ALWAYS),
	ROW(PFR0, SVE,		STATE, 1,		STATE, 1,		WITH_SVE),
	ROW(PFR0, SEL2,		HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(PFR0, MPAM,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR0, AMU,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR0, DIT,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(PFR0, RME,		HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	/* From CSV2_2 and CSV2_1p2 on there is SCXTNUM, which traps. */
	ROW(PFR0, CSV2,		STATELESS, 1,		STATELESS, 1,		ALWAYS),
	ROW(PFR0, CSV3,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),

	ROW(PFR1, BT,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(PFR1, SSBS,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(PFR1, MTE,		HIDDEN, 0,		STATE, 3,		WITH_MTE),
	ROW(PFR1, RAS_frac,	HIDDEN, 0,		STATE, ANY,		ALWAYS),
	ROW(PFR1, MPAM_frac,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, SME,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, RNDR_trap,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(PFR1, CSV2_frac,	STATELESS, 1,		STATELESS, 1,		ALWAYS),
	ROW(PFR1, NMI,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, MTE_frac,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, GCS,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, THE,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, MTEX,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR1, DF2,		HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(PFR1, PFAR,		HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),

	ROW(PFR2, MTEPERM,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR2, MTESTOREONLY,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR2, MTEFAR,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(PFR2, FPMR,		HIDDEN, 0,		STATE, 1,		ALWAYS),

	ROW(ZFR0, SVEver,	STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, AES,		STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, BitPerm,	STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, BF16,		STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, B16B16,	STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, SHA3,		STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, SM4,		STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, I8MM,		STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, F32MM,	STATE, ANY,		STATE, ANY,		WITH_SVE),
	ROW(ZFR0, F64MM,	STATE, ANY,		STATE, ANY,		WITH_SVE),

	/* All of SMFR0 goes with SME. */
	ROW(SMFR0, SF8DP2,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, SF8DP4,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, SF8FMA,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F32F32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, BI32I32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, B16F32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F16F32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, I8I32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F8F32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F8F16,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F16F16,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, B16B16,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, I16I32,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, F64F64,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, I16I64,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, SMEver,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, LUTv2,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(SMFR0, FA64,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),

	/* FP8 needs FPMR. */
	ROW(FPFR0, F8E5M2,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(FPFR0, F8E4M3,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(FPFR0, F8DP2,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(FPFR0, F8DP4,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(FPFR0, F8FMA,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(FPFR0, F8CVT,	HIDDEN, 0,		STATE, 1,		ALWAYS),

	/*
	 * Debug registers of a protected VM read as zero; the architecture knows no CPU without
	 * them, so it is shown the fewest. Those of a non-protected VM are switched, its PMU is
	 * emulated by the host.
	 */
	ROW(DFR0, DebugVer,	STATE, 6,		STATE, ANY,		ALWAYS),
	ROW(DFR0, TraceVer,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, PMUVer,	HIDDEN, 0,		STATE, ANY,		ALWAYS),
	ROW(DFR0, BRPs,		STATE, 0,		STATE, ANY,		ALWAYS),
	ROW(DFR0, WRPs,		STATE, 0,		STATE, ANY,		ALWAYS),
	ROW(DFR0, CTX_CMPs,	STATE, 0,		STATE, ANY,		ALWAYS),
	ROW(DFR0, PMSVer,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW_S(DFR0, DoubleLock,	STATE, 0,		STATE, ANY,		ALWAYS),
	ROW(DFR0, TraceFilt,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, TraceBuffer,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, MTPMU,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, BRBE,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, ExtTrcBuff,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR0, HPMN0,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),

	ROW(DFR1, SYSPMUID,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, BRPs,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, WRPs,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, CTX_CMPs,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, SPMU,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, PMICNTR,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, ABLE,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, ITE,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, EBEP,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, DPFZS,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(DFR1, ABL_CMPs,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),

	ROW(ISAR0, AES,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, SHA1,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, SHA2,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, CRC32,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, ATOMIC,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, TME,		HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(ISAR0, RDM,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, SHA3,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, SM3,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, SM4,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, DP,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, FHM,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, TS,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, TLB,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR0, RNDR,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),

	ROW(ISAR1, DPB,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, APA,		STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR1, API,		STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR1, JSCVT,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, FCMA,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, LRCPC,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, GPA,		STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR1, GPI,		STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR1, FRINTTS,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, SB,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, SPECRES,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, BF16,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, DGH,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, I8MM,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, XS,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR1, LS64,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),

	ROW(ISAR2, WFxT,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, RPRES,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, GPA3,	STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR2, APA3,	STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR2, MOPS,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, BC,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, PAC_frac,	STATE, ANY,		STATE, ANY,		WITH_PTRAUTH),
	ROW(ISAR2, CLRBHB,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, SYSREG_128,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(ISAR2, SYSINSTR_128, HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(ISAR2, PRFMSLC,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, RPRFM,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, CSSC,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, LUT,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(ISAR2, ATS1A,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),

	/* KVM shows non-protected VMs no ISAR3. Its features have no registers that could trap. */
	ROW(ISAR3, CPA,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(ISAR3, FAMINMAX,	STATELESS, ANY,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(ISAR3, TLBIW,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(ISAR3, PACM,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),

	/* Guest physical addresses of protected VMs have 40 bits at most. */
	ROW(MMFR0, PARANGE,	STATELESS, 2,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, ASIDBITS,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, BIGEND,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, SNSMEM,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, BIGENDEL0,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, TGRAN16,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW_S(MMFR0, TGRAN64,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW_S(MMFR0, TGRAN4,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, TGRAN16_2,	HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, TGRAN64_2,	HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, TGRAN4_2,	HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, EXS,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, FGT,		HIDDEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR0, ECV,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),

	/* From 3 on there is HAFT, which TCR2_EL1 enables. */
	ROW(MMFR1, HAFDBS,	STATELESS, 2,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, VMIDBits,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, VH,		HIDDEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, HPDS,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, LO,		HIDDEN, 0,		STATE, ANY,		ALWAYS),
	ROW(MMFR1, PAN,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, SpecSEI,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, XNX,		HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, TWED,	HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, ETS,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, HCX,		HIDDEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, AFP,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, nTLBPA,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, TIDCP1,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, CMOW,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR1, ECBHB,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),

	ROW(MMFR2, CnP,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, UAO,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, LSM,		HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, IESB,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, VARange,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	/* The cache that a guest is shown is small. */
	ROW(MMFR2, CCIDX,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR2, NV,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR2, ST,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, AT,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, IDS,		STATELESS, 1,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, FWB,		HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, TTL,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, BBM,		STATELESS, ANY,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, EVT,		HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR2, E0PD,	STATELESS, ANY,		STATELESS, ANY,		ALWAYS),

	ROW(MMFR3, TCRX,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(MMFR3, SCTLRX,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR3, S1PIE,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(MMFR3, S2PIE,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, S1POE,	HIDDEN, 0,		STATE, 1,		ALWAYS),
	ROW(MMFR3, S2POE,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR3, AIE,		HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR3, MEC,		HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, D128,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR3, D128_2,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR3, SNERR,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, ANERR,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, SDERR,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, ADERR,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR3, Spec_FPACC,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),

	ROW(MMFR4, EIESB,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR4, ASID2,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	ROW(MMFR4, HACDBS,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR4, FGWTE3,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
	ROW(MMFR4, NV_frac,	HIDDEN, 0,		HIDDEN, 0,		ALWAYS),
	/* Only about EL2: whether HCR_EL2.E2H can be 0; 0b1111 means that it cannot. */
	ROW(MMFR4, E2H0,	HIDDEN_OPEN, 0,		STATELESS, ANY,		ALWAYS),
	ROW(MMFR4, E3DSE,	HIDDEN_OPEN, 0,		HIDDEN_OPEN, 0,		ALWAYS),
};

/* The register that a row of the traps changes. */
enum control {
	CTL_HCR,
	CTL_HCRX,
	CTL_FGU,	/* and a group on top */
};

#define FGU(group)	(CTL_FGU + (group))

/**
 * struct feature_trap - What follows from one field
 * @reg: IDREG_IDX() of its register.
 * @shift: its lowest bit; it has four.
 * @min: the value, not signed, from which on the feature is shown.
 * @control: where the bits go.
 * @shown: bits that are set if it is shown.
 * @hidden: bits that are set if it is not.
 */
struct feature_trap {
	u8 reg;
	u8 shift;
	u8 min;
	u8 control;
	u64 shown;
	u64 hidden;
};

#define TRAP(r, f, m, ctl, s, h) {					\
	.reg = REG(r), .shift = ID_AA64##r##_EL1_##f##_SHIFT,		\
	.min = ID_AA64##r##_EL1_##f##_##m, .control = ctl, .shown = s, .hidden = h }

#define PAUTH_HCR	(HCR_API | HCR_APK)

#define PIE_REGS	(HFGxTR_EL2_nPIRE0_EL1 | HFGxTR_EL2_nPIR_EL1)
#define POE_REGS	(HFGxTR_EL2_nPOR_EL1 | HFGxTR_EL2_nPOR_EL0)

#define TLBI_OS		(HFGITR_EL2_TLBIRVAALE1OS | HFGITR_EL2_TLBIRVALE1OS |	\
			 HFGITR_EL2_TLBIRVAAE1OS | HFGITR_EL2_TLBIRVAE1OS |	\
			 HFGITR_EL2_TLBIVAALE1OS | HFGITR_EL2_TLBIVALE1OS |	\
			 HFGITR_EL2_TLBIVAAE1OS | HFGITR_EL2_TLBIASIDE1OS |	\
			 HFGITR_EL2_TLBIVAE1OS | HFGITR_EL2_TLBIVMALLE1OS)
#define TLBI_RANGE	(HFGITR_EL2_TLBIRVAALE1 | HFGITR_EL2_TLBIRVALE1 |	\
			 HFGITR_EL2_TLBIRVAAE1 | HFGITR_EL2_TLBIRVAE1 |		\
			 HFGITR_EL2_TLBIRVAALE1IS | HFGITR_EL2_TLBIRVALE1IS |	\
			 HFGITR_EL2_TLBIRVAAE1IS | HFGITR_EL2_TLBIRVAE1IS |	\
			 HFGITR_EL2_TLBIRVAALE1OS | HFGITR_EL2_TLBIRVALE1OS |	\
			 HFGITR_EL2_TLBIRVAAE1OS | HFGITR_EL2_TLBIRVAE1OS)
#define SPEC_RCTX	(HFGITR_EL2_CFPRCTX | HFGITR_EL2_DVPRCTX | HFGITR_EL2_CPPRCTX)

static const struct feature_trap feature_traps[] = {
	TRAP(ISAR1, APA, PAuth,		CTL_HCR,		PAUTH_HCR, 0),
	TRAP(ISAR1, API, PAuth,		CTL_HCR,		PAUTH_HCR, 0),
	TRAP(ISAR2, APA3, PAuth,	CTL_HCR,		PAUTH_HCR, 0),
	TRAP(PFR1, MTE, MTE2,		CTL_HCR,		HCR_ATA, HCR_TID5),
	TRAP(ISAR0, TLB, OS,		CTL_HCR,		0, HCR_TTLBOS),

	TRAP(ISAR2, MOPS, IMP,		CTL_HCRX,		HCRX_EL2_MSCEn | HCRX_EL2_MCE2, 0),
	TRAP(MMFR3, TCRX, IMP,		CTL_HCRX,		HCRX_EL2_TCR2En, 0),
	TRAP(PFR2, FPMR, IMP,		CTL_HCRX,		HCRX_EL2_EnFPM, 0),
	TRAP(PFR1, NMI, IMP,		CTL_HCRX,		0, HCRX_EL2_TALLINT),

	/* TCR2_EL1 enables both, and they are switched only together with it. */
	TRAP(MMFR3, TCRX, IMP,		FGU(HFGxTR_GROUP),	0, PIE_REGS | POE_REGS),
	TRAP(MMFR3, S1PIE, IMP,		FGU(HFGxTR_GROUP),	0, PIE_REGS),
	TRAP(MMFR3, S1POE, IMP,		FGU(HFGxTR_GROUP),	0, POE_REGS),
	TRAP(ISAR0, TLB, OS,		FGU(HFGITR_GROUP),	0, TLBI_OS),
	TRAP(ISAR0, TLB, RANGE,		FGU(HFGITR_GROUP),	0, TLBI_RANGE),
	TRAP(ISAR2, ATS1A, IMP,		FGU(HFGITR_GROUP),	0, HFGITR_EL2_ATS1E1A),
	TRAP(MMFR1, PAN, PAN2,		FGU(HFGITR_GROUP),	0, HFGITR_EL2_ATS1E1RP |
								   HFGITR_EL2_ATS1E1WP),
	TRAP(ISAR1, SPECRES, IMP,	FGU(HFGITR_GROUP),	0, SPEC_RCTX),
	TRAP(ISAR1, SPECRES, COSP_RCTX,	FGU(HFGITR_GROUP),	0, HFGITR_EL2_COSPRCTX),
	TRAP(ISAR1, DPB, IMP,		FGU(HFGITR_GROUP),	0, HFGITR_EL2_DCCVAP),
	TRAP(ISAR1, DPB, DPB2,		FGU(HFGITR_GROUP),	0, HFGITR_EL2_DCCVADP),
	TRAP(PFR0, AMU, IMP,		FGU(HAFGRTR_GROUP),	0, __HAFGRTR_EL2_MASK),
};

/*
 * Accesses that trap for each VM. Bits of inverse polarity, which trap while they are 0, are all
 * kept 0, also those of later features, except for the bits that a row above sets. SCXTNUM is a
 * feature that the table offers to no VM.
 */
#define LIFTED_HFGxTR	(PIE_REGS | POE_REGS)
#define ALWAYS_HFGxTR	((__HFGRTR_EL2_nMASK & ~LIFTED_HFGxTR) |		\
			 HFGxTR_EL2_SCXTNUM_EL0 | HFGxTR_EL2_SCXTNUM_EL1)

/**
 * pkvm_id_fields() - Get the table
 * @nr: set to the number of its rows.
 *
 * Return: its first row.
 */
const struct pkvm_id_field *pkvm_id_fields(unsigned int *nr)
{
	*nr = ARRAY_SIZE(id_fields);

	return id_fields;
}

static u64 id_field_mask(const struct pkvm_id_field *field)
{
	return GENMASK_ULL(field->shift + field->width - 1, field->shift);
}

static u64 id_field_get(const struct pkvm_id_field *field, u64 val)
{
	return (val & id_field_mask(field)) >> field->shift;
}

/* The lesser of two values of a field. */
static u64 id_field_min(const struct pkvm_id_field *field, u64 a, u64 b)
{
	u64 nothing = id_field_mask(field) >> field->shift;

	if (!field->is_signed)
		return min(a, b);

	return a == nothing || b == nothing ? nothing : min(a, b);
}

static bool is_offered(enum pkvm_offer offer)
{
	return offer == PKVM_STATELESS || offer == PKVM_STATE;
}

/* Get the value of a field that a VM is shown. @cpu and @want are whole registers. */
static u64 show_id_field(const struct pkvm_id_field *field, bool is_protected,
			 unsigned long options, u64 cpu, u64 want)
{
	u64 val = field->hidden;

	options |= BIT(PKVM_ALWAYS);
	if (options & BIT(field->option)) {
		if (is_protected && is_offered(field->pvm))
			val = id_field_min(field, id_field_get(field, cpu), field->pvm_max);
		else if (!is_protected && is_offered(field->np))
			val = id_field_min(field, id_field_get(field, cpu), field->np_max);
		if (!is_protected)
			val = id_field_min(field, val, id_field_get(field, want));
	}

	return val << field->shift;
}

/**
 * pkvm_show_id_regs() - Get the ID registers that a VM is shown
 * @shown: set to the registers, KVM_ARM_ID_REG_NUM of them, by IDREG_IDX(); 0 for one that the
 *	   table does not know.
 * @is_protected: whether the VM is.
 * @options: a bit for each enum pkvm_option that the VM has asked for.
 * @cpu: the registers, as all CPUs of the machine have them.
 * @want: the host's values, which are a further limit, but only for a non-protected VM.
 *	  The host may change it meanwhile: each field is read once.
 */
void pkvm_show_id_regs(u64 *shown, bool is_protected, unsigned long options, const u64 *cpu,
		       const u64 *want)
{
	const struct pkvm_id_field *field;
	unsigned int i;

	memset(shown, 0, KVM_ARM_ID_REG_NUM * sizeof(*shown));
	for (i = 0; i < ARRAY_SIZE(id_fields); i++) {
		field = &id_fields[i];
		shown[field->reg] |= show_id_field(field, is_protected, options, cpu[field->reg],
						   READ_ONCE(want[field->reg]));
	}
}

/**
 * pkvm_find_traps() - Get the traps and enables that follow from a VM's ID registers
 * @shown: its ID registers, KVM_ARM_ID_REG_NUM of them.
 * @traps: the result.
 *
 * A feature that @shown does not have traps, or is not enabled.
 */
void pkvm_find_traps(const u64 *shown, struct pkvm_feature_traps *traps)
{
	const struct feature_trap *trap;
	unsigned int i;
	u64 *control;
	bool is_shown;

	memset(traps, 0, sizeof(*traps));
	traps->fgu[HFGxTR_GROUP] = ALWAYS_HFGxTR;
	traps->fgu[HFGITR_GROUP] = __HFGITR_EL2_nMASK;
	traps->fgu[HDFGRTR_GROUP] = __HDFGRTR_EL2_nMASK;

	for (i = 0; i < ARRAY_SIZE(feature_traps); i++) {
		trap = &feature_traps[i];
		is_shown = ((shown[trap->reg] >> trap->shift) & 0xf) >= trap->min;

		switch (trap->control) {
		case CTL_HCR:
			control = &traps->hcr;
			break;
		case CTL_HCRX:
			control = &traps->hcrx;
			break;
		default:
			control = &traps->fgu[trap->control - CTL_FGU];
			break;
		}

		*control |= is_shown ? trap->shown : trap->hidden;
	}
}
