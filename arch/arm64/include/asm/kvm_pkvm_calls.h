/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The calls that a host in protected mode can make, beyond those of asm/kvm_asm.h.
 * Documentation/virt/kvm/arm/pkvm-host.rst describes them; their handlers are in
 * nvhe/host_call.c.
 */
#ifndef __ARM64_KVM_PKVM_CALLS_H__
#define __ARM64_KVM_PKVM_CALLS_H__

/* Above all numbers of enum __kvm_host_smccc_func. */
#define PKVM_FIRST_HOST_CALL	64

/* kvm_call_hyp_nvhe() makes these names from the name of the function that is called. */
enum pkvm_host_call {
	__KVM_HOST_SMCCC_FUNC___pkvm_vcpu_load = PKVM_FIRST_HOST_CALL,
	__KVM_HOST_SMCCC_FUNC___pkvm_vcpu_put,
	__KVM_HOST_SMCCC_FUNC___pkvm_vcpu_refill_memcache,
	__KVM_HOST_SMCCC_FUNC___pkvm_start_teardown_vm,
	__KVM_HOST_SMCCC_FUNC___pkvm_reclaim_dying_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_finalize_teardown_vm,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_donate_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_hold_page,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_release_page,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_force_reclaim,
	__KVM_HOST_SMCCC_FUNC___pkvm_guest_check_place,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_share_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_unshare_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_unshare_guest_all,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_relax_perms_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_wrprotect_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_test_clear_young_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_host_mkyoung_guest,
	__KVM_HOST_SMCCC_FUNC___pkvm_tlb_flush_vmid,
	/* With CONFIG_PKVM_STAGE2_DEBUG. */
	__KVM_HOST_SMCCC_FUNC___pkvm_stage2_dump,
	/* With CONFIG_NVHE_EL2_DEBUG. */
	__KVM_HOST_SMCCC_FUNC___pkvm_debug,
};

#endif /* __ARM64_KVM_PKVM_CALLS_H__ */
