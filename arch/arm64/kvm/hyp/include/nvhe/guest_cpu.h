/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ID registers, traps and enables of VMs, see guest_cpu.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_CPU_H__
#define __ARM64_KVM_NVHE_GUEST_CPU_H__

#include <linux/types.h>

struct kvm;
struct kvm_vcpu;
struct pkvm_hyp_vcpu;
struct pkvm_hyp_vm;

u64 pkvm_cpu_id_reg(u32 sysreg);
u64 pkvm_cpu_ctr(void);

void pkvm_cpu_init_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm);
int pkvm_cpu_check_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_cpu_init_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_cpu_save_keys(struct kvm_vcpu *vcpu);

#endif /* __ARM64_KVM_NVHE_GUEST_CPU_H__ */
