/* SPDX-License-Identifier: GPL-2.0-only */
/* Commands of the host's driver, see smmu_host_cmdq.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_HOST_CMDQ_H__
#define __ARM64_KVM_NVHE_SMMU_HOST_CMDQ_H__

#include <nvhe/smmu_state.h>

bool smmu_host_cmdq_run(struct smmu *smmu);

#endif /* __ARM64_KVM_NVHE_SMMU_HOST_CMDQ_H__ */
