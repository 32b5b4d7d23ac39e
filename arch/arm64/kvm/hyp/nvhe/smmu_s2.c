// SPDX-License-Identifier: GPL-2.0-only
/*
 * The stage-2 that all devices behind an SMMU share: an identity map of what the
 * host may reach. A device does not fault its memory in, so unlike the host's own
 * stage-2 this one is complete: by default an address is mapped, and what belongs to
 * a guest or to the hypervisor is not.
 *
 * Where the SMMUs allow it (BBML2), memory is mapped by blocks. Blocks are split and
 * joined in place: with break-before-make a DMA of the host to another page of the
 * block would fail in between. Without BBML2 memory is mapped by pages from the
 * start, and no entry ever changes its size.
 *
 * R2, R9: an owner change is seen by devices before smmu_s2_set_owner() returns.
 * R7: the tables for the finest map of all memory are reserved at boot.
 *
 * The host's lock is held throughout.
 */

#include <asm/kvm_pgtable.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/smmu_cmdq.h>
#include <nvhe/smmu_mem.h>
#include <nvhe/smmu_s2.h>

#include "arm-smmu-v3.h"

/* Above this many pages at a time, invalidate the whole VMID, not each page. */
#define SMMU_S2_MAX_TLBI	16

static struct {
	kvm_pte_t	*pgd;
	u32		ia_bits;
	s8		start_level;
	bool		blocks;
} smmu_s2;

/* The entries that a walk for an address visits, down to its leaf at @level. */
struct smmu_s2_path {
	kvm_pte_t	*ptep[KVM_PGTABLE_LAST_LEVEL + 2];
	s8		level;
};

static kvm_pte_t smmu_s2_default(u64 addr, s8 level)
{
	kvm_pte_t pte = kvm_phys_to_pte(ALIGN_DOWN(addr, kvm_granule_size(level)));

	pte |= PAGE_S2_MEMATTR(NORMAL, false) | KVM_PTE_VALID | KVM_PTE_LEAF_ATTR_LO_S2_AF |
	       KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R | KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W |
	       FIELD_PREP(KVM_PTE_LEAF_ATTR_LO_S2_SH, KVM_PTE_LEAF_ATTR_LO_S2_SH_IS);
	if (level == KVM_PGTABLE_LAST_LEVEL)
		pte |= PTE_TYPE_PAGE;

	return pte;
}

static bool smmu_s2_is_table(kvm_pte_t pte, s8 level)
{
	return level < KVM_PGTABLE_LAST_LEVEL &&
	       (pte & PTE_TYPE_MASK) == (KVM_PTE_VALID | PTE_TABLE_BIT);
}

static void smmu_s2_set(kvm_pte_t *ptep, kvm_pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
	kvm_flush_dcache_to_poc(ptep, sizeof(*ptep));
}

/* The page of a table. Its count is 1, and 1 more for each entry that is not a default one. */
static struct hyp_page *smmu_s2_page(kvm_pte_t *ptep)
{
	return hyp_virt_to_page(PTR_ALIGN_DOWN(ptep, PAGE_SIZE));
}

static void smmu_s2_find(u64 addr, struct smmu_s2_path *path)
{
	s8 level = smmu_s2.start_level;
	kvm_pte_t *ptep = &smmu_s2.pgd[addr >> kvm_granule_shift(level)];

	path->ptep[level] = ptep;
	while (smmu_s2_is_table(*ptep, level)) {
		kvm_pte_t *table = hyp_phys_to_virt(kvm_pte_to_phys(*ptep));

		level++;
		ptep = &table[(addr >> kvm_granule_shift(level)) & (PTRS_PER_PTE - 1)];
		path->ptep[level] = ptep;
	}
	path->level = level;
}

/* Replace a block by a table of entries that map the same. */
static void smmu_s2_split(struct smmu_s2_path *path, u64 addr)
{
	u64 base = ALIGN_DOWN(addr, kvm_granule_size(path->level));
	kvm_pte_t *ptep = path->ptep[path->level];
	kvm_pte_t *table = smmu_alloc_page();
	s8 level = path->level + 1;
	unsigned int i;

	/* Cannot fail: the host donated enough pages, see pkvm_smmu_table_pages(). */
	WARN_ON(!table);

	for (i = 0; i < PTRS_PER_PTE; i++)
		table[i] = smmu_s2_default(base + i * kvm_granule_size(level), level);
	kvm_flush_dcache_to_poc(table, PAGE_SIZE);

	smmu_s2_set(ptep, kvm_phys_to_pte(hyp_virt_to_phys(table)) | KVM_PTE_VALID |
			  PTE_TABLE_BIT);
	smmu_s2_page(ptep)->refcount++;

	path->level = level;
	path->ptep[level] = &table[(addr >> kvm_granule_shift(level)) & (PTRS_PER_PTE - 1)];
}

