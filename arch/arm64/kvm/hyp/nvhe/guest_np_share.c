// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the host shares with VMs which are not protected. Their stage-2 is the
 * hypervisor's, too: otherwise the host could map a protected guest's page there.
 *
 * R2: the host shares nothing that is not its own.
 * R4: a call acts on a handle, or on the vCPU that this CPU has loaded.
 * R6: a call on a range looks at the entries of one table at most, and returns
 *     how far it got; the caller goes on from there.
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

#include <nvhe/guest_np_share.h>
#include <nvhe/guest_mem.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>

#define NP_BLOCK_LEVEL	(KVM_PGTABLE_LAST_LEVEL - 1)
#define NP_BLOCK_SIZE		kvm_granule_size(NP_BLOCK_LEVEL)

#define NP_PROT_ATTRS		(KVM_PGTABLE_PROT_DEVICE | KVM_PGTABLE_PROT_NORMAL_NC)

/* Memory is mapped as memory, and what is not is never executed. */
static bool np_prot_valid(u64 prot, bool memory)
{
	u64 attrs = prot & NP_PROT_ATTRS;

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

static void host_share_pages(u64 phys, u64 size)
{
	struct hyp_page *page = hyp_phys_to_page(phys);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);

	for (; page < end; page++) {
		page->host_state = PKVM_PAGE_SHARED_OWNED;
		page->host_share_guest_count++;
	}
}

static void host_unshare_pages(u64 phys, u64 size)
{
	struct hyp_page *page = hyp_phys_to_page(phys);
	struct hyp_page *end = page + (size >> PAGE_SHIFT);

	for (; page < end; page++) {
		if (!--page->host_share_guest_count)
			page->host_state = PKVM_PAGE_OWNED;
	}
}

/* A place in the guest that is empty, and the pages for the tables on the way there. */
static int check_guest_can_map(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, u64 size)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	s8 level = size == PAGE_SIZE ? KVM_PGTABLE_LAST_LEVEL : NP_BLOCK_LEVEL;
	struct s2_pte entry;
	int ret;

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
 * __pkvm_host_share_guest() - Share pages of the host with a VM that is not protected
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
 * not counted. Takes the locks of host and guest.
 *
 * Return: 0; -EINVAL for frame numbers out of range or not aligned, another
 * count, a @prot that does not fit what is shared; -ERANGE if @gfn lies beyond the
 * guest's IPA space; -EPERM if the page is not the host's to share; -EAGAIN if the
 * very page is there already; -EEXIST if something else is; -ENOMEM if tables are
 * missing; -EOVERFLOW if a page has been shared 2^32 - 1 times.
 */
int __pkvm_host_share_guest(u64 pfn, u64 gfn, u64 nr_granules, u64 prot,
			    struct pkvm_hyp_vcpu *vcpu)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	bool memory = addr_is_memory(hyp_pfn_to_phys(pfn));
	u64 phys = hyp_pfn_to_phys(pfn);
	u64 ipa = hyp_pfn_to_phys(gfn);
	u64 size = PAGE_SIZE;
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn || hyp_phys_to_pfn(ipa) != gfn)
		return -EINVAL;

	if (nr_granules != 1) {
		size = NP_BLOCK_SIZE;
		if (nr_granules != size >> PAGE_SHIFT || !IS_ALIGNED(phys | ipa, size))
			return -EINVAL;
	}

	if (!np_prot_valid(prot, memory))
		return -EINVAL;

	host_lock_component();
	guest_lock_component(vm);

	ret = memory ? check_host_memory(phys, size) : check_host_mmio(phys, size);
	if (ret)
		goto unlock;

	ret = check_guest_can_map(vcpu, phys, ipa, size);
	if (ret)
		goto unlock;

	if (memory)
		host_share_pages(phys, size);

	WARN_ON(kvm_pgtable_stage2_map(&vm->pgt, ipa, size, phys,
				       pkvm_mkstate(prot, PKVM_PAGE_SHARED_BORROWED),
				       &vcpu->vcpu.arch.pkvm_memcache, 0));
	vm->nr_granules += nr_granules;

unlock:
	guest_unlock_component(vm);
	host_unlock_component();

	return ret;
}

/* Change attributes of the leaf at @ipa, and tell of it in *@entry. */
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

	if (!kvm_pte_valid(entry->pte))
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
 * of what is not memory; -ERANGE if @gfn lies beyond the guest's IPA space;
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

/* A range of a guest, of which one call sees no more than one table. */
struct np_range {
	struct pkvm_hyp_vm *vm;
	u64 ipa;
	u64 end;
	u64 size;
};

