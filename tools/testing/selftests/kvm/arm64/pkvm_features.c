// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPU features that a VM shows in its ID registers, and those that work in it.
 *
 * R8: a feature that an ID register shows works, and a feature that it hides is undefined. The test
 * follows the architecture and not the hypervisor's table. The guest reads each ID register and
 * executes a witness for each feature: an instruction, or an access to a register, that only the
 * feature has. The test does so in both kinds of VM, with and without the optional features.
 */
#include <asm/hwcap.h>
#include <errno.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define REG		PVM_SYSREG
#define MRS_X0		PVM_MRS_X0
#define MSR_X0		PVM_MSR_X0

#define PFR0		REG(3, 0, 0, 4, 0)
#define PFR1		REG(3, 0, 0, 4, 1)
#define PFR2		REG(3, 0, 0, 4, 2)
#define ZFR0		REG(3, 0, 0, 4, 4)
#define DFR0		REG(3, 0, 0, 5, 0)
#define ISAR0		REG(3, 0, 0, 6, 0)
#define ISAR1		REG(3, 0, 0, 6, 1)
#define ISAR2		REG(3, 0, 0, 6, 2)
#define MMFR0		REG(3, 0, 0, 7, 0)
#define MMFR1		REG(3, 0, 0, 7, 1)
#define MMFR2		REG(3, 0, 0, 7, 2)
#define MMFR3		REG(3, 0, 0, 7, 3)

#define APIAKEYLO_EL1	REG(3, 0, 2, 1, 0)
#define ICC_PMR_EL1	REG(3, 0, 4, 6, 0)
#define ICC_SGI1R_EL1	REG(3, 0, 12, 11, 5)
#define ICC_CTLR_EL1	REG(3, 0, 12, 12, 4)
#define ICC_SRE_EL1	REG(3, 0, 12, 12, 5)
#define ICC_IGRPEN0_EL1	REG(3, 0, 12, 12, 6)
#define ICC_IGRPEN1_EL1	REG(3, 0, 12, 12, 7)
#define CNTPCT_EL0	REG(3, 3, 14, 0, 1)
#define CNTVCT_EL0	REG(3, 3, 14, 0, 2)
#define CPACR_EL1	REG(3, 0, 1, 0, 2)
#define CPACR_ALL	(3UL << 16 | 3UL << 20 | 3UL << 24)

/* ESR_EL1 after an undefined instruction: EC is 0, IL is set. */
#define ESR_UNDEFINED	0x02000000UL

/* The size of the guest's memory, for instructions that access memory. */
#define DATA_SIZE	0x10000UL

static const uint32_t SVE = 1U << KVM_ARM_VCPU_SVE;
static const uint32_t PTRAUTH = 1U << KVM_ARM_VCPU_PTRAUTH_ADDRESS |
				1U << KVM_ARM_VCPU_PTRAUTH_GENERIC;

struct witness {
	const char *name;
	uint32_t id;
	unsigned int shift;
	/* The lowest value of the field with the feature; a field with 0 here is signed. */
	unsigned int min;
	uint32_t insn;
	/* x0..x2; IPA is the address of the guest's memory. */
	uint64_t args[3];
	/* If not 0: a value of the field with which the witness may work or not. */
	unsigned int either;
};

#define IPA	PVM_DATA_IPA

