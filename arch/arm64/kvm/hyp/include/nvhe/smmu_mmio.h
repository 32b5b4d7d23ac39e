/* SPDX-License-Identifier: GPL-2.0-only */
/* Accesses of the host's driver to registers, see smmu_mmio.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_MMIO_H__
#define __ARM64_KVM_NVHE_SMMU_MMIO_H__

#include <linux/types.h>

struct kvm_cpu_context;

#ifdef CONFIG_PKVM_SMMU_V3

bool smmu_handle_host_access(struct kvm_cpu_context *host_ctxt, u64 esr, phys_addr_t addr);

#else

static inline bool smmu_handle_host_access(struct kvm_cpu_context *host_ctxt, u64 esr,
					   phys_addr_t addr)
{
	return false;
}

#endif /* CONFIG_PKVM_SMMU_V3 */

#endif /* __ARM64_KVM_NVHE_SMMU_MMIO_H__ */
