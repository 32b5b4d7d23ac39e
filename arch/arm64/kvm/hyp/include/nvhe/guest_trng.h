/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entropy for protected guests, see guest_trng.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_TRNG_H__
#define __ARM64_KVM_NVHE_GUEST_TRNG_H__

#include <linux/types.h>

struct kvm_vcpu;

bool pvm_handle_trng(struct kvm_vcpu *vcpu, u32 func_id);

#endif /* __ARM64_KVM_NVHE_GUEST_TRNG_H__ */
