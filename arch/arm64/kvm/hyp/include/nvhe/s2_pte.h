/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Single entries of a stage-2, see s2_pte.c.
 */
#ifndef __ARM64_KVM_NVHE_S2_PTE_H__
#define __ARM64_KVM_NVHE_S2_PTE_H__

#include <asm/kvm_pgtable.h>

/*
 * An entry of a stage-2, to be used only while the lock of the stage-2 is held. All zero
 * before an entry has been found.
 */
struct s2_pte {
	kvm_pte_t *ptep;
	kvm_pte_t pte;
	/* The address that it was found for. */
	u64 addr;
	s8 level;
};

int s2_find_pte(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry);
int s2_find_pte_above(struct kvm_pgtable *pgt, u64 addr, s8 level, struct s2_pte *entry);
int s2_near_pte(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry);
void s2_set_pte(struct kvm_pgtable *pgt, struct s2_pte *entry, kvm_pte_t pte);
void s2_set_run(struct kvm_pgtable *pgt, const struct s2_pte *first, unsigned int nr, int step,
		kvm_pte_t pte, kvm_pte_t inc);
void s2_set_sw_bits(struct kvm_pgtable *pgt, const struct s2_pte *first, unsigned int nr,
		    kvm_pte_t mask, kvm_pte_t bits);
void s2_clear_visited(const struct kvm_pgtable_visit_ctx *ctx);
void s2_set_visited(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t pte);
void *s2_unlink_empty(const struct kvm_pgtable_visit_ctx *ctx);
int s2_push_down(struct kvm_pgtable *pgt, u64 addr, struct s2_pte *entry, void *mc);
void *s2_pull_up(struct kvm_pgtable *pgt, struct s2_pte *entry, kvm_pte_t pte);

#endif /* __ARM64_KVM_NVHE_S2_PTE_H__ */
