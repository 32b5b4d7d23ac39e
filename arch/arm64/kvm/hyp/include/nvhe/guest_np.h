/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Non-protected vCPUs, see guest_np.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_NP_H__
#define __ARM64_KVM_NVHE_GUEST_NP_H__

struct kvm_vcpu;
struct pkvm_hyp_vcpu;

void np_load_fp(struct kvm_vcpu *vcpu);
int pkvm_np_load(struct pkvm_hyp_vcpu *hyp_vcpu);
int pkvm_np_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_adjust_pc(struct pkvm_hyp_vcpu *hyp_vcpu);

#endif /* __ARM64_KVM_NVHE_GUEST_NP_H__ */
