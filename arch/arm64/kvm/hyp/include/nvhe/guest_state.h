/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state that EL2 keeps for a VM and for a vCPU, beside the structures in pkvm.h.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_STATE_H__
#define __ARM64_KVM_NVHE_GUEST_STATE_H__

#include <linux/types.h>

#include <asm/kvm_pkvm_exit.h>

#include <nvhe/ghost_state.h>
#include <nvhe/spinlock.h>

/**
 * enum pvm_power - Whether a vCPU of a protected VM is on, as PSCI defines it.
 * @PVM_POWER_OFF:	  The vCPU does not run.
 * @PVM_POWER_ON_PENDING: At its next run EL2 resets the vCPU, and it starts at its entry
 *			  point.
 * @PVM_POWER_ON:	  The vCPU runs.
 */
enum pvm_power {
	PVM_POWER_OFF,
	PVM_POWER_ON_PENDING,
	PVM_POWER_ON,
};

/**
 * struct pkvm_vcpu_state - EL2's state of a vCPU.
 * @loaded:	Whether the vCPU is loaded on a CPU, see pkvm_vcpu_load().
 * @vgic_loaded: Whether the vGIC's priorities and masks are in the hardware's registers.
 * @exit:	Why a protected vCPU exited last.
 * @exit_args:	If it exited for a hypercall: what the host sees in x0 to x3.
 * @power:	Whether the vCPU is on. This field and those that follow are protected by the
 *		VM's power_lock.
 * @entry_be:	Whether the vCPU starts with big-endian data accesses.
 * @entry_pc:	The pc where the vCPU starts.
 * @entry_x0:	The value of x0 when the vCPU starts.
 */
struct pkvm_vcpu_state {
	bool		loaded;
	bool		vgic_loaded;
	enum pvm_exit	exit;
	u64		exit_args[4];
	enum pvm_power	power;
	bool		entry_be;
	u64		entry_pc;
	u64		entry_x0;
};

/**
 * struct pkvm_vm_state - EL2's state of a VM. 'lock' is that of struct pkvm_hyp_vm, in pkvm.h;
 *		'vm_table_lock' is in pkvm.c.
 * @gen:	How many times 'lock' has been released. 'lock' protects this counter and the
 *		ones that follow.
 * @nr_granules: Granules that the guest owns, that the host shares with it, or that are
 *		poisoned.
 * @nr_tables:	Pages that are tables of the VM's stage-2 now, without the PGD.
 * @nr_private:	Protected VM, statistics: granules that the guest owns alone.
 * @nr_shared:	Likewise: granules that the guest shares with the host.
 * @nr_guarded:	Likewise: granules that the guest guards as MMIO, without windows.
 * @nr_window:	Likewise: guarded granules where the host shares pages of its own.
 * @nr_relinquished: Likewise: granules that the guest has relinquished so far.
 * @guards_cleared: Dying VM: no guard is left below this IPA.
 * @has_run:	Protected VM: a vCPU of it has run.
 * @stopped:	Protected VM: the guest has ended the VM.
 * @mmio_enrolled: Protected VM: the guest has enrolled in the MMIO guard.
 * @power_lock:	Protects the PSCI state of the VM's vCPUs.
 * @cntvoff:	CNTVOFF_EL2, which does not change after the first run.
 * @feature_hcr: The bits of HCR_EL2 that follow from the ID registers that the VM sees.
 * @feature_hcrx: The bits of HCRX_EL2 that follow from them.
 * @more_sys_regs: The VM has one of the features whose registers not every vCPU has.
 * @is_dying:	Teardown has begun: no vCPU can be loaded again. Protected by 'vm_table_lock'.
 * @tlb_clean:	The VM is dying, and no TLB has an entry of it, see pgtable_check.c.
 * @ghost:	In debug builds, the state that the VM ought to have. Protected by 'lock'.
 */
struct pkvm_vm_state {
	u64		gen;
	u64		nr_granules;
	u64		nr_tables;
	u64		nr_private;
	u64		nr_shared;
	u64		nr_guarded;
	u64		nr_window;
	u64		nr_relinquished;
	u64		guards_cleared;
	bool		has_run;
	bool		stopped;
	bool		mmio_enrolled;
	hyp_spinlock_t	power_lock;
	u64		cntvoff;
	u64		feature_hcr;
	u64		feature_hcrx;
	bool		more_sys_regs;
	bool		is_dying;
	bool		tlb_clean;
	struct ghost_vm	ghost;
};

#endif /* __ARM64_KVM_NVHE_GUEST_STATE_H__ */
