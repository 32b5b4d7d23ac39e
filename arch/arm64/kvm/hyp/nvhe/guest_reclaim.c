// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host takes a page of a live protected guest by force, because its own kernel has to
 * access the page.
 *
 * R1: the host's state, the host's stage-2 and the guest's stage-2 of the page change under
 *     both locks, taken in the order of enum pkvm_component_id.
 * R3: EL2 zeroes the page and cleans it to the point of coherency before the host gets it.
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

/* Find out which guest has a page, and at which IPA: the host's annotation names both. */
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
 * __pkvm_host_force_reclaim() - Take one page back from a live guest
 * @pfn: page frame number of the page.
 *
 * Guest: OWNED => POISONED, zeroed
 * Host:  NOPAGE => OWNED
 *
 * The guest loses the page's contents. Its next access there ends in an error for the VMM,
 * so the guest never sees another page, or zeroes, in place of its own. Takes the locks of
 * host and guest.
 *
 * Return: 0; -EINVAL if @pfn is no memory; -EPERM if no guest owns the page alone; -EAGAIN
 * if this changed during the call, so that the host's access may work when it is repeated.
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
