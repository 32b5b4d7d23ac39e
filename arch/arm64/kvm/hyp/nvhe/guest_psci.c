// SPDX-License-Identifier: GPL-2.0-only
/*
 * PSCI of protected guests (Arm DEN0022). The guest decides which vCPU runs and where
 * it starts, and EL2 sees to it: the host learns only which vCPU to wake or to park.
 *
 * A vCPU is off, or on, or about to start at the entry point of a CPU_ON call. Its
 * state changes only under the VM's power_lock, so of two CPU_ON calls for one vCPU
 * exactly one succeeds. EL2 passes CPU_SUSPEND, and the calls that end the VM, on to
 * the host.
 */

#include <linux/kvm_host.h>
#include <uapi/linux/psci.h>

#include <asm/cputype.h>
#include <asm/kvm_emulate.h>

#include <kvm/arm_psci.h>

#include <nvhe/guest_exit.h>
#include <nvhe/guest_psci.h>
#include <nvhe/guest_smccc.h>
#include <nvhe/pkvm.h>

/* What PSCI_FEATURES returns for CPU_SUSPEND: the power state has the original format. */
#define PVM_CPU_SUSPEND_FEATURES	0

/* The arguments of a 32-bit call are 32 bits wide. */
static u64 psci_arg(struct kvm_vcpu *vcpu, u32 func_id, unsigned int n)
{
	u64 arg = vcpu_get_reg(vcpu, n);

	return func_id & PSCI_0_2_64BIT ? arg : lower_32_bits(arg);
}

/* Make the vCPU exit to the host, which sees the first @nr_args arguments of the call. */
static bool psci_to_host(struct pkvm_hyp_vcpu *hyp_vcpu, enum pvm_exit exit,
			 u32 func_id, unsigned int nr_args)
{
	u64 args[3] = {};
	unsigned int i;

	for (i = 0; i < nr_args; i++)
		args[i] = psci_arg(&hyp_vcpu->vcpu, func_id, i + 1);

	return pvm_request_exit(hyp_vcpu, exit, func_id, args[0], args[1], args[2]);
}

static u64 vcpu_affinity(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	return __vcpu_sys_reg(&hyp_vcpu->vcpu, MPIDR_EL1) & MPIDR_HWID_BITMASK;
}

/* How many entries of vm->vcpus are set up and can be read without a lock. */
static unsigned int pvm_nr_vcpus(struct pkvm_hyp_vm *vm)
{
	/* Pairs with __pkvm_init_vcpu(). */
	return smp_load_acquire(&vm->nr_vcpus);
}

static struct pkvm_hyp_vcpu *find_vcpu(struct pkvm_hyp_vm *vm, u64 affinity)
{
	unsigned int i, nr_vcpus = pvm_nr_vcpus(vm);

	for (i = 0; i < nr_vcpus; i++) {
		if (vcpu_affinity(vm->vcpus[i]) == affinity)
			return vm->vcpus[i];
	}

	return NULL;
}

static bool is_big_endian(struct kvm_vcpu *vcpu)
{
	return read_sysreg_el1(SYS_SCTLR) & SCTLR_ELx_EE;
}

static bool psci_cpu_on(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	struct pkvm_hyp_vcpu *target;
	s64 ret = PSCI_RET_SUCCESS;

	target = find_vcpu(vm, psci_arg(vcpu, func_id, 1));
	if (!target)
		return pvm_smccc_return(vcpu, PSCI_RET_INVALID_PARAMS);

	hyp_spin_lock(&vm->state.power_lock);
	switch (target->state.power) {
	case PVM_POWER_ON:
		ret = PSCI_RET_ALREADY_ON;
		break;
	case PVM_POWER_ON_PENDING:
		ret = PSCI_RET_ON_PENDING;
		break;
	case PVM_POWER_OFF:
		target->state.entry_pc = psci_arg(vcpu, func_id, 2);
		target->state.entry_x0 = psci_arg(vcpu, func_id, 3);
		target->state.entry_be = is_big_endian(vcpu);
		WRITE_ONCE(target->state.power, PVM_POWER_ON_PENDING);
		break;
	}
	hyp_spin_unlock(&vm->state.power_lock);

	if (ret != PSCI_RET_SUCCESS)
		return pvm_smccc_return(vcpu, ret);

	/* Record the exit first, as the result overwrites x1. */
	psci_to_host(hyp_vcpu, PVM_EXIT_CPU_ON, func_id, 1);
	pvm_smccc_return(vcpu, ret);

	return false;
}

static bool psci_cpu_off(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);

	hyp_spin_lock(&vm->state.power_lock);
	WRITE_ONCE(hyp_vcpu->state.power, PVM_POWER_OFF);
	hyp_spin_unlock(&vm->state.power_lock);

	return psci_to_host(hyp_vcpu, PVM_EXIT_CPU_OFF, func_id, 0);
}

