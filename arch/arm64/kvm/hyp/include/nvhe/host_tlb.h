/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TLB invalidation for pages that the host loses. See host_tlb.c.
 */
#ifndef __ARM64_KVM_NVHE_HOST_TLB_H__
#define __ARM64_KVM_NVHE_HOST_TLB_H__

#include <linux/types.h>

/**
 * struct host_tlb_run - The pages of a call whose TLB entries have to be invalidated. All zero
 *		when the call begins.
 * @start:	The first byte of the current run of contiguous pages.
 * @end:	The first byte behind the current run.
 * @nr:		How many runs there have been, with the current one.
 */
struct host_tlb_run {
	u64		start;
	u64		end;
	unsigned int	nr;
};

void host_tlb_add_pages(struct host_tlb_run *run, u64 phys, unsigned int nr_pages);
void host_tlb_finish(const struct host_tlb_run *run);

#endif /* __ARM64_KVM_NVHE_HOST_TLB_H__ */
