/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How a guest gives memory back to a hypervisor from which it must not simply be taken.
 */
#ifndef _LINUX_MEM_RELINQUISH_H
#define _LINUX_MEM_RELINQUISH_H

#include <linux/types.h>

struct scatterlist;

#ifdef CONFIG_ARM_PKVM_GUEST

size_t mem_relinquish_granule(void);
void mem_relinquish(phys_addr_t phys, size_t size);
void mem_relinquish_sg(struct scatterlist *sg, unsigned int nents);

#else

static inline size_t mem_relinquish_granule(void)
{
	return 0;
}

static inline void mem_relinquish(phys_addr_t phys, size_t size)
{
}

static inline void mem_relinquish_sg(struct scatterlist *sg, unsigned int nents)
{
}

#endif

#endif /* _LINUX_MEM_RELINQUISH_H */
