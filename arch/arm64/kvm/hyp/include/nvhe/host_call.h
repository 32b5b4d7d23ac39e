/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of a host in protected mode, see host_call.c.
 */
#ifndef __ARM64_KVM_NVHE_HOST_CALL_H__
#define __ARM64_KVM_NVHE_HOST_CALL_H__

#include <linux/types.h>

struct kvm_cpu_context;

bool pkvm_handle_host_call(struct kvm_cpu_context *host_ctxt, unsigned long id);

#endif /* __ARM64_KVM_NVHE_HOST_CALL_H__ */
