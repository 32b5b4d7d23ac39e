// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that a guest of pKVM gives back, for its balloon. The host cannot take a page that the
 * guest owns: the guest relinquishes it by MEM_RELINQUISH, which zeroes it. The next access to the
 * address gets another page.
 *
 * Rule: what is in that page is up to the host, so the guest must not expect zeroes there.
 */

#include <linux/align.h>
#include <linux/arm-smccc.h>
#include <linux/export.h>
#include <linux/log2.h>
#include <linux/mem_relinquish.h>
#include <linux/pkvm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>

#include <asm/hypervisor.h>

#include "pkvm-guest.h"

static size_t relinquish_granule;

/**
 * pkvm_guest_init_relinquish() - Find out whether the hypervisor takes memory back
 * @granule: R0 of HYP_MEMINFO: bytes of a granule, or an error.
 *
 * Called once, while the kernel boots on one CPU.
 */
void __init pkvm_guest_init_relinquish(u64 granule)
{
	if (is_power_of_2(granule) &&
	    kvm_arm_hyp_service_available(ARM_SMCCC_KVM_FUNC_MEM_RELINQUISH))
		relinquish_granule = granule;
}

/**
 * mem_relinquish_granule() - Get the unit in which memory can be relinquished
 *
 * Return: bytes, a power of two; 0 if no memory can or has to be relinquished.
 */
size_t mem_relinquish_granule(void)
{
	return relinquish_granule;
}
EXPORT_SYMBOL_GPL(mem_relinquish_granule);

/**
 * mem_relinquish() - Give memory back to the host
 * @phys: the first byte of memory that nobody uses or shares.
 * @size: how many bytes. Granules that the range does not contain whole stay the guest's.
 *
 * Does nothing if there is no mem_relinquish_granule(). May sleep.
 */
void mem_relinquish(phys_addr_t phys, size_t size)
{
	phys_addr_t end;

	if (!relinquish_granule)
		return;

	end = ALIGN_DOWN(phys + size, relinquish_granule);
	for (phys = ALIGN(phys, relinquish_granule); phys < end; phys += relinquish_granule) {
		struct arm_smccc_res res;

		/* It fails where the guest has no page: it has not touched this memory yet. */
		arm_smccc_1_1_invoke(ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID,
				     phys, 0, 0, &res);
		cond_resched();
	}
}
EXPORT_SYMBOL_GPL(mem_relinquish);

/**
 * mem_relinquish_sg() - Give the memory of a list back to the host
 * @sg: the list. Each entry gets the physical address of its memory as its DMA address: the host
 *	is told what it may take, as by a balloon's page numbers, and no device accesses it.
 * @nents: its entries.
 *
 * Does nothing if there is no mem_relinquish_granule(). May sleep.
 */
void mem_relinquish_sg(struct scatterlist *sg, unsigned int nents)
{
	struct scatterlist *entry;
	unsigned int i;

	if (!relinquish_granule)
		return;

	for_each_sg(sg, entry, nents, i) {
		mem_relinquish(sg_phys(entry), entry->length);
		sg_dma_address(entry) = sg_phys(entry);
	}
}
EXPORT_SYMBOL_GPL(mem_relinquish_sg);
