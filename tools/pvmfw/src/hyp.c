// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor calls (hyp.h). Rule: what the hypervisor returns is checked before it is used.
 */
#include <string.h>

#include "hyp.h"
#include "layout.h"
#include "smccc.h"
#include "vendor.h"

/* The bit of a function in the FEATURES bitmap is its number. */
#define FEATURE(fn) (1u << ((fn) & 0x1f))

#define MEMINFO_RANGES 0x1

static const u32 kvm_uid[4] = { KVM_UID_0, KVM_UID_1, KVM_UID_2, KVM_UID_3 };

void hyp_discover(struct hyp *h)
{
	struct smccc_res res;
	unsigned int i;

	memset(h, 0, sizeof(*h));
	smccc_hvc(VENDOR_HYP_CALL_UID, 0, 0, 0, &res);
	for (i = 0; i < ARRAY_SIZE(kvm_uid); i++)
		if ((u32)res.r[i] != kvm_uid[i])
			return;
	h->kvm = true;
	smccc_hvc(VENDOR_HYP_FEATURES, 0, 0, 0, &res);
	if ((u32)res.r[0] != SMCCC_NOT_SUPPORTED)
		h->features = (u32)res.r[0];
}

static bool has_features(const struct hyp *h, u32 needed)
{
	return (h->features & needed) == needed;
}

bool hyp_can_share(const struct hyp *h)
{
	return has_features(h, FEATURE(VENDOR_HYP_MEMINFO) | FEATURE(VENDOR_HYP_MEM_SHARE) |
			       FEATURE(VENDOR_HYP_MEM_UNSHARE));
}

bool hyp_sees_all(const struct hyp *h)
{
	const u32 protected_only = FEATURE(VENDOR_HYP_MEMINFO) | FEATURE(VENDOR_HYP_MEM_SHARE) |
		FEATURE(VENDOR_HYP_MEM_UNSHARE) | FEATURE(VENDOR_HYP_GUARD_INFO) |
		FEATURE(VENDOR_HYP_GUARD_ENROLL) | FEATURE(VENDOR_HYP_GUARD_MAP) |
		FEATURE(VENDOR_HYP_GUARD_UNMAP);

	return h->kvm && !(h->features & protected_only);
}

/* This refuses error codes too: they are negative, so larger than the scratch memory. */
static bool granule_makes_sense(u64 granule)
{
	return is_power_of_2(granule) && granule >= PAGE_SIZE && granule <= FW_SCRATCH_SIZE;
}

enum fw_status hyp_query_granule(struct hyp *h)
{
	struct smccc_res res;

	smccc_hvc(VENDOR_HYP_MEMINFO, 0, 0, 0, &res);
	h->granule_queries++;
	if (!granule_makes_sense(res.r[0]))
		return FW_EHYP_GRANULE;
	h->granule = res.r[0];
	h->ranges = res.r[1] & MEMINFO_RANGES;
	return FW_OK;
}

/*
 * Call @fn until it has processed @granules from @ipa on; false if a call fails. A
 * hypervisor without ranges takes one granule a call and requires R2 = 0.
 */
static bool for_granules(struct hyp *h, u64 fn, u64 ipa, u64 granules, u64 *done, u64 *calls)
{
	for (*done = 0; *done < granules;) {
		u64 left = granules - *done;
		struct smccc_res res;

		smccc_hvc(fn, ipa + *done * h->granule, h->ranges ? left : 0, 0, &res);
		(*calls)++;
		if (res.r[0])
			return false;
		if (!h->ranges) {
			(*done)++;
			continue;
		}
		if (!res.r[1] || res.r[1] > left)
			return false;
		*done += res.r[1];
	}
	return true;
}

enum fw_status hyp_share(struct hyp *h, u64 ipa, u64 granules, u64 *done)
{
	bool ok = for_granules(h, VENDOR_HYP_MEM_SHARE, ipa, granules, done, &h->share_calls);

	h->granules_shared += *done;
	return ok ? FW_OK : FW_EHYP_SHARE;
}

enum fw_status hyp_unshare(struct hyp *h, u64 ipa, u64 granules, u64 *done)
{
	bool ok = for_granules(h, VENDOR_HYP_MEM_UNSHARE, ipa, granules, done, &h->unshare_calls);

	h->granules_unshared += *done;
	return ok ? FW_OK : FW_EHYP_UNSHARE;
}

bool hyp_can_guard(const struct hyp *h)
{
	return has_features(h, FEATURE(VENDOR_HYP_GUARD_INFO) | FEATURE(VENDOR_HYP_GUARD_ENROLL) |
			       FEATURE(VENDOR_HYP_GUARD_MAP) | FEATURE(VENDOR_HYP_GUARD_UNMAP));
}

enum fw_status hyp_query_guard(struct hyp *h)
{
	struct smccc_res res;

	smccc_hvc(VENDOR_HYP_GUARD_INFO, 0, 0, 0, &res);
	h->guard_queries++;
	if (!granule_makes_sense(res.r[0]))
		return FW_EHYP_GRANULE;
	h->guard_granule = res.r[0];
	return FW_OK;
}

enum fw_status hyp_guard(struct hyp *h, u64 ipa)
{
	struct smccc_res res;

	smccc_hvc(VENDOR_HYP_GUARD_MAP, ipa, 0, 0, &res);
	h->guard_calls++;
	return res.r[0] ? FW_EHYP_GUARD : FW_OK;
}

enum fw_status hyp_unguard(struct hyp *h, u64 ipa)
{
	struct smccc_res res;

	smccc_hvc(VENDOR_HYP_GUARD_UNMAP, ipa, 0, 0, &res);
	h->unguard_calls++;
	return res.r[0] ? FW_EHYP_GUARD : FW_OK;
}
