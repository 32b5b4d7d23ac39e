// SPDX-License-Identifier: GPL-2.0-only
/*
 * References to VMs. While a call of the host holds a reference to a VM, the teardown of the
 * VM can neither start nor be finalized. The table itself is in pkvm.c.
 *
 * R4: a call that is not for the vCPU that this CPU has loaded acts on a handle.
 */

#include <linux/kvm_host.h>

#include <nvhe/memory.h>
#include <nvhe/pkvm.h>
#include <nvhe/vm_table.h>

/**
 * pkvm_get_hyp_vm() - Get a reference to a VM
 * @handle: the VM.
 *
 * Return: the VM, which exists until pkvm_put_hyp_vm() at least; NULL for an unknown
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
 * pkvm_put_hyp_vm() - Drop a reference to a VM
 * @hyp_vm: the VM, from pkvm_get_hyp_vm().
 */
void pkvm_put_hyp_vm(struct pkvm_hyp_vm *hyp_vm)
{
	hyp_spin_lock(&vm_table_lock);
	hyp_page_ref_dec(hyp_virt_to_page(hyp_vm));
	hyp_spin_unlock(&vm_table_lock);
}
