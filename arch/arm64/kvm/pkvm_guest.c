// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: which calls user space may make for a protected VM. Those
 * for a vCPU are in pkvm_guest_vcpu.c.
 *
 * Nothing here protects a guest: the hypervisor does. These checks give a VMM a
 * clear errno where the hypervisor would only refuse.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/pkvm.h>

#include <asm/kvm_pkvm_guest.h>
#include <asm/spectre.h>

#include "pkvm_guest.h"
#include "pkvm_smmu.h"

/**
 * pkvm_guest_init_smccc() - Give the hypervisor the answers to guests' queries of workarounds
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

	/* If the CPU has SSBS, the guest sees that, and has to use SSBS instead. */
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
 * Return: 0; for a protected VM, -EINVAL if the host was not booted with
 * kvm-arm.mode=protected; -EPERM if a device may access its memory, and the host was booted
 * with kvm-arm.dma_isolation=required.
 */
int pkvm_guest_init_vm(struct kvm *kvm, unsigned long *type)
{
	mutex_init(&kvm->arch.pkvm.guest.setup_lock);
	mutex_init(&kvm->arch.pkvm.guest.lock);
	xa_init(&kvm->arch.pkvm.guest.granules);
	kvm->arch.pkvm.guest.fw_ipa = PVM_NO_FW;

	if (!(*type & KVM_VM_TYPE_ARM_PROTECTED))
		return 0;

	if (!is_protected_kvm_enabled())
		return -EINVAL;

	kvm->arch.pkvm.enabled = true;
	*type &= ~KVM_VM_TYPE_ARM_PROTECTED;

	return pkvm_smmu_check_vm();
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
 * kvm_arch_ext_allowed() - Check whether a VM may have a capability
 * @kvm: the VM.
 * @ext: KVM_CAP_*.
 *
 * A protected VM has no capability that is not in this list, and KVM refuses the calls that would
 * use it. For a capability in the list, the rest of KVM decides whether the VM has it.
 *
 * Return: whether it may.
 */
bool kvm_arch_ext_allowed(struct kvm *kvm, long ext)
{
	if (!kvm_vm_is_protected(kvm))
		return true;

	switch (ext) {
	case KVM_CAP_CHECK_EXTENSION_VM:
	case KVM_CAP_ENABLE_CAP_VM:
	case KVM_CAP_DEVICE_CTRL:
	case KVM_CAP_VCPU_ATTRIBUTES:
	case KVM_CAP_ONE_REG:
	case KVM_CAP_MP_STATE:
	case KVM_CAP_IMMEDIATE_EXIT:
	case KVM_CAP_HALT_POLL:
	case KVM_CAP_BINARY_STATS_FD:
	case KVM_CAP_SYSTEM_EVENT_DATA:
	case KVM_CAP_INTERNAL_ERROR_DATA:
	/* Memory. */
	case KVM_CAP_USER_MEMORY:
	case KVM_CAP_USER_MEMORY2:
	case KVM_CAP_NR_MEMSLOTS:
	case KVM_CAP_JOIN_MEMORY_REGIONS_WORKS:
	case KVM_CAP_DESTROY_MEMORY_REGION_WORKS:
	case KVM_CAP_ARM_STANDALONE_MEM:
	/* MMIO and interrupts. */
	case KVM_CAP_IOEVENTFD:
	case KVM_CAP_IOEVENTFD_ANY_LENGTH:
	case KVM_CAP_COALESCED_MMIO:
	case KVM_CAP_COALESCED_PIO:
	case KVM_CAP_IRQCHIP:
	case KVM_CAP_IRQ_ROUTING:
	case KVM_CAP_IRQFD:
	case KVM_CAP_IRQFD_RESAMPLE:
	case KVM_CAP_SIGNAL_MSI:
	case KVM_CAP_MSI_DEVID:
	case KVM_CAP_ARM_IRQ_LINE_LAYOUT_2:
	/* vCPUs. */
	case KVM_CAP_NR_VCPUS:
	case KVM_CAP_MAX_VCPUS:
	case KVM_CAP_MAX_VCPU_ID:
	case KVM_CAP_ARM_PSCI_0_2:
	case KVM_CAP_ARM_VM_IPA_SIZE:
	case KVM_CAP_ARM_SVE:
	case KVM_CAP_ARM_PTRAUTH_ADDRESS:
	case KVM_CAP_ARM_PTRAUTH_GENERIC:
	case KVM_CAP_ARM_PROTECTED_VM:
		return true;
	default:
		return false;
	}
}

/**
 * pkvm_guest_check_vm_ioctl() - Check whether user space may call an ioctl of a VM
 * @kvm: the VM.
 * @ioctl: an ioctl of a VM.
 *
 * Return: 0 if so or if the VM is not protected; else -EPERM where the call would have no
 * effect, or a wrong one; -ENXIO for an attribute of the VM, of which a protected one has none.
 */
int pkvm_guest_check_vm_ioctl(struct kvm *kvm, unsigned int ioctl)
{
	if (!kvm_vm_is_protected(kvm))
		return 0;

	switch (ioctl) {
	case KVM_ARM_SET_DEVICE_ADDR:
	/* The physical counter has no offset. */
	case KVM_ARM_SET_COUNTER_OFFSET:
	case KVM_ARM_MTE_COPY_TAGS:
	case KVM_ARM_GET_REG_WRITABLE_MASKS:
		return -EPERM;
	/* They are about the filter of SMCCC calls, which EL2 answers without it. */
	case KVM_HAS_DEVICE_ATTR:
	case KVM_SET_DEVICE_ATTR:
		return -ENXIO;
	default:
		return 0;
	}
}

/**
 * pkvm_guest_check_memslot() - Check whether a change of a memslot is allowed
 * @kvm: the VM, slots_lock held.
 * @old: the old slot; NULL if there is none.
 * @new: the new slot; NULL if the change is a deletion.
 * @change: the kind of change.
 *
 * The host cannot move pages that a protected guest owns, nor see which of them the guest
 * has written. Of a stand-alone slot the guest owns nothing.
 *
 * Return: 0 if so or if @kvm is not protected, else -EPERM.
 */
int pkvm_guest_check_memslot(struct kvm *kvm, const struct kvm_memory_slot *old,
			     const struct kvm_memory_slot *new, enum kvm_mr_change change)
{
	if (!kvm_vm_is_protected(kvm))
		return 0;

	if (new && new->flags & (KVM_MEM_READONLY | KVM_MEM_LOG_DIRTY_PAGES))
		return -EPERM;

	if ((change == KVM_MR_DELETE || change == KVM_MR_MOVE) && kvm_vm_has_ran_once(kvm) &&
	    !(old->flags & KVM_MEM_ARM_STANDALONE))
		return -EPERM;

	return 0;
}
