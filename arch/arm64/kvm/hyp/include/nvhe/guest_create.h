/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creation of VMs and vCPUs, see guest_create.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_CREATE_H__
#define __ARM64_KVM_NVHE_GUEST_CREATE_H__

#include <linux/types.h>

struct kvm;
struct pkvm_hyp_vcpu;
struct pkvm_hyp_vm;

u64 pkvm_check_new_vm(struct kvm *host_kvm, unsigned long pgd_hva, unsigned int nr_vcpus);
int pkvm_init_new_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm, u64 vtcr);
int pkvm_init_new_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva);

#endif /* __ARM64_KVM_NVHE_GUEST_CREATE_H__ */
