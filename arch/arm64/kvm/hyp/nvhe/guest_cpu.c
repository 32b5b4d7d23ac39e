// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ID registers of each VM, and its traps and enables. EL2 makes the ID registers from those of
 * the machine by the table of guest_features.c, and the traps and enables from the result.
 *
 * R4, R8: when the host creates a protected VM, it chooses whether the VM has SVE, pointer
 *         authentication and a GICv3. For a non-protected VM it may hide more than the table does.
 *         All other code at EL2 uses the result, in EL2's own struct kvm of the VM.
 */

#include <linux/cpufeature.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_pkvm_features.h>
#include <asm/kvm_ptrauth.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>

/* The ID registers that all CPUs agree on. The host fills them in while it is trusted. */
u64 pkvm_cpu_id_regs[KVM_ARM_ID_REG_NUM];
u64 pkvm_cpu_ctr_el0;

/**
 * pkvm_cpu_id_reg() - Get the value of an ID register that is right for all CPUs of the machine
 * @sysreg: its encoding, from (3, 0, 0, 1, 0) to (3, 0, 0, 7, 7).
 *
 * Return: the register.
 */
u64 pkvm_cpu_id_reg(u32 sysreg)
{
	return pkvm_cpu_id_regs[IDREG_IDX(sysreg)];
}

/**
 * pkvm_cpu_ctr() - Get the value of CTR_EL0 that is safe on all CPUs of the machine
 *
 * Return: the register.
 */
u64 pkvm_cpu_ctr(void)
{
	return pkvm_cpu_ctr_el0;
}

static unsigned long vm_options(struct kvm *host_kvm)
{
	unsigned long wanted = READ_ONCE(host_kvm->arch.vcpu_features[0]);
	unsigned long options = 0;

	if (system_supports_sve() && wanted & BIT(KVM_ARM_VCPU_SVE))
		options |= BIT(PKVM_WITH_SVE);

	if (system_has_full_ptr_auth() && wanted & BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) &&
	    wanted & BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC))
		options |= BIT(PKVM_WITH_PTRAUTH);

	if (kvm_has_mte(host_kvm))
		options |= BIT(PKVM_WITH_MTE);

	if (READ_ONCE(host_kvm->arch.vgic.vgic_model) == KVM_DEV_TYPE_ARM_VGIC_V3)
		options |= BIT(PKVM_WITH_GICV3);

	return options;
}

/* Whether EL2 switches registers of features that not every VM has. */
static bool vm_has_more_sys_regs(struct pkvm_hyp_vm *vm)
{
	struct kvm *kvm = &vm->kvm;

	return vm->state.feature_hcr & (HCR_API | HCR_APK) || kvm_has_mte(kvm) ||
	       kvm_has_fpmr(kvm) || kvm_has_feat(kvm, ID_AA64PFR0_EL1, SVE, IMP) ||
	       kvm_has_feat(kvm, ID_AA64MMFR3_EL1, TCRX, IMP) ||
	       kvm_has_feat(kvm, ID_AA64MMFR3_EL1, S1PIE, IMP) ||
	       kvm_has_feat(kvm, ID_AA64MMFR3_EL1, S1POE, IMP);
}

/**
 * pkvm_cpu_init_vm() - Set the ID registers of a VM, and its traps and enables
 * @vm: the new VM; it is known whether it is protected.
 * @host_kvm: the host's struct kvm of the VM, pinned.
 */
void pkvm_cpu_init_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm)
{
	struct kvm_arch *arch = &vm->kvm.arch;
	struct pkvm_feature_traps traps;
	unsigned long options;

	options = vm_options(host_kvm);
	pkvm_show_id_regs(arch->id_regs, arch->pkvm.enabled, options, pkvm_cpu_id_regs,
			  host_kvm->arch.id_regs);
	arch->ctr_el0 = pkvm_cpu_ctr_el0;

	if (!arch->pkvm.enabled && options & BIT(PKVM_WITH_MTE))
		__set_bit(KVM_ARCH_FLAG_MTE_ENABLED, &arch->flags);

	pkvm_find_traps(arch->id_regs, &traps);
	memcpy(arch->fgu, traps.fgu, sizeof(arch->fgu));
	vm->state.feature_hcr = traps.hcr;
	vm->state.feature_hcrx = traps.hcrx;
	vm->state.more_sys_regs = vm_has_more_sys_regs(vm);
}

/* Trap all registers for debug, trace, profiling and performance counters. */
#define MDCR_TRAPS	(MDCR_EL2_TPM | MDCR_EL2_TPMCR | MDCR_EL2_TPMS | MDCR_EL2_TTRF |	\
			 MDCR_EL2_TDRA | MDCR_EL2_TDOSA | MDCR_EL2_TDA | MDCR_EL2_TDCC)

/**
 * pkvm_cpu_check_vcpu() - Check that a vCPU has SVE if and only if its VM has
 * @hyp_vcpu: the vCPU, its cflags taken from the host.
 *
 * Return: 0 if so, or if it is not protected; else -EINVAL.
 */
int pkvm_cpu_check_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm *kvm = hyp_vcpu->vcpu.kvm;

	if (!pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		return 0;

	if (!!vcpu_get_flag(&hyp_vcpu->vcpu, GUEST_HAS_SVE) !=
	    kvm_has_feat(kvm, ID_AA64PFR0_EL1, SVE, IMP))
		return -EINVAL;

	return 0;
}

/**
 * pkvm_cpu_init_vcpu() - Set up the traps of a vCPU that do not change
 * @hyp_vcpu: the vCPU, its VM known.
 *
 * The host chooses none of them (R4). HCR_EL2 of a non-protected vCPU is set before each run.
 */
void pkvm_cpu_init_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	vcpu->arch.hcrx_el2 = vm->state.feature_hcrx;

	if (!pkvm_hyp_vcpu_is_protected(hyp_vcpu)) {
		vcpu_ptimer(vcpu)->offset.vm_offset = &vm->kvm.arch.timer_data.poffset;
		return;
	}

	vcpu->arch.hcr_el2 = HCR_GUEST_FLAGS | HCR_TID1 | HCR_TID2 | HCR_TEA | HCR_TERR |
			     vm->state.feature_hcr;
	if (has_hvhe())
		vcpu->arch.hcr_el2 |= HCR_E2H;
	if (cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
		vcpu->arch.hcr_el2 |= HCR_FWB;

	/* TDE is not set: the guest takes its BRKs, which Linux uses for BUG() and WARN(). */
	vcpu->arch.mdcr_el2 = MDCR_TRAPS;
}

/**
 * pkvm_cpu_save_keys() - Keep the host's pointer authentication keys over a run
 * @vcpu: the vCPU, about to run.
 *
 * After a run of a guest that has keys, __kvm_vcpu_run() loads the keys in the hypervisor's
 * context. A kernel with CONFIG_ARM64_PTR_AUTH_KERNEL has the hypervisor's own keys there, and the
 * host's are saved with its other registers. Otherwise put the host's keys there.
 */
void pkvm_cpu_save_keys(struct kvm_vcpu *vcpu)
{
	if (IS_ENABLED(CONFIG_ARM64_PTR_AUTH_KERNEL))
		return;

	if (vcpu->arch.hcr_el2 & (HCR_API | HCR_APK))
		ptrauth_save_keys(this_cpu_ptr(&kvm_hyp_ctxt));
}
