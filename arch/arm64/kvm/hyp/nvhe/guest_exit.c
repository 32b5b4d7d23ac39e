// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host sees when a protected vCPU exits to it, and what it may change by its
 * answer. EL2 shows and takes only what belongs to the kind of exit, by default nothing.
 *
 * Documentation/virt/kvm/arm/pkvm-isolation.rst has a table of the kinds of exits.
 *
 * The host answers by its own vCPU: by a pending exception, by advancing the pc, or by a
 * value in x0. Whatever else it changes in that vCPU has no effect here.
 *
 * R5: the host may answer an exit that needs no answer, answer twice, or not at all.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/swab.h>

#include <asm/esr.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>

#include <hyp/adjust_pc.h>

#include <nvhe/guest_exit.h>
#include <nvhe/guest_guard.h>
#include <nvhe/guest_smccc.h>
#include <nvhe/pkvm.h>

/* What the host sees of the syndrome of an MMIO access. The register is always x0. */
#define PVM_ESR_MMIO	(ESR_ELx_ISV | ESR_ELx_SAS | ESR_ELx_SSE | ESR_ELx_SF | ESR_ELx_WNR)
#define PVM_ESR_FSC	ESR_ELx_FSC_FAULT_L(3)

static void show_esr(struct pkvm_hyp_vcpu *hyp_vcpu, u64 ec, u64 iss)
{
	struct kvm_vcpu_fault_info *fault = &hyp_vcpu->host_vcpu->arch.fault;

	fault->esr_el2 = (ec << ESR_ELx_EC_SHIFT) | ESR_ELx_IL | iss;
	fault->far_el2 = 0;
	fault->hpfar_el2 = 0;
}

static void show_ipa(struct pkvm_hyp_vcpu *hyp_vcpu, u64 ipa)
{
	struct kvm_vcpu_fault_info *fault = &hyp_vcpu->host_vcpu->arch.fault;

	/* HPFAR_EL2 holds the page, 4 KiB whatever the granule; FAR_EL2 the rest. */
	fault->far_el2 = ipa & GENMASK(11, 0);
	fault->hpfar_el2 = (ipa >> 12) << 4;
}

/*
 * Convert the value of an MMIO access between the guest's endianness and little-endian,
 * in either direction. Bits beyond the size of the access are cleared, so that neither
 * side sees a bit that was not accessed.
 */
static u64 mmio_value(struct kvm_vcpu *vcpu, u64 val)
{
	u64 ee = vcpu_mode_priv(vcpu) ? SCTLR_ELx_EE : SCTLR_EL1_E0E;
	unsigned int bits = kvm_vcpu_dabt_get_as(vcpu) * BITS_PER_BYTE;

	if (__vcpu_sys_reg(vcpu, SCTLR_EL1) & ee)
		val = swab64(val << (64 - bits));

	return val & GENMASK_ULL(bits - 1, 0);
}

static void mmio_complete(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	unsigned int bits = kvm_vcpu_dabt_get_as(vcpu) * BITS_PER_BYTE;
	u64 val;

	if (!kvm_vcpu_dabt_iswrite(vcpu)) {
		val = mmio_value(vcpu, READ_ONCE(vcpu_gp_regs(hyp_vcpu->host_vcpu)->regs[0]));
		if (kvm_vcpu_dabt_issext(vcpu))
			val = sign_extend64(val, bits - 1);
		if (!kvm_vcpu_dabt_issf(vcpu))
			val = lower_32_bits(val);
		vcpu_set_reg(vcpu, kvm_vcpu_dabt_get_rd(vcpu), val);
	}

	kvm_skip_instr(vcpu);
}

/* Make the guest take an external abort for the access that caused the exit. */
static void inject_external_abort(struct kvm_vcpu *vcpu)
{
	bool user = (*vcpu_cpsr(vcpu) & PSR_MODE_MASK) == PSR_MODE_EL0t;
	u64 ec;

	if (kvm_vcpu_trap_is_iabt(vcpu))
		ec = user ? ESR_ELx_EC_IABT_LOW : ESR_ELx_EC_IABT_CUR;
	else
		ec = user ? ESR_ELx_EC_DABT_LOW : ESR_ELx_EC_DABT_CUR;

	__vcpu_sys_reg(vcpu, FAR_EL1) = kvm_vcpu_get_hfar(vcpu);
	__vcpu_sys_reg(vcpu, ESR_EL1) = (ec << ESR_ELx_EC_SHIFT) | ESR_ELx_FSC_EXTABT |
					(kvm_vcpu_get_esr(vcpu) & ESR_ELx_IL);
	kvm_pend_exception(vcpu, EXCEPT_AA64_EL1_SYNC);
}

