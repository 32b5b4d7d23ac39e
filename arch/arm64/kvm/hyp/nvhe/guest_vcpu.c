// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run of a protected vCPU. EL2 keeps its registers. Between them and the host's vCPU
 * only the values pass that guest_exit.c shows the host or takes from it.
 *
 * R4: EL2 sets up traps, stage-2, timer and interrupt state from its own copies. From the
 *     host's vCPU it reads only the list registers, whether WFI and WFE trap, and the
 *     answer to the last exit; and once, before the first run of vCPU 0, where that
 *     starts.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_pkvm_guest.h>
#include <asm/sysreg.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_exit.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_mpam.h>
#include <nvhe/guest_quiet.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/guest_vgic.h>
#include <nvhe/pkvm.h>

/* Architectural reset values. */
#define PVM_RESET_PSTATE	(PSR_MODE_EL1h | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT | PSR_D_BIT)
#define PVM_RESET_SCTLR		0x00C50078UL

/* The affinity of a vCPU, computed from its id as KVM does it: the vGIC relies on that. */
static u64 pvm_mpidr(unsigned int vcpu_id)
{
	u64 mpidr = (vcpu_id & 0x0f) << MPIDR_LEVEL_SHIFT(0);

	mpidr |= ((vcpu_id >> 4) & 0xff) << MPIDR_LEVEL_SHIFT(1);
	mpidr |= ((vcpu_id >> 12) & 0xff) << MPIDR_LEVEL_SHIFT(2);

	return mpidr | BIT(31);
}

/**
 * pvm_vcpu_init() - Set up what EL2 keeps of a protected vCPU
 * @hyp_vcpu: the vCPU, its id and index known.
 *
 * Only vCPU 0 starts by itself. The others wait for the guest to turn them on.
 */
void pvm_vcpu_init(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	__vcpu_sys_reg(vcpu, MPIDR_EL1) = pvm_mpidr(vcpu->vcpu_id);
	hyp_vcpu->state.power = vcpu->vcpu_idx ? PVM_POWER_OFF : PVM_POWER_ON_PENDING;
}

static void pvm_reset(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 mpidr = __vcpu_sys_reg(vcpu, MPIDR_EL1);

	memset(&vcpu->arch.ctxt, 0, sizeof(vcpu->arch.ctxt));
	if (vcpu_has_sve(vcpu))
		memset(vcpu->arch.sve_state, 0, vcpu_sve_state_size(vcpu));

	__vcpu_sys_reg(vcpu, MPIDR_EL1) = mpidr;
	__vcpu_sys_reg(vcpu, SCTLR_EL1) = PVM_RESET_SCTLR;
	if (hyp_vcpu->state.entry_be)
		__vcpu_sys_reg(vcpu, SCTLR_EL1) |= SCTLR_ELx_EE;

	*vcpu_cpsr(vcpu) = PVM_RESET_PSTATE;
	*vcpu_pc(vcpu) = hyp_vcpu->state.entry_pc;
	vcpu_set_reg(vcpu, 0, hyp_vcpu->state.entry_x0);

	vcpu->arch.iflags = 0;
	vcpu->arch.hcr_el2 &= ~HCR_VSE;
	hyp_vcpu->state.exit = PVM_EXIT_NONE;
}

/*
 * The first run of the VM, in vCPU 0: it starts in its firmware or, without one, at the
 * host's pc, with x0..x3 and the counter offset of the host. The host cannot change any
 * of that later.
 */
static void pvm_first_run(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm_cpu_context *host_ctxt = &hyp_vcpu->host_vcpu->arch.ctxt;
	unsigned int i;

	vm->state.cntvoff = READ_ONCE(vm->host_kvm->arch.timer_data.voffset);
	vm->state.has_run = true;

	if (vm->kvm.arch.pkvm.guest.fw_ipa != PVM_NO_FW)
		*vcpu_pc(&hyp_vcpu->vcpu) = vm->kvm.arch.pkvm.guest.fw_ipa;
	else
		*vcpu_pc(&hyp_vcpu->vcpu) = READ_ONCE(host_ctxt->regs.pc);
	for (i = 0; i < 4; i++)
		vcpu_set_reg(&hyp_vcpu->vcpu, i, READ_ONCE(host_ctxt->regs.regs[i]));
}

/*
 * Check that the vCPU is on. If it was turned on since its last run, reset it first, to
 * start at its entry point.
 */
static bool pvm_power_up(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	bool on = false;

	if (likely(READ_ONCE(hyp_vcpu->state.power) == PVM_POWER_ON))
		return true;

	hyp_spin_lock(&vm->state.power_lock);
	if (hyp_vcpu->state.power == PVM_POWER_OFF)
		goto unlock;

	pvm_reset(hyp_vcpu);
	if (!vm->state.has_run)
		pvm_first_run(hyp_vcpu);
	hyp_vcpu->state.power = PVM_POWER_ON;
	on = true;
unlock:
	hyp_spin_unlock(&vm->state.power_lock);

	return on;
}

