// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hypervisor (fake_hyp.h).
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/psci.h>

#include "fake_hyp.h"
#include "fake_trace.h"
#include "smccc.h"
#include "testing.h"

#define PAGES (FW_SCRATCH_SIZE / PAGE_SIZE)

struct fake_hyp fake_hyp;

void fake_hyp_reset(void)
{
	fake_hyp_release();
	fake_hyp.is_kvm = true;
	fake_hyp.features = 0x1fd;
	fake_hyp.granule = PAGE_SIZE;
	fake_hyp.guard_granule = PAGE_SIZE;
	fake_hyp.range_limit = UINT64_MAX;
	fake_hyp.arena = aligned_alloc(FW_SCRATCH_SIZE, FW_SCRATCH_SIZE);
	assert_non_null(fake_hyp.arena);
	memset(fake_hyp.arena, 0xa5, FW_SCRATCH_SIZE);
}

void fake_hyp_release(void)
{
	free(fake_hyp.arena);
	memset(&fake_hyp, 0, sizeof(fake_hyp));
}

/* Index of the page at @addr, which must be memory of the guest. */
static u64 page_of(u64 addr)
{
	if (!range_inside(addr, 1, (uintptr_t)fake_hyp.arena, FW_SCRATCH_SIZE))
		fail_msg("0x%llx is not memory of the guest", (unsigned long long)addr);
	return (addr - (uintptr_t)fake_hyp.arena) / PAGE_SIZE;
}

void fake_hyp_check_shared(u64 addr, u64 len)
{
	u64 at;

	for (at = align_down(addr, PAGE_SIZE); at < addr + len; at += PAGE_SIZE)
		if (!fake_hyp.shared[page_of(at)])
			fail_msg("0x%llx is not shared", (unsigned long long)at);
}

static void change_granule(u64 ipa, bool share)
{
	u64 page = page_of(ipa), i;

	for (i = page; i < page + fake_hyp.granule / PAGE_SIZE; i++) {
		if (i >= PAGES)
			fail_msg("the granule exceeds the memory of the guest");
		if (fake_hyp.shared[i] == share)
			fail_msg("page %llu: %s twice", (unsigned long long)i,
				 share ? "shared" : "unshared");
		fake_hyp.shared[i] = share;
	}
	fake_hyp.shared_now += share ? 1 : (u64)-1;
	if (fake_hyp.shared_now > fake_hyp.shared_peak)
		fake_hyp.shared_peak = fake_hyp.shared_now;
}

/* MEM_SHARE and MEM_UNSHARE, as Documentation/virt/kvm/arm/pkvm-hypercalls.rst says. */
static void change(u64 ipa, u64 count, u64 a3, bool share, struct smccc_res *res)
{
	u64 i;

	fake_hyp.calls++;
	if (share) {
		fake_hyp.share_calls++;
	} else {
		fake_hyp.unshare_calls++;
		fake_trace(EVENT_UNSHARE, ipa);
	}

	if (!is_aligned(ipa, fake_hyp.granule) || a3 || (!fake_hyp.ranges && count))
		fail_msg("bad arguments 0x%llx %llu %llu", (unsigned long long)ipa,
			 (unsigned long long)count, (unsigned long long)a3);
	if (fake_hyp.calls == fake_hyp.fail_call || fake_hyp.calls == fake_hyp.fail_also ||
	    (fake_hyp.fail_from && fake_hyp.calls >= fake_hyp.fail_from)) {
		res->r[0] = (u64)SMCCC_RET_INVALID_PARAMETER;
		return;
	}
	if (!count)
		count = 1;
	if (count > fake_hyp.range_limit)
		count = fake_hyp.range_limit;
	for (i = 0; i < count; i++)
		change_granule(ipa + i * fake_hyp.granule, share);
	res->r[0] = 0;
	res->r[1] = count;
}

/* MMIO_GUARD_MAP and _UNMAP: guarding twice succeeds, unguarding twice does not. */
static void change_guard(u64 ipa, bool guard, struct smccc_res *res)
{
	u64 first = ipa / PAGE_SIZE, i;

	if (!is_aligned(ipa, fake_hyp.guard_granule) || ipa >= FAKE_GUARD_END)
		fail_msg("guard of 0x%llx", (unsigned long long)ipa);
	if (!guard)
		fake_trace(EVENT_UNGUARD, ipa);
	if (++fake_hyp.guard_calls == fake_hyp.guard_fail_call) {
		res->r[0] = (u64)SMCCC_RET_INVALID_PARAMETER;
		return;
	}
	if (!guard && !fake_hyp.guarded[first])
		fail_msg("unguard of 0x%llx, which is not guarded", (unsigned long long)ipa);
	if (guard != fake_hyp.guarded[first])
		fake_hyp.guarded_now += guard ? 1 : (u64)-1;
	for (i = first; i < first + fake_hyp.guard_granule / PAGE_SIZE; i++)
		fake_hyp.guarded[i] = guard;
}

void smccc_hvc(u64 fn, u64 a1, u64 a2, u64 a3, struct smccc_res *res)
{
	memset(res, 0, sizeof(*res));
	switch (fn) {
	case PSCI_0_2_FN_SYSTEM_OFF:
		fake_trace(EVENT_OFF, 0);
		break;
	case PSCI_0_2_FN_SYSTEM_RESET:
		fake_trace(EVENT_RESET, 0);
		break;
	case ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID:
		res->r[0] = ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0;
		if (!fake_hyp.is_kvm)
			res->r[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
		res->r[1] = ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_1;
		res->r[2] = ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_2;
		res->r[3] = ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_3;
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID:
		res->r[0] = fake_hyp.features;
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID:
		fake_hyp.meminfo_calls++;
		if (a1 || a2 || a3)
			fail_msg("HYP_MEMINFO with arguments");
		res->r[0] = fake_hyp.granule;
		res->r[1] = fake_hyp.ranges;
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID:
		change(a1, a2, a3, true, res);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID:
		change(a1, a2, a3, false, res);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID:
		if (a1 || a2 || a3)
			fail_msg("MMIO_GUARD_INFO with arguments");
		res->r[0] = fake_hyp.guard_granule;
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID:
		change_guard(a1, true, res);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID:
		change_guard(a1, false, res);
		break;
	default:
		res->r[0] = (u64)SMCCC_RET_NOT_SUPPORTED;
	}
}
