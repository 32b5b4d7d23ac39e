// SPDX-License-Identifier: GPL-2.0-only
/*
 * Panics, in debug builds, when the hypervisor changes a stage-2 in a way that the
 * architecture does not allow:
 *
 * - a valid entry becomes another one, of another address, size, memory type or
 *   shareability, without having been made invalid and invalidated in the TLBs;
 * - an access that an entry allowed is taken away, and the TLBs are not invalidated before
 *   the hypervisor returns to the host;
 * - a table page is freed that CPUs may still walk.
 *
 * Also panics when a page becomes private to a protected guest, by a donation of the host
 * or because the guest unshares it, or when the host gets a private page back, and the
 * page was not cleaned to the point of coherency (R3).
 *
 * A page that is free in a pool is poisoned: taken for a table, it leads to addresses where
 * no memory is. The hypervisor panics if such a page has changed when it is allocated.
 *
 * Relaxing permissions, and changing the access flag or software bits, is allowed.
 * ../pgtable_account.c has the rules; this file reports to it what the hypervisor does.
 *
 * Each CPU keeps its own account of pending invalidations: the hypervisor runs with
 * interrupts off, and must have made them when it returns to the host. When the host takes
 * a permission from a non-protected VM, it asks for the invalidation by a later call.
 */

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_account.h>
#include <asm/kvm_pgtable_check.h>
#include <asm/kvm_pkvm_debug.h>

#include <nvhe/guest_pte.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>

/* As an entry, it leads to a table beyond all memory. */
#define POISON	0x6b6b6b6b6b6b6b6bULL

/* Panics if there is an offence, unless the command line says not to. */
#define OFFENCE(condition)				\
	do {						\
		bool __is_one = (condition);		\
							\
		WARN_ON(__is_one && hyp_pgtable_check);	\
	} while (0)

bool hyp_pgtable_check __ro_after_init = true;

static DEFINE_PER_CPU(struct pgtable_account, pgtable_account);

static struct pkvm_hyp_vm *check_vm(const struct kvm_pgtable_visit_ctx *ctx)
{
	return ctx->mm_ops == &host_mmu.mm_ops ? NULL :
	       container_of(ctx->mm_ops, struct pkvm_hyp_vm, mm_ops);
}

static struct pgtable_space check_space(struct pkvm_hyp_vm *vm)
{
	if (!vm)
		return (struct pgtable_space) { .id = &host_mmu.arch.mmu, .tables_map = true };

	/* Entries of a dying VM need no invalidation if its whole VMID was invalidated before. */
	return (struct pgtable_space) {
		.id	= &vm->kvm.arch.mmu,
		.lazy	= !vm->kvm.arch.pkvm.enabled,
		.unused	= vm->state.tlb_clean,
	};
}

/* Whether @new in place of @old makes a page a guest's own, or the host's again. */
static bool hands_over(struct pkvm_hyp_vm *vm, const struct kvm_pgtable_visit_ctx *ctx,
		       kvm_pte_t old, kvm_pte_t new)
{
	/* FEAT_S2FWB changes nothing: the host's accesses may still be non-cacheable. */
	if (vm)
		return vm->kvm.arch.pkvm.enabled && kvm_pte_valid(new) &&
		       !pgtable_is_table(new, ctx->level) &&
		       guest_pte_state(new) == PKVM_PAGE_OWNED &&
		       guest_pte_state(old) != PKVM_PAGE_OWNED;

	return !kvm_pte_valid(ctx->old) && !new &&
	       FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, ctx->old) == PKVM_ID_GUEST;
}

void pgtable_check_write(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t new)
{
	struct pgtable_account *account = this_cpu_ptr(&pgtable_account);
	struct pkvm_hyp_vm *vm = check_vm(ctx);
	struct pgtable_space space = check_space(vm);
	kvm_pte_t old = READ_ONCE(*ctx->ptep);
	u64 size = kvm_granule_size(ctx->level);
	void *table = NULL;

	if (pgtable_is_table(old, ctx->level))
		table = ctx->mm_ops->phys_to_virt(kvm_pte_to_phys(old));

	OFFENCE(pgtable_account_write(account, &space, ctx->addr, ctx->level, old, new, table));

	/* The host's stage-2 is an identity map. */
	if (new != KVM_INVALID_PTE_LOCKED && hands_over(vm, ctx, old, new))
		OFFENCE(pgtable_account_hand_over(account, vm ? kvm_pte_to_phys(new) :
						  ALIGN_DOWN(ctx->addr, size), size));
}

void pgtable_check_tlbi_addr(struct kvm_s2_mmu *mmu, u64 ipa, int level)
{
	pgtable_account_tlbi_addr(this_cpu_ptr(&pgtable_account), mmu, ipa, level);
}

void pgtable_check_tlbi_range(struct kvm_s2_mmu *mmu, u64 ipa, u64 size)
{
	pgtable_account_tlbi_range(this_cpu_ptr(&pgtable_account), mmu, ipa, size);
}

void pgtable_check_tlbi_all(struct kvm_s2_mmu *mmu)
{
	struct pkvm_hyp_vm *vm = container_of(mmu, struct pkvm_hyp_vm, kvm.arch.mmu);

	pgtable_account_tlbi_range(this_cpu_ptr(&pgtable_account), mmu, 0, U64_MAX);

	/* Without protected mode there is no struct pkvm_hyp_vm around @mmu. */
	if (is_protected_kvm_enabled() && mmu != &host_mmu.arch.mmu && vm->state.is_dying)
		vm->state.tlb_clean = true;
}

/* Let the CPU translate an address: EL2 maps guests' pages only in the fixmap. */
static u64 hyp_va_to_phys(unsigned long va)
{
	u64 host_par = read_sysreg_par(), par;

	asm volatile("at s1e2r, %0" : : "r" (va));
	isb();
	par = read_sysreg_par();
	write_sysreg(host_par, par_el1);

	WARN_ON(par & SYS_PAR_EL1_F);

	return (par & GENMASK_ULL(51, PAGE_SHIFT)) | (va & ~PAGE_MASK);
}

void pgtable_check_clean(unsigned long va, unsigned long size)
{
	pgtable_account_clean(this_cpu_ptr(&pgtable_account), hyp_va_to_phys(va), size);
}

void pgtable_check_put(void *addr, int count)
{
	if (count == 1)
		OFFENCE(pgtable_account_free(this_cpu_ptr(&pgtable_account),
					     PTR_ALIGN_DOWN(addr, PAGE_SIZE)));
}

void pgtable_check_free(void *addr, size_t size)
{
	u64 *word = addr, *end = addr + size;

	while (word < end)
		*word++ = POISON;
}

void pgtable_check_alloc(void *addr, size_t size)
{
	u64 *word = addr, *end = addr + size;

	/* A pool keeps its lists in front of its pages. */
	for (; word < end; word++)
		OFFENCE(offset_in_page(word) >= sizeof(struct list_head) && *word != POISON);

	memset(addr, 0, size);
}

void pgtable_check_done(void)
{
	OFFENCE(pgtable_account_close(this_cpu_ptr(&pgtable_account)));
}
