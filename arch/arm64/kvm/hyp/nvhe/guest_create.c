// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creation of VMs and vCPUs: checks the arguments and structures of the host, and sets up
 * EL2's structures. The calls themselves are in pkvm.c.
 *
 * R4: each word of the host's structures is read once.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_create.h>
#include <nvhe/guest_fw.h>
#include <nvhe/guest_sve.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>

/**
 * pkvm_check_new_vm() - Check what the host requests for a new VM
 * @host_kvm: the host's struct kvm, pinned. Its VTCR has the size of the IPA space.
 * @pgd_hva: the host's address of the pages that it donates for the PGD.
 * @nr_vcpus: how many vCPUs the VM may have.
 *
 * Return: VTCR_EL2 of the VM; 0 if EL2 refuses the VM: because it would have no vCPU or more
 * than KVM_MAX_VCPUS, an IPA space that is larger than the host's or too small, or a PGD
 * that is not aligned to its size.
 */
u64 pkvm_check_new_vm(struct kvm *host_kvm, unsigned long pgd_hva, unsigned int nr_vcpus)
{
	u32 phys_shift = VTCR_EL2_IPA(READ_ONCE(host_kvm->arch.mmu.vtcr));
	u64 vtcr;

	if (nr_vcpus < 1 || nr_vcpus > KVM_MAX_VCPUS || phys_shift < ARM64_MIN_PARANGE_BITS ||
	    phys_shift > VTCR_EL2_IPA(host_mmu.arch.mmu.vtcr))
		return 0;

	vtcr = kvm_get_vtcr(id_aa64mmfr0_el1_sys_val, id_aa64mmfr1_el1_sys_val, phys_shift);

	/* The VM's page pool, which gets the pages, finds blocks by their physical address. */
	if (!IS_ALIGNED(__hyp_pa(kern_hyp_va(pgd_hva)), kvm_pgtable_stage2_pgd_size(vtcr)))
		return 0;

	return vtcr;
}

/**
 * pkvm_init_new_vm() - Set up EL2's structure of a VM
 * @vm: the VM, not in the table of VMs yet.
 * @host_kvm: the host's struct kvm, pinned.
 * @vtcr: what pkvm_check_new_vm() returned.
 *
 * Return: 0, or the error of pvm_fw_init_vm().
 */
int pkvm_init_new_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm, u64 vtcr)
{
	hyp_spin_lock_init(&vm->state.power_lock);
	vm->kvm.arch.mmu.vtcr = vtcr;
	/* The host's bool may be any byte. */
	vm->kvm.arch.pkvm.enabled = !!READ_ONCE(*(u8 *)&host_kvm->arch.pkvm.enabled);
	pkvm_cpu_init_vm(vm, host_kvm);

	return pvm_fw_init_vm(vm, READ_ONCE(host_kvm->arch.pkvm.guest.fw_ipa));
}

/**
 * pkvm_init_new_vcpu() - Set up EL2's structure of a vCPU
 * @hyp_vcpu: the vCPU, its VM and its cflags known, and its host_vcpu pinned.
 * @sve_hva: pages that the host donates for the SVE state of a protected vCPU.
 *
 * Return: 0, or the error of pkvm_cpu_check_vcpu() or pkvm_vcpu_init_sve().
 */
int pkvm_init_new_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva)
{
	int ret;

	ret = pkvm_cpu_check_vcpu(hyp_vcpu) ?: pkvm_vcpu_init_sve(hyp_vcpu, sve_hva);
	if (ret)
		return ret;

	pkvm_cpu_init_vcpu(hyp_vcpu);
	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		pvm_vcpu_init(hyp_vcpu);

	return 0;
}
