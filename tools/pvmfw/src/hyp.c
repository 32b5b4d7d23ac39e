// SPDX-License-Identifier: GPL-2.0-only
/*
 * The vendor calls of hyp.h.
 */
#include <string.h>

#include "hyp.h"
#include "layout.h"
#include "smccc.h"

#define VENDOR_HYP_CALL_UID	0x8600ff01
#define VENDOR_HYP_FEATURES	0x86000000
#define VENDOR_HYP_MEMINFO	0xc6000002
#define VENDOR_HYP_MEM_SHARE	0xc6000003
#define VENDOR_HYP_MEM_UNSHARE	0xc6000004

/* The bit of a function in the FEATURES bitmap is its number. */
#define FEATURE(fn) (1u << ((fn) & 0x1f))

#define MEMINFO_RANGES 0x1

/*
 * 28b46fb6-2ec5-11e9-a9ca-4b564d003a74, as CALL_UID returns it in four little-
 * endian words.
 */
static const u32 kvm_uid[4] = { 0xb66fb428, 0xe911c52e, 0x564bcaa9, 0x743a004d };

void hyp_discover(struct hyp *h)
{
	struct smccc_res res;
	unsigned int i;

	memset(h, 0, sizeof(*h));
	smccc_hvc(VENDOR_HYP_CALL_UID, 0, 0, 0, &res);
	for (i = 0; i < ARRAY_SIZE(kvm_uid); i++)
		if ((u32)res.r[i] != kvm_uid[i])
			return;
	smccc_hvc(VENDOR_HYP_FEATURES, 0, 0, 0, &res);
	if ((u32)res.r[0] != SMCCC_NOT_SUPPORTED)
		h->features = (u32)res.r[0];
}

bool hyp_can_share(const struct hyp *h)
{
	const u32 needed = FEATURE(VENDOR_HYP_MEMINFO) | FEATURE(VENDOR_HYP_MEM_SHARE) |
			   FEATURE(VENDOR_HYP_MEM_UNSHARE);

	return (h->features & needed) == needed;
}

enum fw_status hyp_query_granule(struct hyp *h)
{
	struct smccc_res res;

	smccc_hvc(VENDOR_HYP_MEMINFO, 0, 0, 0, &res);
	h->granule_queries++;
	/*
	 * An error is negative, which is no power of two, or larger than the
	 * scratch memory.
	 */
	if (!is_power_of_2(res.r[0]) || res.r[0] < PAGE_SIZE || res.r[0] > FW_SCRATCH_SIZE)
		return FW_EHYP_GRANULE;
	h->granule = res.r[0];
	h->ranges = res.r[1] & MEMINFO_RANGES;
	return FW_OK;
}

/*
 * Make @fn for @granules from @ipa on; false once a call fails. A zero count in
 * R2 means one granule.
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
	return for_granules(h, VENDOR_HYP_MEM_SHARE, ipa, granules, done, &h->share_calls) ?
		FW_OK : FW_EHYP_SHARE;
}

enum fw_status hyp_unshare(struct hyp *h, u64 ipa, u64 granules, u64 *done)
{
	return for_granules(h, VENDOR_HYP_MEM_UNSHARE, ipa, granules, done, &h->unshare_calls) ?
		FW_OK : FW_EHYP_UNSHARE;
}
