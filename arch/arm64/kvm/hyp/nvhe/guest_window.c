// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: where a protected guest has guards, the host may share pages of its own with the
 * guest, and the guest accesses them as memory. By the guard the guest has accepted that
 * the host decides what is at the IPA. This file has what is special to windows.
 * guest_np_share.c and guest_np_range.c share, unshare and count the pages, as for
 * non-protected VMs.
 *
 * R1: the host still owns the pages of a window. When a page is unshared, its entry becomes
 *     a guard again and is never empty, so the guest cannot get memory of its own there.
 * R2: the host can share only where the guest has a guard, once the guest has enrolled. The
 *     guest cannot execute the pages. When a page has been unshared, no CPU has a TLB entry
 *     of the guest for it.
 * R6: a guest's MMIO_GUARD_UNMAP call unshares a bounded number of pages and blocks.
 * R7: pvm_window_check() counts the tables that are needed to split a larger guard.
 *
 * If the host shares a page in a guard that is a block, s2_push_down() splits the guard into
 * pages. Once all of these are guards again, s2_pull_up() makes them one block.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_window.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/page_state.h>
#include <nvhe/s2_pte.h>

static bool leads_to_table(const struct s2_pte *entry)
{
	return entry->level < KVM_PGTABLE_LAST_LEVEL &&
	       (entry->pte & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

/* Check whether a block can replace a table of pages: whether all of them are guards. */
static int check_table(struct pkvm_hyp_vm *vm, const struct s2_pte *entry)
{
	kvm_pte_t *table = vm->mm_ops.phys_to_virt(kvm_pte_to_phys(entry->pte));
	unsigned int i;
	int ret = 0;

	for (i = 0; i < PTRS_PER_PTE; i++) {
		if (guest_pte_is_borrowed(table[i]))
			ret = -EEXIST;
		else if (!guest_pte_is_guard(table[i]))
			return -ENOENT;
	}

	return ret;
}

/**
 * pvm_window_check() - Check whether the host can share a page or block in a window
 * @vcpu: a vCPU of the protected guest, loaded on this CPU. Pages for tables come from its
 *	  memcache.
 * @phys: physical address of the page or block.
 * @ipa: the IPA where the guest gets it, with the same alignment.
 * @level: the level of its entry, the last one or the one before.
 * @entry: set to what the guest has there, at @level or above.
 *
 * Changes nothing. The locks of host and guest are held.
 *
 * Return: 0; -ENOENT if the guest has not enrolled, or does not guard all of the IPAs; -EAGAIN
 * if the same page or block is already shared there; -EEXIST if another one is; -ENOMEM if
 * pages for tables are missing; -ERANGE if @ipa lies beyond the guest's IPA space.
 */
int pvm_window_check(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level,
		     struct s2_pte *entry)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	int ret;

	ret = s2_find_pte_above(&vm->pgt, ipa, level, entry);
	if (ret)
		return ret;

	if (!READ_ONCE(vm->state.mmio_enrolled))
		return -ENOENT;

	if (leads_to_table(entry))
		return check_table(vm, entry);

	if (guest_pte_is_borrowed(entry->pte))
		return entry->level == level && kvm_pte_to_phys(entry->pte) == phys ? -EAGAIN :
										      -EEXIST;

	if (!guest_pte_is_guard(entry->pte))
		return -ENOENT;

	if (vcpu->vcpu.arch.pkvm_memcache.nr_pages < level - entry->level)
		return -ENOMEM;

	return 0;
}

/**
 * pvm_window_prepare() - Join the guards where a block is to be shared
 * @vm: the protected VM. Its lock is held since pvm_window_check() returned 0.
 * @ipa: the IPA of the page or block.
 * @entry: as pvm_window_check() set it; set to a guard of the same size, or of a larger one.
 */
void pvm_window_prepare(struct pkvm_hyp_vm *vm, u64 ipa, struct s2_pte *entry)
{
	void *table;

	if (!leads_to_table(entry))
		return;

	table = s2_pull_up(&vm->pgt, entry, GUEST_PTE_GUARD);
	if (WARN_ON(!table))
		return;

	__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, TLBI_TTL_UNKNOWN);
	vm->mm_ops.put_page(table);
}

/**
 * pvm_window_count() - Count granules that change between guard and window
 * @vm: the protected VM, its lock held.
 * @nr_granules: how many granules the host shares now instead of a guard; negative if they are
 *	guards again.
 */
void pvm_window_count(struct pkvm_hyp_vm *vm, s64 nr_granules)
{
	vm->state.nr_granules += nr_granules;
	vm->state.nr_window += nr_granules;
	vm->state.nr_guarded -= nr_granules;
}

/**
 * pvm_window_take() - Unshare the page or block of one entry of a window
 * @vm: the protected VM. Its lock and the host's lock are held.
 * @entry: the entry; set to a guard.
 *
 * Guest: SHARED_BORROWED => GUARDED
 * Host:  SHARED_OWNED    => SHARED_OWNED, count - 1; OWNED if that is 0
 *
 * When the function returns, no CPU has a TLB entry of the guest for the page or block.
 */
void pvm_window_take(struct pkvm_hyp_vm *vm, struct s2_pte *entry)
{
	u64 size = kvm_granule_size(entry->level);
	u64 ipa = ALIGN_DOWN(entry->addr, size);
	u64 phys = kvm_pte_to_phys(entry->pte);

	s2_set_pte(&vm->pgt, entry, GUEST_PTE_GUARD);
	__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, entry->level);
	host_unshare_pages(phys, size);
	pvm_window_count(vm, -(s64)(size >> PAGE_SHIFT));
	ghost_host_unshare_guest(vm, phys, ipa, size);
}
