// SPDX-License-Identifier: GPL-2.0-only
/*
 * Cleans whole pages to the point of coherency, when they change hands between host and guest.
 *
 * R3: the one who had the page before may have written to it by a non-cacheable alias, so that
 *     caches and memory differ. Once the page is clean, its new owner reads the same by
 *     cacheable and by non-cacheable accesses.
 *
 * A MEM_UNSHARE call of a guest spends most of its time here. So each turn of the loop cleans many
 * cache lines, and several pages are mapped and unmapped at once, in consecutive slots of this
 * CPU. Like the slot of the fixmap, these slots map a page only while it is cleaned.
 */

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_check.h>
#include <asm/sysreg.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/page_clean.h>

/* How many lines each turn of the loop cleans: those of a page of 4 KiB, on most CPUs. */
#define LINES	64

/**
 * struct clean_slots - Where a CPU maps the pages that it cleans
 * @va:		The address of the first slot.
 * @ptep:	The entry of the first slot; all are in one table.
 * @attr:	What an entry is while it maps nothing: not valid, and with the attributes that it
 *		has otherwise.
 */
struct clean_slots {
	u64		va;
	kvm_pte_t	*ptep;
	kvm_pte_t	attr;
};

static DEFINE_PER_CPU(struct clean_slots, clean_slots);

/* Clean the lines from @va to @end, which are those of whole pages. */
static void clean_lines(u64 va, u64 end)
{
	u64 line = 4UL << SYS_FIELD_GET(CTR_EL0, DminLine, pkvm_cpu_ctr());

	if (likely(line * LINES <= PAGE_SIZE)) {
		while (va < end)
			asm volatile(".rept %c2\n"
				     "dc	civac, %0\n"
				     "add	%0, %0, %1\n"
				     ".endr"
				     : "+r" (va) : "r" (line), "i" (LINES) : "memory");
	} else {
		for (; va < end; va += line)
			asm volatile("dc civac, %0" : : "r" (va) : "memory");
	}

	dsb(sy);
}

/**
 * page_clean_mapped() - Clean pages that are mapped
 * @va: the address of the first one.
 * @nr_pages: how many.
 */
void page_clean_mapped(void *va, unsigned int nr_pages)
{
	unsigned int i;

	clean_lines((u64)va, (u64)va + nr_pages * PAGE_SIZE);

	for (i = 0; i < nr_pages; i++)
		pgtable_check_clean((u64)va + i * PAGE_SIZE, PAGE_SIZE);
}

/* Unmap the first slots of this CPU, see fixmap_clear_slot() for why for all CPUs. */
static void clear_slots(const struct clean_slots *slots, unsigned int nr)
{
	kvm_pte_t *ptep = slots->ptep, *end = ptep + nr;
	u64 arg = __TLBI_VADDR(slots->va, 0);
	const kvm_pte_t attr = slots->attr;

	while (ptep < end)
		WRITE_ONCE(*ptep++, attr);

	dsb(ishst);
	for (; nr; nr--, arg += __TLBI_VADDR(PAGE_SIZE, 0))
		__tlbi_level(vale2is, arg, KVM_PGTABLE_LAST_LEVEL);
	__tlbi_sync_s1ish_hyp();
	isb();
}

/**
 * page_clean_entries() - Clean the pages of a guest's entries
 * @entries: valid entries of the last level that follow each other. The guest's lock is held.
 * @nr_pages: how many, at most PAGE_CLEAN_MAX. The host can no longer access the pages.
 */
void page_clean_entries(const kvm_pte_t *entries, unsigned int nr_pages)
{
	const struct clean_slots *slots = this_cpu_ptr(&clean_slots);
	/* Entries of both stages have the address in the same bits. */
	const kvm_pte_t addr_bits = kvm_phys_to_pte(KVM_PHYS_INVALID);
	const kvm_pte_t attr = slots->attr | KVM_PTE_VALID;
	const kvm_pte_t *end = entries + nr_pages;
	kvm_pte_t *ptep = slots->ptep;

	while (entries < end)
		WRITE_ONCE(*ptep++, (READ_ONCE(*entries++) & addr_bits) | attr);
	dsb(ishst);

	page_clean_mapped((void *)slots->va, nr_pages);

	clear_slots(slots, nr_pages);
}

static int find_slots(const struct kvm_pgtable_visit_ctx *ctx, enum kvm_pgtable_walk_flags visit)
{
	struct clean_slots *slots = ctx->arg;

	if (!kvm_pte_valid(ctx->old) || ctx->level != KVM_PGTABLE_LAST_LEVEL)
		return -EINVAL;

	slots->va = ctx->addr;
	slots->ptep = ctx->ptep;
	slots->attr = ctx->old & ~(kvm_phys_to_pte(KVM_PHYS_INVALID) | KVM_PTE_VALID);

	return 0;
}

static int init_slots(struct clean_slots *slots)
{
	const u64 size = PAGE_CLEAN_MAX * PAGE_SIZE;
	struct kvm_pgtable_walker walker = {
		.cb	= find_slots,
		.flags	= KVM_PGTABLE_WALK_LEAF,
		.arg	= slots,
	};
	unsigned long va;
	unsigned int i;
	int ret;

	/* Twice as much, so that the slots can be aligned, and thus be in one table. */
	ret = pkvm_alloc_private_va_range(2 * size, &va);
	if (ret)
		return ret;

	va = ALIGN(va, size);
	/* Map any page, to make the entries. They keep their table from being freed. */
	for (i = 0; i < PAGE_CLEAN_MAX; i++) {
		ret = kvm_pgtable_hyp_map(&pkvm_pgtable, va + i * PAGE_SIZE, PAGE_SIZE,
					  __hyp_pa(__hyp_bss_start), PAGE_HYP);
		if (ret)
			return ret;
	}

	ret = kvm_pgtable_walk(&pkvm_pgtable, va, PAGE_SIZE, &walker);
	if (ret)
		return ret;

	clear_slots(slots, PAGE_CLEAN_MAX);

	return 0;
}

/**
 * page_clean_init() - Make the slots of all CPUs
 *
 * At boot, once the hypervisor has its own page table.
 *
 * Return: 0; or the error of mapping memory.
 */
int page_clean_init(void)
{
	unsigned long cpu;
	int ret;

	for (cpu = 0; cpu < hyp_nr_cpus; cpu++) {
		ret = init_slots(per_cpu_ptr(&clean_slots, cpu));
		if (ret)
			return ret;
	}

	return 0;
}
