/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The end of a VM, see guest_teardown.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_TEARDOWN_H__
#define __ARM64_KVM_NVHE_GUEST_TEARDOWN_H__

#include <linux/kvm_host.h>

struct pkvm_hyp_vm;

int __pkvm_start_teardown_vm(pkvm_handle_t handle);
int __pkvm_reclaim_dying_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);
int __pkvm_finalize_teardown_vm(pkvm_handle_t handle);
bool pkvm_vm_is_gone(struct pkvm_hyp_vm *vm);

#endif /* __ARM64_KVM_NVHE_GUEST_TEARDOWN_H__ */
