// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the host shares with VMs which are not protected. Their stage-2 is the
 * hypervisor's, too: otherwise the host could map a protected guest's page there.
 * How pages are unshared is in guest_np_range.c. With a protected VM the host shares
 * pages in the same way, where the guest wants them: see guest_window.c.
 *
 * R2: the host shares nothing that is not its own.
 * R4: a call acts on the vCPU that this CPU has loaded.
 * R7: a page goes to an empty place, or nowhere: check, then commit.
 *
 * One page may back several IPAs and several VMs, so it has a count of the
 * entries that map it. Its state is in the vmemmap alone: to share a page does not
 * split the block that maps it in the host stage-2. Data caches are the host's
 * to clean, its pages and its guests are all that could be seen through them.
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
 * Memory is mapped as memory, and what is not is never executed. In a window there is
 * memory alone, and nothing is executed.
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

/* The host may share what is its alone, or what it has shared already. */
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

/* Of MMIO the host may pass on what it could access itself. */
static int check_host_mmio(u64 phys, u64 size)
{
	struct s2_pte entry;

	if (size != PAGE_SIZE || s2_find_pte(&host_mmu.pgt, phys, &entry))
		return -EINVAL;

	return entry.pte && !kvm_pte_valid(entry.pte) ? -EPERM : 0;
}

/*
 * A place in the guest that is empty, or guarded if the guest is protected, and the pages
 * for the tables on the way there.
 */
static int check_guest_can_map(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_pte entry;
	int ret;

	if (vm->kvm.arch.pkvm.enabled)
		return pvm_window_check(vcpu, phys, ipa, level);

	ret = s2_find_pte(&vm->pgt, ipa, &entry);
	if (ret)
		return ret;

	if (entry.pte && entry.level == level && kvm_pte_to_phys(entry.pte) == phys)
		return -EAGAIN;

	/* A table that is there has entries. */
	if (entry.pte || entry.level > level)
		return -EEXIST;

	if (vcpu->vcpu.arch.pkvm_memcache.nr_pages < level - entry.level)
		return -ENOMEM;

	return 0;
}

/**
 * np_init_mm_ops() - Adapt what kvm_pgtable is given for a VM that is not protected
 * @mm_ops: as for a protected one.
 */
void np_init_mm_ops(struct kvm_pgtable_mm_ops *mm_ops)
{
	/* The host cleans what it shares; a block takes too long with interrupts off. */
	mm_ops->dcache_clean_inval_poc = NULL;
	if (cpus_have_final_cap(ARM64_HAS_CACHE_DIC))
		mm_ops->icache_inval_pou = NULL;
}

/**
 * __pkvm_host_share_guest() - Share pages of the host with a guest
 * @pfn: the first page, host physical.
 * @gfn: where the guest shall find it, its IPA in granules.
 * @nr_granules: 1, or as many as a block of the last level but one has; then @pfn
 *		 and @gfn are aligned to as many.
 * @prot: enum kvm_pgtable_prot; readable.
 * @vcpu: a vCPU of the guest, loaded on this CPU; its memcache pays for tables.
 *
 * Host:  OWNED or SHARED_OWNED => SHARED_OWNED, count + 1
 * Guest: NOPAGE                => SHARED_BORROWED
 *
 * What is not memory is shared in single granules, as device or non-cacheable, and
 * not counted. A protected guest has to guard the place, which is not empty then:
 *
 * Guest: GUARDED => SHARED_BORROWED
 *
 * and what it is given is memory that it does not execute. Takes the locks of host and guest.
 *
 * Return: 0; -EINVAL for frame numbers out of range or not aligned, another
 * count, a @prot that does not fit what is shared; -ERANGE if @gfn lies beyond the
 * guest's IPA space; -EPERM if the page is not the host's to share; -ENOENT if a
 * protected guest does not guard the place; -EAGAIN if the very page is there already;
 * -EEXIST if something else is; -ENOMEM if tables are missing; -EOVERFLOW if a page has
 * been shared 2^32 - 1 times.
 */
int __pkvm_host_share_guest(u64 pfn, u64 gfn, u64 nr_granules, u64 prot,
			    struct pkvm_hyp_vcpu *vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	enum kvm_pgtable_walk_flags flags = 0;
	bool memory = addr_is_memory(hyp_pfn_to_phys(pfn));
	bool protected = vm->kvm.arch.pkvm.enabled;
	s8 level = KVM_PGTABLE_LAST_LEVEL;
	u64 phys = hyp_pfn_to_phys(pfn);
	u64 ipa = hyp_pfn_to_phys(gfn);
	u64 size = PAGE_SIZE;
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

	ret = check_guest_can_map(vcpu, phys, ipa, level);
	if (ret)
		goto unlock;

	if (memory)
		host_share_pages(phys, size);

	if (protected) {
		pvm_window_prepare(vcpu, ipa, level);
		pvm_window_count(vm, nr_granules);
		/* The host has cleaned what it shares. */
		flags = KVM_PGTABLE_WALK_SKIP_CMO;
	} else {
		vm->state.nr_granules += nr_granules;
	}

	WARN_ON(kvm_pgtable_stage2_map(&vm->pgt, ipa, size, phys,
				       pkvm_mkstate(prot, PKVM_PAGE_SHARED_BORROWED),
				       &vcpu->vcpu.arch.pkvm_memcache, flags));
	ghost_host_share_guest(vm, phys, ipa, size);

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}

/* Change attributes of what the host shares at @ipa, and tell of it in *@entry. */
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
 * __pkvm_host_relax_perms_guest() - Let a guest do more with what was shared with it
 * @gfn: where, its IPA in granules.
 * @prot: what to allow beyond what is allowed: some of KVM_PGTABLE_PROT_RWX.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 *
 * Drops what the local TLB has of it: other CPUs take another fault at most.
 * Takes the guest's lock.
 *
 * Return: 0; -EINVAL for other bits in @prot, a @gfn out of range, or execution
 * of what is not memory or by a protected guest; -ERANGE if @gfn lies beyond the guest's IPA space;
 * -EAGAIN if there is nothing, and the guest has to fault again.
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
 * __pkvm_host_mkyoung_guest() - Set the access flag of what was shared with a guest
 * @gfn: where, its IPA in granules.
 * @vcpu: a vCPU of the guest, loaded on this CPU.
 * @pfn: set to the first page that the entry maps, host physical.
 *
 * Takes the guest's lock.
 *
 * Return: 0; -EINVAL for a @gfn out of range; -ERANGE if it lies beyond the
 * guest's IPA space; -EAGAIN if there is nothing.
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
