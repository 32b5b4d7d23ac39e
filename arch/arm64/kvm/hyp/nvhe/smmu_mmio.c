// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registers of an SMMU as the host's driver sees them. They are not in the host's
 * stage-2, so each access traps and is carried out here: on the hypervisor's copy of the
 * register, on the SMMU itself where that is harmless, or not at all.
 *
 * R5: an access at any offset, of any width and with any value has a defined result: an
 *     unknown register reads as zero and ignores writes.
 * R6: what takes long is done in steps. After a step that is not the last one the host
 *     repeats its instruction, which traps again once it has taken pending interrupts.
 */

#include <linux/io.h>

#include <asm/esr.h>

#include <hyp/adjust_pc.h>
#include <nvhe/mem_protect.h>
#include <nvhe/smmu.h>
#include <nvhe/smmu_evtq.h>
#include <nvhe/smmu_host_cmdq.h>
#include <nvhe/smmu_mmio.h>
#include <nvhe/smmu_ste.h>
#include <nvhe/trap_handler.h>

#include "arm-smmu-v3.h"

#define SMMU_PAGE1	SZ_64K

/*
 * Set the SMMU's own CR0. It is never off, and its command queue is the hypervisor's. The
 * host decides only whether it records events.
 */
static void smmu_apply_cr0(struct smmu *smmu)
{
	if (!smmu->broken)
		smmu_update_cr0(smmu, smmu->cr0_fixed | CR0_SMMUEN | (smmu->cr0 & CR0_EVTQEN));
}

/* As all functions for writes, return true if the write is done, false to repeat it. */
static bool smmu_write_cr0(struct smmu *smmu, u32 val)
{
	val &= CR0_SMMUEN | CR0_CMDQEN | CR0_EVTQEN;

	if ((val ^ smmu->cr0) & CR0_SMMUEN &&
	    !smmu_ste_switch(smmu, val & CR0_SMMUEN))
		return false;

	smmu->cr0 = val;
	smmu_apply_cr0(smmu);

	return true;
}

static bool smmu_write_gbpa(struct smmu *smmu, u32 val)
{
	/* Without UPDATE a write is ignored. */
	if (!(val & GBPA_UPDATE))
		return true;

	smmu->gbpa = val & ~GBPA_UPDATE;

	return smmu->cr0 & CR0_SMMUEN || smmu_ste_switch(smmu, false);
}

/*
 * The error of the host's command queue is kept here. The host acknowledges the other
 * errors at the SMMU.
 */
static void smmu_write_gerrorn(struct smmu *smmu, u32 val)
{
	u32 cur = readl_relaxed(smmu->regs + ARM_SMMU_GERRORN);

	smmu->gerrorn = val & GERROR_CMDQ_ERR;
	val = (val & GERROR_ERR_MASK & ~GERROR_CMDQ_ERR) | (cur & GERROR_CMDQ_ERR);
	writel(val, smmu->regs + ARM_SMMU_GERRORN);
}

static u32 smmu_read_gerror(struct smmu *smmu, u32 reg, u32 cmdq_err)
{
	u32 val = readl_relaxed(smmu->regs + reg) & GERROR_ERR_MASK & ~GERROR_CMDQ_ERR;

	if (smmu->broken && reg == ARM_SMMU_GERROR)
		val ^= GERROR_SFM_ERR;

	return val | cmdq_err;
}

static bool smmu_write32(struct smmu *smmu, u32 off, u32 val)
{
	switch (off) {
	case ARM_SMMU_CR0:
		return smmu_write_cr0(smmu, val);
	case ARM_SMMU_CR1:
		smmu->cr1 = val;
		return true;
	case ARM_SMMU_CR2:
		smmu->cr2 = val;
		return true;
	case ARM_SMMU_GBPA:
		return smmu_write_gbpa(smmu, val);
	case ARM_SMMU_IRQ_CTRL:
		smmu->irq_ctrl = val & (IRQ_CTRL_EVTQ_IRQEN | IRQ_CTRL_GERROR_IRQEN);
		writel(smmu->irq_ctrl, smmu->regs + ARM_SMMU_IRQ_CTRL);
		return true;
	case ARM_SMMU_GERRORN:
		smmu_write_gerrorn(smmu, val);
		return smmu_host_cmdq_run(smmu);
	case ARM_SMMU_STRTAB_BASE_CFG:
		if (!(smmu->cr0 & CR0_SMMUEN))
			smmu->strtab_cfg = val;
		return true;
	case ARM_SMMU_CMDQ_PROD:
		smmu->host_cmdq.prod = val;
		return smmu_host_cmdq_run(smmu);
	case ARM_SMMU_CMDQ_CONS:
		if (!(smmu->cr0 & CR0_CMDQEN))
			smmu->host_cmdq.cons = val;
		return true;
	case SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD:
		if (!(smmu->cr0 & CR0_EVTQEN))
			smmu->host_evtq.prod = val;
		return true;
	case SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS:
		smmu->host_evtq.cons = val;
		smmu_evtq_drain(smmu);
		return true;
	default:
		return true;
	}
}

