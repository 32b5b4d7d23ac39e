/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * PSCI of protected guests, see guest_psci.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_PSCI_H__
#define __ARM64_KVM_NVHE_GUEST_PSCI_H__

#include <linux/types.h>

struct pkvm_hyp_vcpu;

bool pvm_is_psci(u32 func_id);
bool pvm_handle_psci(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id);

#endif /* __ARM64_KVM_NVHE_GUEST_PSCI_H__ */