/* After an entry has become a default one: replace tables of default entries by blocks. */
static void smmu_s2_join(struct smmu_s2_path *path, u64 addr)
{
	while (smmu_s2.blocks && path->level > smmu_s2.start_level &&
	       kvm_level_supports_block_mapping(path->level - 1)) {
		kvm_pte_t *table = PTR_ALIGN_DOWN(path->ptep[path->level], PAGE_SIZE);
		u64 base = ALIGN_DOWN(addr, kvm_granule_size(path->level - 1));
		unsigned int i;

		if (smmu_s2_page(table)->refcount > 1)
			return;

		path->level--;
		smmu_s2_set(path->ptep[path->level], smmu_s2_default(addr, path->level));
		smmu_s2_page(path->ptep[path->level])->refcount--;

		/* SMMUs may hold the entry for the table until it is invalidated. */
		dsb(ishst);
		for (i = 0; i < smmu_nr; i++) {
			hyp_spin_lock(&smmus[i].lock);
			smmu_tlbi(&smmus[i], base, PAGE_SIZE, false);
			hyp_spin_unlock(&smmus[i].lock);
		}
		smmu_free_page(table);
	}
}

/* Map a page if the host may reach it, else unmap it. Returns whether its entry changed. */
static bool smmu_s2_set_page(u64 addr, bool host)
{
	struct smmu_s2_path path;
	kvm_pte_t *ptep;

	smmu_s2_find(addr, &path);
	if (host == !!*path.ptep[path.level])
		return false;

	while (path.level < KVM_PGTABLE_LAST_LEVEL)
		smmu_s2_split(&path, addr);

	ptep = path.ptep[path.level];
	if (host) {
		smmu_s2_set(ptep, smmu_s2_default(addr, path.level));
		smmu_s2_page(ptep)->refcount--;
		smmu_s2_join(&path, addr);
	} else {
		smmu_s2_set(ptep, 0);
		smmu_s2_page(ptep)->refcount++;
	}

	return true;
}

void __smmu_s2_set_owner(phys_addr_t addr, u64 size, bool host)
{
	phys_addr_t end = min_t(u64, addr + size, BIT(smmu_s2.ia_bits)), page;
	bool changed = false;
	unsigned int i;

	hyp_assert_lock_held(&host_mmu.lock);

	for (page = addr; page < end; page += PAGE_SIZE)
		changed |= smmu_s2_set_page(page, host);

	/* The entries that have become valid were invalid, so no TLB holds them. */
	if (host || !changed)
		return;

	dsb(ishst);
	for (i = 0; i < smmu_nr; i++) {
		hyp_spin_lock(&smmus[i].lock);
		smmu_tlbi(&smmus[i], addr,
			  size > SMMU_S2_MAX_TLBI * PAGE_SIZE ? 0 : size, true);
		hyp_spin_unlock(&smmus[i].lock);
	}
}

/* Unmap memory while the map is made. No SMMU uses it yet, so none holds anything of it. */
static void smmu_s2_forbid(phys_addr_t addr, u64 size)
{
	phys_addr_t end = min_t(u64, addr + size, BIT(smmu_s2.ia_bits));

	for (; addr < end; addr += PAGE_SIZE)
		smmu_s2_set_page(addr, false);
}

/* Unmap what the host's stage-2 annotates with another owner. */
static int smmu_s2_follow_host(void)
{
	u64 addr = 0, end = BIT(min(smmu_s2.ia_bits, host_mmu.pgt.ia_bits));

	while (addr < end) {
		kvm_pte_t pte;
		u64 size;
		s8 level;
		int ret;

		ret = kvm_pgtable_get_leaf(&host_mmu.pgt, addr, &pte, &level);
		if (ret)
			return ret;

		size = kvm_granule_size(level);
		if (pte && !kvm_pte_valid(pte))
			smmu_s2_forbid(addr, size);
		addr += size;
	}

	return 0;
}