static s64 psci_affinity_info(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	u64 affinity = psci_arg(&hyp_vcpu->vcpu, func_id, 1);
	u64 level = psci_arg(&hyp_vcpu->vcpu, func_id, 2);
	unsigned int i, nr_vcpus = pvm_nr_vcpus(vm);
	s64 ret = PSCI_RET_INVALID_PARAMS;
	u64 mask = MPIDR_HWID_BITMASK;

	if (level > 3 || affinity & ~mask)
		return ret;

	if (level)
		mask &= ~GENMASK_ULL(MPIDR_LEVEL_SHIFT(level) - 1, 0);

	/* ON if one of these vCPUs is on, else ON_PENDING if one of them is, else OFF. */
	hyp_spin_lock(&vm->state.power_lock);
	for (i = 0; i < nr_vcpus; i++) {
		if ((vcpu_affinity(vm->vcpus[i]) ^ affinity) & mask)
			continue;

		if (vm->vcpus[i]->state.power == PVM_POWER_ON)
			ret = PSCI_0_2_AFFINITY_LEVEL_ON;
		else if (vm->vcpus[i]->state.power == PVM_POWER_ON_PENDING &&
			 ret != PSCI_0_2_AFFINITY_LEVEL_ON)
			ret = PSCI_0_2_AFFINITY_LEVEL_ON_PENDING;
		else if (ret == PSCI_RET_INVALID_PARAMS)
			ret = PSCI_0_2_AFFINITY_LEVEL_OFF;
	}
	hyp_spin_unlock(&vm->state.power_lock);

	return ret;
}

static s64 psci_features(u32 func_id)
{
	switch (func_id) {
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN64_CPU_SUSPEND:
		return PVM_CPU_SUSPEND_FEATURES;
	case PSCI_0_2_FN_PSCI_VERSION:
	case PSCI_0_2_FN_CPU_OFF:
	case PSCI_0_2_FN_CPU_ON:
	case PSCI_0_2_FN64_CPU_ON:
	case PSCI_0_2_FN_AFFINITY_INFO:
	case PSCI_0_2_FN64_AFFINITY_INFO:
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
	case PSCI_0_2_FN_SYSTEM_OFF:
	case PSCI_0_2_FN_SYSTEM_RESET:
	case PSCI_1_0_FN_PSCI_FEATURES:
	case PSCI_1_1_FN_SYSTEM_RESET2:
	case PSCI_1_1_FN64_SYSTEM_RESET2:
	case ARM_SMCCC_VERSION_FUNC_ID:
		return PSCI_RET_SUCCESS;
	default:
		return PSCI_RET_NOT_SUPPORTED;
	}
}

/**
 * pvm_is_psci() - Check whether a function id is one of PSCI's
 * @func_id: the id, which may be a function that PSCI does not have.
 *
 * PSCI 0.2 and later owns 0x00..0x1f of the standard service range.
 *
 * Return: true if so.
 */
bool pvm_is_psci(u32 func_id)
{
	return (func_id & ~(u32)PSCI_0_2_64BIT) - PSCI_0_2_FN_BASE < 0x20;
}

/**
 * pvm_handle_psci() - Answer a PSCI call of a protected guest
 * @hyp_vcpu: the vCPU, loaded; its system registers are still in the CPU.
 * @func_id: the call.
 *
 * Takes the VM's power_lock.
 *
 * Return: true if the vCPU can go on; false if it has to exit to the host.
 */
bool pvm_handle_psci(struct pkvm_hyp_vcpu *hyp_vcpu, u32 func_id)
{
	struct pkvm_hyp_vm *vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	switch (func_id) {
	case PSCI_0_2_FN_PSCI_VERSION:
		return pvm_smccc_return(vcpu, KVM_ARM_PSCI_1_1);
	case PSCI_1_0_FN_PSCI_FEATURES:
		return pvm_smccc_return(vcpu, psci_features(psci_arg(vcpu, func_id, 1)));
	case PSCI_0_2_FN_MIGRATE_INFO_TYPE:
		return pvm_smccc_return(vcpu, PSCI_0_2_TOS_MP);
	case PSCI_0_2_FN_AFFINITY_INFO:
	case PSCI_0_2_FN64_AFFINITY_INFO:
		return pvm_smccc_return(vcpu, psci_affinity_info(hyp_vcpu, func_id));
	case PSCI_0_2_FN_CPU_ON:
	case PSCI_0_2_FN64_CPU_ON:
		return psci_cpu_on(hyp_vcpu, func_id);
	case PSCI_0_2_FN_CPU_OFF:
		return psci_cpu_off(hyp_vcpu, func_id);
	case PSCI_0_2_FN_CPU_SUSPEND:
	case PSCI_0_2_FN64_CPU_SUSPEND:
		/* The host lets the vCPU wait, for which it needs no entry point. */
		return psci_to_host(hyp_vcpu, PVM_EXIT_PSCI, func_id, 1);
	case PSCI_0_2_FN_SYSTEM_OFF:
	case PSCI_0_2_FN_SYSTEM_RESET:
		WRITE_ONCE(vm->state.stopped, true);
		return psci_to_host(hyp_vcpu, PVM_EXIT_PSCI, func_id, 0);
	case PSCI_1_1_FN_SYSTEM_RESET2:
	case PSCI_1_1_FN64_SYSTEM_RESET2:
		/* Type 0 is the architectural warm reset; types of vendors are allowed. */
		if (psci_arg(vcpu, func_id, 1) &&
		    !(psci_arg(vcpu, func_id, 1) & PSCI_1_1_RESET_TYPE_VENDOR_START))
			return pvm_smccc_return(vcpu, PSCI_RET_INVALID_PARAMS);
		WRITE_ONCE(vm->state.stopped, true);
		return psci_to_host(hyp_vcpu, PVM_EXIT_PSCI, func_id, 2);
	default:
		return pvm_smccc_return(vcpu, PSCI_RET_NOT_SUPPORTED);
	}
}