/**
 * pvm_show_stats() - Give the host the statistics of a protected vCPU and its VM
 * @hyp_vcpu: the vCPU, about to be put.
 *
 * Not before that: if a counter rose with every call, the host would see when the guest
 * makes calls that EL2 answers by itself. Takes the guest's lock.
 */
void pvm_show_stats(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);

	hyp_vcpu->host_vcpu->stat.protected = hyp_vcpu->vcpu.stat.protected;

	guest_lock_component(vm);
	pvm_show_memory(vm);
	guest_unlock_component(vm);
}

/**
 * pkvm_timer_load() - Set the offset of this CPU's virtual counter for a vCPU
 * @hyp_vcpu: the vCPU, about to be loaded.
 *
 * While the vCPU is loaded, the virtual timer runs for it, also when the host runs. For a
 * run of a protected vCPU, EL2 then sets the offset that it keeps itself.
 */
void pkvm_timer_load(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm *host_kvm = vm->host_kvm;

	/* If its physical counter has an offset, a non-protected VM's reads of it trap. */
	if (!pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		vm->kvm.arch.timer_data.poffset = READ_ONCE(host_kvm->arch.timer_data.poffset);

	write_sysreg(READ_ONCE(host_kvm->arch.timer_data.voffset), cntvoff_el2);
}

/**
 * pkvm_timer_put() - Undo pkvm_timer_load()
 *
 * The host's user space reads the virtual counter, which must equal the physical one.
 */
void pkvm_timer_put(void)
{
	write_sysreg(0, cntvoff_el2);
}

/*
 * Between runs the virtual timer stays in the hardware, where it wakes the host. The host
 * may change it there, so before a run EL2 restores the guest's values.
 */
static void pvm_restore_timer(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	write_sysreg(pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.cntvoff, cntvoff_el2);
	write_sysreg_el0(__vcpu_sys_reg(vcpu, CNTV_CVAL_EL0), SYS_CNTV_CVAL);
	isb();
	write_sysreg_el0(__vcpu_sys_reg(vcpu, CNTV_CTL_EL0), SYS_CNTV_CTL);
}

static void pvm_save_timer(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	__vcpu_sys_reg(vcpu, CNTV_CTL_EL0) = read_sysreg_el0(SYS_CNTV_CTL);
	__vcpu_sys_reg(vcpu, CNTV_CVAL_EL0) = read_sysreg_el0(SYS_CNTV_CVAL);
}

static void pvm_set_traps(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 host_hcr = READ_ONCE(hyp_vcpu->host_vcpu->arch.hcr_el2);

	vcpu->arch.hcr_el2 &= ~(HCR_TWI | HCR_TWE);
	vcpu->arch.hcr_el2 |= host_hcr & (HCR_TWI | HCR_TWE);

	vcpu->arch.mdcr_el2 &= ~MDCR_EL2_HPMN_MASK;
	vcpu->arch.mdcr_el2 |= read_sysreg(mdcr_el2) & MDCR_EL2_HPMN_MASK;
}

/**
 * pvm_vcpu_run() - Run a protected vCPU until the host is needed
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 *
 * Return: what __kvm_vcpu_run() returns to the host: ARM_EXCEPTION_IRQ for an exit
 * that the host need not handle; ARM_EXCEPTION_TRAP for an exit that is described in the
 * host's vCPU, see pvm_exit_to_host(); ARM_EXCEPTION_IL if the vCPU is off or cannot run
 * any more.
 */
int pvm_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 exit_code;

	/* After SYSTEM_OFF or SYSTEM_RESET of another vCPU, which has told the host. */
	if (READ_ONCE(pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.stopped))
		return ARM_EXCEPTION_IRQ;

	if (!pvm_power_up(hyp_vcpu))
		return ARM_EXCEPTION_IL;

	pvm_exit_from_host(hyp_vcpu);

	pvm_set_traps(hyp_vcpu);
	pkvm_set_buffer_flags(vcpu);
	pkvm_vgic_load(hyp_vcpu);
	pkvm_vgic_flush_lrs(hyp_vcpu);
	pvm_restore_timer(hyp_vcpu);

	fpsimd_sve_flush();
	pkvm_cpu_save_keys(vcpu);
	pkvm_mpam_trap();
	pvm_quiet_begin();
	exit_code = __kvm_vcpu_run(vcpu);
	pvm_quiet_end();
	pkvm_mpam_untrap();
	fpsimd_sve_sync(vcpu);

	pvm_save_timer(hyp_vcpu);
	pkvm_vgic_sync_lrs(hyp_vcpu);

	return pvm_exit_to_host(hyp_vcpu, exit_code);
}
