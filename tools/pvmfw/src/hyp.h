/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The hypervisor's vendor calls (Documentation/virt/kvm/arm/pkvm-hypercalls.rst): which
 * hypervisor it is, what it offers, sharing of memory, and the MMIO guard. Rule: every call
 * for memory or the guard is counted.
 */
#ifndef PVMFW_HYP_H
#define PVMFW_HYP_H

#include "status.h"
#include "types.h"

/**
 * struct hyp - What the firmware knows of the hypervisor, and the calls it has made.
 * @kvm: it is KVM; the VM may be protected or not
 * @features: bitmap of the vendor function numbers that it offers; 0 if it is
 *	not KVM
 * @granule: bytes that one share makes visible; 0 until hyp_query_granule()
 * @ranges: one call may share or unshare several granules
 * @share_calls: MEM_SHARE calls made
 * @unshare_calls: MEM_UNSHARE calls made
 * @granule_queries: HYP_MEMINFO calls made
 * @granules_shared: granules that MEM_SHARE has shared, in total
 * @granules_unshared: granules that MEM_UNSHARE has unshared, in total
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

/* The UID of KVM, as CALL_UID returns it in R0 to R3. The code at the entry reads it, too. */
extern const u32 hyp_kvm_uid[4];

/**
 * hyp_discover() - Query which hypervisor it is (CALL_UID) and what it offers (FEATURES).
 * @h: filled in; for a hypervisor other than KVM, all zeroes
 */
void hyp_discover(struct hyp *h);

/**
 * hyp_can_share() - Check whether the hypervisor can share memory: then the host can access
 *	only what is shared.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if all calls for sharing are offered.
 */
bool hyp_can_share(const struct hyp *h);

/**
 * hyp_sees_all() - Check whether the host can access all memory of the VM: the hypervisor
 *	is KVM and offers none of the calls of a protected VM.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if so; false for a hypervisor other than KVM.
 */
bool hyp_sees_all(const struct hyp *h);

/**
 * hyp_query_granule() - Query the granule of sharing (HYP_MEMINFO).
 * @h: as filled in by hyp_discover(); @h->granule and @h->ranges are set
 *
 * Return: FW_OK, or FW_EHYP_GRANULE if the call fails or the granule is not a power of two
 * from PAGE_SIZE to FW_SCRATCH_SIZE.
 */
enum fw_status hyp_query_granule(struct hyp *h);

/**
 * hyp_share() - Share granules with the host (MEM_SHARE), by as few calls as
 *	the hypervisor allows.
 * @h: the hypervisor, after hyp_query_granule()
 * @ipa: first address, a multiple of the granule
 * @granules: number of granules
 * @done: set to the number that were shared, from @ipa on; also on an error
 *
 * Return: FW_OK, or FW_EHYP_SHARE if a call failed.
 */
enum fw_status hyp_share(struct hyp *h, u64 ipa, u64 granules, u64 *done);

/**
 * hyp_unshare() - Unshare granules (MEM_UNSHARE).
 * @h: the hypervisor, after hyp_query_granule()
 * @ipa: first address, a multiple of the granule
 * @granules: number of granules
 * @done: set to the number that were unshared, from @ipa on; also on an error
 *
 * Return: FW_OK, or FW_EHYP_UNSHARE if a call failed.
 */
enum fw_status hyp_unshare(struct hyp *h, u64 ipa, u64 granules, u64 *done);

/**
 * hyp_can_guard() - Check whether the hypervisor has an MMIO guard.
 * @h: as filled in by hyp_discover()
 *
 * Return: true if all calls for the guard are offered.
 */
bool hyp_can_guard(const struct hyp *h);

/**
 * hyp_query_guard() - Query the granule of the guard (MMIO_GUARD_INFO).
 * @h: as filled in by hyp_discover(); @h->guard_granule is set
 *
 * Return: FW_OK, or FW_EHYP_GRANULE as for hyp_query_granule().
 */
enum fw_status hyp_query_guard(struct hyp *h);

/**
 * hyp_guard() - Guard a granule as MMIO (MMIO_GUARD_MAP).
 * @h: the hypervisor, after hyp_query_guard()
 * @ipa: address of the granule, a multiple of its size; it may be guarded already
 *
 * Return: FW_OK, or FW_EHYP_GUARD if the call failed.
 */
enum fw_status hyp_guard(struct hyp *h, u64 ipa);

/**
 * hyp_unguard() - Stop guarding a granule (MMIO_GUARD_UNMAP).
 * @h: the hypervisor, after hyp_query_guard()
 * @ipa: address of the granule, a multiple of its size
 *
 * Return: FW_OK, or FW_EHYP_GUARD if the call failed.
 */
enum fw_status hyp_unguard(struct hyp *h, u64 ipa);

#endif
