/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that SMMUs read and write, see smmu_mem.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_MEM_H__
#define __ARM64_KVM_NVHE_SMMU_MEM_H__

#include <nvhe/smmu_state.h>

int smmu_take_pages(unsigned long nr_pages, struct kvm_hyp_memcache *host_mc);
void *smmu_alloc_page(void);
void smmu_free_page(void *page);
void smmu_sync_mem(struct smmu *smmu, void *p, size_t size);
void *smmu_map_host(struct smmu *smmu, phys_addr_t phys, size_t size);
int smmu_read_host(struct smmu *smmu, phys_addr_t phys, void *to, size_t size);
int smmu_write_host(struct smmu *smmu, phys_addr_t phys, const void *from, size_t size);

#endif /* __ARM64_KVM_NVHE_SMMU_MEM_H__ */
