/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of a protected vCPU, see guest_vcpu.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_VCPU_H__
#define __ARM64_KVM_NVHE_GUEST_VCPU_H__

struct kvm_vcpu;
struct pkvm_hyp_vcpu;

void pvm_vcpu_init(struct pkvm_hyp_vcpu *hyp_vcpu);
int pvm_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu);
void pvm_show_stats(struct pkvm_hyp_vcpu *hyp_vcpu);

void pkvm_timer_load(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_timer_put(void);

/* In hyp-main.c. */
void fpsimd_sve_flush(void);
void fpsimd_sve_sync(struct kvm_vcpu *vcpu);

#endif /* __ARM64_KVM_NVHE_GUEST_VCPU_H__ */
