// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest as an owner of memory: the transitions between a protected guest
 * and the host that one of the two asks for, one granule at a time. Memory that
 * comes home without the guest's doing is in guest_reclaim.c.
 *
 * R1: host state, host stage-2 and guest stage-2 of a page change under both
 *     locks, taken in the order of enum pkvm_component_id, so no one ever sees
 *     a page with two owners or with none.
 * R3: a page is cleaned before the guest maps it.
 * R7: each transition first checks both sides, changing nothing, and then
 *     commits, which cannot fail: the page-table pages that it may need are in
 *     the vCPU's memcache by then.
 *
 * The host's half of the page state lies in the hyp_vmemmap, the guest's in the
 * software bits of its stage-2 entry.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_mem.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/mm.h>

/**
 * s2_find_leaf() - Find the entry that maps an address, or could
 * @pgt: a stage-2, whose lock is held until @leaf has served its purpose.
 * @addr: the address in its input space.
 * @leaf: what is found, valid or not.
 *
 * Return: 0; -ERANGE if @addr lies beyond the input space; -EINVAL if the stage-2
 * has been torn down.
 */
int s2_find_leaf(struct kvm_pgtable *pgt, u64 addr, struct s2_leaf *leaf)
{
	s8 level = pgt->start_level;
	kvm_pte_t *table = (kvm_pte_t *)pgt->pgd;
	u64 idx = addr >> kvm_granule_shift(level);

	if (addr >= BIT(pgt->ia_bits))
		return -ERANGE;

	if (!table)
		return -EINVAL;

	/* Every fault and most calls of a guest come here: no visitor, no callbacks. */
	for (;;) {
		leaf->ptep = &table[idx];
		leaf->pte = READ_ONCE(*leaf->ptep);
		leaf->level = level;

		if (level == KVM_PGTABLE_LAST_LEVEL ||
		    (leaf->pte & PMD_TYPE_MASK) != PMD_TYPE_TABLE)
			return 0;

		table = pgt->mm_ops->phys_to_virt(kvm_pte_to_phys(leaf->pte));
		level++;
		idx = (addr >> kvm_granule_shift(level)) % PTRS_PER_PTE;
	}
}

/**
 * guest_leaf_state() - The guest's half of the state of a page
 * @pte: the guest's entry for it.
 *
 * Return: the state; PKVM_NOPAGE for any entry that is not valid.
 */
enum pkvm_page_state guest_leaf_state(kvm_pte_t pte)
{
	if (!kvm_pte_valid(pte))
		return PKVM_NOPAGE;

	return pkvm_getstate(kvm_pgtable_stage2_pte_prot(pte));
}

/*
 * Take a page from the host, and note in its annotation to whom it went: if the
 * host has to have it back at once, it knows the page but not the guest.
 */
static int host_annotate_guest(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	pkvm_handle_t idx = vm->kvm.arch.pkvm.handle - PKVM_HANDLE_OFFSET;
	struct s2_leaf leaf;
	int ret;

	ret = host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_GUEST);
	if (ret)
		return ret;

	WARN_ON(s2_find_leaf(&host_mmu.pgt, phys, &leaf) ||
		leaf.level != KVM_PGTABLE_LAST_LEVEL);
	WRITE_ONCE(*leaf.ptep, leaf.pte | FIELD_PREP(HOST_PTE_GUEST_IDX_MASK, idx) |
			       FIELD_PREP(HOST_PTE_GUEST_GFN_MASK, hyp_phys_to_pfn(ipa)));

	return 0;
}

/*
 * Hardware ignores the software bits, so an entry that is in use may change
 * them without break-before-make and without TLB invalidation.
 */
static void guest_leaf_set_state(struct s2_leaf *leaf, enum pkvm_page_state state)
{
	kvm_pte_t pte = leaf->pte & ~(kvm_pte_t)PKVM_PAGE_STATE_PROT_MASK;

	leaf->pte = pte | FIELD_PREP(PKVM_PAGE_STATE_PROT_MASK, state);
	WRITE_ONCE(*leaf->ptep, leaf->pte);
}

/*
 * Find the leaf of a page that the guest has in state @state, and check that
 * the host has it in @host_state.
 */
static int guest_check_page(struct pkvm_hyp_vm *vm, u64 ipa, enum pkvm_page_state state,
			    enum pkvm_page_state host_state, struct s2_leaf *leaf)
{
	int ret;

	ret = s2_find_leaf(&vm->pgt, ipa, leaf);
	if (ret)
		return ret;

	if (!leaf->pte)
		return -ENOENT;

	if (guest_leaf_state(leaf->pte) != state)
		return -EPERM;

	return host_check_page_state_range(kvm_pte_to_phys(leaf->pte), PAGE_SIZE, host_state);
}

