// SPDX-License-Identifier: GPL-2.0-only
/*
 * How a protected guest gets memory and gives it back: the host donates pages, and the
 * guest relinquishes them. guest_share.c has MEM_SHARE and MEM_UNSHARE; guest_reclaim.c
 * and guest_teardown.c return pages to the host without a call of the guest.
 *
 * R1: the host's state, the host's stage-2 and the guest's stage-2 of a page change under
 *     both locks, taken in the order of enum pkvm_component_id. So nobody ever sees a page
 *     that has two owners or none.
 * R2: before a guest gets a page, the host's TLB entries for the page are invalidated on
 *     all CPUs. The pages of a call are invalidated by ranges.
 * R3: EL2 cleans a page before the guest maps it, and zeroes and cleans it before the host
 *     gets it back.
 * R6: a call donates at most PKVM_DONATE_MAX_GRANULES, and returns how many it donated. A
 *     guest's call on a range does at most PVM_RANGE_MAX granules.
 * R7: each transition first checks both sides without changing anything. Then it commits,
 *     which cannot fail: by then the vCPU's memcache has all pages for tables that may be
 *     needed. A range is done granule by granule, up to the first that is refused.
 *
 * The host's half of the page state is in the hyp_vmemmap, the guest's half in the
 * software bits of its stage-2 entry.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_fw.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_pte.h>
#include <nvhe/host_tlb.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>
#include <nvhe/page_clean.h>
#include <nvhe/s2_pte.h>
#include <nvhe/smmu_s2.h>

/* The annotation in the host's stage-2 for a page that the guest has at @ipa. */
static kvm_pte_t host_guest_pte(struct pkvm_hyp_vm *vm, u64 ipa)
{
	pkvm_handle_t idx = vm->kvm.arch.pkvm.handle - PKVM_HANDLE_OFFSET;

	return FIELD_PREP(KVM_INVALID_PTE_OWNER_MASK, PKVM_ID_GUEST) |
	       FIELD_PREP(HOST_PTE_GUEST_IDX_MASK, idx) |
	       FIELD_PREP(HOST_PTE_GUEST_GFN_MASK, hyp_phys_to_pfn(ipa));
}

/* Write this annotation where the host's stage-2 has no table of the last level yet. */
static int host_split_for_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	struct s2_pte entry;
	int ret;

	ret = host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_GUEST);
	if (ret)
		return ret;

	WARN_ON(s2_find_pte(&host_mmu.pgt, phys, &entry) ||
		entry.level != KVM_PGTABLE_LAST_LEVEL);
	s2_set_pte(&host_mmu.pgt, &entry, host_guest_pte(vm, ipa));

	return 0;
}

/**
 * host_lose_run() - Take a run of pages from the host for a guest
 * @vm: the guest.
 * @run: the pages. The host's entries for all of them are valid, or none is.
 * @entry: the host's entry for the first page, at the last level.
 * @tlb: the pages are added to it if TLBs may have the host's entries for them.
 *
 * The annotations that replace the host's entries name the guest and the IPA: when the host has
 * to take a page back by force, it knows the page but not the guest. The caller holds the host's
 * lock. After host_tlb_finish() no CPU has a TLB entry of the host for the pages, whose state for
 * the host is NOPAGE.
 */
void host_lose_run(struct pkvm_hyp_vm *vm, const struct page_run *run, const struct s2_pte *entry,
		   struct host_tlb_run *tlb)
{
	u64 size = run->nr * PAGE_SIZE;
	u64 lowest = page_run_lowest(run);
	int i;

	if (kvm_pte_valid(entry->pte))
		host_tlb_add_pages(tlb, lowest, run->nr);
	s2_set_run(&host_mmu.pgt, entry, run->nr, run->step, host_guest_pte(vm, run->ipa),
		   FIELD_PREP(HOST_PTE_GUEST_GFN_MASK, 1));
	smmu_s2_set_owner(lowest, size, false);
	__host_set_page_state_range(lowest, size, PKVM_NOPAGE);
	for (i = 0; i < run->nr; i++)
		ghost_host_loses(lowest + i * PAGE_SIZE);
}