static u32 smmu_read32(struct smmu *smmu, u32 off)
{
	switch (off) {
	case ARM_SMMU_IDR0 ... ARM_SMMU_IDR5:
		return smmu->idr[off / sizeof(u32)];
	case ARM_SMMU_IIDR:
		return readl_relaxed(smmu->regs + off);
	case ARM_SMMU_CR0:
	case ARM_SMMU_CR0ACK:
		return smmu->cr0;
	case ARM_SMMU_CR1:
		return smmu->cr1;
	case ARM_SMMU_CR2:
		return smmu->cr2;
	case ARM_SMMU_GBPA:
		return smmu->gbpa;
	case ARM_SMMU_IRQ_CTRL:
	case ARM_SMMU_IRQ_CTRLACK:
		return smmu->irq_ctrl;
	case ARM_SMMU_GERROR:
		return smmu_read_gerror(smmu, off, smmu->gerror);
	case ARM_SMMU_GERRORN:
		return smmu_read_gerror(smmu, off, smmu->gerrorn);
	case ARM_SMMU_STRTAB_BASE_CFG:
		return smmu->strtab_cfg;
	case ARM_SMMU_CMDQ_PROD:
		return smmu->host_cmdq.prod;
	case ARM_SMMU_CMDQ_CONS:
		return smmu->host_cmdq.cons;
	case SMMU_PAGE1 + ARM_SMMU_EVTQ_PROD:
		smmu_evtq_drain(smmu);
		return smmu->host_evtq.prod;
	case SMMU_PAGE1 + ARM_SMMU_EVTQ_CONS:
		return smmu->host_evtq.cons;
	default:
		return 0;
	}
}

/* Get the copy of a 64-bit register, and the bit of CR0 that makes it read-only. */
static u64 *smmu_reg64(struct smmu *smmu, u32 off, u32 *enable)
{
	switch (off) {
	case ARM_SMMU_STRTAB_BASE:
		*enable = CR0_SMMUEN;
		return &smmu->strtab_base;
	case ARM_SMMU_CMDQ_BASE:
		*enable = CR0_CMDQEN;
		return &smmu->host_cmdq.base;
	case ARM_SMMU_EVTQ_BASE:
		*enable = CR0_EVTQEN;
		return &smmu->host_evtq.base;
	default:
		return NULL;
	}
}

/* Access a 64-bit register, or half of one; false if there is none at @off. */
static bool smmu_access64(struct smmu *smmu, u32 off, bool wide, bool write, u64 *val)
{
	unsigned int shift = off & sizeof(u32) ? 32 : 0;
	u32 enable;
	u64 *reg = smmu_reg64(smmu, ALIGN_DOWN(off, sizeof(u64)), &enable);
	u64 mask = wide ? U64_MAX : (u64)U32_MAX << shift;

	if (!reg)
		return false;

	if (!write)
		*val = wide ? *reg : (u32)(*reg >> shift);
	else if (!(smmu->cr0 & enable))
		*reg = (*reg & ~mask) | ((*val << shift) & mask);

	return true;
}

/* Carry out an access; false if the host has to repeat it. */
static bool smmu_access(struct smmu *smmu, u32 off, bool wide, bool write, u64 *val)
{
	if (smmu_access64(smmu, off, wide, write, val))
		return true;

	/* All other registers have 32 bits: a 64-bit read is zero, a write is ignored. */
	if (wide) {
		*val = 0;
		return true;
	}

	if (write)
		return smmu_write32(smmu, off, *val);

	*val = smmu_read32(smmu, off);
	return true;
}

static struct smmu *smmu_find(phys_addr_t addr)
{
	unsigned int i;

	for (i = 0; i < smmu_nr; i++) {
		if (addr - smmus[i].phys < PKVM_SMMU_MMIO_SIZE)
			return &smmus[i];
	}

	return NULL;
}

/**
 * smmu_handle_host_access() - Carry out an access of the host to an SMMU's register
 * @host_ctxt: the host's registers.
 * @esr: ESR_EL2 of the abort that it caused.
 * @addr: physical address of the page that was accessed.
 *
 * Takes the host's lock and the SMMU's. The host goes on behind its instruction, or
 * repeats it if there is more to do.
 *
 * Return: true if the access was handled; false if it is not to an SMMU, or not an aligned
 * load or store of one register of 32 or 64 bits, which is all that a driver needs.
 */
bool smmu_handle_host_access(struct kvm_cpu_context *host_ctxt, u64 esr, phys_addr_t addr)
{
	unsigned int size = BIT(FIELD_GET(ESR_ELx_SAS, esr));
	unsigned int reg = FIELD_GET(ESR_ELx_SRT_MASK, esr);
	bool write = esr & ESR_ELx_WNR, done;
	struct smmu *smmu;
	u64 val = 0;
	u32 off;

	addr |= read_sysreg_el2(SYS_FAR) & ~PAGE_MASK;
	smmu = smmu_find(addr);
	if (!smmu || ESR_ELx_EC(esr) != ESR_ELx_EC_DABT_LOW || !(esr & ESR_ELx_ISV) ||
	    size < sizeof(u32) || !IS_ALIGNED(addr, size))
		return false;

	off = addr - smmu->phys;
	if (write && reg < 31)
		val = cpu_reg(host_ctxt, reg);

	host_lock_component();
	hyp_spin_lock(&smmu->lock);
	done = smmu_access(smmu, off, size == sizeof(u64), write, &val);
	hyp_spin_unlock(&smmu->lock);
	host_unlock_component();

	if (!done)
		return true;

	if (!write && reg < 31)
		cpu_reg(host_ctxt, reg) = val;
	kvm_skip_host_instr();

	return true;
}
