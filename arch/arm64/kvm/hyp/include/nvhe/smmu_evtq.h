/* SPDX-License-Identifier: GPL-2.0-only */
/* Events for the host's driver, see smmu_evtq.c. */
#ifndef __ARM64_KVM_NVHE_SMMU_EVTQ_H__
#define __ARM64_KVM_NVHE_SMMU_EVTQ_H__

#include <nvhe/smmu_state.h>

void smmu_evtq_drain(struct smmu *smmu);

#endif /* __ARM64_KVM_NVHE_SMMU_EVTQ_H__ */
