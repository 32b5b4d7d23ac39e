// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: what user space may ask of them, and the hypercalls
 * that the hypervisor leaves to the host.
 *
 * Nothing here protects a guest: the hypervisor does. These checks give a VMM a
 * clear errno where the hypervisor would only refuse.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_guest.h>
#include <asm/spectre.h>

#include <kvm/arm_hypercalls.h>

/**
 * pkvm_guest_init_smccc() - Tell the hypervisor what guests may know of workarounds
 *
 * Runs once, on a host that has not given up its privileges yet. The answers are
 * those that kvm_smccc_call_handler() gives to other VMs.
 */
void __init pkvm_guest_init_smccc(void)
{
	s64 *wa = kvm_nvhe_sym(pvm_smccc_workarounds);
	int i;

	for (i = 0; i < PVM_NR_SMCCC_WORKAROUNDS; i++)
		wa[i] = SMCCC_RET_NOT_SUPPORTED;

	if (arm64_get_spectre_v2_state() == SPECTRE_UNAFFECTED)
		wa[PVM_SMCCC_WORKAROUND_1] = SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED;
	else if (arm64_get_spectre_v2_state() == SPECTRE_MITIGATED)
		wa[PVM_SMCCC_WORKAROUND_1] = SMCCC_RET_SUCCESS;

	/* Where there is SSBS the guest sees it, and has to use it. */
	if (arm64_get_spectre_v4_state() == SPECTRE_UNAFFECTED ||
	    (arm64_get_spectre_v4_state() == SPECTRE_MITIGATED &&
	     !cpus_have_final_cap(ARM64_SSBS)))
		wa[PVM_SMCCC_WORKAROUND_2] = SMCCC_RET_NOT_REQUIRED;

	if (arm64_get_spectre_bhb_state() == SPECTRE_UNAFFECTED)
		wa[PVM_SMCCC_WORKAROUND_3] = SMCCC_ARCH_WORKAROUND_RET_UNAFFECTED;
	else if (arm64_get_spectre_bhb_state() == SPECTRE_MITIGATED)
		wa[PVM_SMCCC_WORKAROUND_3] = SMCCC_RET_SUCCESS;
}

/**
 * pkvm_guest_init_vm() - Take the protected bit out of a VM's type
 * @kvm: the VM, being created.
 * @type: KVM_CREATE_VM's type; loses KVM_VM_TYPE_ARM_PROTECTED.
 *
 * Return: 0; -EINVAL if the VM shall be protected on a host that was not booted
 * with kvm-arm.mode=protected.
 */
int pkvm_guest_init_vm(struct kvm *kvm, unsigned long *type)
{
	mutex_init(&kvm->arch.pkvm.lock);
	xa_init(&kvm->arch.pkvm.granules);

	if (!(*type & KVM_VM_TYPE_ARM_PROTECTED))
		return 0;

	if (!is_protected_kvm_enabled())
		return -EINVAL;

	kvm->arch.pkvm.enabled = true;
	*type &= ~KVM_VM_TYPE_ARM_PROTECTED;

	return 0;
}

static int pkvm_guest_info(struct kvm_enable_cap *cap)
{
	/* No firmware was left in reserved memory for the hypervisor to load. */
	struct kvm_protected_vm_info info = { .firmware_size = 0 };

	if (copy_to_user((void __user *)cap->args[0], &info, sizeof(info)))
		return -EFAULT;

	return 0;
}

/**
 * pkvm_guest_enable_cap() - KVM_ENABLE_CAP of KVM_CAP_ARM_PROTECTED_VM
 * @kvm: the VM.
 * @cap: the request; its flags pick what it means.
 *
 * Return: 0; -EINVAL for a VM that is not protected, unknown flags, arguments
 * that have to be zero and are not, or KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA on a
 * host that has no firmware to load; -EFAULT for a bad user pointer.
 */
int pkvm_guest_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap)
{
	if (!kvm_vm_is_protected(kvm))
		return -EINVAL;

	if (cap->args[1] || cap->args[2] || cap->args[3])
		return -EINVAL;

	switch (cap->flags) {
	case KVM_CAP_ARM_PROTECTED_VM_FLAGS_INFO:
		return pkvm_guest_info(cap);
	default:
		return -EINVAL;
	}
}