static const struct witness witnesses[] = {
	{ "AES",	ISAR0, 4, 1,	0x4e284820 },	/* aese v0.16b, v1.16b */
	{ "PMULL",	ISAR0, 4, 2,	0x0ee2e020 },	/* pmull v0.1q, v1.1d, v2.1d */
	{ "SHA1",	ISAR0, 8, 1,	0x5e280820 },	/* sha1h s0, s1 */
	{ "SHA256",	ISAR0, 12, 1,	0x5e282820 },	/* sha256su0 v0.4s, v1.4s */
	{ "SHA512",	ISAR0, 12, 2,	0xcec08020 },	/* sha512su0 v0.2d, v1.2d */
	{ "CRC32",	ISAR0, 16, 1,	0x1ac14000 },	/* crc32b w0, w0, w1 */
	{ "RDM",	ISAR0, 28, 1,	0x2e428420 },	/* sqrdmlah v0.4h, v1.4h, v2.4h */
	{ "SHA3",	ISAR0, 32, 1,	0xce020c20 },	/* eor3 v0, v1, v2, v3 */
	{ "SM3",	ISAR0, 36, 1,	0xce62c020 },	/* sm3partw1 v0.4s, v1.4s, v2.4s */
	{ "SM4",	ISAR0, 40, 1,	0xcec08420 },	/* sm4e v0.4s, v1.4s */
	{ "DP",		ISAR0, 44, 1,	0x4e829420 },	/* sdot v0.4s, v1.16b, v2.16b */
	{ "FHM",	ISAR0, 48, 1,	0x4e22ec20 },	/* fmlal v0.4s, v1.4h, v2.4h */
	{ "FLAGM",	ISAR0, 52, 1,	0xd500401f },	/* cfinv */
	{ "FLAGM2",	ISAR0, 52, 2,	0xd500403f },	/* xaflag */
	{ "TLBIOS",	ISAR0, 56, 1,	0xd508811f },	/* tlbi vmalle1os */
	{ "TLBIRANGE",	ISAR0, 56, 2,	0xd5088620 },	/* tlbi rvae1, x0 */
	{ "RNDR",	ISAR0, 60, 1,	0xd53b2400 },	/* mrs x0, rndr */

	{ "DPB",	ISAR1, 0, 1,	0xd50b7c20, { IPA } },	/* dc cvap, x0 */
	{ "DPB2",	ISAR1, 0, 2,	0xd50b7d20, { IPA } },	/* dc cvadp, x0 */
	{ "JSCVT",	ISAR1, 12, 1,	0x1e7e0000 },	/* fjcvtzs w0, d0 */
	{ "FCMA",	ISAR1, 16, 1,	0x6e82e420 },	/* fcadd v0.4s, v1.4s, v2.4s, #90 */
	{ "LRCPC",	ISAR1, 20, 1,	0x38bfc020, { 0, IPA } },	/* ldaprb w0, [x1] */
	{ "LRCPC2",	ISAR1, 20, 2,	0xd9400020, { 0, IPA } },	/* ldapur x0, [x1] */
	{ "FRINTTS",	ISAR1, 32, 1,	0x1e684020 },	/* frint32z d0, d1 */
	{ "SB",		ISAR1, 36, 1,	0xd50330ff },	/* sb */
	{ "SPECRES",	ISAR1, 40, 1,	0xd50b7380 },	/* cfp rctx, x0 */
	{ "BF16",	ISAR1, 44, 1,	0x6e42fc20 },	/* bfdot v0.4s, v1.8h, v2.8h */
	{ "I8MM",	ISAR1, 52, 1,	0x4e82a420 },	/* smmla v0.4s, v1.16b, v2.16b */

	{ "MOPS",	ISAR2, 16, 1,	0x19c20420, { IPA, 0, 0 } },	/* setp [x0]!, x1!, x2 */

	{ "FP16",	PFR0, 16, 1,	0x1ee22820 },	/* fadd h0, h1, h2 */
	/* ICC_SRE_EL1 is not among them: a CPU need not be able to trap it. */
	{ "GIC, CTLR",	PFR0, 24, 1,	MRS_X0(ICC_CTLR_EL1) },
	{ "GIC, PMR",	PFR0, 24, 1,	MSR_X0(ICC_PMR_EL1) },
	{ "GIC, IGRPEN0", PFR0, 24, 1,	MRS_X0(ICC_IGRPEN0_EL1) },
	{ "GIC, IGRPEN1", PFR0, 24, 1,	MRS_X0(ICC_IGRPEN1_EL1) },
	{ "GIC, SGI1R",	PFR0, 24, 1,	MSR_X0(ICC_SGI1R_EL1) },
	{ "RAS",	PFR0, 28, 1,	MRS_X0(REG(3, 0, 5, 3, 0)) },	/* ERRIDR_EL1 */
	{ "SVE",	PFR0, 32, 1,	0x04bf5020 },	/* rdvl x0, #1 */
	{ "MPAM",	PFR0, 40, 1,	MRS_X0(REG(3, 0, 10, 5, 0)) },	/* MPAM1_EL1 */
	{ "AMU",	PFR0, 44, 1,	MRS_X0(REG(3, 3, 13, 2, 0)) },	/* AMCR_EL0 */
	{ "DIT",	PFR0, 48, 1,	0xd53b42a0 },	/* mrs x0, dit */
	{ "CSV2_2",	PFR0, 56, 2,	MRS_X0(REG(3, 0, 13, 0, 7)) },	/* SCXTNUM_EL1 */

	/* QEMU 10 implements the register with PSTATE.SSBS, and EL2 cannot trap it. */
	{ "SSBS2",	PFR1, 4, 2,	0xd53b42c0, { 0 }, 1 },	/* mrs x0, ssbs */
	{ "MTE2",	PFR1, 8, 2,	MRS_X0(REG(3, 0, 5, 6, 0)) },	/* TFSR_EL1 */
	{ "SME",	PFR1, 24, 1,	0x04bf5820 },	/* rdsvl x0, #1 */
	{ "SME, TPIDR2", PFR1, 24, 1,	MRS_X0(REG(3, 3, 13, 0, 5)) },	/* TPIDR2_EL0 */
	{ "SME, TPIDR2, written", PFR1, 24, 1, MSR_X0(REG(3, 3, 13, 0, 5)) },
	{ "SME, SMPRI",	PFR1, 24, 1,	MRS_X0(REG(3, 0, 1, 2, 4)) },	/* SMPRI_EL1 */
	{ "SME, SVCR",	PFR1, 24, 1,	MRS_X0(REG(3, 3, 4, 2, 2)) },	/* SVCR */
	{ "NMI",	PFR1, 36, 1,	MSR_X0(REG(3, 0, 4, 3, 0)) },	/* ALLINT */
	{ "GCS",	PFR1, 44, 1,	MRS_X0(REG(3, 0, 2, 5, 0)) },	/* GCSCR_EL1 */
	{ "THE",	PFR1, 48, 1,	MRS_X0(REG(3, 0, 13, 0, 6)) },	/* RCWMASK_EL1 */
	{ "FPMR",	PFR2, 32, 1,	MRS_X0(REG(3, 3, 4, 4, 2)) },	/* FPMR */

	{ "SVE2",	ZFR0, 0, 1,	0x04226420 },	/* pmul z0.b, z1.b, z2.b */

	{ "PMU",	DFR0, 8, 1,	MRS_X0(REG(3, 3, 9, 12, 0)) },	/* PMCR_EL0 */
	{ "SPE",	DFR0, 32, 1,	MRS_X0(REG(3, 0, 9, 9, 0)) },	/* PMSCR_EL1 */
	{ "TRF",	DFR0, 40, 1,	MRS_X0(REG(3, 0, 1, 2, 1)) },	/* TRFCR_EL1 */
	{ "TRBE",	DFR0, 44, 1,	MRS_X0(REG(3, 0, 9, 11, 0)) },	/* TRBLIMITR_EL1 */

	{ "ECV",	MMFR0, 60, 1,	MRS_X0(REG(3, 3, 14, 0, 6)) },	/* CNTVCTSS_EL0 */
	{ "PAN",	MMFR1, 20, 1,	0xd5384260 },	/* mrs x0, pan */
	{ "PAN2",	MMFR1, 20, 2,	0xd5087900, { IPA } },	/* at s1e1rp, x0 */
	{ "UAO",	MMFR2, 4, 1,	0xd5384280 },	/* mrs x0, uao */
	{ "TCRX",	MMFR3, 0, 1,	MRS_X0(REG(3, 0, 2, 0, 3)) },	/* TCR2_EL1 */
	{ "SCTLRX",	MMFR3, 4, 1,	MRS_X0(REG(3, 0, 1, 0, 3)) },	/* SCTLR2_EL1 */
	{ "S1PIE",	MMFR3, 8, 1,	MRS_X0(REG(3, 0, 10, 2, 3)) },	/* PIR_EL1 */
	{ "S1POE",	MMFR3, 16, 1,	MRS_X0(REG(3, 0, 10, 2, 4)) },	/* POR_EL1 */
	{ "S2POE",	MMFR3, 20, 1,	MRS_X0(REG(3, 0, 10, 2, 5)) },	/* S2POR_EL1 */
	{ "AIE",	MMFR3, 24, 1,	MRS_X0(REG(3, 0, 10, 2, 1)) },	/* MAIR2_EL1 */
};