/*
 * Check the range and hold on to the VM, which cannot begin to die until
 * np_range_end().
 */
static int np_range_begin(struct np_range *range, pkvm_handle_t handle, u64 gfn,
			  u64 nr_granules)
{
	u64 end = gfn + nr_granules;

	range->ipa = hyp_pfn_to_phys(gfn);
	range->end = hyp_pfn_to_phys(end);
	if (end <= gfn || hyp_phys_to_pfn(range->ipa) != gfn ||
	    hyp_phys_to_pfn(range->end) != end)
		return -EINVAL;

	range->size = min(range->end, ALIGN_DOWN(range->ipa, NP_BLOCK_SIZE) + NP_BLOCK_SIZE) -
		      range->ipa;

	range->vm = pkvm_get_hyp_vm(handle);
	if (!range->vm)
		return -ENOENT;

	if (range->vm->kvm.arch.pkvm.enabled) {
		pkvm_put_hyp_vm(range->vm);
		return -EPERM;
	}

	if (range->end > BIT(range->vm->pgt.ia_bits)) {
		pkvm_put_hyp_vm(range->vm);
		return -ERANGE;
	}

	return 0;
}

static void np_range_end(struct np_range *range)
{
	pkvm_put_hyp_vm(range->vm);
}

/* How many granules of the range are done when all before @next is. */
static s64 np_range_done(struct np_range *range, u64 next)
{
	return (min(next, range->end) - range->ipa) >> PAGE_SHIFT;
}

/*
 * What comes first in a range: one leaf, or pages that are contiguous for the guest
 * as well as for the host, so that one pair of numbers tells what they are.
 */
struct np_run {
	u64 ipa;
	u64 size;
	kvm_pte_t pte;

	/* Where the last empty entry before it ends. */
	u64 next;
};

static int np_run_visitor(const struct kvm_pgtable_visit_ctx *ctx,
			  enum kvm_pgtable_walk_flags visit)
{
	u64 size = kvm_granule_size(ctx->level);
	u64 ipa = ALIGN_DOWN(ctx->addr, size);
	struct np_run *run = ctx->arg;

	if (run->size) {
		if (!kvm_pte_valid(ctx->old) ||
		    (ctx->old ^ run->pte) & KVM_PTE_LEAF_ATTR_LO_S2_MEMATTR ||
		    kvm_pte_to_phys(ctx->old) != kvm_pte_to_phys(run->pte) + run->size ||
		    run->size == PKVM_UNSHARE_MAX_GRANULES * PAGE_SIZE)
			return -EEXIST;

		run->size += size;
		return 0;
	}

	if (!ctx->old) {
		run->next = ipa + size;
		return 0;
	}

	run->ipa = ipa;
	run->size = size;
	run->pte = ctx->old;

	return ctx->level < KVM_PGTABLE_LAST_LEVEL ? -EEXIST : 0;
}

/* Fill in @run; its size is 0 if there is none before its @next. */
static int np_range_find_run(struct np_range *range, struct np_run *run)
{
	struct kvm_pgtable_walker walker = {
		.cb	= np_run_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF,
		.arg	= run,
	};
	int ret;

	run->size = 0;
	ret = kvm_pgtable_walk(&range->vm->pgt, range->ipa, range->size, &walker);

	return ret == -EEXIST ? 0 : ret;
}

static void np_pte_unshared(struct pkvm_hyp_vm *vm, kvm_pte_t pte, u64 size)
{
	u64 phys = kvm_pte_to_phys(pte);

	if (addr_is_memory(phys))
		host_unshare_pages(phys, size);

	vm->nr_granules -= size >> PAGE_SHIFT;
}

struct np_unshare {
	struct pkvm_hyp_vm *vm;
	u64 next;

	/* What was unlinked: the range is in one table of each level. */
	void *table[KVM_PGTABLE_LAST_LEVEL - KVM_PGTABLE_FIRST_LEVEL];
	unsigned int nr_tables;
};

/* Clear leaves, and unlink tables that hold nothing any more. */
static int np_unshare_visitor(const struct kvm_pgtable_visit_ctx *ctx,
			      enum kvm_pgtable_walk_flags visit)
{
	u64 size = kvm_granule_size(ctx->level);
	struct np_unshare *drop = ctx->arg;
	void *table;

	if (visit == KVM_PGTABLE_WALK_TABLE_POST) {
		table = s2_unlink_empty(ctx);
		if (table)
			drop->table[drop->nr_tables++] = table;
		return 0;
	}

