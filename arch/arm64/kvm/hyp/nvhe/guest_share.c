// SPDX-License-Identifier: GPL-2.0-only
/*
 * MEM_SHARE and MEM_UNSHARE: a protected guest shares pages with the host, and takes them
 * back. One call handles several consecutive granules.
 *
 * R1: the host's state, the host's stage-2 and the guest's stage-2 of a page change under
 *     both locks, which a call takes once for all of its granules.
 * R2: when a call that takes pages back returns, no CPU has a TLB entry of the host for any
 *     of them. They are invalidated by ranges, not one by one.
 * R3: EL2 cleans a page that the guest takes back, once the host cannot write to it any more.
 * R6: a call shares at most PVM_RANGE_MAX granules, or takes back at most PVM_UNSHARE_MAX,
 *     and returns how many.
 * R7: EL2 either changes all of a granule's state, or refuses the granule and changes nothing.
 *     The call ends at the first granule that EL2 refuses.
 *
 * Granules that follow each other in memory, too, and are in the same states, are checked and then
 * changed as one run.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_host_s2.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_share.h>
#include <nvhe/host_tlb.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/page_clean.h>
#include <nvhe/s2_pte.h>
#include <nvhe/smmu_s2.h>

/* The pages that a call has come to, and the entries for the first one in both stage-2s. */
struct share_walk {
	struct pkvm_hyp_vm *vm;
	struct s2_pte guest;
	struct s2_pte host;
	struct page_run run;
};

/*
 * Find the page at the IPA of the run, and check that its state is @state for the guest and
 * @host_state for the host.
 */
static int find_page(struct share_walk *walk, enum pkvm_page_state state,
		     enum pkvm_page_state host_state)
{
	int ret;

	ret = s2_near_pte(&walk->vm->pgt, walk->run.ipa, &walk->guest);
	if (ret)
		return ret;

	if (!walk->guest.pte)
		return -ENOENT;

	if (guest_pte_state(walk->guest.pte) != state)
		return -EPERM;

	walk->run.phys = kvm_pte_to_phys(walk->guest.pte);
	if (hyp_phys_to_page(walk->run.phys)->host_state != host_state)
		return -EPERM;

	return s2_near_pte(&host_mmu.pgt, walk->run.phys, &walk->host);
}

/*
 * Find the pages that follow the one of find_page() and are like it: in the same states, held by
 * the host or not, and mapped for it or not. There are at most @max with the first one.
 */
static void extend_run(struct share_walk *walk, unsigned int max)
{
	unsigned int idx = hyp_phys_to_pfn(walk->run.phys) % PTRS_PER_PTE;
	const struct hyp_page *page = hyp_phys_to_page(walk->run.phys);
	const kvm_pte_t *host = walk->host.ptep, host_pte = walk->host.pte;
	const kvm_pte_t *guest = walk->guest.ptep, *end;
	kvm_pte_t pte = walk->guest.pte, inc;
	const u8 host_half = page->host_half;

	walk->run.nr = 1;
	walk->run.step = 1;
	max = min_t(unsigned int, max,
		    PTRS_PER_PTE - hyp_phys_to_pfn(walk->run.ipa) % PTRS_PER_PTE);
	if (max == 1 || walk->host.level != KVM_PGTABLE_LAST_LEVEL)
		return;

	/* Within a table, addresses in entries differ as the addresses themselves do. */
	if (READ_ONCE(guest[1]) == pte - PAGE_SIZE)
		walk->run.step = -1;
	max = min_t(unsigned int, max, walk->run.step > 0 ? PTRS_PER_PTE - idx : idx + 1);
	inc = walk->run.step * (s64)PAGE_SIZE;

	for (end = guest + max; ++guest < end; ) {
		pte += inc;
		page += walk->run.step;
		host += walk->run.step;
		if (READ_ONCE(*guest) != pte || page->host_half != host_half ||
		    (READ_ONCE(*host) ^ host_pte) & KVM_PTE_VALID)
			break;
	}

	walk->run.nr = guest - walk->guest.ptep;
}

/* Share at most @max pages from the IPA of the run on. */
static int share_run(struct share_walk *walk, unsigned int max, kvm_pte_t host_attr)
{
	const struct page_run *run = &walk->run;
	u64 lowest;
	int ret, i;

	ret = find_page(walk, PKVM_PAGE_OWNED, PKVM_NOPAGE);
	if (ret)
		return ret;

	/* Each annotation for a guest's page is an entry of the last level. */
	WARN_ON(walk->host.level != KVM_PGTABLE_LAST_LEVEL);
	extend_run(walk, max);

	lowest = page_run_lowest(run);
	s2_set_run(&host_mmu.pgt, &walk->host, run->nr, run->step,
		   kvm_phys_to_pte(run->phys) | host_attr | PTE_TYPE_PAGE,
		   run->step * (s64)PAGE_SIZE);
	smmu_s2_set_owner(lowest, run->nr * PAGE_SIZE, true);
	__host_set_page_state_range(lowest, run->nr * PAGE_SIZE, PKVM_PAGE_SHARED_BORROWED);
	s2_set_sw_bits(&walk->vm->pgt, &walk->guest, run->nr, PKVM_PAGE_STATE_PROT_MASK,
		       FIELD_PREP(PKVM_PAGE_STATE_PROT_MASK, PKVM_PAGE_SHARED_OWNED));
	for (i = 0; i < run->nr; i++)
		ghost_guest_share_host(walk->vm, run->phys + i * run->step * (s64)PAGE_SIZE,
				       run->ipa + i * PAGE_SIZE);

	return 0;
}

