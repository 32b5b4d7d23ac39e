// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command queue of an SMMU, which the hypervisor alone fills.
 *
 * R5: a command that the SMMU refuses is replaced by one that does nothing, so that
 *     the queue goes on. An SMMU that stops answering is switched off, with every
 *     stream aborted.
 * R6: each wait has a bound.
 *
 * The SMMU's lock is held throughout.
 */

#include <linux/io.h>

#include <nvhe/memory.h>
#include <nvhe/smmu_cmdq.h>
#include <nvhe/smmu_mem.h>

#include "arm-smmu-v3.h"

#define CMDQ_SHIFT	(PAGE_SHIFT - CMDQ_ENT_SZ_SHIFT)
#define CMDQ_IDX(p)	((p) & (BIT(CMDQ_SHIFT) - 1))
/* Index and wrap bit. */
#define CMDQ_MASK	(BIT(CMDQ_SHIFT + 1) - 1)

/*
 * Give up an SMMU that did not answer: make it abort all streams, whatever becomes of the
 * queue. It is switched off only after it has taken GBPA.ABORT, as streams would otherwise
 * pass untranslated. Until then it stays on, and translates.
 */
static void smmu_give_up(struct smmu *smmu)
{
	u32 gbpa = readl_relaxed(smmu->regs + ARM_SMMU_GBPA) & ~GBPA_UPDATE;
	unsigned int i;

	smmu->broken = true;
	writel_relaxed(gbpa | GBPA_ABORT | GBPA_UPDATE, smmu->regs + ARM_SMMU_GBPA);
	for (i = 0; i < ARM_SMMU_POLL_TIMEOUT_US; i++) {
		gbpa = readl_relaxed(smmu->regs + ARM_SMMU_GBPA);
		if (!(gbpa & GBPA_UPDATE)) {
			writel_relaxed(0, smmu->regs + ARM_SMMU_CR0);
			return;
		}
		cpu_relax();
	}
}

static void smmu_write_cmd(struct smmu *smmu, u32 idx, u64 cmd0, u64 cmd1)
{
	__le64 *slot = &smmu->cmdq[idx * CMDQ_ENT_DWORDS];

	WRITE_ONCE(slot[0], cpu_to_le64(cmd0));
	WRITE_ONCE(slot[1], cpu_to_le64(cmd1));
	smmu_sync_mem(smmu, slot, 1 << CMDQ_ENT_SZ_SHIFT);
}

/* If the SMMU has refused a command, replace it by a CMD_SYNC, so that the queue goes on. */
static void smmu_skip_error(struct smmu *smmu, u32 cons)
{
	u32 gerror = readl_relaxed(smmu->regs + ARM_SMMU_GERROR);
	u32 gerrorn = readl_relaxed(smmu->regs + ARM_SMMU_GERRORN);

	if (!((gerror ^ gerrorn) & GERROR_CMDQ_ERR))
		return;

	smmu_write_cmd(smmu, CMDQ_IDX(cons), CMDQ_OP_CMD_SYNC, 0);
	writel(gerrorn ^ GERROR_CMDQ_ERR, smmu->regs + ARM_SMMU_GERRORN);
}

/* Tell the SMMU of the commands in the queue, and wait until at most @left remain. */
static void smmu_wait(struct smmu *smmu, u32 left)
{
	unsigned int i;

	if (smmu->broken)
		return;

	writel(smmu->cmdq_prod, smmu->regs + ARM_SMMU_CMDQ_PROD);
	for (i = 0; i < ARM_SMMU_POLL_TIMEOUT_US; i++) {
		u32 cons = readl(smmu->regs + ARM_SMMU_CMDQ_CONS);

		if (((smmu->cmdq_prod - cons) & CMDQ_MASK) <= left)
			return;
		if (FIELD_GET(CMDQ_CONS_ERR, cons))
			smmu_skip_error(smmu, cons);
		cpu_relax();
	}
	smmu_give_up(smmu);
}

/**
 * smmu_cmd() - Put a command into the queue
 * @smmu: the SMMU.
 * @cmd0: its first 8 bytes.
 * @cmd1: its last 8 bytes.
 *
 * The SMMU may not be told of it before smmu_sync().
 */
void smmu_cmd(struct smmu *smmu, u64 cmd0, u64 cmd1)
{
	smmu_write_cmd(smmu, CMDQ_IDX(smmu->cmdq_prod), cmd0, cmd1);
	smmu->cmdq_prod = (smmu->cmdq_prod + 1) & CMDQ_MASK;

	/* Never more than half a queue is outstanding, so that it cannot overflow. */
	if (!(CMDQ_IDX(smmu->cmdq_prod) & (BIT(CMDQ_SHIFT) / 2 - 1)))
		smmu_wait(smmu, BIT(CMDQ_SHIFT) / 2 - 1);
}

/**
 * smmu_sync() - Wait until all commands are done
 * @smmu: the SMMU.
 *
 * On return every command has taken effect, or the SMMU aborts all its streams.
 */
void smmu_sync(struct smmu *smmu)
{
	smmu_cmd(smmu, CMDQ_OP_CMD_SYNC, 0);
	smmu_wait(smmu, 0);
}

/**
 * smmu_tlbi() - Invalidate what an SMMU holds of some memory
 * @smmu: the SMMU.
 * @addr: physical address of the first page.
 * @size: bytes; 0 for all memory.
 * @leaf: whether only last-level entries have changed.
 *
 * Returns when it is done. TLBs hold a translation by both stages under its virtual
 * address, which is not known here, so all of these are invalidated as well.
 */
void smmu_tlbi(struct smmu *smmu, phys_addr_t addr, u64 size, bool leaf)
{
	u64 vmid = FIELD_PREP(CMDQ_TLBI_0_VMID, SMMU_VMID);
	phys_addr_t end = addr + size;

	if (!size)
		smmu_cmd(smmu, CMDQ_OP_TLBI_S12_VMALL | vmid, 0);

	for (; addr < end; addr += PAGE_SIZE)
		smmu_cmd(smmu, CMDQ_OP_TLBI_S2_IPA | vmid,
			 (addr & CMDQ_TLBI_1_IPA_MASK) | FIELD_PREP(CMDQ_TLBI_1_LEAF, leaf));

	if (size && smmu->stage1)
		smmu_cmd(smmu, CMDQ_OP_TLBI_NH_ALL | vmid, 0);

	smmu_sync(smmu);
}
