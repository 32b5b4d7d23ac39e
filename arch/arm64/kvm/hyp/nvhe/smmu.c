// SPDX-License-Identifier: GPL-2.0-only
/*
 * Takes the machine's SMMUv3s from the host at boot, while the host is trusted and
 * before its driver has touched them. From then on the hypervisor alone programs
 * them: every stream is translated by the stage-2 of smmu_s2.c, or aborted.
 *
 * R2, R9: no stream ever bypasses that stage-2. An SMMU that stops answering is
 *         switched off with all its streams aborted.
 * R5: the host's driver cannot make the SMMU stop: what it asks for is checked first.
 */

#include <linux/io.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/smmu.h>
#include <nvhe/smmu_cmdq.h>
#include <nvhe/smmu_mem.h>
#include <nvhe/smmu_s2.h>
#include <nvhe/smmu_ste.h>

#include "arm-smmu-v3.h"

/* Filled in by the host before __pkvm_smmu_init(). */
struct pkvm_smmu_setup pkvm_smmu_setup;

unsigned int smmu_nr;
struct smmu smmus[PKVM_SMMU_MAX];

/**
 * smmu_update_cr0() - Write CR0 and wait until the SMMU has taken it
 * @smmu: the SMMU; its lock is held, or nobody else knows it yet.
 * @cr0: the value.
 *
 * An SMMU that does not take it in time is marked as broken.
 */
void smmu_update_cr0(struct smmu *smmu, u32 cr0)
{
	unsigned int i;

	writel_relaxed(cr0, smmu->regs + ARM_SMMU_CR0);
	for (i = 0; i < ARM_SMMU_POLL_TIMEOUT_US; i++) {
		if (readl_relaxed(smmu->regs + ARM_SMMU_CR0ACK) == cr0)
			return;
		cpu_relax();
	}
	smmu->broken = true;
}

/*
 * Read the identification registers, and clear the features that the host's driver is not
 * shown: among them stage 2, and ATS, PRI and interrupts as messages.
 */
static void smmu_read_idr(struct smmu *smmu)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(smmu->idr); i++)
		smmu->idr[i] = readl_relaxed(smmu->regs + ARM_SMMU_IDR0 + i * sizeof(u32));

	smmu->coherent = smmu->idr[0] & IDR0_COHACC;
	/* Without ATSCHK, accesses that a device marks as translated would pass unchecked. */
	smmu->cr0_fixed = CR0_CMDQEN | (smmu->idr[0] & IDR0_ATS ? CR0_ATSCHK : 0);
	smmu->idr[0] &= IDR0_ST_LVL | IDR0_STALL_MODEL | IDR0_TTENDIAN | IDR0_CD2L | IDR0_SEV |
			IDR0_ASID16 | IDR0_HTTU | IDR0_COHACC | IDR0_TTF | IDR0_S1P;
	smmu->idr[1] &= IDR1_CMDQS | IDR1_EVTQS | IDR1_SSIDSIZE | IDR1_SIDSIZE;
	smmu->idr[2] = 0;
	smmu->idr[3] &= IDR3_RIL;
	smmu->idr[4] = 0;
}

static int smmu_check(struct smmu *smmu)
{
	u32 idr0 = readl_relaxed(smmu->regs + ARM_SMMU_IDR0);
	u32 idr1 = readl_relaxed(smmu->regs + ARM_SMMU_IDR1);
	u32 idr5 = readl_relaxed(smmu->regs + ARM_SMMU_IDR5);
	u32 gran = IS_ENABLED(CONFIG_ARM64_4K_PAGES) ? IDR5_GRAN4K :
		   IS_ENABLED(CONFIG_ARM64_16K_PAGES) ? IDR5_GRAN16K : IDR5_GRAN64K;

	if (!(idr0 & IDR0_S2P) || !(idr5 & gran) ||
	    FIELD_GET(IDR0_TTENDIAN, idr0) == IDR0_TTENDIAN_BE ||
	    idr1 & (IDR1_TABLES_PRESET | IDR1_QUEUES_PRESET))
		return -EOPNOTSUPP;

	smmu->sid_bits = FIELD_GET(IDR1_SIDSIZE, idr1);

	return FIELD_GET(IDR0_ST_LVL, idr0) == IDR0_ST_LVL_2LVL ? 0 : -EOPNOTSUPP;
}

