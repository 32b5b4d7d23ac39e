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
#include <nvhe/s2_pte.h>
#include <nvhe/smmu_s2.h>

/* The page that a call has come to, and the entries for it in both stage-2s. */
struct share_walk {
	struct pkvm_hyp_vm *vm;
	struct s2_pte guest;
	struct s2_pte host;
	u64 ipa;
	u64 phys;
};

/*
 * Find the page at @walk->ipa, and check that its state is @state for the guest and
 * @host_state for the host.
 */
static int walk_to_page(struct share_walk *walk, enum pkvm_page_state state,
			enum pkvm_page_state host_state)
{
	int ret;

	ret = s2_near_pte(&walk->vm->pgt, walk->ipa, &walk->guest);
	if (ret)
		return ret;

	if (!walk->guest.pte)
		return -ENOENT;

	if (guest_pte_state(walk->guest.pte) != state)
		return -EPERM;

	walk->phys = kvm_pte_to_phys(walk->guest.pte);
	if (hyp_phys_to_page(walk->phys)->host_state != host_state)
		return -EPERM;

	return s2_near_pte(&host_mmu.pgt, walk->phys, &walk->host);
}

/*
 * Hardware ignores the software bits. So they may change in a valid entry without
 * break-before-make and without TLB invalidation.
 */
static void guest_set_state(struct share_walk *walk, enum pkvm_page_state state)
{
	kvm_pte_t pte = walk->guest.pte & ~(kvm_pte_t)PKVM_PAGE_STATE_PROT_MASK;

	s2_set_pte(&walk->vm->pgt, &walk->guest,
		   pte | FIELD_PREP(PKVM_PAGE_STATE_PROT_MASK, state));
}

static int share_page(struct share_walk *walk, kvm_pte_t host_attr)
{
	int ret;

	ret = walk_to_page(walk, PKVM_PAGE_OWNED, PKVM_NOPAGE);
	if (ret)
		return ret;

	/* Each annotation for a guest's page is an entry of the last level. */
	WARN_ON(walk->host.level != KVM_PGTABLE_LAST_LEVEL);
	s2_set_pte(&host_mmu.pgt, &walk->host,
		   kvm_phys_to_pte(walk->phys) | host_attr | PTE_TYPE_PAGE);
	smmu_s2_set_owner(walk->phys, PAGE_SIZE, true);
	hyp_phys_to_page(walk->phys)->host_state = PKVM_PAGE_SHARED_BORROWED;
	guest_set_state(walk, PKVM_PAGE_SHARED_OWNED);
	ghost_guest_share_host(walk->vm, walk->phys, walk->ipa);

	return 0;
}

/* Take a page back from the host. The guest owns it alone after own_page(). */
static int unshare_page(struct share_walk *walk, struct host_tlb_run *tlb)
{
	int ret;

	ret = walk_to_page(walk, PKVM_PAGE_SHARED_OWNED, PKVM_PAGE_SHARED_BORROWED);
	if (ret)
		return ret;

	if (hyp_phys_to_page(walk->phys)->host_holds)
		return -EBUSY;

	return host_lose_page(walk->vm, walk->phys, walk->ipa, &walk->host, tlb);
}

/* Make a page private to the guest. By now no TLB has an entry of the host for it. */
static void own_page(struct share_walk *walk)
{
	WARN_ON(s2_near_pte(&walk->vm->pgt, walk->ipa, &walk->guest));
	walk->phys = kvm_pte_to_phys(walk->guest.pte);
	pvm_clean_granule(walk->phys);
	guest_set_state(walk, PKVM_PAGE_OWNED);
	ghost_guest_unshare_host(walk->vm, walk->phys, walk->ipa);
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
	struct share_walk walk = { .vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu), .ipa = ipa };
	kvm_pte_t host_attr = pkvm_host_s2_mem_attr();
	u64 nr = 0;
	int ret = 0;

	nr_granules = min_t(u64, nr_granules, PVM_RANGE_MAX);

	host_lock_component();
	guest_lock_component(walk.vm);

	for (; nr < nr_granules; nr++, walk.ipa += PAGE_SIZE) {
		ret = share_page(&walk, host_attr);
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
	struct share_walk walk = { .vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu), .ipa = ipa };
	struct host_tlb_run tlb = {};
	int ret = 0;
	u64 nr = 0;

	nr_granules = min_t(u64, nr_granules, PVM_UNSHARE_MAX);

	host_lock_component();
	guest_lock_component(walk.vm);

	for (; nr < nr_granules; nr++, walk.ipa += PAGE_SIZE) {
		ret = unshare_page(&walk, &tlb);
		if (ret)
			break;
	}
	host_tlb_finish(&tlb);

	for (walk.ipa = ipa; walk.ipa < ipa + nr * PAGE_SIZE; walk.ipa += PAGE_SIZE)
		own_page(&walk);

	walk.vm->state.nr_private += nr;
	walk.vm->state.nr_shared -= nr;

	guest_unlock_component(walk.vm);
	host_unlock_component();

	*nr_unshared = nr;

	return nr ? 0 : ret;
}
