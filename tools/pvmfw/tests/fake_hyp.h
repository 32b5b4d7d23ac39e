/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hypervisor for the unit tests. It keeps the model of what is shared and what
 * is guarded, and fails the test at any call that the real one would refuse: a
 * double share, an unshare of what is not shared, an unguard of what is not
 * guarded, a bad address or argument, a range that leaves the memory of the
 * guest.
 */
#ifndef PVMFW_FAKE_HYP_H
#define PVMFW_FAKE_HYP_H

#include "types.h"

/* Where devices may be. */
#define FAKE_GUARD_END 0x80000000ull

/**
 * struct fake_hyp - Its state and what the test sets.
 * @is_kvm: CALL_UID answers with KVM's UID
 * @features: answer to FEATURES
 * @granule: answer to HYP_MEMINFO
 * @ranges: range calls are offered
 * @range_limit: granules that a range call does at most
 * @fail_call: share or unshare call that is refused, counted from 1; 0: none
 * @fail_also: a second call that is refused
 * @fail_from: all such calls from here on are refused; 0: none
 * @arena: the guest's memory, FW_SCRATCH_SIZE bytes aligned to their size
 * @calls: share and unshare calls made
 * @share_calls: share calls made
 * @unshare_calls: unshare calls made
 * @meminfo_calls: HYP_MEMINFO calls made
 * @shared_now: granules that are shared
 * @shared_peak: the most that ever were
 * @shared: by 4 KiB page: the host sees it
 * @guard_granule: answer to MMIO_GUARD_INFO
 * @guard_fail_call: guard or unguard call that is refused, counted from 1; 0:
 *	none
 * @guard_calls: guard and unguard calls made
 * @guarded_now: granules that are guarded
 * @guarded: by 4 KiB page of the lowest FAKE_GUARD_END bytes: it is MMIO
 */
struct fake_hyp {
	bool is_kvm;
	u64 features;
	u64 granule;
	bool ranges;
	u64 range_limit;
	u64 fail_call;
	u64 fail_also;
	u64 fail_from;
	u8 *arena;
	u64 calls;
	u64 share_calls;
	u64 unshare_calls;
	u64 meminfo_calls;
	u64 shared_now;
	u64 shared_peak;
	bool shared[512];
	u64 guard_granule;
	u64 guard_fail_call;
	u64 guard_calls;
	u64 guarded_now;
	bool guarded[FAKE_GUARD_END / 0x1000];
};

/** The one hypervisor; smccc_hvc() talks to it. */
extern struct fake_hyp fake_hyp;

/**
 * fake_hyp_reset() - A pKVM with 4 KiB granules, no range calls, nothing shared
 *	or guarded.
 */
void fake_hyp_reset(void);

/**
 * fake_hyp_release() - Free the guest's memory.
 */
void fake_hyp_release(void);

/**
 * fake_hyp_check_shared() - Fail the test unless the host may see a range.
 * @addr: first byte
 * @len: bytes
 */
void fake_hyp_check_shared(u64 addr, u64 len);

#endif
