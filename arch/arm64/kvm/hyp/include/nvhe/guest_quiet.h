/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What counts and traces for the host around a run of a guest, see guest_quiet.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_QUIET_H__
#define __ARM64_KVM_NVHE_GUEST_QUIET_H__

struct kvm_vcpu;

void pkvm_set_buffer_flags(struct kvm_vcpu *vcpu);

void pvm_quiet_begin(void);
void pvm_quiet_end(void);

#endif /* __ARM64_KVM_NVHE_GUEST_QUIET_H__ */