/* Take pages back from the host. The guest owns them alone after own_pages(). */
static int unshare_run(struct share_walk *walk, unsigned int max, struct host_tlb_run *tlb)
{
	int ret;

	ret = find_page(walk, PKVM_PAGE_SHARED_OWNED, PKVM_PAGE_SHARED_BORROWED);
	if (ret)
		return ret;

	if (hyp_phys_to_page(walk->run.phys)->host_holds)
		return -EBUSY;

	extend_run(walk, max);
	if (walk->run.nr == 1)
		return host_lose_page(walk->vm, walk->run.phys, walk->run.ipa, &walk->host, tlb);

	host_lose_run(walk->vm, &walk->run, &walk->host, tlb);

	return 0;
}

/* Make pages private to the guest. By now no TLB has an entry of the host for them. */
static void own_pages(struct share_walk *walk, u64 ipa, unsigned int nr_granules)
{
	struct kvm_pgtable *pgt = &walk->vm->pgt;
	struct s2_pte *guest = &walk->guest;
	unsigned int nr;

	for (; nr_granules; nr_granules -= nr, ipa += nr * PAGE_SIZE) {
		WARN_ON(s2_near_pte(pgt, ipa, guest));
		nr = min3(nr_granules, (unsigned int)PAGE_CLEAN_MAX,
			  (unsigned int)(PTRS_PER_PTE - hyp_phys_to_pfn(ipa) % PTRS_PER_PTE));
		page_clean_entries(guest->ptep, nr);
		s2_set_sw_bits(pgt, guest, nr, PKVM_PAGE_STATE_PROT_MASK,
			       FIELD_PREP(PKVM_PAGE_STATE_PROT_MASK, PKVM_PAGE_OWNED));
		ghost_guest_unshare_host(walk->vm, guest->ptep, nr, ipa);
	}
}

/**
 * __pkvm_guest_share_host() - Share pages of a protected guest with the host
 * @vcpu: the vCPU that makes the call, loaded on this CPU.
 * @ipa: the IPA of the first page, granule aligned.
 * @nr_granules: how many, at least 1.
 * @nr_shared: set to how many were shared.
 *
 * Guest: OWNED  => SHARED_OWNED
 * Host:  NOPAGE => SHARED_BORROWED
 *
 * Takes the locks of host and guest. Maps the pages in the host's stage-2 at once rather
 * than at the host's first access, as the annotations have to be replaced anyway.
 *
 * Return: 0 if at least one page was shared; else for the first one: -ENOENT if the guest
 * has no page there yet; -EPERM if what it has there is not a page that it owns alone;
 * -ERANGE if @ipa lies beyond its IPA space.
 */
int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			    u64 *nr_shared)
{
	struct share_walk walk = { .vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu) };
	kvm_pte_t host_attr = pkvm_host_s2_mem_attr();
	u64 nr = 0;
	int ret = 0;

	nr_granules = min_t(u64, nr_granules, PVM_RANGE_MAX);

	host_lock_component();
	guest_lock_component(walk.vm);

	for (; nr < nr_granules; nr += walk.run.nr) {
		walk.run.ipa = ipa + nr * PAGE_SIZE;
		ret = share_run(&walk, nr_granules - nr, host_attr);
		if (ret)
			break;
	}
	dsb(ishst);

	walk.vm->state.nr_private -= nr;
	walk.vm->state.nr_shared += nr;

	guest_unlock_component(walk.vm);
	host_unlock_component();

	*nr_shared = nr;

	return nr ? 0 : ret;
}

/**
 * __pkvm_guest_unshare_host() - Take pages back that a protected guest shares with the host
 * @vcpu: the vCPU that makes the call, loaded on this CPU.
 * @ipa: the IPA of the first page, granule aligned.
 * @nr_granules: how many, at least 1.
 * @nr_unshared: set to how many were taken back.
 *
 * Guest: SHARED_OWNED    => OWNED
 * Host:  SHARED_BORROWED => NOPAGE, annotated with PKVM_ID_GUEST
 *
 * Takes the locks of host and guest.
 *
 * Return: 0 if at least one page was taken back; else for the first one: -ENOENT if the
 * guest has no page there; -EPERM if what it has there is not a page that it shares; -EBUSY
 * if the host holds the page, see __pkvm_host_hold_page(); -ERANGE if @ipa lies beyond its
 * IPA space; -ENOMEM if the host's pool has no page for a table.
 */
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules,
			      u64 *nr_unshared)
{
	struct share_walk walk = { .vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu) };
	struct host_tlb_run tlb = {};
	int ret = 0;
	u64 nr = 0;

	nr_granules = min_t(u64, nr_granules, PVM_UNSHARE_MAX);

	host_lock_component();
	guest_lock_component(walk.vm);

	for (; nr < nr_granules; nr += walk.run.nr) {
		walk.run.ipa = ipa + nr * PAGE_SIZE;
		ret = unshare_run(&walk, nr_granules - nr, &tlb);
		if (ret)
			break;
	}
	host_tlb_finish(&tlb);

	own_pages(&walk, ipa, nr);

	walk.vm->state.nr_private += nr;
	walk.vm->state.nr_shared -= nr;

	guest_unlock_component(walk.vm);
	host_unlock_component();

	*nr_unshared = nr;

	return nr ? 0 : ret;
}
