/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * States that a test tells EL2 to assume, in debug builds. See debug_call.c.
 */
#ifndef __ARM64_KVM_NVHE_DEBUG_CALL_H__
#define __ARM64_KVM_NVHE_DEBUG_CALL_H__

#include <linux/errno.h>
#include <linux/types.h>

#ifdef CONFIG_NVHE_EL2_DEBUG

s64 __pkvm_debug(u64 op, u64 arg);
bool debug_host_uses_sme(void);

#else

static inline s64 __pkvm_debug(u64 op, u64 arg) { return -EOPNOTSUPP; }
static inline bool debug_host_uses_sme(void) { return false; }

#endif
#endif /* __ARM64_KVM_NVHE_DEBUG_CALL_H__ */
