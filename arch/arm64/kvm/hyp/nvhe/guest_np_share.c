// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host shares pages with non-protected VMs. EL2 owns their stage-2, too: else the host
 * could map a protected guest's page there. guest_np_range.c unshares the pages. The host
 * shares pages with a protected VM in the same way, but only where the guest has guards:
 * see guest_window.c.
 *
 * R2: the host can share only its own pages.
 * R4: a call acts on the vCPU that is loaded on this CPU.
 * R7: EL2 checks everything first, among other things that nothing is mapped at the IPA.
 *     Only then does it change anything.
 *
 * One page may be at several IPAs and in several VMs, so EL2 counts for each page the
 * entries that map it. The page's state is in the vmemmap alone: sharing a page does not
 * split the block that maps it in the host's stage-2. EL2 leaves it to the host to clean the
 * data caches: if the host fails to, only data of the host and of its non-protected guests
 * can leak.
 */

#include <linux/kvm_host.h>
#include <linux/limits.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_np.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_np_share.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_window.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>

#define NP_PROT_ATTRS		(KVM_PGTABLE_PROT_DEVICE | KVM_PGTABLE_PROT_NORMAL_NC)

/*
 * Memory is mapped with the attributes of memory. MMIO is mapped with those of MMIO, and never
 * executable. A window holds only memory, which the guest cannot execute.
 */
static bool np_prot_valid(struct pkvm_hyp_vm *vm, u64 prot, bool memory)
{
	u64 attrs = prot & NP_PROT_ATTRS;

	if (vm->kvm.arch.pkvm.enabled && (!memory || prot & KVM_PGTABLE_PROT_X))
		return false;

	if (prot & ~(KVM_PGTABLE_PROT_RWX | NP_PROT_ATTRS) || !(prot & KVM_PGTABLE_PROT_R))
		return false;

	if (memory)
		return !attrs;

	return !(prot & KVM_PGTABLE_PROT_X) && attrs && attrs != NP_PROT_ATTRS;
}

/* The host may share pages that it owns alone, or that it already shares with guests. */
static int check_host_memory(u64 phys, u64 size)
{
	struct hyp_page *page = hyp_phys_to_page(phys);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);
	int ret;

	ret = host_check_allowed_memory(phys, size);
	if (ret)
		return ret;

	for (; page < end; page++) {
		if (page->host_state == PKVM_PAGE_OWNED)
			continue;

		if (page->host_state != PKVM_PAGE_SHARED_OWNED || !page->host_share_guest_count)
			return -EPERM;

		if (page->host_share_guest_count == U32_MAX)
			return -EOVERFLOW;
	}

	return 0;
}

/* The host may share only such MMIO as it could access itself. */
static int check_host_mmio(u64 phys, u64 size)
{
	struct s2_pte entry;

	if (size != PAGE_SIZE || s2_find_pte(&host_mmu.pgt, phys, &entry))
		return -EINVAL;

	return entry.pte && !kvm_pte_valid(entry.pte) ? -EPERM : 0;
}

/*
 * Check that @ipa is empty, or guarded if the guest is protected, and that the memcache has
 * the pages for the tables down to @level. @entry is set to what the guest has there.
 */
static int check_guest_can_map(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level,
			       struct s2_pte *entry)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	int ret;

	if (vm->kvm.arch.pkvm.enabled)
		return pvm_window_check(vcpu, phys, ipa, level, entry);

	ret = s2_find_pte(&vm->pgt, ipa, entry);
	if (ret)
		return ret;

	if (entry->pte && entry->level == level && kvm_pte_to_phys(entry->pte) == phys)
		return -EAGAIN;

	/* If a table is at this level, it has entries: empty tables are freed. */
	if (entry->pte || entry->level > level)
		return -EEXIST;

	if (vcpu->vcpu.arch.pkvm_memcache.nr_pages < level - entry->level)
		return -ENOMEM;

	return 0;
}

/*
 * Map what check_guest_can_map() has checked: in place of the entry, or of a part of it if it is
 * larger. The entry is not valid, so no TLB has it. The host has cleaned the data caches.
 */
