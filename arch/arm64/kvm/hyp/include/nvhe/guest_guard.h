/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guards in the stage-2 of a protected guest, see guest_guard.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_GUARD_H__
#define __ARM64_KVM_NVHE_GUEST_GUARD_H__

#include <linux/types.h>

struct pkvm_hyp_vcpu;
struct pkvm_hyp_vm;

bool pvm_ipa_is_mmio(struct pkvm_hyp_vm *vm, u64 ipa);
bool pvm_ipa_is_never_code(struct pkvm_hyp_vm *vm, u64 ipa);

int pvm_guard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		    unsigned int *nr_tables);
int pvm_unguard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		      unsigned int *nr_tables);
int pvm_remove_guards(struct pkvm_hyp_vm *vm, u64 *ipa, u64 end, int budget);

#endif /* __ARM64_KVM_NVHE_GUEST_GUARD_H__ */