/**
 * host_lose_page() - Take a page from the host for a guest
 * @vm: the guest.
 * @phys: physical address of the page.
 * @ipa: the IPA where the guest has the page, or will have it.
 * @entry: the host's entry for the page, as s2_near_pte() found it. The next call of
 *	   s2_near_pte() can start from it.
 * @tlb: as for host_lose_run().
 *
 * Like host_lose_run(), but the page may be part of a block of the host.
 *
 * Return: 0; -ENOMEM, with nothing changed, if the host's pool has no page for a table.
 */
int host_lose_page(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, struct s2_pte *entry,
		   struct host_tlb_run *tlb)
{
	struct page_run run = { .ipa = ipa, .phys = phys, .nr = 1, .step = 1 };

	if (entry->level != KVM_PGTABLE_LAST_LEVEL) {
		/* @entry is that of a block, which is split, or of a range without entries. */
		entry->ptep = NULL;
		return host_split_for_guest(vm, phys, ipa);
	}

	host_lose_run(vm, &run, entry, tlb);

	return 0;
}

/**
 * pvm_zero_granule() - Zero a page that a guest returns to the host
 * @phys: physical address of the page, which neither guest nor host can access now.
 *
 * The page is then clean to the point of coherency (R3).
 */
void pvm_zero_granule(phys_addr_t phys)
{
	void *va = hyp_fixmap_map(phys);

	memset(va, 0, PAGE_SIZE);
	page_clean_mapped(va, 1);
	hyp_fixmap_unmap();
}

/*
 * Check that the guest's entry for @ipa is empty, that is, neither a page, nor a guard, nor
 * poisoned. @entry is the entry that was found last under the guest's lock, or all zero.
 */
static int check_guest_pte_unused(struct pkvm_hyp_vm *vm, u64 ipa, struct s2_pte *entry)
{
	int ret;

	ret = s2_near_pte(&vm->pgt, ipa, entry);
	if (ret)
		return ret;

	/* The host shares pages in a window only where the guest has a guard. */
	if (kvm_pte_valid(entry->pte))
		return guest_pte_is_borrowed(entry->pte) ? -EPERM : -EEXIST;

	if (entry->pte == GUEST_PTE_POISONED)
		return -EHWPOISON;

	/* Any other entry is a guard: the guest gets no memory of its own there (R1). */
	return entry->pte ? -EPERM : 0;
}

/* The current granule's entries in both stage-2s, and the host's pages to invalidate. */
struct donate_walk {
	struct pkvm_hyp_vcpu *vcpu;
	struct pkvm_hyp_vm *vm;
	struct s2_pte guest;
	struct s2_pte host;
	struct host_tlb_run tlb;
};

static int check_host_donate_guest(struct donate_walk *walk, u64 phys, u64 ipa)
{
	struct kvm_hyp_memcache *mc = &walk->vcpu->vcpu.arch.pkvm_memcache;
	int ret;

	ret = check_guest_pte_unused(walk->vm, ipa, &walk->guest);
	if (ret)
		return ret;

	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_OWNED);
	if (ret)
		return ret;

	/*
	 * The tables for the first granule serve the whole call, as all of its granules lie in
	 * one table of the last level.
	 */
	if (mc->nr_pages < KVM_PGTABLE_LAST_LEVEL - walk->guest.level)
		return -ENOMEM;

	return s2_near_pte(&host_mmu.pgt, phys, &walk->host);
}

/* Take a page from the host. The guest gets it by map_page(). */
static int take_page(struct donate_walk *walk, u64 pfn, u64 ipa)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn)
		return -EINVAL;

	ret = check_host_donate_guest(walk, phys, ipa);
	if (ret)
		return ret;

	return host_lose_page(walk->vm, phys, ipa, &walk->host, &walk->tlb);
}

