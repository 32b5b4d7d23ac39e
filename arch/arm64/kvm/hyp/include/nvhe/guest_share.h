/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected guest shares pages with the host, see guest_share.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_SHARE_H__
#define __ARM64_KVM_NVHE_GUEST_SHARE_H__

#include <linux/types.h>

struct pkvm_hyp_vcpu;

int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			    u64 *nr_shared);
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			      u64 *nr_unshared);

#endif /* __ARM64_KVM_NVHE_GUEST_SHARE_H__ */