/* Without BBML2 no block can be split once SMMUs use it: split all that hold memory now. */
static void smmu_s2_split_memory(void)
{
	unsigned int i;

	for (i = 0; i < hyp_memblock_nr; i++) {
		u64 addr = hyp_memory[i].base;
		u64 end = min(addr + hyp_memory[i].size, BIT(smmu_s2.ia_bits));

		for (; addr < end; addr += PAGE_SIZE) {
			struct smmu_s2_path path;

			smmu_s2_find(addr, &path);
			while (path.level < KVM_PGTABLE_LAST_LEVEL)
				smmu_s2_split(&path, addr);
		}
	}
}

/**
 * smmu_s2_init() - Make the stage-2 of devices
 * @ia_bits: bits of an address that it translates, 32 to 48.
 * @blocks: whether the size of a block may change in place: all SMMUs have BBML2.
 * @pgd: pkvm_smmu_pgd_size() bytes of zeroed memory that the hypervisor owns.
 *
 * At boot, with the host's lock held; not bounded, as boot is not (R6).
 *
 * Return: 0; -EINVAL for @ia_bits out of range; or the error of a walk of the
 * host's stage-2.
 */
int smmu_s2_init(u32 ia_bits, bool blocks, phys_addr_t pgd)
{
	u64 addr;
	int ret;

	if (ia_bits < 32 || ia_bits > 48)
		return -EINVAL;

	smmu_s2.ia_bits = ia_bits;
	smmu_s2.start_level = pkvm_smmu_start_level(ia_bits);
	smmu_s2.blocks = true;
	smmu_s2.pgd = hyp_phys_to_virt(pgd);

	for (addr = 0; addr < BIT(ia_bits); addr += kvm_granule_size(smmu_s2.start_level)) {
		s8 level = smmu_s2.start_level;
		struct smmu_s2_path path = { .level = level };

		path.ptep[level] = &smmu_s2.pgd[addr >> kvm_granule_shift(level)];
		if (kvm_level_supports_block_mapping(level))
			smmu_s2_set(path.ptep[level], smmu_s2_default(addr, level));
		else
			smmu_s2_split(&path, addr);
	}

	ret = smmu_s2_follow_host();
	if (ret)
		return ret;

	if (!blocks)
		smmu_s2_split_memory();
	smmu_s2.blocks = blocks;

	return 0;
}

/* PARange and SMMU_IDR5.OAS have the same encoding. */
static u64 smmu_s2_ps(void)
{
	switch (smmu_s2.ia_bits) {
	case 32: return IDR5_OAS_32_BIT;
	case 36: return IDR5_OAS_36_BIT;
	case 40: return IDR5_OAS_40_BIT;
	case 42: return IDR5_OAS_42_BIT;
	case 44: return IDR5_OAS_44_BIT;
	default: return IDR5_OAS_48_BIT;
	}
}

/**
 * smmu_s2_vtcr() - How the stage-2 of devices is walked
 *
 * Return: the VTCR field of a stream table entry.
 */
u64 smmu_s2_vtcr(void)
{
	/*
	 * S2TG is 0, 2 or 1 for pages of 4, 16 or 64 KiB. S2SL0 is 2 minus the start level
	 * with 4 KiB, otherwise 3 minus the start level.
	 */
	bool is_4k = IS_ENABLED(CONFIG_ARM64_4K_PAGES);
	u64 tg = is_4k ? 0 : IS_ENABLED(CONFIG_ARM64_64K_PAGES) ? 1 : 2;
	s8 sl0 = (is_4k ? 2 : 3) - smmu_s2.start_level;

	return FIELD_PREP(STRTAB_STE_2_VTCR_S2T0SZ, 64 - smmu_s2.ia_bits) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SL0, sl0) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2IR0, 1) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2OR0, 1) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2SH0, ARM_SMMU_SH_ISH) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2TG, tg) |
	       FIELD_PREP(STRTAB_STE_2_VTCR_S2PS, smmu_s2_ps());
}

/**
 * smmu_s2_ttb() - Where the stage-2 of devices begins
 *
 * Return: the physical address of its first level.
 */
phys_addr_t smmu_s2_ttb(void)
{
	return hyp_virt_to_phys(smmu_s2.pgd);
}
