// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls of protected guests. EL2 answers them here, on the exit path of the vCPU.
 * The host takes no part in that: it neither sees nor decides what a guest shares (R4).
 * Every argument comes from a guest and is checked (R5).
 *
 * If a call needs a page which the host has not donated yet, the vCPU exits to the host
 * for that page and the missing ones that follow, and the guest repeats the call. PSCI is
 * in guest_psci.c. EL2 counts calls by kind, and the host sees the counts when the vCPU
 * is put, see pvm_show_stats().
 *
 * Numbers and meaning: Arm DEN0028 (SMCCC) and, for the vendor range,
 * Documentation/virt/kvm/arm/pkvm-hypercalls.rst and pkvm-mmio-guard.rst.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/pkvm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm_guest.h>

#include <hyp/adjust_pc.h>

#include <nvhe/guest_exit.h>
#include <nvhe/guest_guard.h>
#include <nvhe/guest_hvc.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_psci.h>
#include <nvhe/guest_share.h>
#include <nvhe/guest_smccc.h>
#include <nvhe/guest_trng.h>
#include <nvhe/pkvm.h>

/*
 * The answers to ARCH_FEATURES for ARCH_WORKAROUND_1, 2 and 3. The host fills them in
 * before it gives up its privileges; by then the state of the mitigations is known.
 */
s64 pvm_smccc_workarounds[PVM_NR_SMCCC_WORKAROUNDS];

static s64 pvm_arch_feature(u32 func_id)
{
	switch (func_id) {
	case ARM_SMCCC_VERSION_FUNC_ID:
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		return SMCCC_RET_SUCCESS;
	case ARM_SMCCC_ARCH_WORKAROUND_1:
		return pvm_smccc_workarounds[PVM_SMCCC_WORKAROUND_1];
	case ARM_SMCCC_ARCH_WORKAROUND_2:
		return pvm_smccc_workarounds[PVM_SMCCC_WORKAROUND_2];
	case ARM_SMCCC_ARCH_WORKAROUND_3:
		return pvm_smccc_workarounds[PVM_SMCCC_WORKAROUND_3];
	default:
		return SMCCC_RET_NOT_SUPPORTED;
	}
}

/* HYP_MEMINFO, and MMIO_GUARD_INFO: return the granule, and that calls take ranges. */
static bool pvm_granule_info(struct kvm_vcpu *vcpu)
{
	if (vcpu_get_reg(vcpu, 1) || vcpu_get_reg(vcpu, 2) || vcpu_get_reg(vcpu, 3))
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	pvm_set_result(vcpu, PAGE_SIZE, PKVM_INFO_RANGES, 0, 0);

	return true;
}

/*
 * MEM_SHARE and MEM_UNSHARE. Returns false, for an exit to the host, if the first granule
 * to share has no page, as the host may have to donate it; or if the host still uses the
 * first page to unshare, and has to stop using it.
 */
static bool pvm_mem_share_unshare(struct pkvm_hyp_vcpu *hyp_vcpu, bool share)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	struct pkvm_vcpu_stat *stat = &hyp_vcpu->vcpu.stat.protected;
	u64 ipa = vcpu_get_reg(vcpu, 1);
	u64 nr_granules = vcpu_get_reg(vcpu, 2) ?: 1;
	u64 nr_done;
	int ret;

	if (!PAGE_ALIGNED(ipa) || vcpu_get_reg(vcpu, 3))
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	if (share)
		ret = __pkvm_guest_share_host(hyp_vcpu, ipa, nr_granules, &nr_done);
	else
		ret = __pkvm_guest_unshare_host(hyp_vcpu, ipa, nr_granules, &nr_done);

	if ((ret == -ENOENT && share) || ret == -EBUSY)
		return pvm_request_exit(hyp_vcpu, share ? PVM_EXIT_PAGE : PVM_EXIT_HELD,
					vcpu_get_reg(vcpu, 0), ipa,
					min_t(u64, nr_granules,
					      share ? PVM_RANGE_MAX : PVM_UNSHARE_MAX), 0);

	if (ret)
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	if (share)
		stat->pages_shared += nr_done;
	else
		stat->pages_unshared += nr_done;

	pvm_set_result(vcpu, SMCCC_RET_SUCCESS, nr_done, 0, 0);

	return true;
}