	drop->next = ALIGN_DOWN(ctx->addr, size) + size;
	if (ctx->old) {
		np_pte_unshared(drop->vm, ctx->old, size);
		s2_clear_visited(ctx);
	}

	return 0;
}

/*
 * Take away what is shared in a range that is in one table at most. TLBs are invalidated
 * once: by @ipa alone if the range is @one_pte. Only then are tables freed, which TLBs
 * may have walked until then.
 *
 * Returns where the last entry that was seen ends, in *@next.
 */
static int np_unshare(struct pkvm_hyp_vm *vm, u64 ipa, u64 size, bool one_pte, u64 *next)
{
	struct np_unshare drop = { .vm = vm };
	struct kvm_pgtable_walker walker = {
		.cb	= np_unshare_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF | KVM_PGTABLE_WALK_TABLE_POST,
		.arg	= &drop,
	};
	u64 nr_granules = vm->nr_granules;
	int ret;

	ret = kvm_pgtable_walk(&vm->pgt, ipa, size, &walker);
	*next = drop.next;

	/* Tables may have gone, too: the level is not known. */
	if (one_pte)
		__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, TLBI_TTL_UNKNOWN);
	else if (vm->nr_granules != nr_granules)
		__kvm_tlb_flush_vmid(&vm->kvm.arch.mmu);

	while (drop.nr_tables)
		vm->mm_ops.put_page(drop.table[--drop.nr_tables]);

	return ret;
}

/**
 * __pkvm_host_unshare_guest() - Take pages of a range away from a guest
 * @handle: the VM, not protected; it may be dying.
 * @gfn: where the range begins, its IPA in granules.
 * @nr_granules: its length.
 * @taken: set to what the first entries in the range mapped: a block, which may begin
 *	   before the range or end behind it, or up to PKVM_UNSHARE_MAX_GRANULES
 *	   pages, contiguous for the guest and for the host.
 *
 * Guest: SHARED_BORROWED => NOPAGE
 * Host:  SHARED_OWNED    => SHARED_OWNED, count - 1; OWNED if that is 0
 *
 * When it returns, no CPU has a TLB entry of the guest for it. Takes the locks of
 * host and guest.
 *
 * Return: how many granules from @gfn on the guest has nothing in, at least 1;
 * -EINVAL for a range that is empty or no range; -ENOENT for an unknown handle;
 * -EPERM for a protected VM; -ERANGE if the range goes beyond the IPA space.
 */
s64 __pkvm_host_unshare_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
			      struct np_unshared_run *taken)
{
	struct np_range range;
	struct np_run run;
	u64 next;
	int ret;

	taken->nr_granules = 0;

	ret = np_range_begin(&range, handle, gfn, nr_granules);
	if (ret)
		return ret;

	host_lock_component();
	guest_lock_component(range.vm);
	ret = np_range_find_run(&range, &run);
	next = run.next;
	if (run.size) {
		WARN_ON(np_unshare(range.vm, run.ipa, run.size,
				   run.size == PAGE_SIZE || run.size == NP_BLOCK_SIZE, &next));
		taken->pfn = hyp_phys_to_pfn(kvm_pte_to_phys(run.pte));
		taken->nr_granules = run.size >> PAGE_SHIFT;
	}
	guest_unlock_component(range.vm);
	host_unlock_component();

	np_range_end(&range);

	return ret ?: np_range_done(&range, next);
}

/**
 * __pkvm_host_unshare_guest_all() - Take a number of entries away from a guest
 * @handle: the VM, not protected; it may be dying.
 * @gfn: where to begin, its IPA in granules.
 * @nr_taken: set to the granules that were taken.
 *
 * As __pkvm_host_unshare_guest(), for a host that does not care what it was: for
 * all that is shared in up to PKVM_UNSHARE_MAX_GRANULES granules, with one TLB
 * invalidation. Takes the locks of host and guest.
 *
 * Return: how many granules from @gfn on the guest has nothing in, at least 1;
 * -EINVAL for a @gfn out of range; -ENOENT for an unknown handle; -EPERM for a
 * protected VM; -ERANGE if @gfn lies beyond the IPA space.
 */
