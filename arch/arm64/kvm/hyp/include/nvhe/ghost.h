/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of who owns each page, in debug builds. A transition calls these functions for its
 * pages, with its result, under its locks. When it releases the locks, EL2's state is compared
 * with the model. In other builds these functions do nothing. See ghost.c.
 */
#ifndef __ARM64_KVM_NVHE_GHOST_H__
#define __ARM64_KVM_NVHE_GHOST_H__

#include <linux/types.h>

#include <asm/kvm_pgtable.h>

struct pkvm_hyp_vm;

#ifdef CONFIG_NVHE_EL2_DEBUG

void ghost_init(void);

void ghost_host_share_hyp(u64 phys, int ret);
void ghost_host_unshare_hyp(u64 phys, int ret);
void ghost_pin_hyp(u64 phys, u64 size, int nr);
void ghost_host_donate_hyp(u64 phys, u64 nr_pages, int ret);
void ghost_hyp_donate_host(u64 phys, u64 nr_pages, int ret);
void ghost_host_share_ffa(u64 phys, u64 nr_pages, int ret);
void ghost_host_unshare_ffa(u64 phys, u64 nr_pages, int ret);

void ghost_host_loses(u64 phys);
void ghost_host_donate_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, int ret);
void ghost_guest_share_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);
void ghost_guest_unshare_host(struct pkvm_hyp_vm *vm, const kvm_pte_t *entries,
			      unsigned int nr_pages, u64 ipa);
void ghost_host_hold(u64 phys, bool held, int ret);
void ghost_guest_relinquish_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);
void ghost_host_force_reclaim(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);
void ghost_reclaim_dying(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa);
void ghost_reclaim_poisoned(struct pkvm_hyp_vm *vm, u64 ipa);
void ghost_guard(struct pkvm_hyp_vm *vm, u64 ipa, u64 size, bool guarded);
void ghost_vm_end(struct pkvm_hyp_vm *vm);

void ghost_host_share_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size);
void ghost_host_unshare_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size);

#else

static inline void ghost_init(void) { }

static inline void ghost_host_share_hyp(u64 phys, int ret) { }
static inline void ghost_host_unshare_hyp(u64 phys, int ret) { }
static inline void ghost_pin_hyp(u64 phys, u64 size, int nr) { }
static inline void ghost_host_donate_hyp(u64 phys, u64 nr_pages, int ret) { }
static inline void ghost_hyp_donate_host(u64 phys, u64 nr_pages, int ret) { }
static inline void ghost_host_share_ffa(u64 phys, u64 nr_pages, int ret) { }
static inline void ghost_host_unshare_ffa(u64 phys, u64 nr_pages, int ret) { }

static inline void ghost_host_loses(u64 phys) { }

static inline void
ghost_host_donate_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, int ret) { }
static inline void ghost_guest_share_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa) { }
static inline void ghost_guest_unshare_host(struct pkvm_hyp_vm *vm, const kvm_pte_t *entries,
					    unsigned int nr_pages, u64 ipa) { }
static inline void ghost_host_hold(u64 phys, bool held, int ret) { }
static inline void ghost_guest_relinquish_host(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa) { }
static inline void ghost_host_force_reclaim(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa) { }
static inline void ghost_reclaim_dying(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa) { }
static inline void ghost_reclaim_poisoned(struct pkvm_hyp_vm *vm, u64 ipa) { }
static inline void ghost_guard(struct pkvm_hyp_vm *vm, u64 ipa, u64 size, bool guarded) { }
static inline void ghost_vm_end(struct pkvm_hyp_vm *vm) { }

static inline void
ghost_host_share_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size) { }
static inline void
ghost_host_unshare_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, u64 size) { }

#endif
#endif /* __ARM64_KVM_NVHE_GHOST_H__ */
