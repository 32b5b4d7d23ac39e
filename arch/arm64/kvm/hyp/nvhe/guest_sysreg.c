// SPDX-License-Identifier: GPL-2.0-only
/*
 * System registers of protected guests that trap and are no feature ID registers
 * of sys_regs.c: a fixed view, of which the host learns nothing.
 *
 * Debug registers read as zero and ignore writes: the guest is told that it has
 * the fewest break- and watchpoints there can be, and nothing hits one. Caches
 * look like one unified level whose line is the machine's, so that a guest cleans
 * by address.
 */

#include <linux/cache.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/sysreg.h>

#include <hyp/adjust_pc.h>

#include <nvhe/fixed_config.h>
#include <nvhe/guest_vcpu.h>

/* OSLSR_EL1.OSLM: the OS lock is implemented. It is never locked. */
#define PVM_OSLSR	BIT(3)

/* CTR_EL0: the log2 of the smallest data cache line, in words. */
#define CTR_DMIN_LINE		GENMASK(19, 16)

/* ID_AA64DFR0_EL1: the debug architecture of Armv8, and nothing optional. */
#define PVM_DFR0		6UL

/* CSSELR_EL1: TnD, level and InD. */
#define PVM_CSSELR_MASK		GENMASK(4, 0)

/* Ctype1 is a unified cache, the point of coherency lies behind it. */
#define PVM_CLIDR_UNIFIED	(4UL << CLIDR_CTYPE_SHIFT(1))
#define PVM_CLIDR_ONE_LEVEL	(BIT(CLIDR_LOUU_SHIFT) | BIT(CLIDR_LOUIS_SHIFT))
#define PVM_CLIDR_LOC_1		BIT(CLIDR_LOC_SHIFT)

static u64 pvm_clidr(void)
{
	u64 clidr = PVM_CLIDR_UNIFIED | PVM_CLIDR_LOC_1;

	/* With IDC nothing has to be cleaned to the point of unification. */
	if (!(read_cpuid_cachetype() & CTR_EL0_IDC_MASK))
		clidr |= PVM_CLIDR_ONE_LEVEL;

	return clidr;
}

/* One set of one way; the field is the log2 of the line in words, less 2. */
static u64 pvm_ccsidr(struct kvm_vcpu *vcpu)
{
	u64 min_line = FIELD_GET(CTR_DMIN_LINE, read_cpuid_cachetype());

	if (__vcpu_sys_reg(vcpu, CSSELR_EL1))
		return 0;

	return min_line > 2 ? min_line - 2 : 0;
}

/* Op0 2 with Op1 0, 3 or 4 is the debug architecture, Op1 1 is trace. */
static bool is_debug_reg(u64 esr)
{
	return FIELD_GET(ESR_ELx_SYS64_ISS_OP0_MASK, esr) == 2 &&
	       FIELD_GET(ESR_ELx_SYS64_ISS_OP1_MASK, esr) != 1;
}

/* What a read returns and a write does. False for what is not in this file. */
static bool emulate(struct kvm_vcpu *vcpu, u64 esr, bool write, u64 *val)
{
	u32 sysreg = esr_sys64_to_sysreg(esr);

	switch (sysreg) {
	case SYS_CSSELR_EL1:
		if (write)
			__vcpu_sys_reg(vcpu, CSSELR_EL1) = *val & PVM_CSSELR_MASK;
		else
			*val = __vcpu_sys_reg(vcpu, CSSELR_EL1);
		return true;
	case SYS_OSLSR_EL1:
		*val = PVM_OSLSR;
		return !write;
	case SYS_CTR_EL0:
		*val = read_cpuid_cachetype();
		return !write;
	case SYS_CLIDR_EL1:
		*val = pvm_clidr();
		return !write;
	case SYS_CCSIDR_EL1:
		*val = pvm_ccsidr(vcpu);
		return !write;
	/* With MIDR_EL1, which does not trap, they say which errata a CPU has. */
	case SYS_REVIDR_EL1:
		*val = read_sysreg(revidr_el1);
		return !write;
	case SYS_AIDR_EL1:
		*val = read_sysreg(aidr_el1);
		return !write;
	case SYS_ID_AA64PFR0_EL1:
		*val = pvm_read_id_reg(vcpu, sysreg);
		if (vcpu_has_sve(vcpu))
			*val |= SYS_FIELD_PREP_ENUM(ID_AA64PFR0_EL1, SVE, IMP);
		return !write;
	case SYS_ID_AA64ZFR0_EL1:
		*val = vcpu_has_sve(vcpu) ? read_sysreg_s(SYS_ID_AA64ZFR0_EL1) : 0;
		return !write;
	case SYS_ID_AA64DFR0_EL1:
		*val = PVM_DFR0;
		return !write;
	default:
		*val = 0;
		return is_debug_reg(esr);
	}
}

/**
 * pvm_handle_sysreg() - Emulate a trapped system register of a protected guest
 * @vcpu: the vCPU, loaded and just left, with its sysregs still live.
 * @exit_code: passed on to the exit handlers behind this one.
 *
 * Return: true if the vCPU can go on, false if the host has to see the access.
 */
bool pvm_handle_sysreg(struct kvm_vcpu *vcpu, u64 *exit_code)
{
	u64 esr = kvm_vcpu_get_esr(vcpu);
	bool write = (esr & ESR_ELx_SYS64_ISS_DIR_MASK) == ESR_ELx_SYS64_ISS_DIR_WRITE;
	int rt = kvm_vcpu_sys_get_rt(vcpu);
	u64 val = vcpu_get_reg(vcpu, rt);

	if (!emulate(vcpu, esr, write, &val))
		return kvm_handle_pvm_sysreg(vcpu, exit_code);

	if (!write)
		vcpu_set_reg(vcpu, rt, val);
	__kvm_skip_instr(vcpu);

	return true;
}
