// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest as an owner of memory: the transitions between a protected guest
 * and the host that one of the two asks for. Memory that comes back without the
 * guest's doing is in guest_reclaim.c.
 *
 * R1: host state, host stage-2 and guest stage-2 of a page change under both
 *     locks, taken in the order of enum pkvm_component_id, so no one ever sees
 *     a page with two owners or with none.
 * R3: a page is cleaned before the guest maps it, and zeroed and cleaned before
 *     the host gets it back.
 * R2: before a guest has a page, no CPU has a TLB entry of the host for it. The pages of
 *     a call are invalidated by ranges.
 * R6: a call donates PKVM_DONATE_MAX_GRANULES at most, and says how many. One of a guest
 *     on a range does PVM_RANGE_MAX granules at most.
 * R7: each transition first checks both sides, changing nothing, and then
 *     commits, which cannot fail: the page-table pages that it may need are in
 *     the vCPU's memcache by then. A range is done granule by granule, up to the
 *     first that is refused.
 *
 * The host's half of the page state lies in the hyp_vmemmap, the guest's in the
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
#include <nvhe/s2_pte.h>
#include <nvhe/smmu_s2.h>

/* The host's entry for a page that a guest has at @ipa, see HOST_PTE_GUEST_IDX_MASK. */
static kvm_pte_t host_guest_pte(struct pkvm_hyp_vm *vm, u64 ipa)
{
	pkvm_handle_t idx = vm->kvm.arch.pkvm.handle - PKVM_HANDLE_OFFSET;

	return FIELD_PREP(KVM_INVALID_PTE_OWNER_MASK, PKVM_ID_GUEST) |
	       FIELD_PREP(HOST_PTE_GUEST_IDX_MASK, idx) |
	       FIELD_PREP(HOST_PTE_GUEST_GFN_MASK, hyp_phys_to_pfn(ipa));
}

/* The same for a page that has no entry of the last level yet. */
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
 * host_lose_page() - Take a page from the host for a guest
 * @vm: the guest.
 * @phys: the page.
 * @ipa: where the guest has it, or will.
 * @entry: the host's entry for the page, as s2_near_pte() found it; the next call of that
 *	   may go on from what it becomes.
 * @tlb: is told of the page if TLBs may have it.
 *
 * Notes in the annotation to whom the page went: if the host has to have it back
 * at once, it knows the page but not the guest. Under the lock of the host; no CPU
 * has a TLB entry of the host for the page after host_tlb_finish().
 *
 * Return: 0, with the state of the page NOPAGE; -ENOMEM, with nothing changed, if
 * the host's pool has no page for a table.
 */
int host_lose_page(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, struct s2_pte *entry,
		   struct host_tlb_run *tlb)
{
	if (entry->level != KVM_PGTABLE_LAST_LEVEL) {
		/* Part of a block, which has to go, or of nothing that is mapped. */
		entry->ptep = NULL;
		return host_split_for_guest(vm, phys, ipa);
	}

	if (kvm_pte_valid(entry->pte))
		host_tlb_add_page(tlb, phys);
	s2_set_pte(&host_mmu.pgt, entry, host_guest_pte(vm, ipa));
	smmu_s2_set_owner(phys, PAGE_SIZE, false);
	hyp_phys_to_page(phys)->host_state = PKVM_NOPAGE;
	ghost_host_loses(phys);

	return 0;
}

/**
 * pvm_clean_granule() - Clean a page that a guest is about to have for itself
 * @phys: the page, which the host cannot reach.
 *
 * Whatever the guest's own accesses are: the host may have written to it by an alias
 * that is not cacheable, so that caches and memory differ (R3).
 */
void pvm_clean_granule(phys_addr_t phys)
{
	kvm_flush_dcache_to_poc(hyp_fixmap_map(phys), PAGE_SIZE);
	hyp_fixmap_unmap();
}

/**
 * pvm_zero_granule() - Zero a page that leaves a guest for the host
 * @phys: the page, which neither of the two can reach.
 *
 * It is clean to the point of coherency afterwards (R3).
 */
void pvm_zero_granule(phys_addr_t phys)
{
	void *va = hyp_fixmap_map(phys);

	memset(va, 0, PAGE_SIZE);
	kvm_flush_dcache_to_poc(va, PAGE_SIZE);
	hyp_fixmap_unmap();
}

