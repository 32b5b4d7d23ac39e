/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A hypervisor for the unit tests, which implements smccc_hvc(). It records what is shared
 * and what is guarded.
 *
 * Rule: it fails the test at every call that pKVM would refuse: sharing twice, unsharing
 * what is not shared, unguarding what is not guarded, a bad address or argument, a range
 * beyond the memory of the guest.
 */
#ifndef PVMFW_FAKE_HYP_H
#define PVMFW_FAKE_HYP_H

#include "types.h"

/* End of the addresses that can be guarded. */
#define FAKE_GUARD_END 0x80000000ull

/**
 * struct fake_hyp - Settings of the test, and records.
 * @is_kvm: CALL_UID returns KVM's UID
 * @features: what FEATURES returns
 * @granule: what HYP_MEMINFO returns
 * @ranges: range calls are offered
 * @range_limit: granules that a range call shares or unshares at most
 * @fail_call: number of the share or unshare call that is refused, counted from 1; 0: none
 * @fail_also: number of a second call that is refused; 0: none
 * @fail_from: number of the first of the calls that are all refused; 0: none
 * @arena: the guest's memory, FW_SCRATCH_SIZE bytes aligned to their size
 * @calls: share and unshare calls made
 * @share_calls: share calls made
 * @unshare_calls: unshare calls made
 * @meminfo_calls: HYP_MEMINFO calls made
 * @shared_now: granules that are shared
 * @shared_peak: the largest value that @shared_now has had
 * @shared: for each 4 KiB page of @arena: it is shared
 * @guard_granule: what MMIO_GUARD_INFO returns
 * @guard_fail_call: number of the guard or unguard call that is refused, counted from 1;
 *	0: none
 * @guard_calls: guard and unguard calls made
 * @guarded_now: granules that are guarded
 * @guarded: for each 4 KiB page below FAKE_GUARD_END: it is guarded
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

/** The only hypervisor. */
extern struct fake_hyp fake_hyp;

/**
 * fake_hyp_reset() - Become pKVM with 4 KiB granules and no range calls, with nothing shared
 *	or guarded.
 */
void fake_hyp_reset(void);

/**
 * fake_hyp_release() - Free the guest's memory.
 */
void fake_hyp_release(void);

/**
 * fake_hyp_check_shared() - Fail the test unless all of a range is shared.
 * @addr: first byte
 * @len: bytes
 */
void fake_hyp_check_shared(u64 addr, u64 len);

#endif
