/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SMMUv3s that the hypervisor drives, so that no device reaches memory which the
 * host may not reach (R9). The host's driver believes that it drives them: smmu_mmio.c
 * carries out its accesses to the registers, from what smmu_host_cmdq.c, smmu_ste.c and
 * smmu_evtq.c make of its queues and tables. smmu_s2.c is the stage-2 that all
 * devices share.
 */
#ifndef __ARM64_KVM_NVHE_SMMU_STATE_H__
#define __ARM64_KVM_NVHE_SMMU_STATE_H__

#include <asm/kvm_pkvm_smmu.h>

#include <nvhe/spinlock.h>

/* Every stream has this VMID: there is one stage-2 for all of them. */
#define SMMU_VMID	0

/* Invalidates all stage-1 entries of a VMID; Linux's driver has no name for the opcode. */
#define CMDQ_OP_TLBI_NH_ALL	0x10

/**
 * struct smmu_cursor - Where a walk over all stream IDs goes on
 * @sid:	the next stream ID to look at.
 * @active:	whether a walk has begun that is not finished.
 */
struct smmu_cursor {
	u64	sid;
	bool	active;
};

/**
 * struct smmu - One SMMU
 * @lock:	protects all of it but what is constant after boot. Taken with the
 *		host's lock held.
 * @phys:	physical address of the registers.
 * @regs:	where the hypervisor sees them.
 * @coherent:	whether its walks and queues snoop the caches.
 * @broken:	it did not answer in time, and all its streams are aborted.
 * @idr:	the identification registers that the host is shown.
 * @sid_bits:	bits of a stream ID.
 * @nr_l2:	second-level tables in use.
 * @nr_l1:	entries of @l1 and @l2.
 * @l1:		first level of the stream table that the SMMU walks.
 * @l2:		physical addresses of the second-level tables in use, else 0.
 * @l2_bypass:	second-level table whose streams are translated by stage 2 alone.
 * @stage1:	some stream has, or had, a stage 1 of the host.
 * @cmdq:	the command queue that the SMMU reads, a page.
 * @cmdq_prod:	index of the next command, with its wrap bit.
 * @evtq:	the event queue that the SMMU writes, a page.
 * @evtq_cons:	index of the next event to be read, with wrap and overflow bits.
 * @cr0_fixed:	bits of CR0 that are always set.
 * @cr0:	what the host wrote to CR0.
 * @cr1:	what the host wrote to CR1.
 * @cr2:	what the host wrote to CR2.
 * @gbpa:	what the host wrote to GBPA.
 * @irq_ctrl:	what the host wrote to IRQ_CTRL.
 * @gerror:	bit 0: the host's own command error.
 * @gerrorn:	bit 0: what the host acknowledged of it.
 * @strtab_base:	where the host has its stream table.
 * @strtab_cfg:	its format and size.
 * @host_cmdq:	base register, producer and consumer index of the host's queue.
 * @host_evtq:	the same of its event queue.
 * @cr0_walk:	walk over all streams for a change of CR0 or GBPA.
 * @cfgi_walk:	walk over the streams of a command for many.
 */
struct smmu {
	hyp_spinlock_t		lock;
	phys_addr_t		phys;
	void __iomem		*regs;
	bool			coherent;
	bool			broken;
	bool			stage1;
	u32			idr[6];
	u32			sid_bits;
	u32			nr_l2;
	u32			nr_l1;
	__le64			*l1;
	u64			*l2;
	__le64			*l2_bypass;
	__le64			*cmdq;
	u32			cmdq_prod;
	__le64			*evtq;
	u32			evtq_cons;

	u32			cr0_fixed;
	u32			cr0;
	u32			cr1;
	u32			cr2;
	u32			gbpa;
	u32			irq_ctrl;
	u32			gerror;
	u32			gerrorn;
	u64			strtab_base;
	u32			strtab_cfg;
	struct smmu_host_queue {
		u64		base;
		u32		prod;
		u32		cons;
	} host_cmdq, host_evtq;
	struct smmu_cursor	cr0_walk;
	struct smmu_cursor	cfgi_walk;
};

extern unsigned int smmu_nr;
extern struct smmu smmus[PKVM_SMMU_MAX];

#endif /* __ARM64_KVM_NVHE_SMMU_STATE_H__ */
