// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor calls (hyp.h). Rule: what the hypervisor returns is checked before it is used.
 */
#include <string.h>

#include <linux/arm-smccc.h>
#include <linux/pkvm.h>

#include "hyp.h"
#include "layout.h"
#include "smccc.h"

/* The bit of a function in the FEATURES bitmap is its number. */
#define FEATURE(name) (1u << ARM_SMCCC_KVM_FUNC_##name)

const u32 hyp_kvm_uid[4] = {
	ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0, ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_1,
	ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_2, ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_3,
};

void hyp_discover(struct hyp *h)
{
	struct smccc_res res;
	unsigned int i;

	memset(h, 0, sizeof(*h));
	smccc_hvc(ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID, 0, 0, 0, &res);
	for (i = 0; i < ARRAY_SIZE(hyp_kvm_uid); i++)
		if ((u32)res.r[i] != hyp_kvm_uid[i])
			return;
	h->kvm = true;
	smccc_hvc(ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID, 0, 0, 0, &res);
	if ((s32)res.r[0] != SMCCC_RET_NOT_SUPPORTED)
		h->features = (u32)res.r[0];
}

static bool has_features(const struct hyp *h, u32 needed)
{
	return (h->features & needed) == needed;
}

bool hyp_can_share(const struct hyp *h)
{
	return has_features(h, FEATURE(HYP_MEMINFO) | FEATURE(MEM_SHARE) | FEATURE(MEM_UNSHARE));
}

bool hyp_sees_all(const struct hyp *h)
{
	const u32 protected_only = FEATURE(HYP_MEMINFO) | FEATURE(MEM_SHARE) |
		FEATURE(MEM_UNSHARE) | FEATURE(MMIO_GUARD_INFO) | FEATURE(MMIO_GUARD_ENROLL) |
		FEATURE(MMIO_GUARD) | FEATURE(MMIO_GUARD_UNMAP);

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

	smccc_hvc(ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID, 0, 0, 0, &res);
	h->granule_queries++;
	if (!granule_makes_sense(res.r[0]))
		return FW_EHYP_GRANULE;
	h->granule = res.r[0];
	h->ranges = res.r[1] & PKVM_INFO_RANGES;
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
	bool ok = for_granules(h, ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID, ipa, granules, done,
			       &h->share_calls);

	h->granules_shared += *done;
	return ok ? FW_OK : FW_EHYP_SHARE;
}

enum fw_status hyp_unshare(struct hyp *h, u64 ipa, u64 granules, u64 *done)
{
	bool ok = for_granules(h, ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID, ipa, granules, done,
			       &h->unshare_calls);

	h->granules_unshared += *done;
	return ok ? FW_OK : FW_EHYP_UNSHARE;
}

bool hyp_can_guard(const struct hyp *h)
{
	return has_features(h, FEATURE(MMIO_GUARD_INFO) | FEATURE(MMIO_GUARD_ENROLL) |
			       FEATURE(MMIO_GUARD) | FEATURE(MMIO_GUARD_UNMAP));
}

enum fw_status hyp_query_guard(struct hyp *h)
{
	struct smccc_res res;

	smccc_hvc(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID, 0, 0, 0, &res);
	h->guard_queries++;
	if (!granule_makes_sense(res.r[0]))
		return FW_EHYP_GRANULE;
	h->guard_granule = res.r[0];
	return FW_OK;
}

enum fw_status hyp_guard(struct hyp *h, u64 ipa)
{
	struct smccc_res res;

	smccc_hvc(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID, ipa, 0, 0, &res);
	h->guard_calls++;
	return res.r[0] ? FW_EHYP_GUARD : FW_OK;
}

enum fw_status hyp_unguard(struct hyp *h, u64 ipa)
{
	struct smccc_res res;

	smccc_hvc(ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID, ipa, 0, 0, &res);
	h->unguard_calls++;
	return res.r[0] ? FW_EHYP_GUARD : FW_OK;
}
