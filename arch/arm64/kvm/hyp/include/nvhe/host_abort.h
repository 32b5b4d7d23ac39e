/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Traps of the host that the hypervisor does not resolve, see host_abort.c.
 */
#ifndef __ARM64_KVM_NVHE_HOST_ABORT_H__
#define __ARM64_KVM_NVHE_HOST_ABORT_H__

#include <linux/types.h>

void host_inject_abort(u64 esr);
void host_inject_undef(void);

#endif /* __ARM64_KVM_NVHE_HOST_ABORT_H__ */
