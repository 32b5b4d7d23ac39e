// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs of a host in protected mode, host side: registers their vCPUs with the hypervisor,
 * and reports why the hypervisor did not run one.
 *
 * At the first run of a VM the host registers all vCPUs that there are. A non-protected
 * VM may get more vCPUs later, each of which is registered at its own first run. A
 * protected VM gets no more; a vCPU whose creation races with the first run of the VM is
 * either refused, or counted among those that are registered.
 */

#include <linux/bitfield.h>
#include <linux/kvm_host.h>
#include <linux/lockdep.h>
#include <linux/mm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_guest.h>

#include <kunit/visibility.h>

#include "hyp_constants.h"

/**
 * pkvm_guest_check_new_vcpu() - Check whether a VM may have one more vCPU
 * @kvm: the VM; the new vCPU is counted in its created_vcpus and not online yet.
 *
 * Takes config_lock.
 *
 * Return: 0; -EBUSY if the VM is protected and has run: the hypervisor would not
 * run the new vCPU.
 */
int pkvm_guest_check_new_vcpu(struct kvm *kvm)
{
	if (!kvm_vm_is_protected(kvm))
		return 0;

	/* A first run that comes later finds it counted, see pkvm_guest_max_vcpus(). */
	guard(mutex)(&kvm->arch.config_lock);

	return kvm->arch.pkvm.handle ? -EBUSY : 0;
}

/**
 * pkvm_guest_max_vcpus() - Get the number of vCPUs for which the hypervisor needs room
 * @kvm: the VM, about to be created at EL2; config_lock held.
 *
 * Return: the number, 0 if the VM has no vCPU.
 */
unsigned int pkvm_guest_max_vcpus(struct kvm *kvm)
{
	lockdep_assert_held(&kvm->arch.config_lock);

	if (!READ_ONCE(kvm->created_vcpus))
		return 0;

	return kvm_vm_is_protected(kvm) ? READ_ONCE(kvm->created_vcpus) : kvm->max_vcpus;
}

static int add_vcpu(struct kvm *kvm, struct kvm_vcpu *vcpu)
{
	size_t size = PAGE_ALIGN(PKVM_HYP_VCPU_SIZE), sve_size = 0;
	void *hyp_vcpu, *sve = NULL;
	int ret = -ENOMEM;

	hyp_vcpu = alloc_pages_exact(size, GFP_KERNEL_ACCOUNT);
	if (!hyp_vcpu)
		return -ENOMEM;

	if (kvm_vm_is_protected(kvm) && vcpu_has_sve(vcpu)) {
		sve_size = PAGE_ALIGN(vcpu_sve_state_size(vcpu));
		sve = alloc_pages_exact(sve_size, GFP_KERNEL_ACCOUNT);
		if (!sve)
			goto err_free_vcpu;
	}

	ret = kvm_call_hyp_nvhe(__pkvm_init_vcpu, kvm->arch.pkvm.handle, vcpu, hyp_vcpu, sve);
	if (ret)
		goto err_free_sve;

	pkvm_guest_metadata_donated((size + sve_size) >> PAGE_SHIFT);

	return 0;

err_free_sve:
	if (sve)
		free_pages_exact(sve, sve_size);
err_free_vcpu:
	free_pages_exact(hyp_vcpu, size);
	return ret;
}

/* vCPU 0 of a protected VM starts by itself, if user space lets it, and turns the others on. */
static void init_power(struct kvm_vcpu *vcpu)
{
	vcpu->arch.pkvm.power = !vcpu->vcpu_idx;
	if (vcpu->vcpu_idx)
		kvm_arm_vcpu_power_off(vcpu);
}

/**
 * pkvm_guest_add_vcpus() - Register all vCPUs that the hypervisor does not know yet
 * @kvm: the VM, which exists at EL2; config_lock and pkvm.setup_lock held.
 *
 * Return: 0; -ENOMEM; or the error of __pkvm_init_vcpu(). After an error some of the vCPUs
 * may be registered.
 */
int pkvm_guest_add_vcpus(struct kvm *kvm)
{
	unsigned int idx, online = atomic_read(&kvm->online_vcpus);
	struct kvm_vcpu *vcpu;
	int ret;

	lockdep_assert_held(&kvm->arch.config_lock);
	lockdep_assert_held(&kvm->arch.pkvm.guest.setup_lock);

	for (idx = kvm->arch.pkvm.guest.nr_vcpus; idx < online; idx++) {
		vcpu = kvm_get_vcpu(kvm, idx);
		ret = add_vcpu(kvm, vcpu);
		if (ret)
			return ret;

		if (kvm_vm_is_protected(kvm))
			init_power(vcpu);
		WRITE_ONCE(kvm->arch.pkvm.guest.nr_vcpus, idx + 1);
	}

	return 0;
}

/**
 * pkvm_guest_vcpu_load() - Have the hypervisor load a vCPU on this CPU
 * @vcpu: the vCPU. Preemption is off.
 *
 * A failure cannot be reported here. The vCPU then does not run, and
 * pkvm_guest_fail_entry() reports why.
 */
void pkvm_guest_vcpu_load(struct kvm_vcpu *vcpu)
{
	pkvm_handle_t handle = vcpu->kvm->arch.pkvm.handle;

	vcpu->arch.pkvm.load_error = !handle ? 0 :
		kvm_call_hyp_nvhe(__pkvm_vcpu_load, handle, vcpu->vcpu_idx);
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_guest_vcpu_load);

/**
 * pkvm_guest_fail_entry() - Report why the hypervisor did not run a vCPU
 * @vcpu: the vCPU, after ARM_EXCEPTION_IL on a host in protected mode.
 *
 * User space gets the reason in its struct kvm_run. The kernel logs the first one since boot.
 */
void pkvm_guest_fail_entry(struct kvm_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	int error = vcpu->arch.pkvm.load_error;

	run->fail_entry.hardware_entry_failure_reason = 0;
	if (error)
		run->fail_entry.hardware_entry_failure_reason =
			KVM_EXIT_FAIL_ENTRY_NOT_LOADED |
			FIELD_PREP(KVM_EXIT_FAIL_ENTRY_ERRNO_MASK, -error);
	run->fail_entry.cpu = raw_smp_processor_id();

	pr_err_once("pKVM: vCPU %d of VM %#x did not run on CPU %u; loaded on CPU %d: %d\n",
		    vcpu->vcpu_idx, vcpu->kvm->arch.pkvm.handle, run->fail_entry.cpu, vcpu->cpu,
		    error);
}
EXPORT_SYMBOL_IF_KUNIT(pkvm_guest_fail_entry);