/* Pointer authentication has three fields, one for each algorithm. */
static const uint32_t ptrauth_witnesses[] = {
	MRS_X0(APIAKEYLO_EL1),
	MSR_X0(APIAKEYLO_EL1),
	0x9ac23020,	/* pacga x0, x1, x2 */
};

/* The guest reads an ID register. */
static uint64_t id_reg(struct __test_metadata *_metadata, struct pvm_vcpu *vcpu, uint32_t reg)
{
	EXPECT_EQ(0, pvm_insn(vcpu, MRS_X0(reg), 0, 0, 0));

	return vcpu->results[0];
}

static bool is_shown(uint64_t id, const struct witness *witness)
{
	return (id >> witness->shift & 0xf) >= witness->min;
}

static void expect_works(struct __test_metadata *_metadata, struct pvm_vcpu *vcpu, bool shown,
			 const char *name, uint32_t code, const uint64_t *args)
{
	int ret = pvm_insn(vcpu, code, args[0], args[1], args[2]);

	EXPECT_EQ(shown ? 0 : -EIO, ret) {
		TH_LOG("%s is %s, but %s", name, shown ? "shown" : "hidden",
		       ret ? "undefined" : "works");
	}
	if (ret == -EIO) {
		EXPECT_EQ(ESR_UNDEFINED, vcpu->exception.esr) {
			TH_LOG("%s: ESR %#lx", name, vcpu->exception.esr);
		}
	}
}

