/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's half of the dump of stage-2 tables. See stage2_dump.c.
 */
#ifndef __ARM64_KVM_NVHE_STAGE2_DUMP_H__
#define __ARM64_KVM_NVHE_STAGE2_DUMP_H__

#include <linux/types.h>
#include <nvhe/pkvm.h>

int __pkvm_stage2_dump(u64 pfn, pkvm_handle_t handle, u64 addr, u64 gen);

#endif /* __ARM64_KVM_NVHE_STAGE2_DUMP_H__ */
