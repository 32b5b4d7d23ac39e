/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host holds pages that a guest shares, see guest_hold.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_HOLD_H__
#define __ARM64_KVM_NVHE_GUEST_HOLD_H__

#include <linux/types.h>

int __pkvm_host_hold_page(u64 pfn);
int __pkvm_host_release_page(u64 pfn);

#endif /* __ARM64_KVM_NVHE_GUEST_HOLD_H__ */
