/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which vCPU is loaded on which CPU, see vcpu_load.c.
 */
#ifndef __ARM64_KVM_NVHE_VCPU_LOAD_H__
#define __ARM64_KVM_NVHE_VCPU_LOAD_H__

#include <linux/kvm_host.h>

struct pkvm_hyp_vcpu;

struct pkvm_hyp_vcpu *pkvm_get_loaded_hyp_vcpu(void);
int pkvm_vcpu_load(pkvm_handle_t handle, unsigned int vcpu_idx);
void pkvm_vcpu_put(void);
void pkvm_forget_loaded(pkvm_handle_t handle);

#endif /* __ARM64_KVM_NVHE_VCPU_LOAD_H__ */
