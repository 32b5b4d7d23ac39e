// SPDX-License-Identifier: GPL-2.0-only
/*
 * System registers of protected guests that trap. EL2 emulates them, and the host sees only what a
 * guest writes to an SGI register. A register that is not in here is UNDEFINED.
 *
 * ID registers have the values that the table of guest_features.c gives the VM. Debug registers
 * read as zero and ignore writes: the guest sees the smallest number of break- and watchpoints that
 * the architecture allows, and they have no effect. Caches look like one unified level with the
 * line size of the machine, so that a guest cleans them by address.
 */

#include <linux/irqchip/arm-gic-v3.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/sysreg.h>

#include <hyp/adjust_pc.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_sysreg.h>

/* OSLSR_EL1.OSLM: the OS lock is implemented. It is never locked. */
#define PVM_OSLSR	BIT(3)

/* CTR_EL0: the log2 of the smallest data cache line, in words. */
#define CTR_DMIN_LINE		GENMASK(19, 16)

/* The value of ICC_SRE_EL1: only the system registers of a GICv3, without bypass. */
#define PVM_ICC_SRE		(ICC_SRE_EL1_DIB | ICC_SRE_EL1_DFB | ICC_SRE_EL1_SRE)

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
	if (!(pkvm_cpu_ctr() & CTR_EL0_IDC_MASK))
		clidr |= PVM_CLIDR_ONE_LEVEL;

	return clidr;
}

/* One set of one way; the field is the log2 of the line in words, less 2. */
static u64 pvm_ccsidr(struct kvm_vcpu *vcpu)
{
	u64 min_line = FIELD_GET(CTR_DMIN_LINE, pkvm_cpu_ctr());

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

/* Registers that HCR_EL2.TID3 traps, allocated or not; a protected VM has no AArch32 ones. */
static bool is_id_reg(u32 sysreg)
{
	return sysreg >= sys_reg(3, 0, 0, 1, 0) && sysreg <= sys_reg(3, 0, 0, 7, 7);
}

static bool has_gic(struct kvm_vcpu *vcpu)
{
	return kvm_has_feat(vcpu->kvm, ID_AA64PFR0_EL1, GIC, IMP);
}

/* Registers by which a guest sends SGIs, which the host's vGIC delivers. */
static bool is_sgi(u32 sysreg)
{
	return sysreg == SYS_ICC_SGI0R_EL1 || sysreg == SYS_ICC_SGI1R_EL1 ||
	       sysreg == SYS_ICC_ASGI1R_EL1;
}

/*
 * Make the guest take an undefined instruction exception, while most of its system registers are
 * in the CPU.
 */
static void inject_undef64(struct kvm_vcpu *vcpu)
{
	u64 esr = (ESR_ELx_EC_UNKNOWN << ESR_ELx_EC_SHIFT) | ESR_ELx_IL;

	*vcpu_pc(vcpu) = read_sysreg_el2(SYS_ELR);
	*vcpu_cpsr(vcpu) = read_sysreg_el2(SYS_SPSR);

	/* __kvm_adjust_pc() reads these two from memory, but the CPU has the current values. */
	__vcpu_sys_reg(vcpu, VBAR_EL1) = read_sysreg_el1(SYS_VBAR);
	__vcpu_sys_reg(vcpu, SCTLR_EL1) = read_sysreg_el1(SYS_SCTLR);

	kvm_pend_exception(vcpu, EXCEPT_AA64_EL1_SYNC);

	__kvm_adjust_pc(vcpu);

	write_sysreg_el1(esr, SYS_ESR);
	write_sysreg_el1(read_sysreg_el2(SYS_ELR), SYS_ELR);
	write_sysreg_el1(read_sysreg_el2(SYS_SPSR), SYS_SPSR);
	write_sysreg_el2(*vcpu_pc(vcpu), SYS_ELR);
	write_sysreg_el2(*vcpu_cpsr(vcpu), SYS_SPSR);
}

/**
 * pvm_handle_restricted() - Handle an instruction that protected guests do not have
 * @vcpu: the vCPU, loaded; its system registers are still in the CPU.
 * @exit_code: not used, part of the exit handlers' prototype.
 *
 * Return: true, the vCPU goes on at its vector for undefined instructions.
 */
bool pvm_handle_restricted(struct kvm_vcpu *vcpu, u64 *exit_code)
{
	inject_undef64(vcpu);

	return true;
}

/* Emulate a read or a write. Returns false if the guest has no such register. */
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
		*val = pkvm_cpu_ctr();
		return !write;
	case SYS_CLIDR_EL1:
		*val = pvm_clidr();
		return !write;
	case SYS_CCSIDR_EL1:
		*val = pvm_ccsidr(vcpu);
		return !write;
	/* Together with MIDR_EL1, which does not trap, they tell which errata a CPU has. */
	case SYS_REVIDR_EL1:
		*val = read_sysreg(revidr_el1);
		return !write;
	case SYS_AIDR_EL1:
		*val = read_sysreg(aidr_el1);
		return !write;
	/* Writes are ignored. */
	case SYS_ICC_SRE_EL1:
		*val = PVM_ICC_SRE;
		return has_gic(vcpu);
	/* The guest has no error records. */
	case SYS_ERRIDR_EL1:
	case SYS_ERRSELR_EL1:
	case SYS_ERXFR_EL1:
	case SYS_ERXCTLR_EL1:
	case SYS_ERXSTATUS_EL1:
	case SYS_ERXADDR_EL1:
	case SYS_ERXMISC0_EL1:
	case SYS_ERXMISC1_EL1:
		*val = 0;
		return true;
	default:
		if (is_id_reg(sysreg)) {
			*val = kvm_read_vm_id_reg(vcpu->kvm, sysreg);
			return !write;
		}
		*val = 0;
		return is_debug_reg(esr);
	}
}

/**
 * pvm_handle_sysreg() - Emulate a trapped system register of a protected guest
 * @vcpu: the vCPU, loaded; its system registers are still in the CPU.
 * @exit_code: not used, part of the exit handlers' prototype.
 *
 * Return: true if the vCPU can go on; false if it has to exit to the host.
 */
bool pvm_handle_sysreg(struct kvm_vcpu *vcpu, u64 *exit_code)
{
	u64 esr = kvm_vcpu_get_esr(vcpu);
	bool write = (esr & ESR_ELx_SYS64_ISS_DIR_MASK) == ESR_ELx_SYS64_ISS_DIR_WRITE;
	int rt = kvm_vcpu_sys_get_rt(vcpu);
	u64 val = vcpu_get_reg(vcpu, rt);

	if (is_sgi(esr_sys64_to_sysreg(esr)) && write && has_gic(vcpu))
		return false;

	if (!emulate(vcpu, esr, write, &val))
		return pvm_handle_restricted(vcpu, exit_code);

	if (!write)
		vcpu_set_reg(vcpu, rt, val);
	__kvm_skip_instr(vcpu);

	return true;
}
