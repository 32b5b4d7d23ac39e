/* SPDX-License-Identifier: GPL-2.0-only */
/* The stage-2 that all devices share, see smmu_s2.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_S2_H__
#define __ARM64_KVM_NVHE_SMMU_S2_H__

#include <nvhe/smmu_state.h>

#ifdef CONFIG_PKVM_SMMU_V3

int smmu_s2_init(u32 ia_bits, bool blocks, phys_addr_t pgd);
void __smmu_s2_set_owner(phys_addr_t addr, u64 size, bool host);
u64 smmu_s2_vtcr(void);
phys_addr_t smmu_s2_ttb(void);

/**
 * smmu_s2_set_owner() - Give memory to devices, or take it from them
 * @addr: physical address of the first page.
 * @size: bytes, whole pages.
 * @host: whether the host may now reach it, and devices with it.
 *
 * With the host's lock held. When it returns, no device reaches what the host may
 * not reach. Cannot fail: the tables for any split are reserved at boot (R7).
 */
static inline void smmu_s2_set_owner(phys_addr_t addr, u64 size, bool host)
{
	if (smmu_nr)
		__smmu_s2_set_owner(addr, size, host);
}

#else

static inline void smmu_s2_set_owner(phys_addr_t addr, u64 size, bool host) {}

#endif /* CONFIG_PKVM_SMMU_V3 */

#endif /* __ARM64_KVM_NVHE_SMMU_S2_H__ */
