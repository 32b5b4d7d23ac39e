/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * System registers of protected guests, see guest_sysreg.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_SYSREG_H__
#define __ARM64_KVM_NVHE_GUEST_SYSREG_H__

#include <linux/types.h>

struct kvm_vcpu;

bool pvm_handle_sysreg(struct kvm_vcpu *vcpu, u64 *exit_code);
bool pvm_handle_restricted(struct kvm_vcpu *vcpu, u64 *exit_code);

#endif /* __ARM64_KVM_NVHE_GUEST_SYSREG_H__ */
