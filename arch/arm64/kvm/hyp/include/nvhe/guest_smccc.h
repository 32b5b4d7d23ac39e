/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of SMCCC calls of a protected guest.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_SMCCC_H__
#define __ARM64_KVM_NVHE_GUEST_SMCCC_H__

#include <linux/types.h>

#include <asm/kvm_emulate.h>

/**
 * pvm_set_result() - Set the result registers of SMCCC
 * @vcpu: the vCPU that made the call.
 * @r0: the value of x0.
 * @r1: the value of x1.
 * @r2: the value of x2.
 * @r3: the value of x3.
 */
static inline void pvm_set_result(struct kvm_vcpu *vcpu, u64 r0, u64 r1, u64 r2, u64 r3)
{
	vcpu_set_reg(vcpu, 0, r0);
	vcpu_set_reg(vcpu, 1, r1);
	vcpu_set_reg(vcpu, 2, r2);
	vcpu_set_reg(vcpu, 3, r3);
}

/**
 * pvm_smccc_return() - Set the result of a call that EL2 answers
 * @vcpu: the vCPU that made the call.
 * @r0: the value of x0; x1 to x3 become 0.
 *
 * Return: true, by which the caller lets the vCPU go on.
 */
static inline bool pvm_smccc_return(struct kvm_vcpu *vcpu, u64 r0)
{
	pvm_set_result(vcpu, r0, 0, 0, 0);

	return true;
}

#endif /* __ARM64_KVM_NVHE_GUEST_SMCCC_H__ */
