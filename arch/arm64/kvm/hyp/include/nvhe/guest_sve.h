/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory for the SVE state of a vCPU, see guest_sve.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_SVE_H__
#define __ARM64_KVM_NVHE_GUEST_SVE_H__

struct kvm_hyp_memcache;
struct pkvm_hyp_vcpu;

int pkvm_vcpu_pin_sve(struct pkvm_hyp_vcpu *hyp_vcpu);
int pkvm_vcpu_init_sve(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva);
void pkvm_vcpu_release_sve(struct pkvm_hyp_vcpu *hyp_vcpu, struct kvm_hyp_memcache *mc);

#endif /* __ARM64_KVM_NVHE_GUEST_SVE_H__ */