/* The host has no page for the call, which can only be MEM_SHARE: make the call fail. */
static void fail_call(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	*vcpu_pc(&hyp_vcpu->vcpu) += AARCH64_INSN_SIZE;
	pvm_smccc_return(&hyp_vcpu->vcpu, SMCCC_RET_INVALID_PARAMETER);
	hyp_vcpu->vcpu.stat.protected.calls_share++;
}

/**
 * pvm_exit_from_host() - Let the host's answer to the last exit take effect
 * @hyp_vcpu: the vCPU, about to run.
 *
 * If the host has not answered an access or a call, the guest repeats it.
 */
void pvm_exit_from_host(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	bool abort = vcpu_get_flag(host_vcpu, PENDING_EXCEPTION);
	bool done = !abort && vcpu_get_flag(host_vcpu, INCREMENT_PC);
	enum pvm_exit exit = hyp_vcpu->state.exit;

	hyp_vcpu->state.exit = PVM_EXIT_NONE;
	vcpu_clear_flag(host_vcpu, PENDING_EXCEPTION);
	vcpu_clear_flag(host_vcpu, EXCEPT_MASK);

	switch (exit) {
	case PVM_EXIT_NONE:
	case PVM_EXIT_HELD:
	case PVM_EXIT_TABLES:
	case PVM_EXIT_CPU_ON:
	case PVM_EXIT_CPU_OFF:
	case PVM_EXIT_RELINQUISH:
		break;
	case PVM_EXIT_MMIO:
		if (done)
			mmio_complete(hyp_vcpu);
		fallthrough;
	case PVM_EXIT_FAULT:
		if (abort)
			inject_external_abort(vcpu);
		break;
	case PVM_EXIT_PAGE:
		if (abort)
			fail_call(hyp_vcpu);
		break;
	case PVM_EXIT_PSCI:
		pvm_smccc_return(vcpu, READ_ONCE(vcpu_gp_regs(host_vcpu)->regs[0]));
		break;
	}
}

static void show_fault(struct pkvm_hyp_vcpu *hyp_vcpu, u64 ipa, bool write)
{
	show_esr(hyp_vcpu, ESR_ELx_EC_DABT_LOW, PVM_ESR_FSC | (write ? ESR_ELx_WNR : 0));
	show_ipa(hyp_vcpu, PAGE_ALIGN_DOWN(ipa));
}

static int show_abort(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 ipa = kvm_vcpu_get_fault_ipa(vcpu);
	u64 val = 0;
	bool write;

	/* An error of the hardware. The guest takes the abort, and the host sees nothing. */
	if (kvm_vcpu_abt_issea(vcpu)) {
		inject_external_abort(vcpu);
		return ARM_EXCEPTION_IRQ;
	}

	if (kvm_vcpu_trap_is_iabt(vcpu) && pvm_ipa_is_never_code(vm, ipa)) {
		inject_external_abort(vcpu);
		return ARM_EXCEPTION_IRQ;
	}

	if (kvm_vcpu_trap_is_iabt(vcpu) || !kvm_vcpu_dabt_isvalid(vcpu) ||
	    !pvm_ipa_is_mmio(vm, ipa)) {
		hyp_vcpu->state.exit = PVM_EXIT_FAULT;
		hyp_vcpu->vcpu.stat.protected.exits_fault++;
		write = !kvm_vcpu_trap_is_iabt(vcpu) && kvm_vcpu_dabt_iswrite(vcpu);
		show_fault(hyp_vcpu, ipa, write);
		return ARM_EXCEPTION_TRAP;
	}

	hyp_vcpu->state.exit = PVM_EXIT_MMIO;
	hyp_vcpu->vcpu.stat.protected.exits_mmio++;
	if (kvm_vcpu_dabt_iswrite(vcpu))
		val = mmio_value(vcpu, vcpu_get_reg(vcpu, kvm_vcpu_dabt_get_rd(vcpu)));

	show_esr(hyp_vcpu, ESR_ELx_EC_DABT_LOW,
		 PVM_ESR_FSC | (kvm_vcpu_get_esr(vcpu) & PVM_ESR_MMIO));
	show_ipa(hyp_vcpu, ipa | (kvm_vcpu_get_hfar(vcpu) & GENMASK(11, 0)));
	vcpu_set_reg(hyp_vcpu->host_vcpu, 0, val);

	return ARM_EXCEPTION_TRAP;
}

