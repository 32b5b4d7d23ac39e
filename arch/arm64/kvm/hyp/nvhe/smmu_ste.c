// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stream table that an SMMU walks, made from the one that the host's driver keeps.
 *
 * The hypervisor follows an entry of the host when the host's driver invalidates the
 * SMMU's copy of it: bypass becomes a translation by stage 2 alone, a stage 1 of the host
 * is nested in stage 2, and every other stream is aborted. While the host's driver has the
 * SMMU off, its GBPA decides whether all streams are translated by stage 2 alone or
 * aborted.
 *
 * R2, R9: each valid entry that does not abort its stream uses the stage-2 of smmu_s2.c.
 * R4: the host's tables are untrusted memory: each word is read once, and used only in
 *     fields that cannot widen what a stream reaches.
 * R6: a walk over all stream IDs goes on in the next trap.
 *
 * The host's lock and the SMMU's are held throughout.
 */

#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/smmu_cmdq.h>
#include <nvhe/smmu_mem.h>
#include <nvhe/smmu_s2.h>
#include <nvhe/smmu_ste.h>

#include "arm-smmu-v3.h"

/* The entry's configuration for both stages; Linux's driver has no name for it. */
#define STRTAB_STE_0_CFG_NESTED	7

/* Entries are read in runs of at most this many: the smallest second-level table, 4 KiB. */
#define STE_RUN			64

/* The most runs that one trap converts. */
#define STE_RUNS_PER_TRAP	16

/* The fields of the host's stage-1 configuration that are copied unchanged. */
#define STE_0_HOST_MASK		(STRTAB_STE_0_S1FMT | STRTAB_STE_0_S1CTXPTR_MASK | \
				 STRTAB_STE_0_S1CDMAX)
#define STE_1_HOST_MASK		(STRTAB_STE_1_S1DSS | STRTAB_STE_1_S1CIR | STRTAB_STE_1_S1COR | \
				 STRTAB_STE_1_S1CSH | STRTAB_STE_1_S1STALLD | STRTAB_STE_1_SHCFG)

/* The words that are read of an entry of the host. */
struct host_ste {
	u64 word0;
	u64 word1;
};

static u64 smmu_l2_desc(phys_addr_t l2)
{
	return l2 | FIELD_PREP(STRTAB_L1_DESC_SPAN, PKVM_SMMU_SPLIT + 1);
}

static void smmu_set_l1(struct smmu *smmu, u32 idx, u64 desc)
{
	WRITE_ONCE(smmu->l1[idx], cpu_to_le64(desc));
	smmu_sync_mem(smmu, &smmu->l1[idx], sizeof(u64));
}

/* Word 0 is written last: it says whether the entry is valid, and by which stages. */
static void smmu_write_ste(struct smmu *smmu, __le64 *ste, u64 word0, u64 word1)
{
	if (!ste[2]) {
		ste[2] = cpu_to_le64(FIELD_PREP(STRTAB_STE_2_S2VMID, SMMU_VMID) |
				     FIELD_PREP(STRTAB_STE_2_VTCR, smmu_s2_vtcr()) |
				     STRTAB_STE_2_S2AA64 | STRTAB_STE_2_S2PTW | STRTAB_STE_2_S2R);
		ste[3] = cpu_to_le64(smmu_s2_ttb() & STRTAB_STE_3_S2TTB_MASK);
	}
	WRITE_ONCE(ste[1], cpu_to_le64(word1));
	smmu_sync_mem(smmu, ste, sizeof(struct arm_smmu_ste));
	WRITE_ONCE(ste[0], cpu_to_le64(word0));
	smmu_sync_mem(smmu, ste, sizeof(struct arm_smmu_ste));
}

static void smmu_convert_ste(struct smmu *smmu, __le64 *ste, const struct host_ste *host)
{
	u64 out0 = STRTAB_STE_0_V, word1 = host->word1;

	if (!(host->word0 & STRTAB_STE_0_V)) {
		smmu_write_ste(smmu, ste, 0, 0);
		return;
	}

	switch (FIELD_GET(STRTAB_STE_0_CFG, host->word0)) {
	case STRTAB_STE_0_CFG_BYPASS:
		out0 |= FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_S2_TRANS);
		word1 &= STRTAB_STE_1_SHCFG;
		break;
	case STRTAB_STE_0_CFG_S1_TRANS:
		out0 |= FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_NESTED) |
			(host->word0 & STE_0_HOST_MASK);
		word1 &= STE_1_HOST_MASK;
		smmu->stage1 = true;
		break;
	default:
		word1 = 0;
	}
	smmu_write_ste(smmu, ste, out0, word1);
}

