/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Page tables in which an entry holds a reference on its table only if it cannot be rebuilt
 * on demand: kvm_pgtable_mm_ops::pte_is_counted decides that. A table without counted
 * entries can be freed. See pgtable_coalesce.c.
 */
#ifndef __ARM64_KVM_PGTABLE_COALESCE_H__
#define __ARM64_KVM_PGTABLE_COALESCE_H__

#include <asm/kvm_pgtable.h>

bool stage2_nothing_counts(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_pgtable *pgt);
void stage2_update_count(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t new);
int stage2_coalesce_table(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_s2_mmu *mmu);
unsigned int kvm_pgtable_stage2_coalesce(struct kvm_pgtable *pgt, u64 addr, u64 size,
					 unsigned int max);

/* In pgtable.c. */
bool stage2_try_break_pte(const struct kvm_pgtable_visit_ctx *ctx, struct kvm_s2_mmu *mmu);
void stage2_make_pte(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t new);

#endif /* __ARM64_KVM_PGTABLE_COALESCE_H__ */