/* Clean the page, and invalidate the instruction cache for it: the guest may execute it. */
static void clean_new_granule(u64 phys)
{
	void *va = hyp_fixmap_map(phys);

	page_clean_mapped(va, 1);
	if (!cpus_have_final_cap(ARM64_HAS_CACHE_DIC))
		__invalidate_icache_guest_page(va, PAGE_SIZE);
	hyp_fixmap_unmap();
}

/* Map a page for the guest. By now no TLB has an entry of the host for it. */
static void map_page(struct donate_walk *walk, u64 phys, u64 ipa, kvm_pte_t attr)
{
	struct kvm_hyp_memcache *mc = &walk->vcpu->vcpu.arch.pkvm_memcache;
	struct pkvm_hyp_vm *vm = walk->vm;

	WARN_ON(s2_near_pte(&vm->pgt, ipa, &walk->guest));
	while (walk->guest.level < KVM_PGTABLE_LAST_LEVEL)
		WARN_ON(s2_push_down(&vm->pgt, ipa, &walk->guest, mc));

	pvm_fw_fill(vm, phys, ipa);
	clean_new_granule(phys);
	s2_set_pte(&vm->pgt, &walk->guest, kvm_phys_to_pte(phys) | attr | PTE_TYPE_PAGE);
	vm->state.nr_granules++;
	vm->state.nr_private++;
	ghost_host_donate_guest(vm, phys, ipa, 0);
}

/**
 * __pkvm_host_donate_guest() - Donate pages of the host to a protected guest
 * @pfns: page frame numbers of the pages, in any order. Not in the host's memory, so that
 *	  the host cannot change them during the call.
 * @gfn: the IPA where the guest gets the first page, in granules. The others follow.
 * @nr_granules: how many, at most PKVM_DONATE_MAX_GRANULES, in one table of the last level.
 * @vcpu: a vCPU of the guest, loaded on this CPU. Pages for tables come from its memcache.
 *
 * Host:  OWNED  => NOPAGE, annotated with PKVM_ID_GUEST
 * Guest: NOPAGE => OWNED
 *
 * Takes the locks of host and guest. The pages keep their contents, except that EL2 copies
 * the firmware to the IPAs where the firmware belongs. Whether to trust the contents is up
 * to the guest, or to the firmware that runs in it first.
 *
 * Return: how many pages were donated, at least 1: all, or those before the first one that
 * was refused. If that is the first page of all: -EINVAL if its pfn is out of range or is
 * no memory; -ERANGE if @gfn lies beyond the guest's IPA space; -EPERM if the host does not
 * own the page alone, or the guest guards @gfn as MMIO; -EEXIST if the guest has a page at
 * @gfn; -EHWPOISON if the host took the page at @gfn by force; -ENOMEM if pages for tables
 * are missing. -EINVAL also for a bad @nr_granules, or a @gfn out of range.
 */
int __pkvm_host_donate_guest(const u64 *pfns, u64 gfn, u64 nr_granules,
			     struct pkvm_hyp_vcpu *vcpu)
{
	enum kvm_pgtable_prot prot = pkvm_mkstate(KVM_PGTABLE_PROT_RWX, PKVM_PAGE_OWNED);
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct donate_walk walk = { .vcpu = vcpu, .vm = vm };
	u64 ipa = hyp_pfn_to_phys(gfn);
	unsigned int nr, i;
	kvm_pte_t attr;
	int ret = 0;

