/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Why a protected vCPU exits to the host. By the reason EL2 decides what the host sees of the
 * exit, and which of the host's answers take effect. For an exit for a hypercall, the host finds
 * the reason as the immediate in the syndrome.
 */
#ifndef __ARM64_KVM_PKVM_EXIT_H__
#define __ARM64_KVM_PKVM_EXIT_H__

/**
 * enum pvm_exit - The reason of an exit, and what the host may answer.
 * @PVM_EXIT_NONE:	 An interrupt, a WFx or an SGI. The answer has no effect.
 * @PVM_EXIT_FAULT:	 The guest has no page at an IPA. The host donates one, or injects an
 *			 external abort.
 * @PVM_EXIT_MMIO:	 The guest accesses MMIO. The host emulates the access, or answers as
 *			 for a fault.
 * @PVM_EXIT_PAGE:	 A hypercall needs pages at some IPAs, at least at the first of them.
 *			 The host donates them, or makes the hypercall fail.
 * @PVM_EXIT_HELD:	 A hypercall takes back a page that the host still uses. The host
 *			 stops using it.
 * @PVM_EXIT_TABLES:	 A hypercall needs pages for tables of the stage-2. The host donates
 *			 them.
 * @PVM_EXIT_PSCI:	 A PSCI call that the host handles. The host returns the result.
 * @PVM_EXIT_CPU_ON:	 The guest has turned on a vCPU, and the host has to wake it. The
 *			 answer has no effect.
 * @PVM_EXIT_CPU_OFF:	 The vCPU has turned itself off, and the host has to park it. The
 *			 answer has no effect.
 * @PVM_EXIT_RELINQUISH: The guest has returned a page to the host. The answer has no effect.
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
