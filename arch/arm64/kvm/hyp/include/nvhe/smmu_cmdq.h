/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands to SMMUs, see smmu_cmdq.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_CMDQ_H__
#define __ARM64_KVM_NVHE_SMMU_CMDQ_H__

#include <nvhe/smmu_state.h>

void smmu_cmd(struct smmu *smmu, u64 cmd0, u64 cmd1);
void smmu_sync(struct smmu *smmu);
void smmu_tlbi(struct smmu *smmu, phys_addr_t addr, u64 size, bool leaf);

#endif /* __ARM64_KVM_NVHE_SMMU_CMDQ_H__ */
