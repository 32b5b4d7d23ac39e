/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A protected guest is a component that owns memory, as are host and hypervisor. See
 * guest_mem.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_MEM_H__
#define __ARM64_KVM_NVHE_GUEST_MEM_H__

#include <asm/kvm_pgtable.h>

#include <nvhe/host_tlb.h>
#include <nvhe/page_clean.h>
#include <nvhe/pkvm.h>
#include <nvhe/s2_pte.h>

/* The most granules that a guest's call on a range handles, or entries that it visits (R6). */
#define PVM_RANGE_MAX	256

/* The most granules that one call of a guest takes back: EL2 has to clean each (R6). */
#define PVM_UNSHARE_MAX	PAGE_CLEAN_MAX

/**
 * pvm_show_windows() - Update the host's statistics on windows, which it has shared itself
 * @vm: the VM, its lock held.
 */
static inline void pvm_show_windows(struct pkvm_hyp_vm *vm)
{
	vm->host_kvm->stat.protected.bytes_window = vm->state.nr_window << PAGE_SHIFT;
}

/**
 * pvm_show_memory() - Update the host's statistics on a guest's memory
 * @vm: the VM, its lock held.
 */
static inline void pvm_show_memory(struct pkvm_hyp_vm *vm)
{
	struct pkvm_vm_stat *stat = &vm->host_kvm->stat.protected;

	stat->bytes_private = vm->state.nr_private << PAGE_SHIFT;
	stat->bytes_shared = vm->state.nr_shared << PAGE_SHIFT;
	stat->bytes_guarded = vm->state.nr_guarded << PAGE_SHIFT;
	stat->bytes_relinquished = vm->state.nr_relinquished << PAGE_SHIFT;
	pvm_show_windows(vm);
}

/**
 * struct page_run - Consecutive pages of a guest and of memory, in one last-level table of each
 * @ipa:	Of the first page.
 * @phys:	Of the first page.
 * @nr:		How many pages.
 * @step:	1 if their addresses in memory ascend, -1 if they descend, as is often so.
 */
struct page_run {
	u64		ipa;
	u64		phys;
	int		nr;
	int		step;
};

/**
 * page_run_lowest() - Find where in memory a run is
 * @run: the run.
 *
 * Return: the physical address of that page which comes first in memory.
 */
static inline u64 page_run_lowest(const struct page_run *run)
{
	return run->step > 0 ? run->phys : run->phys - (run->nr - 1) * PAGE_SIZE;
}

void host_lose_run(struct pkvm_hyp_vm *vm, const struct page_run *run, const struct s2_pte *entry,
		   struct host_tlb_run *tlb);
int host_lose_page(struct pkvm_hyp_vm *vm, u64 phys, u64 ipa, struct s2_pte *entry,
		   struct host_tlb_run *tlb);
void pvm_zero_granule(phys_addr_t phys);

int __pkvm_host_donate_guest(const u64 *pfns, u64 gfn, u64 nr_granules,
			     struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_check_place(u64 gfn, struct pkvm_hyp_vcpu *vcpu);
int __pkvm_guest_relinquish_host(struct pkvm_hyp_vcpu *vcpu, u64 ipa);

#endif /* __ARM64_KVM_NVHE_GUEST_MEM_H__ */
