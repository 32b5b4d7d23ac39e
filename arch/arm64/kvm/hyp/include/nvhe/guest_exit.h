/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits of a protected vCPU to the host, see guest_exit.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_EXIT_H__
#define __ARM64_KVM_NVHE_GUEST_EXIT_H__

#include <linux/types.h>

#include <asm/kvm_pkvm_exit.h>

#include <nvhe/pkvm.h>

/**
 * pvm_exit_is_retry() - Check whether the guest repeats its call after an exit
 * @exit: the reason of the exit.
 *
 * Return: true if so: the host only removes what kept EL2 from answering the call.
 */
static inline bool pvm_exit_is_retry(enum pvm_exit exit)
{
	return exit == PVM_EXIT_PAGE || exit == PVM_EXIT_HELD || exit == PVM_EXIT_TABLES;
}

/**
 * pvm_request_exit() - Record an exit for a hypercall
 * @hyp_vcpu: the vCPU that made the call.
 * @exit: the reason of the exit.
 * @func_id: what the host sees in x0.
 * @arg1: what it sees in x1.
 * @arg2: what it sees in x2.
 * @arg3: what it sees in x3.
 *
 * Return: false, by which the caller makes the vCPU exit to the host.
 */
static inline bool pvm_request_exit(struct pkvm_hyp_vcpu *hyp_vcpu, enum pvm_exit exit,
				    u64 func_id, u64 arg1, u64 arg2, u64 arg3)
{
	hyp_vcpu->state.exit = exit;
	hyp_vcpu->state.exit_args[0] = func_id;
	hyp_vcpu->state.exit_args[1] = arg1;
	hyp_vcpu->state.exit_args[2] = arg2;
	hyp_vcpu->state.exit_args[3] = arg3;

	return false;
}

void pvm_exit_from_host(struct pkvm_hyp_vcpu *hyp_vcpu);
int pvm_exit_to_host(struct pkvm_hyp_vcpu *hyp_vcpu, u64 exit_code);

#endif /* __ARM64_KVM_NVHE_GUEST_EXIT_H__ */
