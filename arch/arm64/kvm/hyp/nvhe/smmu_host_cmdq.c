// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the host's driver. Each is read once from the host's queue, checked,
 * made harmless and put into the hypervisor's own queue (see smmu_cmdq.c).
 *
 * R4: the queue lies in memory of the host, which may change it at any time.
 * R5: a command that an SMMU with the features that the host is shown would refuse
 *     stops the host's queue with an error, as it would stop the queue of that SMMU.
 * R6: a trap carries out a bounded number of commands.
 * R9: invalidation reaches no other VMID than the one of devices, and no command makes
 *     the SMMU write memory.
 *
 * The host's lock and the SMMU's are held throughout.
 */

#include <nvhe/smmu_cmdq.h>
#include <nvhe/smmu_host_cmdq.h>
#include <nvhe/smmu_mem.h>
#include <nvhe/smmu_ste.h>

#include "arm-smmu-v3.h"

/* The most commands that one trap carries out. */
#define HOST_CMDS_PER_TRAP	32

/* Opcodes for which Linux's driver has no name. */
#define CMDQ_OP_PREFETCH_ADDR	0x2
#define CMDQ_OP_TLBI_NH_VAA	0x13
#define CMDQ_OP_STALL_TERM	0x45

/* The value of CMDQ_CFGI_1_RANGE that stands for all stream IDs. */
#define CFGI_RANGE_ALL		31

/* What became of a command. */
enum host_cmd {
	HOST_CMD_DONE,
	HOST_CMD_AGAIN,
	HOST_CMD_ILLEGAL,
};

/* If the host is not shown invalidation by range (RIL), the fields for it are RES0. */
static void smmu_host_tlbi(struct smmu *smmu, u64 cmd0, u64 cmd1)
{
	u64 mask0 = CMDQ_0_OP | CMDQ_TLBI_0_ASID;
	u64 mask1 = CMDQ_TLBI_1_LEAF | CMDQ_TLBI_1_VA_MASK;

	if (smmu->idr[3] & IDR3_RIL) {
		mask0 |= CMDQ_TLBI_0_NUM | CMDQ_TLBI_0_SCALE;
		mask1 |= CMDQ_TLBI_1_TTL | CMDQ_TLBI_1_TG;
	}
	smmu_cmd(smmu, (cmd0 & mask0) | FIELD_PREP(CMDQ_TLBI_0_VMID, SMMU_VMID), cmd1 & mask1);
}

static enum host_cmd smmu_host_cfgi_range(struct smmu *smmu, u64 cmd0, u64 cmd1)
{
	u64 range = FIELD_GET(CMDQ_CFGI_1_RANGE, cmd1);
	u64 nr = 1ULL << (range + 1);
	u64 sid = range == CFGI_RANGE_ALL ? 0 : FIELD_GET(CMDQ_CFGI_0_SID, cmd0) & ~(nr - 1);

	if (!smmu_ste_update_range(smmu, sid, nr))
		return HOST_CMD_AGAIN;

	smmu_cmd(smmu, cmd0 & (CMDQ_0_OP | CMDQ_CFGI_0_SID), range);
	return HOST_CMD_DONE;
}

static enum host_cmd smmu_host_cmd(struct smmu *smmu, u64 cmd0, u64 cmd1)
{
	bool stage1 = smmu->idr[0] & IDR0_S1P;
	u32 sid = FIELD_GET(CMDQ_CFGI_0_SID, cmd0);

