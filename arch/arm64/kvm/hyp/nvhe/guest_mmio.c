// SPDX-License-Identifier: GPL-2.0-only
/*
 * The MMIO guard: which IPAs of a protected guest are MMIO is the guest's to say.
 * Once it has enrolled, the host is shown what an access does only where the
 * guest put a guard; anywhere else it learns that a page is missing. What a guard
 * is in the guest's stage-2 is guest_guard.c's.
 *
 * R5: every argument is a guest's, and is checked.
 *
 * Hypercalls: Documentation/virt/kvm/arm/pkvm-mmio-guard.rst.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/pkvm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pgtable.h>

#include <nvhe/guest_hvc.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/pkvm.h>

static bool is_range(u32 func_id)
{
	return func_id == ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID ||
	       func_id == ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID;
}

static bool is_map(u32 func_id)
{
	return func_id == ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID ||
	       func_id == ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID;
}

/**
 * pvm_handle_mmio_guard() - Answer an MMIO_GUARD_* or MMIO_RGUARD_* call
 * @hyp_vcpu: the vCPU of a protected guest, loaded and just left, with its sysregs
 *	      still live.
 * @func_id: the call: ENROLL, MAP or UNMAP, of a granule or of a range.
 *
 * Takes the VM's lock.
 *
 * Return: true if the vCPU can go on, false if the host has to give pages for
 * tables first.
 */
bool pvm_handle_mmio_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	unsigned int nr_tables = 0;
	u64 ipa = vcpu_get_reg(vcpu, 1);
	u64 nr_granules = 1, nr_done = 0;
	int ret;

	if (func_id == ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID) {
		WRITE_ONCE(pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.mmio_enrolled, true);
		return pvm_smccc_return(vcpu, SMCCC_RET_SUCCESS);
	}

	/* What the calls on one granule have in x2 and x3 is ignored. */
	if (is_range(func_id))
		nr_granules = vcpu_get_reg(vcpu, 3) ? 0 : vcpu_get_reg(vcpu, 2);

	if (!PAGE_ALIGNED(ipa) || !nr_granules)
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	if (is_map(func_id))
		ret = pvm_guard_range(hyp_vcpu, ipa, nr_granules, &nr_done, &nr_tables);
	else
		ret = pvm_unguard_range(hyp_vcpu, ipa, nr_granules, &nr_done, &nr_tables);

	if (ret == -ENOMEM)
		return pvm_request_exit(hyp_vcpu, PVM_EXIT_TABLES, func_id, nr_tables, 0, 0);

	if (ret)
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	pvm_set_result(vcpu, SMCCC_RET_SUCCESS, is_range(func_id) ? nr_done : 0, 0, 0);

	return true;
}
