/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a protected vCPU leaves for the host. The hypervisor decides by it what the host
 * sees of the exit, and what of the host's answer takes effect. For a hypercall it is the
 * immediate in the syndrome that the host sees.
 */
#ifndef __ARM64_KVM_PKVM_EXIT_H__
#define __ARM64_KVM_PKVM_EXIT_H__

/**
 * enum pvm_exit - The reason of an exit, and what the host may answer.
 * @PVM_EXIT_NONE:	 An interrupt, a WFx or an SGI: the answer has no effect.
 * @PVM_EXIT_FAULT:	 An IPA has no page. The host donates one, or injects an external
 *			 abort.
 * @PVM_EXIT_MMIO:	 An access to MMIO. The host emulates it, or does as for a fault.
 * @PVM_EXIT_PAGE:	 A hypercall needs pages at IPAs, at least at the first. The host
 *			 donates them, or makes the call fail.
 * @PVM_EXIT_HELD:	 A hypercall takes back a page that the host still uses. The host
 *			 stops using it.
 * @PVM_EXIT_TABLES:	 A hypercall needs pages for tables of the stage-2. The host
 *			 gives them.
 * @PVM_EXIT_PSCI:	 A PSCI call for the host, which returns the result.
 * @PVM_EXIT_CPU_ON:	 The guest has turned on a vCPU, which the host wakes: the answer
 *			 has no effect.
 * @PVM_EXIT_CPU_OFF:	 The vCPU has turned itself off, and the host parks it: the answer
 *			 has no effect.
 * @PVM_EXIT_RELINQUISH: The host has a page back: the answer has no effect.
 */
enum pvm_exit {
	PVM_EXIT_NONE,
	PVM_EXIT_FAULT,
	PVM_EXIT_MMIO,
	PVM_EXIT_PAGE,
	PVM_EXIT_HELD,
	PVM_EXIT_TABLES,
	PVM_EXIT_PSCI,
	PVM_EXIT_CPU_ON,
	PVM_EXIT_CPU_OFF,
	PVM_EXIT_RELINQUISH,
};

#endif /* __ARM64_KVM_PKVM_EXIT_H__ */
