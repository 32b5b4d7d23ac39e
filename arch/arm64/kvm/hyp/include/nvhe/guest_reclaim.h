/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host takes a page of a live guest by force, see guest_reclaim.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_RECLAIM_H__
#define __ARM64_KVM_NVHE_GUEST_RECLAIM_H__

#include <linux/types.h>

int __pkvm_host_force_reclaim(u64 pfn);

#endif /* __ARM64_KVM_NVHE_GUEST_RECLAIM_H__ */