static bool ptrauth_is_shown(struct __test_metadata *_metadata, struct pvm_vcpu *vcpu)
{
	return id_reg(_metadata, vcpu, ISAR1) & 0xff0UL || id_reg(_metadata, vcpu, ISAR2) & 0xf000;
}

FIXTURE(features) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_VARIANT(features) {
	bool is_protected;
	bool all;
};

FIXTURE_VARIANT_ADD(features, protected) { .is_protected = true };
FIXTURE_VARIANT_ADD(features, protected_all) { .is_protected = true, .all = true };
FIXTURE_VARIANT_ADD(features, np) { .is_protected = false };
FIXTURE_VARIANT_ADD(features, np_all) { .is_protected = false, .all = true };

/* Pointer authentication and SVE, if the VM has the capability. */
static uint32_t all_features(int vm)
{
	uint32_t features = 0;

	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_SVE) > 0)
		features |= SVE;
	if (ioctl(vm, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS) > 0)
		features |= PTRAUTH;

	return features;
}

static void create(struct __test_metadata *_metadata, struct pvm *vm, bool is_protected, bool all)
{
	unsigned long type = is_protected ? KVM_VM_TYPE_ARM_PROTECTED : 0;
	int fd = pvm_create_vm_fd(type);
	uint32_t features;

	ASSERT_LE(0, fd);
	features = all ? all_features(fd) : 0;
	close(fd);

	ASSERT_EQ(0, pvm_create_features(vm, type, 1, DATA_SIZE, features));
	ASSERT_EQ(0, pvm_insn(&vm->vcpus[0], MSR_X0(CPACR_EL1), CPACR_ALL, 0, 0));
	ASSERT_EQ(0, pvm_store(&vm->vcpus[0], IPA, 0));
}

FIXTURE_SETUP(features)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	create(_metadata, &self->vm, variant->is_protected, variant->all);
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(features)
{
	pvm_free(&self->vm);
}

static void call_witnesses(struct __test_metadata *_metadata, struct pvm_vcpu *vcpu)
{
	for (size_t i = 0; i < ARRAY_SIZE(witnesses); i++) {
		const struct witness *witness = &witnesses[i];
		uint64_t id = id_reg(_metadata, vcpu, witness->id);

		if (witness->either && (id >> witness->shift & 0xf) == witness->either)
			continue;
		expect_works(_metadata, vcpu, is_shown(id, witness), witness->name,
			     witness->insn, witness->args);
	}
}

