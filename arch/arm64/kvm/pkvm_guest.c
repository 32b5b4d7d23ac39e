// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: what user space may ask of a protected VM. What it
 * may ask of a vCPU is in pkvm_guest_vcpu.c.
 *
 * Nothing here protects a guest: the hypervisor does. These checks give a VMM a
 * clear errno where the hypervisor would only refuse.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>

#include <asm/kvm_pkvm_guest.h>
#include <asm/spectre.h>

#include "pkvm_guest.h"

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
	mutex_init(&kvm->arch.pkvm.setup_lock);
	mutex_init(&kvm->arch.pkvm.lock);
	xa_init(&kvm->arch.pkvm.granules);
	kvm->arch.pkvm.fw_ipa = PVM_NO_FW;

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
	struct kvm_protected_vm_info info = { .firmware_size = pkvm_guest_fw_size() };

	if (copy_to_user((void __user *)cap->args[0], &info, sizeof(info)))
		return -EFAULT;

	return 0;
}

/**
 * pkvm_guest_enable_cap() - KVM_ENABLE_CAP of KVM_CAP_ARM_PROTECTED_VM
 * @kvm: the VM.
 * @cap: the request; its flags pick what it means.
 *
 * Return: 0; -EINVAL for a VM that is not protected, unknown flags, or arguments
 * that have to be zero and are not; -EFAULT for a bad user pointer; or the error of
 * pkvm_guest_set_fw_ipa().
 */
int pkvm_guest_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap)
{
	if (!kvm_vm_is_protected(kvm))
		return -EINVAL;

	if (cap->args[1] || cap->args[2] || cap->args[3])
		return -EINVAL;

	switch (cap->flags) {
	case KVM_CAP_ARM_PROTECTED_VM_FLAGS_SET_FW_IPA:
		return pkvm_guest_set_fw_ipa(kvm, cap->args[0]);
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