s64 __pkvm_host_unshare_guest_all(pkvm_handle_t handle, u64 gfn, u64 *nr_taken)
{
	struct np_range range;
	u64 next;
	int ret;

	*nr_taken = 0;

	ret = np_range_begin(&range, handle, gfn, 1);
	if (ret)
		return ret;

	range.end = BIT(range.vm->pgt.ia_bits);
	range.size = min(range.end, ALIGN_DOWN(range.ipa, NP_BLOCK_SIZE) + NP_BLOCK_SIZE);
	range.size = min(range.size - range.ipa, PKVM_UNSHARE_MAX_GRANULES * PAGE_SIZE);

	host_lock_component();
	guest_lock_component(range.vm);
	*nr_taken = range.vm->nr_granules;
	ret = np_unshare(range.vm, range.ipa, range.size, false, &next);
	*nr_taken -= range.vm->nr_granules;
	guest_unlock_component(range.vm);
	host_unlock_component();

	np_range_end(&range);

	return ret ?: np_range_done(&range, next);
}

/*
 * Begin with a range of a VM that lives: of one that does not there may be no
 * stage-2 left. The end of the table that this call sees goes to *@next, and the
 * size to walk to range->size: 0 if there is no table.
 */
static int np_live_range_begin(struct np_range *range, pkvm_handle_t handle, u64 gfn,
			       u64 nr_granules, u64 *next)
{
	struct s2_pte entry;
	int ret;

	ret = np_range_begin(range, handle, gfn, nr_granules);
	if (ret)
		return ret;

	if (READ_ONCE(range->vm->is_dying)) {
		np_range_end(range);
		return -ENOENT;
	}

	guest_lock_component(range->vm);
	WARN_ON(s2_find_pte(&range->vm->pgt, range->ipa, &entry));
	*next = range->ipa + range->size;
	if (!entry.pte && entry.level < KVM_PGTABLE_LAST_LEVEL) {
		*next = ALIGN_DOWN(range->ipa, kvm_granule_size(entry.level)) +
			kvm_granule_size(entry.level);
		range->size = 0;
	}

	return 0;
}

static s64 np_live_range_end(struct np_range *range, u64 next)
{
	guest_unlock_component(range->vm);
	np_range_end(range);

	return np_range_done(range, next);
}

/**
 * __pkvm_host_wrprotect_guest() - Let a guest only read what it has in a range
 * @handle: the VM, alive and not protected.
 * @gfn: where the range begins, its IPA in granules.
 * @nr_granules: its length.
 *
 * Leaves the TLBs alone, see __pkvm_tlb_flush_vmid(). Takes the guest's lock.
 *
 * Return: how many granules from @gfn on are done, at least 1; -EINVAL for a range
 * that is empty or no range; -ENOENT for an unknown handle or a dying VM; -EPERM
 * for a protected VM; -ERANGE if the range goes beyond the IPA space.
 */
s64 __pkvm_host_wrprotect_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules)
{
	struct np_range range;
	u64 next;
	int ret;

	ret = np_live_range_begin(&range, handle, gfn, nr_granules, &next);
	if (ret)
		return ret;

	if (range.size)
		WARN_ON(kvm_pgtable_stage2_wrprotect(&range.vm->pgt, range.ipa, range.size));

	return np_live_range_end(&range, next);
}

/**
 * __pkvm_host_test_clear_young_guest() - Has a guest used what it has in a range?
 * @handle: the VM, alive and not protected.
 * @gfn: where the range begins, its IPA in granules.
 * @nr_granules: its length.
 * @mkold: whether to forget it.
 * @young: set to whether an access flag was set in what is done.
 *
 * Leaves the TLBs alone, see __pkvm_tlb_flush_vmid(). Takes the guest's lock.
 *
 * Return: as __pkvm_host_wrprotect_guest().
 */
s64 __pkvm_host_test_clear_young_guest(pkvm_handle_t handle, u64 gfn, u64 nr_granules,
				       bool mkold, bool *young)
{
	struct np_range range;
	u64 next;
	int ret;

	*young = false;

	ret = np_live_range_begin(&range, handle, gfn, nr_granules, &next);
	if (ret)
		return ret;

	if (range.size)
		*young = kvm_pgtable_stage2_test_clear_young(&range.vm->pgt, range.ipa,
							     range.size, mkold);

	return np_live_range_end(&range, next);
}

/**
 * __pkvm_tlb_flush_vmid() - Drop what the TLBs of all CPUs have of a guest
 * @handle: the VM, not protected.
 *
 * Return: 0; -ENOENT for an unknown handle; -EPERM for a protected VM, whose
 * stage-2 the host does not change.
 */
int __pkvm_tlb_flush_vmid(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *vm = pkvm_get_hyp_vm(handle);
	int ret = 0;

	if (!vm)
		return -ENOENT;

	if (vm->kvm.arch.pkvm.enabled)
		ret = -EPERM;
	else
		__kvm_tlb_flush_vmid(&vm->kvm.arch.mmu);
	pkvm_put_hyp_vm(vm);

	return ret;
}
