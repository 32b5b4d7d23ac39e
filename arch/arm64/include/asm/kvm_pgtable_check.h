/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks of what the hypervisor does to stage-2 tables, in debug builds. The primitives that
 * change tables call these functions, which panic if a change breaks a rule of the architecture,
 * or R3. In other builds, and in the host, they do nothing. See nvhe/pgtable_check.c.
 */
#ifndef __ARM64_KVM_PGTABLE_CHECK_H__
#define __ARM64_KVM_PGTABLE_CHECK_H__

#include <linux/string.h>
#include <linux/types.h>

struct kvm_pgtable_visit_ctx;
struct kvm_s2_mmu;

/*
 * The Makefile of the hypervisor defines this, in debug builds. The option itself is not
 * named here, or each file of the host that includes this would be compiled again for it.
 */
#ifdef __KVM_PGTABLE_CHECK__

/**
 * pgtable_check_write() - An entry of a stage-2 is about to be replaced
 * @ctx: the visit, whose entry still holds the old value.
 * @new: the new value.
 */
void pgtable_check_write(const struct kvm_pgtable_visit_ctx *ctx, u64 new);

/**
 * pgtable_check_tlbi_addr() - One address has been invalidated in the TLBs of all CPUs
 * @mmu: for whom.
 * @ipa: the address, in bytes.
 * @level: the level of the leaf that is meant, or TLBI_TTL_UNKNOWN.
 */
void pgtable_check_tlbi_addr(struct kvm_s2_mmu *mmu, u64 ipa, int level);

/**
 * pgtable_check_tlbi_range() - A range has been invalidated in the TLBs of all CPUs
 * @mmu: for whom.
 * @ipa: from where on, in bytes.
 * @size: how far, in bytes.
 */
void pgtable_check_tlbi_range(struct kvm_s2_mmu *mmu, u64 ipa, u64 size);

/**
 * pgtable_check_tlbi_all() - Everything has been invalidated in the TLBs of all CPUs
 * @mmu: for whom.
 */
void pgtable_check_tlbi_all(struct kvm_s2_mmu *mmu);

/**
 * pgtable_check_clean() - Memory has been cleaned to the point of coherency
 * @va: where the hypervisor has it mapped, in one piece.
 * @size: bytes.
 */
void pgtable_check_clean(unsigned long va, unsigned long size);

/**
 * pgtable_check_put() - A reference on a table page is about to be dropped
 * @addr: an address in the page.
 * @count: references before that.
 */
void pgtable_check_put(void *addr, int count);

/**
 * pgtable_check_free() - Pages go back to a pool
 * @addr: the first one.
 * @size: bytes.
 *
 * They are all zeroes; in debug builds they are poisoned instead.
 */
void pgtable_check_free(void *addr, size_t size);

/**
 * pgtable_check_alloc() - Pages leave a pool, which has to hold what was left in them
 * @addr: the first one.
 * @size: bytes.
 *
 * They are all zeroes then.
 */
void pgtable_check_alloc(void *addr, size_t size);

/**
 * pgtable_check_done() - The hypervisor is about to go back to the host
 */
void pgtable_check_done(void);

#else

static inline void pgtable_check_write(const struct kvm_pgtable_visit_ctx *ctx, u64 new) { }
static inline void pgtable_check_tlbi_addr(struct kvm_s2_mmu *mmu, u64 ipa, int level) { }
static inline void pgtable_check_tlbi_range(struct kvm_s2_mmu *mmu, u64 ipa, u64 size) { }
static inline void pgtable_check_tlbi_all(struct kvm_s2_mmu *mmu) { }
static inline void pgtable_check_clean(unsigned long va, unsigned long size) { }
static inline void pgtable_check_put(void *addr, int count) { }
static inline void pgtable_check_free(void *addr, size_t size) { memset(addr, 0, size); }
static inline void pgtable_check_alloc(void *addr, size_t size) { }
static inline void pgtable_check_done(void) { }

#endif
#endif /* __ARM64_KVM_PGTABLE_CHECK_H__ */
