/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's vendor calls (design, section 5): who it is, what it offers,
 * sharing of memory, and the MMIO guard. Every call that is made is counted here.
 */
#ifndef PVMFW_HYP_H
#define PVMFW_HYP_H

#include "status.h"
#include "types.h"

/**
 * struct hyp - What is known of the hypervisor.
 * @kvm: it is KVM, protected or not
 * @features: bitmap of the vendor function numbers that it offers; 0 if it is
 *	not KVM
 * @granule: bytes that one share makes visible; 0 until hyp_query_granule()
 * @ranges: one call may share or unshare several granules
 * @share_calls: MEM_SHARE calls made
 * @unshare_calls: MEM_UNSHARE calls made
 * @granule_queries: HYP_MEMINFO calls made
 * @granules_shared: granules that MEM_SHARE was good for, all told
 * @granules_unshared: granules that MEM_UNSHARE was good for, all told
 * @guard_granule: bytes that one guard covers; 0 until hyp_query_guard()
 * @guard_queries: MMIO_GUARD_INFO calls made
 * @guard_calls: MMIO_GUARD_MAP calls made
 * @unguard_calls: MMIO_GUARD_UNMAP calls made
 */
struct hyp {
	bool kvm;
	u32 features;
	u64 granule;
	bool ranges;
	u64 share_calls;
	u64 unshare_calls;
	u64 granule_queries;
	u64 granules_shared;
	u64 granules_unshared;
	u64 guard_granule;
	u64 guard_queries;
	u64 guard_calls;
	u64 unguard_calls;
};

/**
 * hyp_discover() - Ask who the hypervisor is (CALL_UID) and what it offers
 *	(FEATURES).
 * @h: filled in; a hypervisor other than KVM offers nothing
 */
void hyp_discover(struct hyp *h);

/**
 * hyp_can_share() - Tell whether memory can, and so must, be shared before the
 *	host sees it.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if all calls for it are offered.
 */
bool hyp_can_share(const struct hyp *h);

/**
 * hyp_sees_all() - Tell whether the host sees the VM's memory anyway: it is KVM, and
 *	it offers nothing of what a protected VM has.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if so; false also for a hypervisor that is not known.
 */
bool hyp_sees_all(const struct hyp *h);

/**
 * hyp_query_granule() - Ask for the granule (HYP_MEMINFO).
 * @h: as filled in by hyp_discover(); @h->granule and @h->ranges are set
 *
 * Return: FW_OK, or FW_EHYP_GRANULE if the call fails or its answer makes no
 * sense.
 */
enum fw_status hyp_query_granule(struct hyp *h);

/**
 * hyp_share() - Share granules with the host (MEM_SHARE), by as few calls as
 *	the hypervisor allows.
 * @h: hypervisor with a known granule
 * @ipa: first address, a multiple of the granule
 * @granules: how many
 * @done: how many were shared, from @ipa on; also set on an error
 *
 * Return: FW_OK, or FW_EHYP_SHARE.
 */
enum fw_status hyp_share(struct hyp *h, u64 ipa, u64 granules, u64 *done);

/**
 * hyp_unshare() - Take granules back from the host (MEM_UNSHARE).
 * @h: hypervisor with a known granule
 * @ipa: first address, a multiple of the granule
 * @granules: how many
 * @done: how many were unshared, from @ipa on; also set on an error
 *
 * Return: FW_OK, or FW_EHYP_UNSHARE.
 */
enum fw_status hyp_unshare(struct hyp *h, u64 ipa, u64 granules, u64 *done);

/**
 * hyp_can_guard() - Tell whether the hypervisor has an MMIO guard.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if all calls for it are offered.
 */
bool hyp_can_guard(const struct hyp *h);

/**
 * hyp_query_guard() - Ask for the granule of the guard (MMIO_GUARD_INFO).
 * @h: as filled in by hyp_discover(); @h->guard_granule is set
 *
 * Return: FW_OK, or FW_EHYP_GRANULE if the call fails or its answer makes no
 * sense.
 */
enum fw_status hyp_query_guard(struct hyp *h);

/**
 * hyp_guard() - Tell that a granule is MMIO (MMIO_GUARD_MAP).
 * @h: hypervisor with a known granule of the guard
 * @ipa: its address, a multiple of the granule; it may be guarded already
 *
 * Return: FW_OK, or FW_EHYP_GUARD.
 */
enum fw_status hyp_guard(struct hyp *h, u64 ipa);

/**
 * hyp_unguard() - Tell that a granule is MMIO no more (MMIO_GUARD_UNMAP).
 * @h: hypervisor with a known granule of the guard
 * @ipa: its address, a multiple of the granule
 *
 * Return: FW_OK, or FW_EHYP_GUARD.
 */
enum fw_status hyp_unguard(struct hyp *h, u64 ipa);

#endif