	if (!nr_granules || nr_granules > PKVM_DONATE_MAX_GRANULES ||
	    gfn % PTRS_PER_PTE + nr_granules > PTRS_PER_PTE || hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	WARN_ON(stage2_set_prot_attr(&vm->pgt, prot, &attr));

	host_lock_component();
	guest_lock_component(vm);

	for (nr = 0; nr < nr_granules; nr++) {
		ret = take_page(&walk, pfns[nr], ipa + nr * PAGE_SIZE);
		if (ret)
			break;
	}
	host_tlb_finish(&walk.tlb);

	for (i = 0; i < nr; i++)
		map_page(&walk, hyp_pfn_to_phys(pfns[i]), ipa + i * PAGE_SIZE, attr);
	dsb(ishst);

	if (ret)
		ghost_host_donate_guest(vm, hyp_pfn_to_phys(pfns[nr]), ipa + nr * PAGE_SIZE, ret);

	guest_unlock_component(vm);
	host_unlock_component();

	return nr ?: ret;
}

/**
 * __pkvm_guest_check_place() - Check what a protected guest has at an IPA
 * @gfn: the IPA, in granules.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 *
 * For the host: when it hears that the guest relinquished a page, another vCPU may already
 * have touched the IPA again. Takes the guest's lock.
 *
 * Return: 0 if the guest has nothing at the IPA; -EEXIST if it has a page; -EHWPOISON if
 * the host took the page by force; -EPERM if the guest guards the IPA; -EINVAL or -ERANGE
 * if @gfn is out of range.
 */
int __pkvm_guest_check_place(u64 gfn, struct pkvm_hyp_vcpu *vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	u64 ipa = hyp_pfn_to_phys(gfn);
	struct s2_pte entry = {};
	int ret;

	if (hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	guest_lock_component(vm);
	ret = check_guest_pte_unused(vm, ipa, &entry);
	guest_unlock_component(vm);

	return ret;
}

/* Clear the entry for a page that the guest loses. Then no CPU has a TLB entry for it. */
static void guest_lose_page(struct pkvm_hyp_vm *vm, struct s2_pte *entry)
{
	/* With its last page a table goes, too. Beside its entries, its owner has a reference. */
	if (vm->mm_ops.page_count(entry->ptep) == 2) {
		WARN_ON(kvm_pgtable_stage2_unmap(&vm->pgt, entry->addr, PAGE_SIZE));
		return;
	}

	s2_set_pte(&vm->pgt, entry, 0);
	__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, entry->addr, entry->level);
}

/* Give a page to the host. If nothing else counts in the table, the table may go, too. */
static void host_gain_page(u64 phys)
{
	struct s2_pte entry;

	WARN_ON(s2_find_pte(&host_mmu.pgt, phys, &entry));
	if (host_mmu.mm_ops.page_count(entry.ptep) == 2) {
		WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
		return;
	}

	s2_set_pte(&host_mmu.pgt, &entry, 0);
	smmu_s2_set_owner(phys, PAGE_SIZE, true);
	__host_set_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_OWNED);
}

/**
 * __pkvm_guest_relinquish_host() - Return a page of a protected guest to the host
 * @vcpu: the vCPU that makes the call, loaded on this CPU.
 * @ipa: the IPA of the page, granule aligned.
 *
 * Guest: OWNED  => NOPAGE, zeroed
 * Host:  NOPAGE => OWNED
 *
 * Takes the locks of host and guest. When the function returns, no CPU has a TLB entry of
 * the guest for the page. If the guest touches @ipa again, the host has to donate another
 * page.
 *
 * Return: 0; -ENOENT if the guest has nothing at @ipa; -EPERM if what it has there is not a
 * page that it owns alone; -ERANGE if @ipa lies beyond its IPA space.
 */
int __pkvm_guest_relinquish_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_pte entry;
	u64 phys;
	int ret;

	host_lock_component();
	guest_lock_component(vm);

	ret = s2_find_pte(&vm->pgt, ipa, &entry);
	if (ret)
		goto unlock;

	ret = entry.pte ? -EPERM : -ENOENT;
	if (guest_pte_state(entry.pte) != PKVM_PAGE_OWNED)
		goto unlock;

	phys = kvm_pte_to_phys(entry.pte);
	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_NOPAGE);
	if (ret)
		goto unlock;

	guest_lose_page(vm, &entry);
	pvm_zero_granule(phys);
	host_gain_page(phys);
	ghost_guest_relinquish_host(vm, phys, ipa);

	vm->state.nr_granules--;
	vm->state.nr_private--;
	vm->state.nr_relinquished++;

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}
