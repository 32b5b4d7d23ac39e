/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hypercalls of protected guests, see guest_hvc.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_HVC_H__
#define __ARM64_KVM_NVHE_GUEST_HVC_H__

#include <linux/types.h>

#include <asm/kvm_pkvm_guest.h>

struct kvm_vcpu;

extern s64 pvm_smccc_workarounds[PVM_NR_SMCCC_WORKAROUNDS];

bool kvm_handle_pvm_hvc64(struct kvm_vcpu *vcpu, u64 *exit_code);
bool kvm_handle_pvm_smc64(struct kvm_vcpu *vcpu, u64 *exit_code);

#endif /* __ARM64_KVM_NVHE_GUEST_HVC_H__ */
