// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: windows, that is, the memory of stand-alone slots. The host
 * handles a guest's fault on such a slot as that of a non-protected VM, by user_mem_abort() and
 * pkvm_guest_np.c. This file handles the faults at IPAs that the guest does not guard, where
 * the guest has not accepted the host's memory.
 *
 * Only EL2 knows which IPAs the guest guards (R2). The host keeps owning the memory of a
 * stand-alone slot, and neither pins nor charges it.
 */

#include <linux/kvm_host.h>
#include <linux/pkvm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

/**
 * pkvm_guest_wants_page() - Check whether a fault needs a page that the guest will own
 * @kvm: the VM, protected or not.
 * @memslot: the slot that the fault lies in.
 *
 * Return: true if so; false if the VM is not protected, or the slot is stand-alone, so that
 * the host keeps owning the page.
 */
bool pkvm_guest_wants_page(struct kvm *kvm, const struct kvm_memory_slot *memslot)
{
	return kvm_vm_is_protected(kvm) && !(memslot->flags & KVM_MEM_ARM_STANDALONE);
}

/* Check whether the guest guards an IPA, also if the host shares a page there. */
static bool is_guarded(phys_addr_t ipa)
{
	return kvm_call_hyp_nvhe(__pkvm_guest_check_place, ipa >> PAGE_SHIFT) == -EPERM;
}

/**
 * pkvm_window_failed() - Decide what to do about a fault for which no page could be mapped
 * @vcpu: the vCPU, loaded.
 * @ipa: the IPA of the page on which the vCPU faulted.
 * @memslot: the slot that @ipa lies in.
 * @error: why no page could be mapped.
 *
 * If a protected guest does not guard @ipa, or has not enrolled, a stand-alone slot has no
 * effect, whatever memory it has.
 *
 * Return: in that case the result of io_mem_abort(), which handles the access as if there were
 * no slot; else @error.
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
