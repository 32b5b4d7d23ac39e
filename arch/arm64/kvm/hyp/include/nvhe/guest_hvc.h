/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls of protected guests, see guest_hvc.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_HVC_H__
#define __ARM64_KVM_NVHE_GUEST_HVC_H__

#include <linux/types.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/pkvm.h>

extern s64 pvm_smccc_workarounds[PVM_NR_SMCCC_WORKAROUNDS];

/* The registers by which SMCCC returns. */
static inline void pvm_set_result(struct kvm_vcpu *vcpu, u64 r0, u64 r1, u64 r2, u64 r3)
{
	vcpu_set_reg(vcpu, 0, r0);
	vcpu_set_reg(vcpu, 1, r1);
	vcpu_set_reg(vcpu, 2, r2);
	vcpu_set_reg(vcpu, 3, r3);
}

/* The end of a call that is answered: true, the vCPU can go on. */
static inline bool pvm_smccc_return(struct kvm_vcpu *vcpu, u64 r0)
{
	pvm_set_result(vcpu, r0, 0, 0, 0);

	return true;
}

/* The end of a call that goes on to the host: false, with what the host is told. */
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

bool kvm_handle_pvm_hvc64(struct kvm_vcpu *vcpu, u64 *exit_code);
bool kvm_handle_pvm_smc64(struct kvm_vcpu *vcpu, u64 *exit_code);

#endif /* __ARM64_KVM_NVHE_GUEST_HVC_H__ */