/*
 * Find the entry that the host has for a stream. Returns how many entries, at most @nr,
 * follow each other from there on; 0 if there is none. The caller's @nr entries are in
 * one run.
 */
static u64 smmu_find_host_stes(struct smmu *smmu, u64 sid, u64 nr, phys_addr_t *phys)
{
	u32 log2size = FIELD_GET(STRTAB_BASE_CFG_LOG2SIZE, smmu->strtab_cfg);
	u32 split = FIELD_GET(STRTAB_BASE_CFG_SPLIT, smmu->strtab_cfg);
	phys_addr_t base = smmu->strtab_base & STRTAB_BASE_ADDR_MASK;
	u64 end = BIT_ULL(log2size), desc, span;

	if (sid >= end)
		return 0;

	if (FIELD_GET(STRTAB_BASE_CFG_FMT, smmu->strtab_cfg) == STRTAB_BASE_CFG_FMT_2LVL) {
		if (split != 6 && split != 8 && split != 10)
			return 0;
		if (smmu_read_host(smmu, base + (sid >> split) * sizeof(desc), &desc,
				   sizeof(desc)))
			return 0;

		desc = le64_to_cpu((__force __le64)desc);
		span = FIELD_GET(STRTAB_L1_DESC_SPAN, desc);
		if (!span || span > split + 1)
			return 0;

		base = desc & STRTAB_L1_DESC_L2PTR_MASK;
		sid &= BIT(split) - 1;
		end = BIT(span - 1);
		if (sid >= end)
			return 0;
	}

	*phys = base + sid * sizeof(struct arm_smmu_ste);

	return min(nr, end - sid);
}

/* Read @nr entries of the host, which are in one run; an entry that is missing is zero. */
static void smmu_read_host_stes(struct smmu *smmu, u64 sid, u64 nr, struct host_ste *host)
{
	struct arm_smmu_ste *ste;
	phys_addr_t phys;
	u64 i;

	memset(host, 0, nr * sizeof(*host));
	nr = smmu_find_host_stes(smmu, sid, nr, &phys);
	ste = nr ? smmu_map_host(smmu, phys, nr * sizeof(*ste)) : NULL;
	if (!ste)
		return;

	for (i = 0; i < nr; i++) {
		host[i].word0 = le64_to_cpu(READ_ONCE(ste[i].data[0]));
		host[i].word1 = le64_to_cpu(READ_ONCE(ste[i].data[1]));
	}
	hyp_fixmap_unmap();
}

/* Get the second-level table at @idx, or a new one; NULL if there is no page for it. */
static __le64 *smmu_get_l2(struct smmu *smmu, u32 idx)
{
	void *l2;

	if (smmu->l2[idx])
		return hyp_phys_to_virt(smmu->l2[idx]);

	/* Streams without a table stay aborted: the other pages are for the stage-2 (R7). */
	if (smmu->nr_l2 == PKVM_SMMU_L2_PAGES)
		return NULL;

	l2 = smmu_alloc_page();
	if (!l2)
		return NULL;

	smmu->nr_l2++;

	smmu_sync_mem(smmu, l2, PAGE_SIZE);
	smmu->l2[idx] = hyp_virt_to_phys(l2);

	return l2;
}

/* Convert entries of one run, and let the SMMU see them. */
static void smmu_convert_run(struct smmu *smmu, u64 sid, u64 nr)
{
	u32 idx = sid >> PKVM_SMMU_SPLIT;
	struct host_ste host[STE_RUN];
	bool valid = smmu->l2[idx];
	__le64 *ste;
	u64 i;

	smmu_read_host_stes(smmu, sid, nr, host);
	for (i = 0; i < nr; i++)
		valid |= host[i].word0 & STRTAB_STE_0_V;

	ste = valid ? smmu_get_l2(smmu, idx) : NULL;
	if (!ste) {
		smmu_set_l1(smmu, idx, 0);
		return;
	}

	ste += (sid & (BIT(PKVM_SMMU_SPLIT) - 1)) * STRTAB_STE_DWORDS;
	for (i = 0; i < nr; i++, ste += STRTAB_STE_DWORDS)
		smmu_convert_ste(smmu, ste, &host[i]);
	smmu_set_l1(smmu, idx, smmu_l2_desc(smmu->l2[idx]));
}

