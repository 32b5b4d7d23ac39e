// SPDX-License-Identifier: GPL-2.0-only
/*
 * Panics, in debug builds, when what the page-table code of the hypervisor does to a
 * stage-2 is not what the architecture demands:
 *
 * - a valid entry becomes another one, of another address, size, memory type or
 *   shareability, without having been made invalid and invalidated in the TLBs;
 * - what an entry allowed is taken away and not invalidated before the call returns;
 * - a table page is freed that TLBs may still walk;
 *
 * and when a page goes from the host to a protected guest, or from a guest that had it
 * for itself to the host, without having been cleaned to the point of coherency (R3).
 * To relax permissions, and to change the access flag or software bits, is legal.
 *
 * What is owed is kept for each CPU: the hypervisor runs with interrupts off, and pays
 * before it returns. What the host takes from a VM that is not protected is the host's
 * to invalidate, by a call of its own.
 *
 * Writes to entries that do not go through pgtable.c are not seen.
 */

#include <asm/kvm_pgtable.h>
#include <asm/kvm_pgtable_check.h>

#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>

/* Invalidations that one call may owe at a time. Neighbours are one. */
#define MAX_OWED	64

/* What a valid leaf may not change while it is in use. */
#define LEAF_FIXED							\
	(~(KVM_PTE_LEAF_ATTR_S2_PERMS | KVM_PTE_LEAF_ATTR_LO_S2_AF |	\
	   KVM_PTE_LEAF_ATTR_HI_SW))

/**
 * struct owed - An invalidation that has to come before the call returns
 * @mmu: for whom.
 * @start: the first address.
 * @end: the first one behind.
 * @table: the page of the table that was unlinked, or NULL for leaves.
 */
struct owed {
	struct kvm_s2_mmu *mmu;
	u64 start;
	u64 end;
	void *table;
};

struct check {
	struct owed owed[MAX_OWED];
	unsigned int nr_owed;
	unsigned long cleaned;
};

static DEFINE_PER_CPU(struct check, pgtable_check);

static bool is_table(kvm_pte_t pte, s8 level)
{
	return level < KVM_PGTABLE_LAST_LEVEL && (pte & PMD_TYPE_MASK) == PMD_TYPE_TABLE;
}

static struct pkvm_hyp_vm *check_vm(const struct kvm_pgtable_visit_ctx *ctx)
{
	return ctx->mm_ops == &host_mmu.mm_ops ? NULL :
	       container_of(ctx->mm_ops, struct pkvm_hyp_vm, mm_ops);
}

static struct kvm_s2_mmu *check_mmu(const struct kvm_pgtable_visit_ctx *ctx)
{
	struct pkvm_hyp_vm *vm = check_vm(ctx);

	return vm ? &vm->kvm.arch.mmu : &host_mmu.arch.mmu;
}

static bool is_owed(struct check *check, struct kvm_s2_mmu *mmu, u64 start, u64 end)
{
	struct owed *owed = check->owed;
	unsigned int i;

	for (i = 0; i < check->nr_owed; i++) {
		if (owed[i].mmu == mmu && owed[i].start < end && start < owed[i].end)
			return true;
	}

	return false;
}

static void owe(struct check *check, struct kvm_s2_mmu *mmu, u64 start, u64 end, void *table)
{
	struct owed *last = check->nr_owed ? &check->owed[check->nr_owed - 1] : NULL;

	if (last && !table && !last->table && last->mmu == mmu && last->end == start) {
		last->end = end;
		return;
	}

	WARN_ON(check->nr_owed == MAX_OWED);
	check->owed[check->nr_owed++] = (struct owed) { mmu, start, end, table };
}

/* Each page that changes hands uses up its own cleaning. */
static void need_clean(struct check *check)
{
	WARN_ON(check->cleaned < PAGE_SIZE);
	check->cleaned -= PAGE_SIZE;
}

static void check_owner(struct check *check, const struct kvm_pgtable_visit_ctx *ctx,
			kvm_pte_t old, kvm_pte_t new)
{
	struct pkvm_hyp_vm *vm = check_vm(ctx);

	if (vm) {
		/* With FEAT_S2FWB, a guest has no access but through the caches. */
		if (vm->kvm.arch.pkvm.enabled && !kvm_pte_valid(old) && kvm_pte_valid(new) &&
		    !is_table(new, ctx->level) && !cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
			need_clean(check);
	} else if (!kvm_pte_valid(ctx->old) && !new &&
		   FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, ctx->old) == PKVM_ID_GUEST) {
		need_clean(check);
	}
}

void pgtable_check_write(const struct kvm_pgtable_visit_ctx *ctx, kvm_pte_t new)
{
	struct check *check = this_cpu_ptr(&pgtable_check);
	struct kvm_s2_mmu *mmu = check_mmu(ctx);
	struct pkvm_hyp_vm *vm = check_vm(ctx);
	kvm_pte_t old = READ_ONCE(*ctx->ptep);
	u64 size = kvm_granule_size(ctx->level);
	u64 start = ALIGN_DOWN(ctx->addr, size);
	kvm_pte_t lost;

	if (new != KVM_INVALID_PTE_LOCKED)
		check_owner(check, ctx, old, new);

	if (!kvm_pte_valid(old)) {
		WARN_ON(kvm_pte_valid(new) && is_owed(check, mmu, start, start + size));
		return;
	}

	if (!kvm_pte_valid(new)) {
		owe(check, mmu, start, start + size, is_table(old, ctx->level) ?
		    ctx->mm_ops->phys_to_virt(kvm_pte_to_phys(old)) : NULL);
		return;
	}

	WARN_ON(is_table(old, ctx->level) || (old ^ new) & LEAF_FIXED);

	lost = (old & ~new & (KVM_PTE_LEAF_ATTR_LO_S2_S2AP_R | KVM_PTE_LEAF_ATTR_LO_S2_S2AP_W)) |
	       (new & ~old & KVM_PTE_LEAF_ATTR_HI_S2_XN);
	if (lost && (!vm || vm->kvm.arch.pkvm.enabled))
		owe(check, mmu, start, start + size, NULL);
}

void pgtable_check_tlbi(struct kvm_s2_mmu *mmu, u64 ipa, u64 size)
{
	struct check *check = this_cpu_ptr(&pgtable_check);
	struct owed *owed;
	unsigned int i = 0;

	while (i < check->nr_owed) {
		owed = &check->owed[i];

		/*
		 * A leaf goes by any address of it. So does a table of a guest, which is
		 * empty then; the host's may still map something.
		 */
		if (owed->mmu == mmu &&
		    (size ? ipa <= owed->start && owed->end <= ipa + size :
		     owed->start <= ipa && ipa < owed->end &&
		     (!owed->table || mmu != &host_mmu.arch.mmu)))
			*owed = check->owed[--check->nr_owed];
		else
			i++;
	}
}

void pgtable_check_clean(unsigned long size)
{
	this_cpu_ptr(&pgtable_check)->cleaned += size;
}

void pgtable_check_put(void *addr, int count)
{
	struct check *check = this_cpu_ptr(&pgtable_check);
	unsigned int i;

	for (i = 0; count == 1 && i < check->nr_owed; i++)
		WARN_ON(check->owed[i].table == PTR_ALIGN_DOWN(addr, PAGE_SIZE));
}

void pgtable_check_done(void)
{
	struct check *check = this_cpu_ptr(&pgtable_check);

	WARN_ON(check->nr_owed);
	check->cleaned = 0;
}
