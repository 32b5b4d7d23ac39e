/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rule by which entries of the host's stage-2 hold a reference on their table, and the
 * search for tables that map only MMIO. They are in a header so that the hypervisor and the
 * KUnit suites at EL1 use the same code.
 */
#ifndef __ARM64_KVM_PKVM_HOST_S2_H__
#define __ARM64_KVM_PKVM_HOST_S2_H__

#include <linux/bitfield.h>
#include <linux/memblock.h>
#include <linux/types.h>

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_coalesce.h>
#include <asm/pgtable-prot.h>

/*
 * The attributes of a leaf that tell a default mapping from any other. The access
 * flag is not among them, for hardware may set it; nor is shareability, which is
 * the same in every entry and where FEAT_LPA2 keeps address bits.
 */
#define PKVM_HOST_S2_ATTRS							\
	((KVM_PTE_LEAF_ATTR_LO | KVM_PTE_LEAF_ATTR_HI) &			\
	 ~(KVM_PTE_LEAF_ATTR_LO_S2_AF | KVM_PTE_LEAF_ATTR_LO_S2_SH))

/*
 * PKVM_HOST_MEM_PROT and PKVM_HOST_MMIO_PROT as they look in an entry. That of MMIO has
 * the memory type that leaves the choice to the host's stage-1, as a driver may want
 * write combining there.
 */
#define PKVM_HOST_S2_MEM							\
	(PAGE_S2_MEMATTR(NORMAL, false) |					\
	 KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R | KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W)
#define PKVM_HOST_S2_MMIO	(PKVM_HOST_S2_MEM | KVM_PTE_LEAF_ATTR_HI_S2_XN)

/**
 * pkvm_host_s2_mem_attr() - All attributes of a default mapping of memory
 *
 * Return: what a leaf has beside the physical address.
 */
static inline kvm_pte_t pkvm_host_s2_mem_attr(void)
{
	kvm_pte_t attr = PKVM_HOST_S2_MEM | KVM_PTE_LEAF_ATTR_LO_S2_AF;

	if (!kvm_lpa2_is_enabled())
		attr |= FIELD_PREP(KVM_PTE_LEAF_ATTR_LO_S2_SH, KVM_PTE_LEAF_ATTR_LO_S2_SH_IS);

	return attr;
}

/**
 * pkvm_host_s2_counts() - Check whether an entry cannot be rebuilt on demand
 * @pte:	an entry of the host's stage-2.
 * @level:	the level of its table.
 * @is_memory:	says whether a physical address is memory rather than MMIO.
 *
 * Annotations, leaves with a software bit or other than default attributes, and entries for
 * tables are counted. A counted entry holds a reference on its table. A table without such
 * references may be freed.
 *
 * Return: true if the entry is counted; false for an empty entry, and for one that a walk
 * has locked while it replaces it.
 */
static __always_inline bool pkvm_host_s2_counts(kvm_pte_t pte, s8 level,
						bool (*is_memory)(phys_addr_t phys))
{
	if (!kvm_pte_valid(pte))
		return pte && pte != KVM_INVALID_PTE_LOCKED;

	if (level < KVM_PGTABLE_LAST_LEVEL && (pte & PMD_TYPE_MASK) == PMD_TYPE_TABLE)
		return true;

	if ((pte & PKVM_HOST_S2_ATTRS) == PKVM_HOST_S2_MEM)
		return !is_memory(kvm_pte_to_phys(pte));

	if ((pte & PKVM_HOST_S2_ATTRS) == PKVM_HOST_S2_MMIO)
		return is_memory(kvm_pte_to_phys(pte));

	return true;
}

/**
 * pkvm_host_s2_recycle() - Free some of the tables that map only MMIO
 * @pgt:	the host's stage-2, to which the caller has exclusive access.
 * @memory:	the regions of memory, in order. All addresses outside of them are MMIO.
 * @nr_regions:	how many.
 * @max:	the most tables to free.
 *
 * A table that maps memory as well may be freed, too, if no entry in it is counted.
 *
 * Return: how many tables were freed.
 */
static inline unsigned int pkvm_host_s2_recycle(struct kvm_pgtable *pgt,
						const struct memblock_region *memory,
						unsigned int nr_regions, unsigned int max)
{
	unsigned int i, nr = 0;
	u64 addr = 0, end;

	for (i = 0; i <= nr_regions && nr < max; i++) {
		end = i < nr_regions ? memory[i].base : BIT_ULL(pgt->ia_bits);
		if (end > addr)
			nr += kvm_pgtable_stage2_coalesce(pgt, addr, end - addr, max - nr);
		if (i < nr_regions)
			addr = memory[i].base + memory[i].size;
	}

	return nr;
}

#endif /* __ARM64_KVM_PKVM_HOST_S2_H__ */