/* Lay out the memory of an SMMU as pkvm_smmu_mem_size() counts it. */
static void smmu_place(struct smmu *smmu, void *mem)
{
	size_t l1_size = PAGE_ALIGN(smmu->nr_l1 * sizeof(u64));

	smmu->l1 = mem;
	smmu->l2 = mem + l1_size;
	smmu->l2_bypass = mem + 2 * l1_size;
	smmu->cmdq = mem + 2 * l1_size + PAGE_SIZE;
	smmu->evtq = mem + 2 * l1_size + 2 * PAGE_SIZE;
	smmu_sync_mem(smmu, mem, pkvm_smmu_mem_size(smmu->sid_bits));
}

/*
 * Switch an SMMU on, with the hypervisor's tables and queues. It accesses them as normal,
 * cacheable and inner shareable memory.
 */
static void smmu_start(struct smmu *smmu)
{
	u64 strtab = hyp_virt_to_phys(smmu->l1);
	u32 cfg = FIELD_PREP(STRTAB_BASE_CFG_FMT, STRTAB_BASE_CFG_FMT_2LVL) |
		  FIELD_PREP(STRTAB_BASE_CFG_SPLIT, PKVM_SMMU_SPLIT) |
		  FIELD_PREP(STRTAB_BASE_CFG_LOG2SIZE, ilog2(smmu->nr_l1) + PKVM_SMMU_SPLIT);
	u32 cr1 = FIELD_PREP(CR1_TABLE_SH, ARM_SMMU_SH_ISH) |
		  FIELD_PREP(CR1_TABLE_OC, CR1_CACHE_WB) |
		  FIELD_PREP(CR1_TABLE_IC, CR1_CACHE_WB) |
		  FIELD_PREP(CR1_QUEUE_SH, ARM_SMMU_SH_ISH) |
		  FIELD_PREP(CR1_QUEUE_OC, CR1_CACHE_WB) |
		  FIELD_PREP(CR1_QUEUE_IC, CR1_CACHE_WB);

	/*
	 * While the SMMU is off, GBPA decides what becomes of streams. It stays as
	 * firmware left it, so that a device which is active now can go on: all memory
	 * is still the host's.
	 */
	smmu->gbpa = readl_relaxed(smmu->regs + ARM_SMMU_GBPA) & ~GBPA_UPDATE;
	writel_relaxed(0, smmu->regs + ARM_SMMU_IRQ_CTRL);
	smmu_update_cr0(smmu, 0);

	/* Interrupts are wired: a message is a write of the SMMU, to any address. */
	writeq_relaxed(0, smmu->regs + ARM_SMMU_GERROR_IRQ_CFG0);
	writeq_relaxed(0, smmu->regs + ARM_SMMU_EVTQ_IRQ_CFG0);

	writel_relaxed(cr1, smmu->regs + ARM_SMMU_CR1);
	writel_relaxed(CR2_PTM | CR2_RECINVSID, smmu->regs + ARM_SMMU_CR2);
	writeq_relaxed(strtab | STRTAB_BASE_RA, smmu->regs + ARM_SMMU_STRTAB_BASE);
	writel_relaxed(cfg, smmu->regs + ARM_SMMU_STRTAB_BASE_CFG);

	writeq_relaxed(hyp_virt_to_phys(smmu->cmdq) | Q_BASE_RWA |
		       ilog2(PAGE_SIZE >> CMDQ_ENT_SZ_SHIFT), smmu->regs + ARM_SMMU_CMDQ_BASE);
	writel_relaxed(0, smmu->regs + ARM_SMMU_CMDQ_PROD);
	writel_relaxed(0, smmu->regs + ARM_SMMU_CMDQ_CONS);
	writeq_relaxed(hyp_virt_to_phys(smmu->evtq) | Q_BASE_RWA |
		       ilog2(PAGE_SIZE >> EVTQ_ENT_SZ_SHIFT), smmu->regs + ARM_SMMU_EVTQ_BASE);
	writel_relaxed(0, smmu->regs + SZ_64K + ARM_SMMU_EVTQ_PROD);
	writel_relaxed(0, smmu->regs + SZ_64K + ARM_SMMU_EVTQ_CONS);

	smmu_update_cr0(smmu, smmu->cr0_fixed);
	smmu_cmd(smmu, CMDQ_OP_CFGI_ALL, FIELD_PREP(CMDQ_CFGI_1_RANGE, 31));
	if (readl_relaxed(smmu->regs + ARM_SMMU_IDR0) & IDR0_HYP)
		smmu_cmd(smmu, CMDQ_OP_TLBI_EL2_ALL, 0);
	smmu_cmd(smmu, CMDQ_OP_TLBI_NSNH_ALL, 0);
	smmu_sync(smmu);
	smmu_update_cr0(smmu, smmu->cr0_fixed | CR0_SMMUEN);
}

