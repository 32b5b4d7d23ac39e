/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The description of the SMMUv3s that the host passes to the hypervisor before it gives up its
 * privileges, and the layout of the memory that it donates for each of them. The host is
 * trusted until then, and the hypervisor copies what it needs later.
 */
#ifndef __ARM64_KVM_PKVM_SMMU_H__
#define __ARM64_KVM_PKVM_SMMU_H__

#include <linux/align.h>
#include <linux/kvm_host.h>
#include <linux/minmax.h>
#include <linux/types.h>

#include <asm/kvm_pgtable.h>

/* The most SMMUs that the hypervisor drives. */
#define PKVM_SMMU_MAX		16

/* Registers of an SMMU: two pages of 64 KiB. */
#define PKVM_SMMU_MMIO_SIZE	0x20000

/* A stream table entry is 64 bytes; a second-level table is one page of them. */
#define PKVM_SMMU_SPLIT		(PAGE_SHIFT - 6)

/* The largest first level, as large as that of Linux's driver. */
#define PKVM_SMMU_MAX_L1	BIT(17)

/* Second-level tables that the hypervisor may fill for one SMMU. */
#define PKVM_SMMU_L2_PAGES	64

/**
 * struct pkvm_smmu_desc - One SMMU, as the host describes it
 * @base:	physical address of its registers, of PKVM_SMMU_MMIO_SIZE bytes.
 * @mem:	physical address of pkvm_smmu_mem_size() bytes of contiguous, zeroed
 *		memory for its first-level table and its queues.
 * @sid_bits:	number of bits of a stream ID, from SMMU_IDR1.
 */
struct pkvm_smmu_desc {
	phys_addr_t	base;
	phys_addr_t	mem;
	u32		sid_bits;
};

/**
 * struct pkvm_smmu_setup - All SMMUs of the machine
 * @nr:		how many there are; 0 where nothing is to be set up.
 * @ia_bits:	bits of an address that the stage-2 for devices translates: the least
 *		output size of all SMMUs.
 * @blocks:	whether all SMMUs take a change of block size in place (BBML2).
 * @pgd:	contiguous memory for the first level of that stage-2.
 * @mc:		pages for its other tables and for second-level stream tables.
 * @nr_pages:	how many pages of @mc the hypervisor is to take.
 * @smmu:	each SMMU.
 */
struct pkvm_smmu_setup {
	u32			nr;
	u32			ia_bits;
	bool			blocks;
	phys_addr_t		pgd;
	struct kvm_hyp_memcache	mc;
	u64			nr_pages;
	struct pkvm_smmu_desc	smmu[PKVM_SMMU_MAX];
};

#ifdef CONFIG_PKVM_SMMU_V3
phys_addr_t pkvm_smmu_memory(void);
#else
static inline phys_addr_t pkvm_smmu_memory(void)
{
	return 0;
}
#endif

/**
 * pkvm_smmu_nr_l1() - Get the size of the first level of an SMMU's stream table
 * @sid_bits: number of bits of a stream ID.
 *
 * Return: the number of entries.
 */
static inline u32 pkvm_smmu_nr_l1(u32 sid_bits)
{
	if (sid_bits <= PKVM_SMMU_SPLIT)
		return 1;

	return min(BIT_ULL(sid_bits - PKVM_SMMU_SPLIT), PKVM_SMMU_MAX_L1);
}

/**
 * pkvm_smmu_mem_size() - Get the size of the memory that the host donates for an SMMU
 * @sid_bits: number of bits of a stream ID.
 *
 * The memory contains the first-level table, the addresses of the second-level tables that are
 * in use, and a page each for the second-level table of streams in bypass, the command queue
 * and the event queue.
 *
 * Return: bytes, a multiple of the page size.
 */
static inline size_t pkvm_smmu_mem_size(u32 sid_bits)
{
	return 2 * PAGE_ALIGN(pkvm_smmu_nr_l1(sid_bits) * sizeof(u64)) + 3 * PAGE_SIZE;
}

/**
 * pkvm_smmu_start_level() - Get the level at which a walk of the devices' stage-2 starts
 * @ia_bits: bits of an address that it translates.
 *
 * Return: the level; up to 16 tables are concatenated there.
 */
static inline s8 pkvm_smmu_start_level(u32 ia_bits)
{
	return KVM_PGTABLE_LAST_LEVEL + 1 - ARM64_HW_PGTABLE_LEVELS(ia_bits - 4);
}

/**
 * pkvm_smmu_pgd_size() - Get the size of the first level of the devices' stage-2
 * @ia_bits: bits of an address that it translates.
 *
 * Return: bytes, a multiple of the page size.
 */
static inline size_t pkvm_smmu_pgd_size(u32 ia_bits)
{
	u32 shift = ARM64_HW_PGTABLE_LEVEL_SHIFT(pkvm_smmu_start_level(ia_bits));

	return PAGE_ALIGN(sizeof(u64) << (ia_bits - shift));
}

#endif /* __ARM64_KVM_PKVM_SMMU_H__ */
