/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest as a component that owns memory, beside host and hypervisor. See
 * guest_mem.c for the transitions, and the comments there for their rules.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_MEM_H__
#define __ARM64_KVM_NVHE_GUEST_MEM_H__

#include <nvhe/pkvm.h>

int __pkvm_host_donate_guest(u64 pfn, u64 gfn, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);
int __pkvm_reclaim_dying_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules);

#endif /* __ARM64_KVM_NVHE_GUEST_MEM_H__ */
