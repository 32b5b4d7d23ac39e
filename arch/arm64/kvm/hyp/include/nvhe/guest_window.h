/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host shares pages with a protected guest where the guest has guards, see guest_window.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_WINDOW_H__
#define __ARM64_KVM_NVHE_GUEST_WINDOW_H__

#include <asm/kvm_pgtable.h>

#include <nvhe/pkvm.h>
#include <nvhe/s2_pte.h>

int pvm_window_check(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level,
		     struct s2_pte *entry);
void pvm_window_prepare(struct pkvm_hyp_vm *vm, u64 ipa, struct s2_pte *entry);
void pvm_window_count(struct pkvm_hyp_vm *vm, s64 nr_granules);
void pvm_window_take(struct pkvm_hyp_vm *vm, struct s2_pte *entry);

#endif /* __ARM64_KVM_NVHE_GUEST_WINDOW_H__ */
