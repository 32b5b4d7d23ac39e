/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of the host's stage-2: which entries hold a reference on their table, and when a table
 * is freed. See host_stage2.c.
 */
#ifndef __ARM64_KVM_NVHE_HOST_STAGE2_H__
#define __ARM64_KVM_NVHE_HOST_STAGE2_H__

#include <asm/kvm_pgtable.h>

/* Set by the host before it gives up EL2: then EL2 frees no tables by which blocks were split. */
#ifdef CONFIG_PKVM_STAGE2_DEBUG
extern bool host_stage2_keep_tables;
#else
#define host_stage2_keep_tables false
#endif

enum kvm_pgtable_stage2_flags host_stage2_flags(void);
bool host_stage2_pte_is_counted(kvm_pte_t pte, s8 level);
bool host_stage2_recycle(void);

#endif /* __ARM64_KVM_NVHE_HOST_STAGE2_H__ */
