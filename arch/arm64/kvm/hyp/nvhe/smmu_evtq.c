// SPDX-License-Identifier: GPL-2.0-only
/*
 * The event queue. The SMMU writes events to a page of the hypervisor, which copies
 * them to the host's queue when the host looks at it.
 *
 * R9: if the SMMU itself wrote to the host's queue, the host could make it write to any
 *     address.
 * R6: no more events are copied than the hypervisor's queue holds.
 *
 * The host's lock and the SMMU's are held throughout.
 */

#include <linux/io.h>

#include <asm/kvm_mmu.h>

#include <nvhe/smmu_evtq.h>
#include <nvhe/smmu_mem.h>

#include "arm-smmu-v3.h"

#define EVTQ_SHIFT	(PAGE_SHIFT - EVTQ_ENT_SZ_SHIFT)
#define EVTQ_MASK	(BIT(EVTQ_SHIFT + 1) - 1)

/**
 * smmu_evtq_drain() - Copy events to the host's queue
 * @smmu: the SMMU.
 *
 * Copies as many as the host's queue has room for. An event is lost if that queue is not
 * in memory of the host. If the SMMU's own queue has overflowed, the host's is marked as
 * the SMMU would mark it.
 */
void smmu_evtq_drain(struct smmu *smmu)
{
	struct smmu_host_queue *queue = &smmu->host_evtq;
	u32 shift = min(FIELD_GET(Q_BASE_LOG2SIZE, queue->base),
			FIELD_GET(IDR1_EVTQS, smmu->idr[1]));
	u32 mask = BIT(shift + 1) - 1;
	u32 prod;

	if (!(smmu->cr0 & CR0_EVTQEN) || smmu->broken)
		return;

	prod = readl(smmu->regs + SZ_64K + ARM_SMMU_EVTQ_PROD);
	while ((smmu->evtq_cons ^ prod) & EVTQ_MASK) {
		u32 idx = smmu->evtq_cons & (BIT(EVTQ_SHIFT) - 1);
		__le64 *event = &smmu->evtq[idx * EVTQ_ENT_DWORDS];
		phys_addr_t to = queue->base & Q_BASE_ADDR_MASK;

		/* Full: same index, other wrap bit. */
		if (((queue->prod ^ queue->cons) & mask) == BIT(shift))
			break;

		if (!smmu->coherent)
			kvm_flush_dcache_to_poc(event, 1 << EVTQ_ENT_SZ_SHIFT);
		to += (u64)(queue->prod & (BIT(shift) - 1)) << EVTQ_ENT_SZ_SHIFT;
		if (!smmu_write_host(smmu, to, event, 1 << EVTQ_ENT_SZ_SHIFT))
			queue->prod = (queue->prod & Q_OVERFLOW_FLAG) | ((queue->prod + 1) & mask);

		smmu->evtq_cons = (smmu->evtq_cons & Q_OVERFLOW_FLAG) |
				  ((smmu->evtq_cons + 1) & EVTQ_MASK);
	}

	if (Q_OVF(prod) != Q_OVF(smmu->evtq_cons)) {
		smmu->evtq_cons ^= Q_OVERFLOW_FLAG;
		queue->prod ^= Q_OVERFLOW_FLAG;
	}
	writel(smmu->evtq_cons, smmu->regs + SZ_64K + ARM_SMMU_EVTQ_CONS);
}