static int show_call(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_vcpu_stat *stat = &hyp_vcpu->vcpu.stat.protected;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	/* Back to the HVC, which the guest repeats unless the host has no page for it. */
	if (pvm_exit_is_retry(hyp_vcpu->state.exit))
		*vcpu_pc(vcpu) -= AARCH64_INSN_SIZE;

	switch (hyp_vcpu->state.exit) {
	case PVM_EXIT_PAGE:
	case PVM_EXIT_HELD:
		stat->exits_page++;
		break;
	case PVM_EXIT_TABLES:
		stat->exits_tables++;
		break;
	case PVM_EXIT_RELINQUISH:
		stat->exits_relinquish++;
		break;
	default:
		stat->exits_psci++;
		break;
	}

	show_esr(hyp_vcpu, ESR_ELx_EC_HVC64, hyp_vcpu->state.exit);
	pvm_set_result(hyp_vcpu->host_vcpu, hyp_vcpu->state.exit_args[0],
		       hyp_vcpu->state.exit_args[1], hyp_vcpu->state.exit_args[2],
		       hyp_vcpu->state.exit_args[3]);

	return ARM_EXCEPTION_TRAP;
}

static int show_wfx(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	/* The host does not learn the deadline of a WFxT, which may always end early. */
	hyp_vcpu->vcpu.stat.protected.exits_wfx++;
	show_esr(hyp_vcpu, ESR_ELx_EC_WFx, kvm_vcpu_get_esr(vcpu) & ESR_ELx_WFx_ISS_WFE);
	kvm_skip_instr(vcpu);

	return ARM_EXCEPTION_TRAP;
}

/* The host emulates writes to the SGI registers, and no other system register access. */
static int show_sgi(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 val = vcpu_get_reg(vcpu, kvm_vcpu_sys_get_rt(vcpu));

	hyp_vcpu->vcpu.stat.protected.exits_sgi++;
	show_esr(hyp_vcpu, ESR_ELx_EC_SYS64, kvm_vcpu_get_esr(vcpu) & ESR_ELx_SYS64_ISS_SYS_MASK);
	vcpu_set_reg(hyp_vcpu->host_vcpu, 0, val);
	kvm_skip_instr(vcpu);

	return ARM_EXCEPTION_TRAP;
}

/**
 * pvm_exit_to_host() - Show the host why a protected vCPU exits, and no more
 * @hyp_vcpu: the vCPU, which has just exited.
 * @exit_code: what __kvm_vcpu_run() returned.
 *
 * Return: the exit code for the host.
 */
int pvm_exit_to_host(struct pkvm_hyp_vcpu *hyp_vcpu, u64 exit_code)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	if (ARM_SERROR_PENDING(exit_code) ||
	    ARM_EXCEPTION_CODE(exit_code) == ARM_EXCEPTION_EL1_SERROR) {
		hyp_vcpu->state.exit = PVM_EXIT_NONE;
		vcpu->arch.hcr_el2 |= HCR_VSE;
		vcpu->arch.vsesr_el2 = ESR_ELx_ISV;
		return ARM_EXCEPTION_IRQ;
	}

	if (ARM_EXCEPTION_CODE(exit_code) == ARM_EXCEPTION_TRAP) {
		switch (kvm_vcpu_trap_get_class(vcpu)) {
		case ESR_ELx_EC_WFx:
			return show_wfx(hyp_vcpu);
		case ESR_ELx_EC_IABT_LOW:
		case ESR_ELx_EC_DABT_LOW:
			return show_abort(hyp_vcpu);
		case ESR_ELx_EC_HVC64:
			return show_call(hyp_vcpu);
		case ESR_ELx_EC_SYS64:
			return show_sgi(hyp_vcpu);
		}
	} else if (ARM_EXCEPTION_CODE(exit_code) == ARM_EXCEPTION_IRQ) {
		hyp_vcpu->vcpu.stat.protected.exits_interrupt++;
		return ARM_EXCEPTION_IRQ;
	}

	/* AArch32 at EL0, or a trap that EL2 has not set: the vCPU cannot go on. */
	WRITE_ONCE(hyp_vcpu->state.power, PVM_POWER_OFF);

	return ARM_EXCEPTION_IL;
}