/*
 * What is at @ipa: 0 if nothing, and nothing ever was. @entry is the last one that was looked
 * at under the guest's lock, or zero.
 */
static int check_guest_pte_unused(struct pkvm_hyp_vm *vm, u64 ipa, struct s2_pte *entry)
{
	int ret;

	ret = s2_near_pte(&vm->pgt, ipa, entry);
	if (ret)
		return ret;

	/* A window is on guards. */
	if (kvm_pte_valid(entry->pte))
		return guest_pte_is_borrowed(entry->pte) ? -EPERM : -EEXIST;

	if (entry->pte == GUEST_PTE_POISONED)
		return -EHWPOISON;

	/* What else is not empty is a guard: it takes no memory of the guest's (R1). */
	return entry->pte ? -EPERM : 0;
}

/* Where a donation is: a granule of the guest, and its entries in both stage-2s. */
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

	/* All granules of the call lie in the table that these make. */
	if (mc->nr_pages < KVM_PGTABLE_LAST_LEVEL - walk->guest.level)
		return -ENOMEM;

	return s2_near_pte(&host_mmu.pgt, phys, &walk->host);
}

/* The host's half of it: the guest has the page after map_page(). */
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

/* A guest may execute what it has. */
static void clean_new_granule(u64 phys)
{
	void *va = hyp_fixmap_map(phys);

	kvm_flush_dcache_to_poc(va, PAGE_SIZE);
	if (!cpus_have_final_cap(ARM64_HAS_CACHE_DIC))
		__invalidate_icache_guest_page(va, PAGE_SIZE);
	hyp_fixmap_unmap();
}

/* No TLB has anything of the page for the host. */
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
 * __pkvm_host_donate_guest() - Give pages of the host to a protected guest
 * @pfns: the pages, host physical, in any order. Not the host's memory: it cannot change.
 * @gfn: where the guest shall find the first one, its IPA in granules. The others follow.
 * @nr_granules: how many, at most PKVM_DONATE_MAX_GRANULES, in one table of the last level.
 * @vcpu: a vCPU of the guest, loaded on this CPU; its memcache pays for tables.
 *
 * Host:  OWNED  => NOPAGE, annotated with PKVM_ID_GUEST
 * Guest: NOPAGE => OWNED
 *
 * Takes the locks of host and guest. Contents are kept, but where the firmware
 * belongs: the guest, or the firmware that runs first in it, decides what to
 * believe.
 *
 * Return: how many were donated, at least 1: all of them, or those before the first that
 * was refused. Or for the first one: -EINVAL if its pfn is no memory or out of range;
 * -ERANGE if @gfn lies beyond the guest's IPA space; -EPERM if the host does not own
 * the page for itself alone, or the guest guards @gfn as MMIO; -EEXIST if @gfn has a
 * page; -EHWPOISON if it had one that the host took by force; -ENOMEM if tables are
 * missing. -EINVAL also for a bad @nr_granules, or a @gfn out of range.
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
 * __pkvm_guest_check_place() - What does a protected guest have at an IPA?
 * @gfn: the IPA, in granules.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 *
 * For the host, which hears of a page that the guest relinquished only after
 * another vCPU may have touched its IPA again. Takes the guest's lock.
 *
 * Return: 0 if there is nothing; -EEXIST if there is a page; -EHWPOISON if the host
 * took it by force; -EPERM if there is a guard; -EINVAL or -ERANGE if @gfn is out of
 * range.
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

/**
 * __pkvm_guest_relinquish_host() - Give a page of a protected guest back
 * @vcpu: the vCPU that asks, loaded on this CPU.
 * @ipa: the page, granule aligned.
 *
 * Guest: OWNED  => NOPAGE, zeroed
 * Host:  NOPAGE => OWNED
 *
 * Takes the locks of host and guest. When it returns, no CPU has a TLB entry of
 * the guest for the page. The next access to @ipa faults another page in.
 *
 * Return: 0; -ENOENT if the guest has no page at @ipa; -EPERM if it has one that is
 * not its own alone; -ERANGE if @ipa lies beyond its IPA space.
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

	WARN_ON(kvm_pgtable_stage2_unmap(&vm->pgt, ipa, PAGE_SIZE));
	pvm_zero_granule(phys);
	WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
	ghost_guest_relinquish_host(vm, phys, ipa);

	vm->state.nr_granules--;
	vm->state.nr_private--;
	vm->state.nr_relinquished++;

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}
