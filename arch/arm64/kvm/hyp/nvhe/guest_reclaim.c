// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page of a live protected guest that the host takes by force, because its own
 * kernel cannot help touching it.
 *
 * R1: host state, host stage-2 and guest stage-2 of the page change under both
 *     locks, taken in the order of enum pkvm_component_id.
 * R3: the page is zeroed and cleaned to the point of coherency before the host gets it.
 */

#include <linux/kvm_host.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/ghost.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_pte.h>
#include <nvhe/guest_reclaim.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/s2_pte.h>
#include <nvhe/vm_table.h>

/* The guest that a page of the host went to, and where it has it, from its annotation. */
static int host_find_guest(u64 phys, pkvm_handle_t *handle, u64 *ipa)
{
	struct s2_pte entry;
	int ret;

	host_lock_component();
	ret = __host_check_page_state_range(phys, PAGE_SIZE, PKVM_NOPAGE);
	if (!ret)
		ret = s2_find_pte(&host_mmu.pgt, phys, &entry);
	host_unlock_component();

	if (ret)
		return ret;

	if (FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, entry.pte) != PKVM_ID_GUEST)
		return -EPERM;

	*handle = FIELD_GET(HOST_PTE_GUEST_IDX_MASK, entry.pte) + PKVM_HANDLE_OFFSET;
	*ipa = hyp_pfn_to_phys(FIELD_GET(HOST_PTE_GUEST_GFN_MASK, entry.pte));

	return 0;
}

static int force_reclaim_locked(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa)
{
	struct s2_pte entry;
	int ret;

	ret = s2_find_pte(&vm->pgt, ipa, &entry);
	if (ret)
		return ret;

	if (guest_pte_state(entry.pte) != PKVM_PAGE_OWNED || kvm_pte_to_phys(entry.pte) != phys)
		return -EAGAIN;

	s2_set_pte(&vm->pgt, &entry, GUEST_PTE_POISONED);
	__kvm_tlb_flush_vmid_ipa(&vm->kvm.arch.mmu, ipa, entry.level);

	pvm_zero_granule(phys);
	WARN_ON(host_stage2_set_owner_locked(phys, PAGE_SIZE, PKVM_ID_HOST));
	ghost_host_force_reclaim(vm, phys, ipa);
	vm->state.nr_private--;
	pvm_show_memory(vm);

	return 0;
}

/**
 * __pkvm_host_force_reclaim() - Take one page back from a guest that lives
 * @pfn: the page, host physical.
 *
 * Guest: OWNED => POISONED, zeroed
 * Host:  NOPAGE => OWNED
 *
 * The guest loses what it had there, and its next access ends in an error for
 * the VMM: it never sees another page, or zeros, in place of its own.
 *
 * Return: 0; -EINVAL if @pfn is no memory; -EPERM if no guest has it for itself
 * alone; -EAGAIN if that changed meanwhile, and the access that led here may
 * work.
 */
int __pkvm_host_force_reclaim(u64 pfn)
{
	u64 phys = hyp_pfn_to_phys(pfn);
	struct pkvm_hyp_vm *vm;
	pkvm_handle_t handle;
	u64 ipa;
	int ret;

	if (hyp_phys_to_pfn(phys) != pfn)
		return -EINVAL;

	ret = host_find_guest(phys, &handle, &ipa);
	if (ret)
		return ret;

	vm = pkvm_get_hyp_vm(handle);
	if (!vm)
		return -EAGAIN;

	host_lock_component();
	guest_lock_component(vm);
	ret = force_reclaim_locked(vm, phys, ipa);
	guest_unlock_component(vm);
	host_unlock_component();

	pkvm_put_hyp_vm(vm);

	return ret;
}
