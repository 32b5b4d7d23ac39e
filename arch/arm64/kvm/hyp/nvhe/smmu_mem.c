// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that SMMUs read and write: pages for tables, and queues and tables of the host's
 * driver.
 *
 * R4: memory of the host is read and written only where the host owns or shares it,
 *     under the host's lock, and each item is read once.
 */

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/smmu_mem.h>

/* Pages for tables. Protected by the host's lock. */
static struct kvm_hyp_memcache smmu_mc;

/**
 * smmu_take_pages() - Take pages for tables from the host
 * @nr_pages: how many the hypervisor must have.
 * @host_mc: where the host has put them.
 *
 * Return: 0, or the error of refill_memcache().
 */
int smmu_take_pages(unsigned long nr_pages, struct kvm_hyp_memcache *host_mc)
{
	return refill_memcache(&smmu_mc, nr_pages, host_mc);
}

/**
 * smmu_alloc_page() - Take a page for a table
 *
 * With the host's lock held.
 *
 * Return: a zeroed page whose count is 1, or NULL if none is left.
 */
void *smmu_alloc_page(void)
{
	void *page;

	if (!smmu_mc.nr_pages)
		return NULL;

	page = pop_hyp_memcache(&smmu_mc, hyp_phys_to_virt);
	memset(page, 0, PAGE_SIZE);
	hyp_virt_to_page(page)->refcount = 1;

	return page;
}

/**
 * smmu_free_page() - Keep a page for the next table
 * @page: a page of smmu_alloc_page() that no SMMU can reach any more.
 *
 * With the host's lock held.
 */
void smmu_free_page(void *page)
{
	hyp_virt_to_page(page)->refcount = 0;
	push_hyp_memcache(&smmu_mc, page, hyp_virt_to_phys);
}

/**
 * smmu_sync_mem() - Make what was written visible to an SMMU
 * @smmu: the SMMU.
 * @p: memory of the hypervisor.
 * @size: bytes.
 */
void smmu_sync_mem(struct smmu *smmu, void *p, size_t size)
{
	if (!smmu->coherent)
		kvm_flush_dcache_to_poc(p, size);
	dma_wmb();
}

/**
 * smmu_map_host() - Map memory that the host owns or shares
 * @smmu: the SMMU whose queue or table it is.
 * @phys: physical address, any value.
 * @size: bytes.
 *
 * The caller holds the host's lock until it calls hyp_fixmap_unmap().
 *
 * Return: its address in the fixmap; NULL if it is not memory that the host owns or
 * shares, or crosses a page.
 */
void *smmu_map_host(struct smmu *smmu, phys_addr_t phys, size_t size)
{
	phys_addr_t page = ALIGN_DOWN(phys, PAGE_SIZE);
	void *va;

	hyp_assert_lock_held(&host_mmu.lock);

	if (phys + size - page > PAGE_SIZE || host_check_allowed_memory(page, PAGE_SIZE) ||
	    hyp_phys_to_page(page)->host_state == PKVM_NOPAGE)
		return NULL;

	va = hyp_fixmap_map(page) + (phys - page);
	/* The host may have written it past the caches, by a non-cacheable mapping. */
	if (!smmu->coherent)
		kvm_flush_dcache_to_poc(va, size);

	return va;
}

/**
 * smmu_read_host() - Copy from memory that the host owns or shares
 * @smmu: the SMMU whose queue or table it is.
 * @phys: physical address, any value.
 * @to: the destination.
 * @size: bytes, a multiple of 8.
 *
 * With the host's lock held. Each word is read once.
 *
 * Return: 0; -EPERM if it is not memory that the host owns or shares, or crosses a page.
 */
int smmu_read_host(struct smmu *smmu, phys_addr_t phys, void *to, size_t size)
{
	u64 *from = smmu_map_host(smmu, phys, size), *out = to;
	size_t i;

	if (!from)
		return -EPERM;

	for (i = 0; i < size / sizeof(u64); i++)
		out[i] = READ_ONCE(from[i]);
	hyp_fixmap_unmap();

	return 0;
}

/**
 * smmu_write_host() - Copy to memory that the host owns or shares
 * @smmu: the SMMU whose queue it is.
 * @phys: physical address, any value.
 * @from: the source.
 * @size: bytes, a multiple of 8.
 *
 * With the host's lock held.
 *
 * Return: 0; -EPERM if it is not memory that the host owns or shares, or crosses a page.
 */
int smmu_write_host(struct smmu *smmu, phys_addr_t phys, const void *from, size_t size)
{
	void *to = smmu_map_host(smmu, phys, size);

	if (!to)
		return -EPERM;

	memcpy(to, from, size);
	if (!smmu->coherent)
		kvm_flush_dcache_to_poc(to, size);
	hyp_fixmap_unmap();

	return 0;
}
