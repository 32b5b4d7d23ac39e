// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: windows, the memory of stand-alone slots. A guest's fault on
 * one takes the way of other VMs, through user_mem_abort() and pkvm_guest_np.c. Here is
 * what becomes of a fault where the guest does not want the host's memory.
 *
 * Which IPAs the guest guards only the hypervisor knows (R2). To the host a stand-alone
 * slot is memory like that of other slots, which nobody owns but the host, and which is
 * neither pinned nor charged.
 */

#include <linux/kvm_host.h>
#include <linux/pkvm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

/**
 * pkvm_guest_wants_page() - Does a fault ask for a page that the guest will own?
 * @kvm: the VM, protected or not.
 * @memslot: the slot that the fault lies in.
 *
 * Return: true if so; false if the VM is not protected, or the page stays the host's.
 */
bool pkvm_guest_wants_page(struct kvm *kvm, const struct kvm_memory_slot *memslot)
{
	return kvm_vm_is_protected(kvm) && !(memslot->flags & KVM_MEM_ARM_STANDALONE);
}

/* Whether the guest guards an IPA, whatever has become of it. */
static bool is_guarded(phys_addr_t ipa)
{
	return kvm_call_hyp_nvhe(__pkvm_guest_check_place, ipa >> PAGE_SHIFT) == -EPERM;
}

/**
 * pkvm_window_failed() - Decide what a fault becomes that was not resolved
 * @vcpu: the vCPU, loaded.
 * @ipa: the page that it faulted on.
 * @memslot: the slot that @ipa lies in.
 * @error: why the fault was not resolved.
 *
 * Where a protected guest has no guard, or has not enrolled, a stand-alone slot is as good
 * as none, whatever is behind it.
 *
 * Return: as io_mem_abort() if that is so; else @error.
 */
int pkvm_window_failed(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		       const struct kvm_memory_slot *memslot, int error)
{
	if (!kvm_vm_is_protected(vcpu->kvm) || !(memslot->flags & KVM_MEM_ARM_STANDALONE))
		return error;

	if (error != -ENOENT && (error != -EFAULT || is_guarded(ipa)))
		return error;

	return io_mem_abort(vcpu, ipa | (kvm_vcpu_get_hfar(vcpu) & GENMASK(11, 0)));
}