static int smmu_add(const struct pkvm_smmu_setup *setup, unsigned int i)
{
	const struct pkvm_smmu_desc *desc = &setup->smmu[i];
	struct smmu *smmu = &smmus[i];
	unsigned long va;
	size_t size;
	int ret;

	if (!PAGE_ALIGNED(desc->base) || !PAGE_ALIGNED(desc->mem))
		return -EINVAL;

	hyp_spin_lock_init(&smmu->lock);
	smmu->phys = desc->base;
	ret = __pkvm_create_private_mapping(desc->base, PKVM_SMMU_MMIO_SIZE, PAGE_HYP_DEVICE,
					    &va);
	if (ret)
		return ret;

	smmu->regs = (void __iomem *)va;
	ret = smmu_check(smmu);
	if (ret)
		return ret;

	smmu_read_idr(smmu);
	smmu->nr_l1 = pkvm_smmu_nr_l1(smmu->sid_bits);
	size = pkvm_smmu_mem_size(smmu->sid_bits);
	if (desc->sid_bits != smmu->sid_bits)
		return -EINVAL;

	ret = __pkvm_host_donate_hyp(hyp_phys_to_pfn(desc->mem), size >> PAGE_SHIFT);
	if (ret)
		return ret;

	smmu_place(smmu, hyp_phys_to_virt(desc->mem));

	/* The registers are not memory: no page state says whose they are, but this does. */
	host_lock_component();
	ret = kvm_pgtable_stage2_set_owner(&host_mmu.pgt, desc->base, PKVM_SMMU_MMIO_SIZE,
					   &host_s2_pool, PKVM_ID_HYP);
	host_unlock_component();

	return ret;
}

/**
 * __pkvm_smmu_init() - Take all SMMUs of the machine from the host
 *
 * Hypercall of the host before it gives up its privileges; it has filled in
 * pkvm_smmu_setup. Not bounded, as boot is not (R6).
 *
 * Return: 0; -EBUSY if called before; -EINVAL for a description that does not fit the
 * hardware; -EOPNOTSUPP for an SMMU without a stage 2 of the kernel's page size, or
 * without stream tables of two levels; -EIO for one that does not answer; or the error
 * of a donation or mapping. After an error other than -EIO no SMMU has been programmed.
 * Memory that was donated before an error stays the hypervisor's.
 */
int __pkvm_smmu_init(void)
{
	const struct pkvm_smmu_setup *setup = &pkvm_smmu_setup;
	size_t pgd_size;
	unsigned int i;
	int ret;

	if (smmu_nr)
		return -EBUSY;
	if (!setup->nr || setup->nr > PKVM_SMMU_MAX || !PAGE_ALIGNED(setup->pgd))
		return -EINVAL;

	for (i = 0; i < setup->nr; i++) {
		ret = smmu_add(setup, i);
		if (ret)
			return ret;
	}

	ret = smmu_take_pages(setup->nr_pages, &pkvm_smmu_setup.mc);
	if (ret)
		return ret;

	pgd_size = pkvm_smmu_pgd_size(setup->ia_bits);
	ret = __pkvm_host_donate_hyp(hyp_phys_to_pfn(setup->pgd), pgd_size >> PAGE_SHIFT);
	if (ret)
		return ret;

	host_lock_component();
	ret = smmu_s2_init(setup->ia_bits, setup->blocks, setup->pgd);
	for (i = 0; !ret && i < setup->nr; i++) {
		smmu_ste_init(&smmus[i]);
		smmu_start(&smmus[i]);
		if (smmus[i].broken)
			ret = -EIO;
	}
	if (!ret)
		smmu_nr = setup->nr;
	host_unlock_component();

	return ret;
}