static void map_guest(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level, u64 prot,
		      struct s2_pte *entry)
{
	kvm_pte_t pte = kvm_phys_to_pte(phys), attr;
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);

	while (entry->level < level)
		WARN_ON(s2_push_down(&vm->pgt, ipa, entry, &vcpu->vcpu.arch.pkvm_memcache));

	if (prot & KVM_PGTABLE_PROT_X && vm->mm_ops.icache_inval_pou)
		vm->mm_ops.icache_inval_pou(hyp_phys_to_virt(phys), kvm_granule_size(level));

	WARN_ON(stage2_set_prot_attr(&vm->pgt, pkvm_mkstate(prot, PKVM_PAGE_SHARED_BORROWED),
				     &attr));
	pte |= attr | (level == KVM_PGTABLE_LAST_LEVEL ? PTE_TYPE_PAGE : PMD_TYPE_SECT);
	s2_set_pte(&vm->pgt, entry, pte);
	dsb(ishst);
}

/**
 * np_init_mm_ops() - Adapt the callbacks of kvm_pgtable for a non-protected VM
 * @mm_ops: the callbacks, set up as for a protected VM.
 */
void np_init_mm_ops(struct kvm_pgtable_mm_ops *mm_ops)
{
	/*
	 * The host cleans the pages that it shares. EL2 would have to clean a block with
	 * interrupts off, which takes too long.
	 */
	mm_ops->dcache_clean_inval_poc = NULL;
	if (cpus_have_final_cap(ARM64_HAS_CACHE_DIC))
		mm_ops->icache_inval_pou = NULL;
}

/**
 * __pkvm_host_share_guest() - Share pages of the host with a guest
 * @pfn: page frame number of the first page.
 * @gfn: the IPA where the guest gets the first page, in granules.
 * @nr_granules: 1, or the number of granules in a block of level NP_BLOCK_LEVEL; @pfn and @gfn
 *		 are aligned to this number.
 * @prot: enum kvm_pgtable_prot; readable.
 * @vcpu: a vCPU of the guest, loaded on this CPU. Pages for tables come from its memcache.
 *
 * Host:  OWNED or SHARED_OWNED => SHARED_OWNED, count + 1
 * Guest: NOPAGE                => SHARED_BORROWED
 *
 * MMIO is shared in single granules, as Device or Non-cacheable, and is not counted. A
 * protected guest gets only memory, which it cannot execute, and only where it has a guard:
 *
 * Guest: GUARDED => SHARED_BORROWED
 *
 * Takes the locks of host and guest.
 *
 * Return: 0; -EINVAL for frame numbers out of range or not aligned, another count, or a
 * @prot that does not fit what is shared; -ERANGE if @gfn lies beyond the guest's IPA
 * space; -EPERM if the host may not share the page; -ENOENT if a protected guest does not
 * guard the IPA; -EAGAIN if the same page is already shared there; -EEXIST if another page
 * is; -ENOMEM if pages for tables are missing; -EOVERFLOW if a page is shared 2^32 - 1
 * times already.
 */
int __pkvm_host_share_guest(u64 pfn, u64 gfn, u64 nr_granules, u64 prot,
			    struct pkvm_hyp_vcpu *vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	bool memory = addr_is_memory(hyp_pfn_to_phys(pfn));
	s8 level = KVM_PGTABLE_LAST_LEVEL;
	u64 phys = hyp_pfn_to_phys(pfn);
	u64 ipa = hyp_pfn_to_phys(gfn);
	u64 size = PAGE_SIZE;
	struct s2_pte entry;
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn || hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	if (nr_granules != 1) {
		size = NP_BLOCK_SIZE;
		level = NP_BLOCK_LEVEL;
		if (nr_granules != size >> PAGE_SHIFT || !IS_ALIGNED(phys | ipa, size))
			return -EINVAL;
	}

	if (!np_prot_valid(vm, prot, memory))
		return -EINVAL;

	host_lock_component();
	guest_lock_component(vm);

	ret = memory ? check_host_memory(phys, size) : check_host_mmio(phys, size);
	if (ret)
		goto unlock;

	ret = check_guest_can_map(vcpu, phys, ipa, level, &entry);
	if (ret)
		goto unlock;

	if (memory)
		host_share_pages(phys, size);

	if (vm->kvm.arch.pkvm.enabled) {
		pvm_window_prepare(vm, ipa, &entry);
		pvm_window_count(vm, nr_granules);
	} else {
		vm->state.nr_granules += nr_granules;
	}

	map_guest(vcpu, phys, ipa, level, prot, &entry);
	ghost_host_share_guest(vm, phys, ipa, size);

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}