TEST_F(features, shown_if_it_works)
{
	call_witnesses(_metadata, self->vcpu);
}

TEST_F(features, ptrauth)
{
	const uint64_t args[3] = { 0 };
	bool shown = ptrauth_is_shown(_metadata, self->vcpu);
	long cap = ioctl(self->vm.fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_PTRAUTH_ADDRESS);

	EXPECT_EQ(variant->all && cap > 0, shown);
	for (size_t i = 0; i < ARRAY_SIZE(ptrauth_witnesses); i++)
		expect_works(_metadata, self->vcpu, shown, "pointer authentication",
			     ptrauth_witnesses[i], args);
}

/* Both kinds of VM show the CPU's features that need no state of the guest. */
TEST_F(features, stateless_features_shown)
{
	unsigned long caps = getauxval(AT_HWCAP), caps2 = getauxval(AT_HWCAP2);
	uint64_t isar0 = id_reg(_metadata, self->vcpu, ISAR0);
	uint64_t isar2 = id_reg(_metadata, self->vcpu, ISAR2);

	EXPECT_EQ(!!(caps & HWCAP_ATOMICS), (isar0 >> 20 & 0xf) >= 2);
	EXPECT_EQ(!!(caps & HWCAP_CRC32), (isar0 >> 16 & 0xf) >= 1);
	EXPECT_EQ(!!(caps2 & HWCAP2_RNG), (isar0 >> 60 & 0xf) >= 1);
#ifdef HWCAP2_MOPS
	EXPECT_EQ(!!(caps2 & HWCAP2_MOPS), (isar2 >> 16 & 0xf) >= 1);
#endif
}

/* A VM with a GICv3 shows it, and the GIC's registers work. */
#define GIC_DIST	0x3fff0000UL
#define GIC_REDIST	0x3ffd0000UL

static int set_gic_attr(int gic, uint32_t group, uint64_t attr, uint64_t *value)
{
	struct kvm_device_attr device = {
		.group = group, .attr = attr, .addr = (uintptr_t)value,
	};

	return ioctl(gic, KVM_SET_DEVICE_ATTR, &device) ? -errno : 0;
}

TEST_F(features, gic)
{
	unsigned long type = variant->is_protected ? KVM_VM_TYPE_ARM_PROTECTED : 0;
	struct kvm_create_device gic = { .type = KVM_DEV_TYPE_ARM_VGIC_V3 };
	uint64_t dist = GIC_DIST, redist = GIC_REDIST;
	struct pvm_vcpu *vcpu;
	struct pvm vm;

	ASSERT_EQ(0, pvm_create_features(&vm, type, 1, DATA_SIZE, 0));
	vcpu = &vm.vcpus[0];
	ASSERT_EQ(0, ioctl(vm.fd, KVM_CREATE_DEVICE, &gic));
	ASSERT_EQ(0, set_gic_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_DIST,
				  &dist));
	ASSERT_EQ(0, set_gic_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_ADDR, KVM_VGIC_V3_ADDR_TYPE_REDIST,
				  &redist));
	ASSERT_EQ(0, set_gic_attr(gic.fd, KVM_DEV_ARM_VGIC_GRP_CTRL, KVM_DEV_ARM_VGIC_CTRL_INIT,
				  NULL));

	EXPECT_EQ(1, id_reg(_metadata, vcpu, PFR0) >> 24 & 0xf);
	EXPECT_EQ(0, pvm_insn(vcpu, MRS_X0(ICC_SRE_EL1), 0, 0, 0));
	EXPECT_EQ(7, vcpu->results[0]);
	ASSERT_EQ(0, pvm_insn(vcpu, MSR_X0(CPACR_EL1), CPACR_ALL, 0, 0));
	call_witnesses(_metadata, vcpu);
	close(gic.fd);
	pvm_free(&vm);
}

