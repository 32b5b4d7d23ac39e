// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO guard: which IPAs of a protected guest are MMIO is the guest's to say.
 * Once it has enrolled, the host is shown what an access does only where the
 * guest put a guard; anywhere else it learns that a page is missing.
 *
 * R1: a guarded IPA holds no memory. A guard is an invalid, annotated leaf of the
 *     guest's stage-2, so both cannot be there, whichever comes first.
 * R7: the check finds out how many table pages the guard needs. If the vCPU's
 *     memcache has not enough of them the guest's call is made again once the
 *     host gave more, and until then nothing has changed.
 *
 * Hypercalls: Documentation/virt/kvm/arm/pkvm-hypercalls.rst, MMIO_GUARD_*.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_hvc.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/pkvm.h>

static bool is_guard(kvm_pte_t pte)
{
	return !kvm_pte_valid(pte) &&
	       FIELD_GET(KVM_INVALID_PTE_OWNER_MASK, pte) == GUEST_OWNER_MMIO_GUARD;
}

/*
 * -EEXIST if @ipa is guarded, -EPERM if there is, or was, memory, -ENOMEM if
 * tables are missing; else there is nothing at @ipa and a guard can be put there.
 */
static int check_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u64 ipa, unsigned int *nr_tables)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct s2_leaf leaf;
	int ret;

	ret = s2_find_leaf(&vm->pgt, ipa, &leaf);
	if (ret)
		return ret;

	if (leaf.pte)
		return is_guard(leaf.pte) ? -EEXIST : -EPERM;

	*nr_tables = KVM_PGTABLE_LAST_LEVEL - leaf.level;
	if (hyp_vcpu->vcpu.arch.pkvm_memcache.nr_pages < *nr_tables)
		return -ENOMEM;

	return 0;
}

static int put_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u64 ipa, unsigned int *nr_tables)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	int ret;

	guest_lock_component(vm);
	ret = check_guard(hyp_vcpu, ipa, nr_tables);
	if (!ret) {
		WARN_ON(kvm_pgtable_stage2_set_owner(&vm->pgt, ipa, PAGE_SIZE,
						     &hyp_vcpu->vcpu.arch.pkvm_memcache,
						     GUEST_OWNER_MMIO_GUARD));
		vm->has_guards = true;
	}
	guest_unlock_component(vm);

	/* Linux guards on every ioremap. */
	return ret == -EEXIST ? 0 : ret;
}

static int remove_guard(struct pkvm_hyp_vm *vm, u64 ipa)
{
	struct s2_leaf leaf;
	int ret;

	guest_lock_component(vm);
	ret = s2_find_leaf(&vm->pgt, ipa, &leaf);
	if (!ret && !is_guard(leaf.pte))
		ret = -EPERM;
	if (!ret)
		WARN_ON(kvm_pgtable_stage2_unmap(&vm->pgt, ipa, PAGE_SIZE));
	guest_unlock_component(vm);

	return ret;
}

/* What the removal of a guard costs, by its own walk, in entries looked at. */
#define GUARD_REMOVAL_COST	64

/* Stops at the first guard, or when it has seen as many entries as it may. */
struct guard_search {
	u64 ipa;
	int budget;
	bool found;
};

static int guard_visitor(const struct kvm_pgtable_visit_ctx *ctx,
			 enum kvm_pgtable_walk_flags visit)
{
	struct guard_search *search = ctx->arg;

	search->ipa = ctx->addr;
	search->found = is_guard(ctx->old);
	search->budget -= search->found ? GUARD_REMOVAL_COST : 1;

	return search->found || search->budget <= 0 ? -EINTR : 0;
}

/**
 * pvm_clear_guards() - Remove the guards of a dying guest
 * @vm: the VM, which has no vCPU loaded and owns no memory any more.
 *
 * Takes the VM's lock. Does a bounded piece of the work (R6).
 *
 * Return: true if there are none left, false to be called again.
 */
bool pvm_clear_guards(struct pkvm_hyp_vm *vm)
{
	struct guard_search search = { .budget = PKVM_TEARDOWN_MAX_ENTRIES };
	struct kvm_pgtable_walker walker = {
		.cb	= guard_visitor,
		.flags	= KVM_PGTABLE_WALK_LEAF,
		.arg	= &search,
	};
	u64 end = BIT(vm->pgt.ia_bits);
	int ret = -EINTR;

	if (!vm->has_guards || !vm->pgt.pgd)
		return true;

	guest_lock_component(vm);
	while (ret && search.budget > 0) {
		search.found = false;
		ret = kvm_pgtable_walk(&vm->pgt, vm->guards_cleared, end - vm->guards_cleared,
				       &walker);
		vm->guards_cleared = ret ? search.ipa : end;
		if (search.found)
			WARN_ON(kvm_pgtable_stage2_unmap(&vm->pgt, search.ipa, PAGE_SIZE));
	}
	guest_unlock_component(vm);

	return !ret;
}

/**
 * pvm_ipa_is_mmio() - May the host see what an access to this IPA does?
 * @vm: the VM, whose lock is not held.
 * @ipa: where the access faulted.
 *
 * Return: true if the guest has not enrolled, or put a guard there.
 */
bool pvm_ipa_is_mmio(struct pkvm_hyp_vm *vm, u64 ipa)
{
	struct s2_leaf leaf;
	bool guarded;

	if (!READ_ONCE(vm->mmio_enrolled))
		return true;

	guest_lock_component(vm);
	guarded = !s2_find_leaf(&vm->pgt, ipa, &leaf) && is_guard(leaf.pte);
	guest_unlock_component(vm);

	return guarded;
}

static bool mmio_guard_map(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 ipa = vcpu_get_reg(vcpu, 1);
	unsigned int nr_tables;
	int ret = -EINVAL;

	if (PAGE_ALIGNED(ipa))
		ret = put_guard(hyp_vcpu, ipa, &nr_tables);

	if (ret == -ENOMEM)
		return pvm_leave(hyp_vcpu, PVM_EXIT_TABLES, func_id, nr_tables, 0, 0);

	return pvm_answer(vcpu, ret ? SMCCC_RET_INVALID_PARAMETER : SMCCC_RET_SUCCESS);
}

static bool mmio_guard_unmap(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 ipa = vcpu_get_reg(vcpu, 1);
	int ret = -EINVAL;

	if (PAGE_ALIGNED(ipa))
		ret = remove_guard(pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu), ipa);

	return pvm_answer(vcpu, ret ? SMCCC_RET_INVALID_PARAMETER : SMCCC_RET_SUCCESS);
}

/**
 * pvm_handle_mmio_guard() - Answer an MMIO_GUARD_* call of a protected guest
 * @hyp_vcpu: the vCPU, loaded and just left, with its sysregs still live.
 * @func_id: the call: ENROLL, MAP or UNMAP.
 *
 * Takes the VM's lock.
 *
 * Return: true if the vCPU can go on, false if the host has to give pages for
 * tables first.
 */
bool pvm_handle_mmio_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	switch (func_id) {
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID:
		WRITE_ONCE(pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->mmio_enrolled, true);
		return pvm_answer(&hyp_vcpu->vcpu, SMCCC_RET_SUCCESS);
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID:
		return mmio_guard_map(hyp_vcpu, func_id);
	default:
		return mmio_guard_unmap(hyp_vcpu);
	}
}
