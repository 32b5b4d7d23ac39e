/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What EL2 keeps of a VM and of a vCPU, beside what pkvm.h has.
 */
#ifndef __ARM64_KVM_NVHE_GUEST_STATE_H__
#define __ARM64_KVM_NVHE_GUEST_STATE_H__

#include <linux/types.h>

#include <asm/kvm_pkvm_exit.h>

#include <nvhe/ghost_state.h>
#include <nvhe/spinlock.h>

/**
 * enum pvm_power - Whether a vCPU of a protected VM is on, as PSCI defines it.
 * @PVM_POWER_OFF:	  It does not run.
 * @PVM_POWER_ON_PENDING: It will be reset when it runs next, and start at its entry point.
 * @PVM_POWER_ON:	  It runs.
 */
enum pvm_power {
	PVM_POWER_OFF,
	PVM_POWER_ON_PENDING,
	PVM_POWER_ON,
};

/**
 * struct pkvm_vcpu_state - Of a vCPU.
 * @loaded:	Whether it is loaded on a CPU. See pkvm_vcpu_load().
 * @vgic_loaded: Whether priorities and masks of the vGIC are in the hardware.
 * @exit:	A protected vCPU's last exit: what for.
 * @exit_args:	And what the host is told of it.
 * @power:	On or off. This and the following are protected by the VM's power_lock.
 * @entry_be:	Where it starts: whether its data is big-endian,
 * @entry_pc:	its pc,
 * @entry_x0:	and its x0.
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
 * struct pkvm_vm_state - Of a VM. 'lock' and 'vm_table_lock' are those of pkvm.h and pkvm.c.
 * @gen:	How often 'lock' was given up. Protected by it, as is what follows.
 * @nr_granules: Granules that the guest owns, that the host shares with it, or that are
 *		poisoned.
 * @nr_tables:	Pages of its stage-2 tables that are in use, without the PGD.
 * @nr_private:	Of a protected VM, for statistics, in granules: what is private,
 * @nr_shared:	what the guest shares,
 * @nr_guarded:	what is MMIO,
 * @nr_window:	where the host shares pages of its own instead,
 * @nr_relinquished: and what it gave back, ever.
 * @guards_cleared: What of a dying guest's IPA space has no guard left.
 * @has_run:	A protected VM: it has run,
 * @stopped:	it has ended itself,
 * @mmio_enrolled: it has enrolled in the MMIO guard.
 * @power_lock:	Protects what PSCI knows of the VM's vCPUs.
 * @cntvoff:	CNTVOFF_EL2, fixed since the first run.
 * @feature_hcr: What of HCR_EL2 follows from the ID registers that the VM is shown.
 * @feature_hcrx: The same of HCRX_EL2.
 * @is_dying:	Teardown has begun: no vCPU will be loaded again. Protected by 'vm_table_lock'.
 * @tlb_clean:	Dying, and no TLB has anything of it: see pgtable_check.c.
 * @ghost:	In debug builds, what it ought to have. Protected by 'lock'.
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
	bool		is_dying;
	bool		tlb_clean;
	struct ghost_vm	ghost;
};

#endif /* __ARM64_KVM_NVHE_GUEST_STATE_H__ */