/* A protected VM shows every granule size that the CPU has, for stage 2 as well. */
TEST_F(features, granules)
{
	uint64_t mmfr0 = id_reg(_metadata, self->vcpu, MMFR0);
	uint64_t vm_mmfr0;
	struct pvm np;

	if (!variant->is_protected)
		SKIP(return, "only for a protected VM");

	/* A non-protected VM shows what the CPU has. */
	create(_metadata, &np, false, false);
	vm_mmfr0 = id_reg(_metadata, &np.vcpus[0], MMFR0);
	EXPECT_EQ(vm_mmfr0 >> 20 & 0xfff, mmfr0 >> 20 & 0xfff);
	pvm_free(&np);
}

/*
 * A guest's pointer authentication keys survive its exits, the host keeps its own keys, and the
 * next guest starts without keys.
 */
#define KEY	0x0123456789abcdefUL

static uint64_t host_signature(void)
{
	register uint64_t x17 asm("x17") = 0x7f1234567000;
	register uint64_t x16 asm("x16") = 0x55;

	/* pacia1716, which is a NOP without pointer authentication */
	asm volatile("hint #8" : "+r" (x17) : "r" (x16));

	return x17;
}

TEST_F(features, keys_are_kept_apart)
{
	uint64_t signature = host_signature();
	struct pvm next;

	if (!ptrauth_is_shown(_metadata, self->vcpu))
		SKIP(return, "the VM has no pointer authentication");

	ASSERT_EQ(0, pvm_insn(self->vcpu, MSR_X0(APIAKEYLO_EL1), KEY, 0, 0));
	EXPECT_EQ(signature, host_signature());

	create(_metadata, &next, variant->is_protected, true);
	ASSERT_EQ(0, pvm_insn(&next.vcpus[0], MRS_X0(APIAKEYLO_EL1), 0, 0, 0));
	EXPECT_NE(KEY, next.vcpus[0].results[0]);
	ASSERT_EQ(0, pvm_insn(&next.vcpus[0], MSR_X0(APIAKEYLO_EL1), ~KEY, 0, 0));
	EXPECT_EQ(signature, host_signature());

	ASSERT_EQ(0, pvm_insn(self->vcpu, MRS_X0(APIAKEYLO_EL1), 0, 0, 0));
	EXPECT_EQ(KEY, self->vcpu->results[0]);
	pvm_free(&next);
	EXPECT_EQ(signature, host_signature());
}

/* KVM_ARM_VCPU_INIT takes a feature if and only if the VM has the capability. */
TEST_F(features, capabilities_match_init)
{
	static const struct {
		const char *name;
		int cap;
		uint32_t features;
	} pairs[] = {
		{ "pointer authentication", KVM_CAP_ARM_PTRAUTH_ADDRESS, PTRAUTH },
		{ "SVE", KVM_CAP_ARM_SVE, SVE },
		{ "the PMU", KVM_CAP_ARM_PMU_V3, 1U << KVM_ARM_VCPU_PMU_V3 },
		{ "AArch32", KVM_CAP_ARM_EL1_32BIT, 1U << KVM_ARM_VCPU_EL1_32BIT },
	};
	unsigned long type = variant->is_protected ? KVM_VM_TYPE_ARM_PROTECTED : 0;

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct kvm_vcpu_init init = { };
		int vm = pvm_create_vm_fd(type);
		int vcpu, ret;
		long cap;

		ASSERT_LE(0, vm);
		cap = ioctl(vm, KVM_CHECK_EXTENSION, pairs[i].cap);
		vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
		ASSERT_LE(0, vcpu);
		ASSERT_EQ(0, ioctl(vm, KVM_ARM_PREFERRED_TARGET, &init));
		init.features[0] |= 1U << KVM_ARM_VCPU_PSCI_0_2 | pairs[i].features;
		ret = ioctl(vcpu, KVM_ARM_VCPU_INIT, &init) ? -errno : 0;
		EXPECT_EQ(cap > 0 ? 0 : -EINVAL, ret) {
			TH_LOG("%s: capability %ld, KVM_ARM_VCPU_INIT %d", pairs[i].name, cap,
			       ret);
		}
		close(vcpu);
		close(vm);
	}
}

