// SPDX-License-Identifier: GPL-2.0-only
/*
 * Windows: where a protected guest has guards, the host may share pages of its own with
 * it, which the guest then reaches as memory. The guest has said by the guard that what
 * is there is the host's. Here is what is special to that; how a page is shared and taken
 * back, and counted, is the same as for other VMs: see guest_np_share.c and
 * guest_np_range.c.
 *
 * R1: a page of a window is the host's, and stays so. Where it was there is a guard again,
 *     never an empty entry: no memory of the guest's can get there.
 * R2: only what the guest guards, once it has enrolled, becomes a window, and nothing in
 *     it can be executed. When a page has been taken back no CPU has a TLB entry for it.
 * R6: a call of the guest takes back a bounded number of pages and blocks.
 * R7: the check counts the tables that a larger guard has to be split by.
 *
 * A guard that is a block becomes pages with s2_push_down() when a page is shared on part
 * of it. Once all that is there are guards again, s2_pull_up() makes a block of them.
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

/* Whether a block fits where the guest has a table of pages: are all of them guards? */
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
 * pvm_window_check() - Can a page or a block of the host become part of a window?
 * @vcpu: a vCPU of the protected guest, loaded on this CPU; its memcache pays for tables.
 * @phys: the page or block, physical.
 * @ipa: where the guest shall find it, as aligned.
 * @level: the level of its entry, the last one or the one before.
 *
 * Changes nothing. The locks of host and guest are held.
 *
 * Return: 0; -ENOENT if the guest has not enrolled, or does not guard all of it; -EAGAIN
 * if the very page or block is there already; -EEXIST if something else of the host is;
 * -ENOMEM if tables are missing; -ERANGE if @ipa lies beyond the guest's IPA space.
 */
int pvm_window_check(struct pkvm_hyp_vcpu *vcpu, u64 phys, u64 ipa, s8 level)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_pte entry;
	int ret;

	ret = s2_find_pte_above(&vm->pgt, ipa, level, &entry);
	if (ret)
		return ret;

	if (!READ_ONCE(vm->state.mmio_enrolled))
		return -ENOENT;

	if (leads_to_table(&entry))
		return check_table(vm, &entry);

	if (guest_pte_is_borrowed(entry.pte))
		return entry.level == level && kvm_pte_to_phys(entry.pte) == phys ? -EAGAIN :
										    -EEXIST;

	if (!guest_pte_is_guard(entry.pte))
		return -ENOENT;

	if (vcpu->vcpu.arch.pkvm_memcache.nr_pages < level - entry.level)
		return -ENOMEM;

	return 0;
}

/**
 * pvm_window_prepare() - Have exactly one guard where a page or block is to be shared
 * @vcpu: as for pvm_window_check(), which said 0 under the same locks.
 * @ipa: where.
 * @level: the level of the entry.
 */
void pvm_window_prepare(struct pkvm_hyp_vcpu *vcpu, u64 ipa, s8 level)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(vcpu);
	struct s2_pte entry;
	void *table;

	WARN_ON(s2_find_pte_above(&vm->pgt, ipa, level, &entry));

	if (leads_to_table(&entry)) {
		table = s2_pull_up(&vm->pgt, &entry, GUEST_PTE_GUARD);
		if (WARN_ON(!table))
			return;

		__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, TLBI_TTL_UNKNOWN);
		vm->mm_ops.put_page(table);
	}

	while (entry.level < level)
		WARN_ON(s2_push_down(&vm->pgt, ipa, &entry, &vcpu->vcpu.arch.pkvm_memcache));
}

/**
 * pvm_window_count() - Take note that guards have become windows, or windows guards
 * @vm: the protected VM, its lock held.
 * @nr_granules: how many have become windows; less than 0 for guards.
 */
void pvm_window_count(struct pkvm_hyp_vm *vm, s64 nr_granules)
{
	vm->state.nr_granules += nr_granules;
	vm->state.nr_window += nr_granules;
	vm->state.nr_guarded -= nr_granules;
}

/**
 * pvm_window_take() - Give the host back what it shares by one entry of a window
 * @vm: the protected VM. Its lock and the host's are held.
 * @entry: the entry, of a page or a block; becomes a guard.
 *
 * Guest: SHARED_BORROWED => GUARDED
 * Host:  SHARED_OWNED    => SHARED_OWNED, count - 1; OWNED if that is 0
 *
 * When it returns, no CPU has a TLB entry of the guest for it.
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