static int check_host_donate_guest(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_leaf leaf;
	int ret;

	ret = s2_find_leaf(&vm->pgt, ipa, &leaf);
	if (ret)
		return ret;

	if (kvm_pte_valid(leaf.pte))
		return -EEXIST;

	if (leaf.pte == GUEST_PTE_POISONED)
		return -EHWPOISON;

	/* What else is not empty is a guard: it takes no memory (R1). */
	if (leaf.pte)
		return -EPERM;

	ret = host_check_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_OWNED);
	if (ret)
		return ret;

	if (vcpu->vcpu.arch.pkvm_memcache.nr_pages < KVM_PGTABLE_LAST_LEVEL - leaf.level)
		return -ENOMEM;

	return 0;
}

/**
 * __pkvm_host_donate_guest() - Give a page of the host to a protected guest
 * @pfn: the page, host physical.
 * @gfn: where the guest shall find it, its IPA in granules.
 * @vcpu: a vCPU of the guest, loaded on this CPU; its memcache pays for tables.
 *
 * Host:  OWNED  => NOPAGE, annotated with PKVM_ID_GUEST
 * Guest: NOPAGE => OWNED
 *
 * Takes the locks of host and guest. Contents are kept: the guest, or the
 * firmware that runs first in it, decides what to believe.
 *
 * Return: 0; -EINVAL if @pfn is no memory, or @pfn or @gfn is out of range;
 * -ERANGE if @gfn lies beyond the guest's IPA space; -EPERM if the host does not own
 * the page for itself alone, or the guest guards @gfn as MMIO; -EEXIST if @gfn has a
 * page; -EHWPOISON if it had one that the host took by force; -ENOMEM if tables are
 * missing.
 */
int __pkvm_host_donate_guest(u64 pfn, u64 gfn, struct pkvm_hyp_vcpu *vcpu)
{
	enum kvm_pgtable_prot prot = pkvm_mkstate(KVM_PGTABLE_PROT_RWX, PKVM_PAGE_OWNED);
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	u64 phys = hyp_pfn_to_phys(pfn);
	u64 ipa = hyp_pfn_to_phys(gfn);
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn || hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	host_lock_component();
	guest_lock_component(vm);

	ret = check_host_donate_guest(vcpu, phys, ipa);
	if (ret)
		goto unlock;

	ret = host_annotate_guest(vm, phys, ipa);
	if (ret)
		goto unlock;

	WARN_ON(kvm_pgtable_stage2_map(&vm->pgt, ipa, PAGE_SIZE, phys, prot,
				       &vcpu->vcpu.arch.pkvm_memcache, 0));
	vm->nr_granules++;

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}

/**
 * __pkvm_guest_share_host() - Let the host use a page of a protected guest
 * @vcpu: the vCPU that asks, loaded on this CPU.
 * @ipa: the page, granule aligned.
 *
 * Guest: OWNED  => SHARED_OWNED
 * Host:  NOPAGE => SHARED_BORROWED
 *
 * Takes the locks of host and guest. The host's entry is made here rather than
 * at its first access: the annotation has to go anyway.
 *
 * Return: 0; -ENOENT if the guest has no page at @ipa yet; -EPERM if it has one
 * that is not its own alone; -ERANGE if @ipa lies beyond its IPA space.
 */
int __pkvm_guest_share_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_leaf leaf;
	u64 phys;
	int ret;

	host_lock_component();
	guest_lock_component(vm);

	ret = guest_check_page(vm, ipa, PKVM_PAGE_OWNED, PKVM_NOPAGE, &leaf);
	if (ret)
		goto unlock;

	phys = kvm_pte_to_phys(leaf.pte);
	ret = host_stage2_idmap_locked(phys, PAGE_SIZE, PKVM_HOST_MEM_PROT);
	if (ret)
		goto unlock;

	host_set_page_state_range(phys, PAGE_SIZE, PKVM_PAGE_SHARED_BORROWED);
	guest_leaf_set_state(&leaf, PKVM_PAGE_SHARED_OWNED);

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}

/**
 * __pkvm_guest_unshare_host() - Take back a page that the host could use
 * @vcpu: the vCPU that asks, loaded on this CPU.
 * @ipa: the page, granule aligned.
 *
 * Guest: SHARED_OWNED    => OWNED
 * Host:  SHARED_BORROWED => NOPAGE, annotated with PKVM_ID_GUEST
 *
 * Takes the locks of host and guest. When it returns, no CPU has a TLB entry
 * of the host for the page.
 *
 * Return: 0; -ENOENT if the guest has no page at @ipa; -EPERM if it has one
 * that is not shared; -ERANGE if @ipa lies beyond its IPA space.
 */
int __pkvm_guest_unshare_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_leaf leaf;
	int ret;

	host_lock_component();
	guest_lock_component(vm);

	ret = guest_check_page(vm, ipa, PKVM_PAGE_SHARED_OWNED, PKVM_PAGE_SHARED_BORROWED, &leaf);
	if (ret)
		goto unlock;

	ret = host_annotate_guest(vm, kvm_pte_to_phys(leaf.pte), ipa);
	if (ret)
		goto unlock;

	guest_leaf_set_state(&leaf, PKVM_PAGE_OWNED);

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}
