/* SPDX-License-Identifier: GPL-2.0-only */
/* SMMUv3s are taken from the host at boot, see smmu.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_H__
#define __ARM64_KVM_NVHE_SMMU_H__

#include <nvhe/smmu_state.h>

int __pkvm_smmu_init(void);
void smmu_update_cr0(struct smmu *smmu, u32 cr0);

#endif /* __ARM64_KVM_NVHE_SMMU_H__ */
