// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to VMs. While a call of the host holds one, the VM can neither begin to die
 * nor, if it is dying, go. The table itself is in pkvm.c.
 *
 * R4: a call that is not for the vCPU that this CPU has loaded acts on a handle.
 */

#include <linux/kvm_host.h>

#include <nvhe/memory.h>
#include <nvhe/pkvm.h>
#include <nvhe/vm_table.h>

/**
 * pkvm_get_hyp_vm() - Hold on to a VM
 * @handle: the VM.
 *
 * Return: the VM, which will not go before pkvm_put_hyp_vm(); NULL for an unknown
 * handle.
 */
struct pkvm_hyp_vm *pkvm_get_hyp_vm(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *hyp_vm;

	hyp_spin_lock(&vm_table_lock);
	hyp_vm = get_vm_by_handle(handle);
	if (hyp_vm)
		hyp_page_ref_inc(hyp_virt_to_page(hyp_vm));
	hyp_spin_unlock(&vm_table_lock);

	return hyp_vm;
}

/**
 * pkvm_put_hyp_vm() - Undo pkvm_get_hyp_vm()
 * @hyp_vm: what it returned.
 */
void pkvm_put_hyp_vm(struct pkvm_hyp_vm *hyp_vm)
{
	hyp_spin_lock(&vm_table_lock);
	hyp_page_ref_dec(hyp_virt_to_page(hyp_vm));
	hyp_spin_unlock(&vm_table_lock);
}
