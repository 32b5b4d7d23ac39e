/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the host sends to the secure world by FF-A, see ffa_xfer.c.
 */
#ifndef __ARM64_KVM_NVHE_FFA_XFER_H__
#define __ARM64_KVM_NVHE_FFA_XFER_H__

#include <linux/arm_ffa.h>

void ffa_xfer_init(void *buf, size_t len);

bool ffa_xfer_range_valid(const struct ffa_mem_region_addr_range *range);
int ffa_xfer_check_first(struct ffa_mem_region *buf, u32 len, u32 fraglen, u32 version,
			 u32 *composite_off);
int ffa_xfer_check_next(u64 handle, const struct ffa_mem_region_addr_range *ranges,
			u32 fraglen);

void ffa_xfer_open(u64 handle, struct ffa_mem_region *buf, u32 len, u32 fraglen,
		   u32 composite_off);
u32 ffa_xfer_add(const struct ffa_mem_region_addr_range *ranges, u32 fraglen);
bool ffa_xfer_is_open(u64 handle);
struct ffa_mem_region_addr_range *ffa_xfer_ranges(u32 *nr_ranges);
void ffa_xfer_close(void);

#endif /* __ARM64_KVM_NVHE_FFA_XFER_H__ */
