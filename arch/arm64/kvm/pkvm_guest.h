/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected guests, host side: what the pkvm_guest*.c files share.
 */
#ifndef __ARM64_KVM_PKVM_GUEST_PRIV_H__
#define __ARM64_KVM_PKVM_GUEST_PRIV_H__

#include <linux/atomic.h>
#include <linux/kvm_types.h>
#include <linux/types.h>

#include <asm/hyp_image.h>

/* Totals since boot, in pages unless they say otherwise. */
struct pkvm_guest_totals {
	atomic64_t vms_created;
	atomic64_t vms_destroyed;
	atomic64_t pages_donated;
	atomic64_t pages_relinquished;
	atomic64_t pages_forced;
	atomic64_t pages_reclaimed_private;
	atomic64_t pages_reclaimed_shared;
	atomic64_t np_pages_shared;
	atomic64_t np_pages_unshared;
	atomic64_t window_pages_shared;
	atomic64_t window_pages_unshared;
	atomic64_t metadata_pages_donated;
	atomic64_t metadata_pages_returned;
};

extern struct pkvm_guest_totals pkvm_guest_totals;

struct kvm;
struct kvm_memory_slot;
struct kvm_vcpu;
struct page;

void pkvm_guest_count_vm(struct kvm *kvm, u64 nr_private, u64 nr_shared);

int pkvm_guest_donate(struct kvm_vcpu *vcpu, gfn_t gfn, struct kvm_memory_slot *memslot);
void pkvm_guest_uncharge(struct kvm *kvm, unsigned long nr);

int pkvm_guest_claim_pages(struct page **pages, unsigned int nr);
void pkvm_guest_unclaim_page(unsigned long pfn);
int pkvm_guest_release_page(struct page *page);

/* Where the firmware is, for the hypervisor, which is told once. */
#define pkvm_hyp_fw_base	kvm_nvhe_sym(pvm_fw_base)
#define pkvm_hyp_fw_size	kvm_nvhe_sym(pvm_fw_size)

extern phys_addr_t pkvm_hyp_fw_base;
extern phys_addr_t pkvm_hyp_fw_size;

u64 pkvm_guest_fw_size(void);
int pkvm_guest_set_fw_ipa(struct kvm *kvm, u64 ipa);

#endif /* __ARM64_KVM_PKVM_GUEST_PRIV_H__ */