/**
 * pkvm_guest_check_memslot() - May this change of a memslot be made?
 * @kvm: the VM, slots_lock held.
 * @new: the slot as it shall be, NULL if it shall go.
 * @change: what kind of change it is.
 *
 * What a protected guest owns cannot move under it, and nobody can see which of
 * its pages it wrote.
 *
 * Return: 0 if so or if @kvm is not protected, else -EPERM.
 */
int pkvm_guest_check_memslot(struct kvm *kvm, const struct kvm_memory_slot *new,
			     enum kvm_mr_change change)
{
	if (!kvm_vm_is_protected(kvm))
		return 0;

	if (new && new->flags & (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return -EPERM;

	if ((change == KVM_MR_DELETE || change == KVM_MR_MOVE) && kvm_vm_has_ran_once(kvm))
		return -EPERM;

	return 0;
}

static bool is_boot_reg(struct kvm_vcpu *vcpu, u64 id)
{
	u64 core = id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_CORE);

	if (vcpu->vcpu_idx || (id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM_CORE)
		return false;

	return core == KVM_REG_ARM_CORE_REG(regs.pc) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[0]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[1]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[2]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[3]);
}

/* Nothing but a run changes the PSTATE that the reset gave a protected vCPU. */
static bool is_reset_pstate(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	u64 id = KVM_REG_ARM64 | KVM_REG_SIZE_U64 | KVM_REG_ARM_CORE |
		 KVM_REG_ARM_CORE_REG(regs.pstate);
	u64 val;

	return reg->id == id && !get_user(val, (u64 __user *)reg->addr) &&
	       val == *vcpu_cpsr(vcpu);
}

/**
 * pkvm_guest_check_reg() - May user space get or set this register?
 * @vcpu: the vCPU, its mutex held.
 * @reg: the register, and the user pointer to its value.
 * @write: whether it is to be set.
 *
 * Until it has run, a vCPU of a protected VM takes what the boot protocol needs:
 * vCPU 0 its pc and x0..x3, and every vCPU the PSTATE that it has anyway.
 *
 * Return: 0 if so or if the VM is not protected, else -EPERM.
 */
int pkvm_guest_check_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg, bool write)
{
	if (!kvm_vm_is_protected(vcpu->kvm))
		return 0;

	if (vcpu_has_run_once(vcpu))
		return -EPERM;

	if (write && !is_boot_reg(vcpu, reg->id) && !is_reset_pstate(vcpu, reg))
		return -EPERM;

	return 0;
}

/*
 * The hypervisor found no page where the guest wants to share one. Donate it and
 * have the vCPU issue the call once more, or tell the guest that there is none.
 * It also issues the call once more after KVM_RUN failed for want of a page.
 */
static int handle_mem_share(struct kvm_vcpu *vcpu)
{
	struct kvm_memory_slot *memslot;
	u64 ipa = smccc_get_arg1(vcpu);
	int ret = 0;
	int idx;

	idx = srcu_read_lock(&vcpu->kvm->srcu);
	memslot = gfn_to_memslot(vcpu->kvm, ipa >> PAGE_SHIFT);
	if (memslot)
		ret = pkvm_guest_mem_abort(vcpu, ipa, memslot);
	srcu_read_unlock(&vcpu->kvm->srcu, idx);

	if (memslot)
		*vcpu_pc(vcpu) -= AARCH64_INSN_SIZE;
	else
		smccc_set_retval(vcpu, SMCCC_RET_INVALID_PARAMETER, 0, 0, 0);

	return ret ?: 1;
}

/**
 * pkvm_guest_handle_hvc() - Handle a hypercall that the hypervisor passed on
 * @vcpu: the vCPU, its pc behind the HVC.
 *
 * Return: 1 to go on, 0 to exit to user space, or a negative error for KVM_RUN.
 */
int pkvm_guest_handle_hvc(struct kvm_vcpu *vcpu)
{
	if (smccc_get_function(vcpu) == ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID)
		return handle_mem_share(vcpu);

	return kvm_smccc_call_handler(vcpu);
}