	switch (FIELD_GET(CMDQ_0_OP, cmd0)) {
	case CMDQ_OP_PREFETCH_CFG:
	case CMDQ_OP_PREFETCH_ADDR:
		/* Only a hint. */
		return HOST_CMD_DONE;
	case CMDQ_OP_CFGI_STE:
		smmu_ste_update(smmu, sid);
		/* Not only the leaf: the entry of the first level may have changed as well. */
		smmu_cmd(smmu, cmd0 & (CMDQ_0_OP | CMDQ_CFGI_0_SID), 0);
		return HOST_CMD_DONE;
	case CMDQ_OP_CFGI_ALL:
		return smmu_host_cfgi_range(smmu, cmd0, cmd1);
	case CMDQ_OP_CFGI_CD:
	case CMDQ_OP_CFGI_CD_ALL:
		if (!stage1)
			return HOST_CMD_ILLEGAL;
		smmu_cmd(smmu, cmd0 & (CMDQ_0_OP | CMDQ_CFGI_0_SSID | CMDQ_CFGI_0_SID),
			 cmd1 & CMDQ_CFGI_1_LEAF);
		return HOST_CMD_DONE;
	case CMDQ_OP_TLBI_NSNH_ALL:
		/* All that the host may invalidate has this one VMID. */
		if (stage1)
			smmu_cmd(smmu, CMDQ_OP_TLBI_NH_ALL |
				 FIELD_PREP(CMDQ_TLBI_0_VMID, SMMU_VMID), 0);
		return HOST_CMD_DONE;
	case CMDQ_OP_TLBI_NH_ALL:
	case CMDQ_OP_TLBI_NH_ASID:
	case CMDQ_OP_TLBI_NH_VA:
	case CMDQ_OP_TLBI_NH_VAA:
		if (!stage1)
			return HOST_CMD_ILLEGAL;
		smmu_host_tlbi(smmu, cmd0, cmd1);
		return HOST_CMD_DONE;
	case CMDQ_OP_RESUME:
	case CMDQ_OP_STALL_TERM:
		if (FIELD_GET(IDR0_STALL_MODEL, smmu->idr[0]) == 1)
			return HOST_CMD_ILLEGAL;
		smmu_cmd(smmu, cmd0 & (CMDQ_0_OP | CMDQ_RESUME_0_RESP | CMDQ_RESUME_0_SID),
			 cmd1 & CMDQ_RESUME_1_STAG);
		return HOST_CMD_DONE;
	case CMDQ_OP_CMD_SYNC:
		/* It is done before the host sees its queue go on, so needs no signal. */
		smmu_sync(smmu);
		return HOST_CMD_DONE;
	default:
		return HOST_CMD_ILLEGAL;
	}
}

static void smmu_host_cmdq_stop(struct smmu *smmu, u32 error)
{
	smmu->host_cmdq.cons &= ~CMDQ_CONS_ERR;
	smmu->host_cmdq.cons |= FIELD_PREP(CMDQ_CONS_ERR, error);
	smmu->gerror = ~smmu->gerrorn & GERROR_CMDQ_ERR;
}

/**
 * smmu_host_cmdq_run() - Carry out commands of the host
 * @smmu: the SMMU.
 *
 * Return: true if nothing is left to do; false if it has to be called again.
 */
bool smmu_host_cmdq_run(struct smmu *smmu)
{
	struct smmu_host_queue *queue = &smmu->host_cmdq;
	u32 shift = min(FIELD_GET(Q_BASE_LOG2SIZE, queue->base),
			FIELD_GET(IDR1_CMDQS, smmu->idr[1]));
	u32 mask = BIT(shift + 1) - 1;
	unsigned int i;

	for (i = 0; i < HOST_CMDS_PER_TRAP; i++) {
		u32 idx = queue->cons & (BIT(shift) - 1);
		u64 cmd[CMDQ_ENT_DWORDS];

		/* Off, or stopped by an error that the host has not acknowledged. */
		if (!(smmu->cr0 & CR0_CMDQEN) ||
		    (smmu->gerror ^ smmu->gerrorn) & GERROR_CMDQ_ERR)
			return true;
		if (!((queue->cons ^ queue->prod) & mask))
			return true;

		if (smmu_read_host(smmu, (queue->base & Q_BASE_ADDR_MASK) +
				   ((u64)idx << CMDQ_ENT_SZ_SHIFT), cmd, sizeof(cmd))) {
			smmu_host_cmdq_stop(smmu, CMDQ_ERR_CERROR_ABT_IDX);
			return true;
		}

		switch (smmu_host_cmd(smmu, le64_to_cpu((__force __le64)cmd[0]),
				      le64_to_cpu((__force __le64)cmd[1]))) {
		case HOST_CMD_ILLEGAL:
			smmu_host_cmdq_stop(smmu, CMDQ_ERR_CERROR_ILL_IDX);
			return true;
		case HOST_CMD_AGAIN:
			return false;
		case HOST_CMD_DONE:
			queue->cons = (queue->cons + 1) & mask;
		}
	}

	return false;
}
