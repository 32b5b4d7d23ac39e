// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prints, in debug builds, why the hypervisor panicked: its state of a page or of a VM
 * differs from the model of nvhe/ghost.c.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_asm.h>
#include <asm/kvm_pkvm_ghost.h>

/**
 * pkvm_ghost_print() - Print what differs between the ghost and the hypervisor, if anything
 * @hyp_offset: what to add to an address of the hypervisor to get that of the kernel.
 *
 * For the panic handler: by then the host can read the hypervisor's memory.
 */
void pkvm_ghost_print(u64 hyp_offset)
{
	const struct pkvm_ghost_report *r = &pkvm_hyp_ghost_report;

	if (!r->call)
		return;

	kvm_err("ghost: page 0x%llx after %s (%lld): %s is 0x%llx, not 0x%llx\n",
		r->phys, (const char *)((u64)r->call + hyp_offset), r->ret,
		(const char *)((u64)r->what + hyp_offset), r->found, r->wanted);
	kvm_err("ghost: owner %llu, shared %llu, VM 0x%llx at IPA 0x%llx, count %llu, pins %llu\n",
		r->owner, r->shared, r->handle, r->ipa, r->count, r->pins);
}