static u64 smmu_nr_sids(struct smmu *smmu)
{
	return min(BIT_ULL(smmu->sid_bits), (u64)smmu->nr_l1 << PKVM_SMMU_SPLIT);
}

/**
 * smmu_ste_update() - Follow the host's entry of one stream
 * @smmu: the SMMU.
 * @sid: the stream ID, any value: one that the SMMU does not have is ignored.
 *
 * The caller invalidates what the SMMU holds of it.
 */
void smmu_ste_update(struct smmu *smmu, u32 sid)
{
	/* While the host has the SMMU off, GBPA counts; the entries are read when it is on. */
	if (sid >= smmu_nr_sids(smmu) || !(smmu->cr0 & CR0_SMMUEN))
		return;

	smmu_convert_run(smmu, sid, 1);
}

/* Go on with a walk, for which one trap may not suffice; true if it has reached its end. */
static bool smmu_walk(struct smmu *smmu, struct smmu_cursor *walk, u64 first, u64 end,
		      void (*visit)(struct smmu *smmu, u64 sid, u64 nr))
{
	unsigned int i;

	if (!walk->active || walk->sid < first || walk->sid > end) {
		walk->active = true;
		walk->sid = first;
	}

	for (i = 0; i < STE_RUNS_PER_TRAP && walk->sid < end; i++) {
		u64 nr = min(end - walk->sid, STE_RUN - walk->sid % STE_RUN);

		visit(smmu, walk->sid, nr);
		walk->sid += nr;
	}
	walk->active = walk->sid < end;

	return !walk->active;
}

static void smmu_disable_run(struct smmu *smmu, u64 sid, u64 nr)
{
	u64 desc = smmu->gbpa & GBPA_ABORT ? 0 : smmu_l2_desc(hyp_virt_to_phys(smmu->l2_bypass));

	smmu_set_l1(smmu, sid >> PKVM_SMMU_SPLIT, desc);
}

/**
 * smmu_ste_update_range() - Follow the host's entries of many streams
 * @smmu: the SMMU.
 * @first: first stream ID, any value.
 * @nr: how many, any value.
 *
 * Return: whether it is done; if not, to be called again with the same arguments. The
 * caller then invalidates what the SMMU holds of them.
 */
bool smmu_ste_update_range(struct smmu *smmu, u64 first, u64 nr)
{
	u64 end = min(first + nr, smmu_nr_sids(smmu));

	if (first >= end || !(smmu->cr0 & CR0_SMMUEN))
		return true;

	return smmu_walk(smmu, &smmu->cfgi_walk, first, end, smmu_convert_run);
}

/**
 * smmu_ste_switch() - Follow the host's driver in switching the SMMU on or off
 * @smmu: the SMMU.
 * @enabled: whether the host's entries count; else GBPA does.
 *
 * Return: whether it is done; if not, to be called again with the same arguments. In
 * between, each stream is still as it was or already as it will be.
 */
bool smmu_ste_switch(struct smmu *smmu, bool enabled)
{
	if (!smmu_walk(smmu, &smmu->cr0_walk, 0, smmu_nr_sids(smmu),
		       enabled ? smmu_convert_run : smmu_disable_run))
		return false;

	smmu_cmd(smmu, CMDQ_OP_CFGI_ALL, FIELD_PREP(CMDQ_CFGI_1_RANGE, 31));
	smmu_sync(smmu);

	return true;
}

/**
 * smmu_ste_init() - Make the first stream table of an SMMU
 * @smmu: the SMMU, which is not yet in use; its memory is zeroed.
 *
 * All streams are translated by stage 2 alone, so they still reach the host's memory.
 */
void smmu_ste_init(struct smmu *smmu)
{
	unsigned int i;

	for (i = 0; i < BIT(PKVM_SMMU_SPLIT); i++)
		smmu_write_ste(smmu, &smmu->l2_bypass[i * STRTAB_STE_DWORDS],
			       STRTAB_STE_0_V |
			       FIELD_PREP(STRTAB_STE_0_CFG, STRTAB_STE_0_CFG_S2_TRANS),
			       FIELD_PREP(STRTAB_STE_1_SHCFG, STRTAB_STE_1_SHCFG_INCOMING));

	for (i = 0; i < smmu->nr_l1; i++)
		smmu_set_l1(smmu, i, smmu_l2_desc(hyp_virt_to_phys(smmu->l2_bypass)));
}