/* MEM_RELINQUISH. The host owns the page already when the exit names it. */
static bool pvm_mem_relinquish(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 ipa = vcpu_get_reg(vcpu, 1);

	if (!PAGE_ALIGNED(ipa) || vcpu_get_reg(vcpu, 2) || vcpu_get_reg(vcpu, 3) ||
	    __pkvm_guest_relinquish_host(hyp_vcpu, ipa))
		return pvm_smccc_return(vcpu, SMCCC_RET_INVALID_PARAMETER);

	pvm_smccc_return(vcpu, SMCCC_RET_SUCCESS);

	return pvm_request_exit(hyp_vcpu, PVM_EXIT_RELINQUISH, func_id, ipa, 0, 0);
}

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

/*
 * MMIO_GUARD_* and MMIO_RGUARD_*, except for INFO. Returns false, for an exit to the host,
 * if the host has to give pages for tables first.
 */
static bool pvm_mmio_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
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

	/* Calls on one granule ignore x2 and x3. */
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

/* Every call but FEATURES. Not inline, as saving registers for it would slow FEATURES down. */
static noinline bool pvm_handle_call(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct pkvm_vcpu_stat *stat = &hyp_vcpu->vcpu.stat.protected;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	u64 *count = &stat->calls_info;
	bool done = true;

	switch (func_id) {
	case ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID:
		count = &stat->calls_share;
		done = pvm_mem_share_unshare(hyp_vcpu, true);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID:
		count = &stat->calls_unshare;
		done = pvm_mem_share_unshare(hyp_vcpu, false);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID:
		count = &stat->calls_relinquish;
		done = pvm_mem_relinquish(hyp_vcpu, func_id);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID:
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID:
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID:
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID:
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID:
		count = &stat->calls_guard;
		done = pvm_mmio_guard(hyp_vcpu, func_id);
		break;
	case ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID:
	case ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID:
		pvm_granule_info(vcpu);
		break;
	case ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID:
		pvm_set_result(vcpu, ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0,
			       ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_1,
			       ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_2,
			       ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_3);
		break;
	case ARM_SMCCC_VERSION_FUNC_ID:
		pvm_smccc_return(vcpu, ARM_SMCCC_VERSION_1_1);
		break;
	case ARM_SMCCC_ARCH_FEATURES_FUNC_ID:
		pvm_smccc_return(vcpu, pvm_arch_feature(vcpu_get_reg(vcpu, 1)));
		break;
	default:
		if (pvm_is_psci(func_id)) {
			count = &stat->calls_psci;
			done = pvm_handle_psci(hyp_vcpu, func_id);
		} else if (!pvm_handle_trng(vcpu, func_id)) {
			count = &stat->calls_unknown;
			pvm_smccc_return(vcpu, SMCCC_RET_NOT_SUPPORTED);
		}
	}

	/* If the guest will repeat the call, count it only then. */
	if (done || !pvm_exit_is_retry(hyp_vcpu->state.exit))
		(*count)++;

	return done;
}

/**
 * kvm_handle_pvm_hvc64() - Answer a hypercall of a protected guest
 * @vcpu: the vCPU, loaded; its system registers are still in the CPU.
 * @exit_code: not used, part of the exit handlers' prototype.
 *
 * Return: true if the vCPU can go on; false if it has to exit to the host.
 */
bool kvm_handle_pvm_hvc64(struct kvm_vcpu *vcpu, u64 *exit_code)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = container_of(vcpu, struct pkvm_hyp_vcpu, vcpu);
	u32 func_id = vcpu_get_reg(vcpu, 0);

	if (func_id != ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID)
		return pvm_handle_call(hyp_vcpu, func_id);

	hyp_vcpu->vcpu.stat.protected.calls_info++;
	pvm_set_result(vcpu, PKVM_GUEST_FEATURES, 0, 0, 0);

	return true;
}

/**
 * kvm_handle_pvm_smc64() - Refuse an SMC of a protected guest
 * @vcpu: the vCPU, loaded; its system registers are still in the CPU.
 * @exit_code: not used, part of the exit handlers' prototype.
 *
 * The conduit is HVC. An SMC must not reach the host, whose KVM would answer it, for
 * example a TRNG call with random numbers that the host knows.
 *
 * Return: true, the vCPU can go on.
 */
bool kvm_handle_pvm_smc64(struct kvm_vcpu *vcpu, u64 *exit_code)
{
	pvm_set_result(vcpu, SMCCC_RET_NOT_SUPPORTED, 0, 0, 0);
	__kvm_skip_instr(vcpu);

	return true;
}
