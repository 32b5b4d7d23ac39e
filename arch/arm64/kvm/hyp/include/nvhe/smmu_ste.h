/* SPDX-License-Identifier: GPL-2.0-only */
/* Stream tables, see smmu_ste.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_STE_H__
#define __ARM64_KVM_NVHE_SMMU_STE_H__

#include <nvhe/smmu_state.h>

void smmu_ste_init(struct smmu *smmu);
void smmu_ste_update(struct smmu *smmu, u32 sid);
bool smmu_ste_update_range(struct smmu *smmu, u64 first, u64 nr);
bool smmu_ste_switch(struct smmu *smmu, bool enabled);

#endif /* __ARM64_KVM_NVHE_SMMU_STE_H__ */
