/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPUs of protected guests: what EL2 keeps of them beside the registers, and
 * the steps of a run. See guest_vcpu.c, guest_exit.c, guest_psci.c, guest_mmio.c,
 * guest_guard.c, guest_sve.c, guest_sysreg.c and guest_vgic.c.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_VCPU_H__
#define __ARM64_KVM_NVHE_GUEST_VCPU_H__

#include <linux/types.h>

struct kvm_hyp_memcache;
struct kvm_vcpu;
struct pkvm_hyp_vcpu;
struct pkvm_hyp_vm;

/*
 * What the host was asked for when a protected vCPU last left for it. It decides
 * what of the host's answer counts.
 */
enum pvm_exit {
	/* Nothing, whatever the host does. */
	PVM_EXIT_NONE,
	/* A page for the IPA, or an external abort. */
	PVM_EXIT_FAULT,
	/* As above, or that the access be emulated. */
	PVM_EXIT_MMIO,
	/* Pages for the IPAs that a hypercall named, at least the first, or that it fail. */
	PVM_EXIT_PAGE,
	/* That it let go of the page, which a hypercall is to take back. */
	PVM_EXIT_HELD,
	/* Pages for the tables of the stage-2, for a hypercall. */
	PVM_EXIT_TABLES,
	/* The result of a PSCI call. */
	PVM_EXIT_PSCI,
	/* Nothing: it has a page back. */
	PVM_EXIT_RELINQUISH,
};

/* Whether the guest makes its call again when the host has done what it was asked for. */
static inline bool pvm_exit_is_retry(enum pvm_exit exit)
{
	return exit == PVM_EXIT_PAGE || exit == PVM_EXIT_HELD || exit == PVM_EXIT_TABLES;
}

/* A vCPU as PSCI knows it. Protected by pkvm_vm_state::power_lock. */
enum pvm_power {
	PVM_POWER_OFF,
	/* To be reset, and started at its entry point, when it runs next. */
	PVM_POWER_ON_PENDING,
	PVM_POWER_ON,
};

void fpsimd_sve_flush(void);
void fpsimd_sve_sync(struct kvm_vcpu *vcpu);

void pkvm_set_buffer_flags(struct kvm_vcpu *vcpu);
int pvm_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu);
void pvm_vcpu_init(struct pkvm_hyp_vcpu *hyp_vcpu);
void pvm_show_stats(struct pkvm_hyp_vcpu *hyp_vcpu);

void pvm_exit_from_host(struct pkvm_hyp_vcpu *hyp_vcpu);
int pvm_exit_to_host(struct pkvm_hyp_vcpu *hyp_vcpu, u64 exit_code);

bool pvm_is_psci(u32 func_id);
bool pvm_handle_psci(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id);

bool pvm_handle_mmio_guard(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id);
bool pvm_ipa_is_mmio(struct pkvm_hyp_vm *vm, u64 ipa);

int pvm_guard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		    unsigned int *nr_tables);
int pvm_unguard_range(struct pkvm_hyp_vcpu *vcpu, u64 ipa, u64 nr_granules, u64 *nr_done,
		      unsigned int *nr_tables);
bool pvm_clear_guards(struct pkvm_hyp_vm *vm);

bool pvm_handle_sysreg(struct kvm_vcpu *vcpu, u64 *exit_code);
bool pvm_handle_restricted(struct kvm_vcpu *vcpu, u64 *exit_code);

void pkvm_timer_load(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_timer_put(void);

void pkvm_vgic_load(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_put(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_flush_lrs(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_vgic_sync_lrs(struct pkvm_hyp_vcpu *hyp_vcpu);

int pkvm_np_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu);
void pkvm_adjust_pc(struct pkvm_hyp_vcpu *hyp_vcpu);

int pkvm_np_load(struct pkvm_hyp_vcpu *hyp_vcpu);
int pkvm_vcpu_pin_sve(struct pkvm_hyp_vcpu *hyp_vcpu);
int pkvm_vcpu_init_sve(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva);
void pkvm_vcpu_release_sve(struct pkvm_hyp_vcpu *hyp_vcpu, struct kvm_hyp_memcache *mc);

#endif /* __ARM64_KVM_NVHE_GUEST_VCPU_H__ */