/*
 * Set and clear attributes in the entry by which the host shares something at @ipa. The
 * entry is returned in *@entry.
 */
static int np_pte_update(struct pkvm_hyp_vm *vm, u64 ipa, kvm_pte_t set, kvm_pte_t clr,
			 struct s2_pte *entry)
{
	bool gains_x = clr & KVM_PTE_LEAF_ATTR_HI_S2_XN;
	struct kvm_pgtable_mm_ops *mm_ops = &vm->mm_ops;
	u64 phys;
	int ret;

	ret = s2_find_pte(&vm->pgt, ipa, entry);
	if (ret)
		return ret;

	if (!guest_pte_is_borrowed(entry->pte))
		return -EAGAIN;

	phys = kvm_pte_to_phys(entry->pte);
	if (gains_x && !addr_is_memory(phys))
		return -EINVAL;

	if (gains_x && entry->pte & KVM_PTE_LEAF_ATTR_HI_S2_XN && mm_ops->icache_inval_pou)
		mm_ops->icache_inval_pou(hyp_phys_to_virt(phys), kvm_granule_size(entry->level));

	s2_set_pte(&vm->pgt, entry, (entry->pte | set) & ~clr);
	dsb(ishst);

	return 0;
}

/**
 * __pkvm_host_relax_perms_guest() - Add permissions to pages that are shared with a guest
 * @gfn: the IPA, in granules. All of its entry changes, a page or a block.
 * @prot: the permissions to add: some of KVM_PGTABLE_PROT_RWX.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 *
 * Invalidates the entry in this CPU's TLB alone: at worst the guest takes one more fault on
 * another CPU. Takes the guest's lock.
 *
 * Return: 0; -EINVAL for other bits in @prot, for a @gfn out of range, or if @prot would let
 * a guest execute MMIO or a protected guest execute anything; -ERANGE if @gfn lies beyond
 * the guest's IPA space; -EAGAIN if nothing is shared there, so that the guest has to fault
 * again.
 */
int __pkvm_host_relax_perms_guest(u64 gfn, u64 prot, struct pkvm_hyp_vcpu *vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	u64 ipa = hyp_pfn_to_phys(gfn);
	kvm_pte_t set = 0, clr = 0;
	struct s2_pte entry;
	int ret;

	if (hyp_phys_to_pfn(ipa) != gfn || prot & ~(u64)KVM_PGTABLE_PROT_RWX)
		return -EINVAL;

	if (vm->kvm.arch.pkvm.enabled && prot & KVM_PGTABLE_PROT_X)
		return -EINVAL;

	if (prot & KVM_PGTABLE_PROT_R)
		set |= KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R;
	if (prot & KVM_PGTABLE_PROT_W)
		set |= KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W;
	if (prot & KVM_PGTABLE_PROT_X)
		clr |= KVM_PTE_LEAF_ATTR_HI_S2_XN;

	guest_lock_component(vm);
	ret = np_pte_update(vm, ipa, set, clr, &entry);
	if (!ret || ret == -EAGAIN)
		__kvm_tlb_flush_vmid_ipa_nsh(&vm->kvm.arch.mmu, ipa,
					     ret ? TLBI_TTL_UNKNOWN : entry.level);
	guest_unlock_component(vm);

	return ret;
}

/**
 * __pkvm_host_mkyoung_guest() - Set the access flag of a page or block shared with a guest
 * @gfn: the IPA, in granules.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 * @pfn: set to the page frame number of the first page that the entry maps.
 *
 * Takes the guest's lock.
 *
 * Return: 0; -EINVAL for a @gfn out of range; -ERANGE if it lies beyond the guest's IPA
 * space; -EAGAIN if nothing is shared there.
 */
int __pkvm_host_mkyoung_guest(u64 gfn, struct pkvm_hyp_vcpu *vcpu, u64 *pfn)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	u64 ipa = hyp_pfn_to_phys(gfn);
	struct s2_pte entry;
	int ret;

	if (hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	guest_lock_component(vm);
	ret = np_pte_update(vm, ipa, KVM_PTE_LEAF_ATTR_LO_S2_AF, 0, &entry);
	guest_unlock_component(vm);
	if (!ret)
		*pfn = hyp_phys_to_pfn(kvm_pte_to_phys(entry.pte));

	return ret;
}
