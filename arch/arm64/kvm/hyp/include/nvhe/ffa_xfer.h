/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the host sends to the secure world by FF-A, see ffa_xfer.c.
 */
#ifndef __ARM64_KVM_NVHE_FFA_XFER_H__
#define __ARM64_KVM_NVHE_FFA_XFER_H__

#include <linux/arm_ffa.h>
#include <linux/arm-smccc.h>

void ffa_xfer_init(void *buf, size_t len);

bool ffa_xfer_range_valid(const struct ffa_mem_region_addr_range *range);
int ffa_xfer_check_first(struct ffa_mem_region *buf, u32 len, u32 fraglen, u32 version);
int ffa_xfer_check_next(u64 handle, const struct ffa_mem_region_addr_range *ranges,
			u32 fraglen);

void ffa_xfer_open(u64 handle, struct ffa_mem_region *buf, u32 len, u32 fraglen,
		   u32 composite_off);
bool ffa_xfer_is_open(u64 handle);
int ffa_xfer_sent(struct arm_smccc_res *res, u64 handle,
		  const struct ffa_mem_region_addr_range *ranges, u32 fraglen);
void ffa_xfer_abort(struct arm_smccc_res *res, u64 handle);

/* In ffa.c. */
void ffa_mem_reclaim(struct arm_smccc_res *res, u32 handle_lo, u32 handle_hi, u32 flags);
int ffa_host_unshare_ranges(struct ffa_mem_region_addr_range *ranges, u32 nranges);

#endif /* __ARM64_KVM_NVHE_FFA_XFER_H__ */