/* A counter offset that a VMM sets applies to both counters. A protected VM takes none. */
TEST_F(features, counter_offset)
{
	struct kvm_arm_counter_offset offset = { };
	uint64_t now, frequency, physical;

	if (variant->is_protected)
		SKIP(return, "a protected VM's physical counter has no offset");

	asm volatile("mrs %0, cntvct_el0" : "=r" (now));
	asm volatile("mrs %0, cntfrq_el0" : "=r" (frequency));
	offset.counter_offset = now + 1000 * frequency;
	ASSERT_EQ(0, ioctl(self->vm.fd, KVM_ARM_SET_COUNTER_OFFSET, &offset));

	ASSERT_EQ(0, pvm_insn(self->vcpu, MRS_X0(CNTPCT_EL0), 0, 0, 0));
	physical = self->vcpu->results[0];
	ASSERT_EQ(0, pvm_insn(self->vcpu, MRS_X0(CNTVCT_EL0), 0, 0, 0));
	EXPECT_LE(physical, self->vcpu->results[0]);
	EXPECT_GT(100 * frequency, self->vcpu->results[0] - physical);
	EXPECT_LT(-1001 * frequency, physical);
}

/*
 * EL2 answers the TRNG calls of a protected guest with entropy from RNDRRS if the CPU has it, else
 * from the host's firmware; without either the calls are NOT_SUPPORTED.
 */
#define TRNG_INVALID	(-2)

TEST_F(features, trng)
{
	struct pvm_vcpu *vcpu = self->vcpu;
	uint64_t first;

	if (!variant->is_protected)
		SKIP(return, "the host answers a non-protected guest");

	if (pvm_hvc(vcpu, ARM_SMCCC_TRNG_VERSION, 0, 0, 0) == HVC_NOT_SUPPORTED) {
		EXPECT_FALSE(getauxval(AT_HWCAP2) & HWCAP2_RNG);
		EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(vcpu, ARM_SMCCC_TRNG_FEATURES,
						     ARM_SMCCC_TRNG_RND64, 0, 0));
		EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND64, 64, 0, 0));
		return;
	}

	EXPECT_EQ(0x10000, pvm_hvc(vcpu, ARM_SMCCC_TRNG_VERSION, 0, 0, 0));
	EXPECT_EQ(0, pvm_hvc(vcpu, ARM_SMCCC_TRNG_FEATURES, ARM_SMCCC_TRNG_RND32, 0, 0));
	EXPECT_EQ(HVC_NOT_SUPPORTED, pvm_hvc(vcpu, ARM_SMCCC_TRNG_FEATURES, 0x84000054, 0, 0));
	EXPECT_NE(HVC_NOT_SUPPORTED, pvm_hvc(vcpu, ARM_SMCCC_TRNG_GET_UUID, 0, 0, 0));

	EXPECT_EQ(TRNG_INVALID, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND64, 0, 0, 0));
	EXPECT_EQ(TRNG_INVALID, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND64, 193, 0, 0));
	EXPECT_EQ(TRNG_INVALID, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND32, 97, 0, 0));
	EXPECT_EQ(0, vcpu->results[1]);
	EXPECT_EQ(0, vcpu->results[3]);

	/* x3 has the lowest bits. Bits above the requested number are zero. */
	ASSERT_EQ(0, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND64, 192, 0, 0));
	first = vcpu->results[3];
	EXPECT_NE(0, vcpu->results[1]);
	EXPECT_NE(0, vcpu->results[2]);
	EXPECT_NE(0, first);
	ASSERT_EQ(0, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND64, 70, 0, 0));
	EXPECT_NE(first, vcpu->results[3]);
	EXPECT_EQ(0, vcpu->results[2] >> 6);
	EXPECT_EQ(0, vcpu->results[1]);
	ASSERT_EQ(0, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND32, 96, 0, 0));
	EXPECT_EQ(0, vcpu->results[1] >> 32);
	EXPECT_EQ(0, vcpu->results[2] >> 32);
	EXPECT_EQ(0, vcpu->results[3] >> 32);
	ASSERT_EQ(0, pvm_hvc(vcpu, ARM_SMCCC_TRNG_RND32, 8, 0, 0));
	EXPECT_EQ(0, vcpu->results[3] >> 8);
	EXPECT_EQ(0, vcpu->results[2]);
}

TEST_HARNESS_MAIN
