// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protected guests, host side: which calls user space may make for a vCPU, and the
 * hypercalls of the guest for which the hypervisor needs the host.
 *
 * The hypervisor has the registers of a vCPU. The host's vCPU has only those values that
 * the last exit showed, and the next entry takes only the host's answer to it. The checks
 * here give a VMM a clear errno for a call that would have no effect.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/pkvm.h>
#include <uapi/linux/psci.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_exit.h>
#include <asm/kvm_pkvm_guest.h>

#include <kvm/arm_hypercalls.h>

#include "pkvm_guest.h"
#include "trace_pkvm.h"

/* Whether the vCPU is registered with the hypervisor, and can no longer change. */
static bool vcpu_is_fixed(struct kvm_vcpu *vcpu)
{
	return vcpu->vcpu_idx < READ_ONCE(vcpu->kvm->arch.pkvm.guest.nr_vcpus);
}

/**
 * pkvm_guest_init_features() - Check the features of a vCPU that is being initialised
 * @vcpu: the vCPU.
 * @features: the features that user space requests, without KVM_ARM_VCPU_POWER_OFF; gains
 *	KVM_ARM_VCPU_PSCI_0_2, as protected guests have no other PSCI.
 *
 * pkvm.setup_lock is held, so that the vCPU is either initialised before it is registered
 * with the hypervisor, or not at all.
 *
 * Return: 0 if it may be initialised, or the VM is not protected; -EPERM if the vCPU is
 * registered; -EINVAL for a feature that protected guests do not have.
 */
int pkvm_guest_init_features(struct kvm_vcpu *vcpu, u32 *features)
{
	const u32 allowed = BIT(KVM_ARM_VCPU_PSCI_0_2) | BIT(KVM_ARM_VCPU_SVE) |
			    BIT(KVM_ARM_VCPU_PTRAUTH_ADDRESS) | BIT(KVM_ARM_VCPU_PTRAUTH_GENERIC);

	if (!kvm_vm_is_protected(vcpu->kvm))
		return 0;

	if (vcpu_is_fixed(vcpu))
		return -EPERM;

	*features |= BIT(KVM_ARM_VCPU_PSCI_0_2);

	return *features & ~allowed ? -EINVAL : 0;
}

/**
 * pkvm_guest_check_vcpu_ioctl() - Check whether user space may call an ioctl of a vCPU
 * @vcpu: the vCPU, its mutex held, and for KVM_SET_MP_STATE pkvm.setup_lock.
 * @ioctl: an ioctl of a vCPU.
 *
 * Return: 0 if so or if the VM is not protected, else -EPERM.
 */
int pkvm_guest_check_vcpu_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl)
{
	if (!kvm_vm_is_protected(vcpu->kvm))
		return 0;

	switch (ioctl) {
	case KVM_SET_VCPU_EVENTS:
	case KVM_SET_GUEST_DEBUG:
		return -EPERM;
	case KVM_GET_VCPU_EVENTS:
	case KVM_GET_ONE_REG:
	case KVM_SET_ONE_REG:
		return vcpu_has_run_once(vcpu) ? -EPERM : 0;
	case KVM_ARM_VCPU_FINALIZE:
	case KVM_SET_MP_STATE:
		return vcpu_is_fixed(vcpu) ? -EPERM : 0;
	default:
		return 0;
	}
}

/**
 * pkvm_guest_check_vgic_cpu_regs() - Check whether user space may access GIC registers of a vCPU
 * @vcpu: the vCPU; config_lock is held.
 *
 * Return: 0 if so or if the VM is not protected, else -EPERM.
 */
int pkvm_guest_check_vgic_cpu_regs(struct kvm_vcpu *vcpu)
{
	return kvm_vm_is_protected(vcpu->kvm) && vcpu_is_fixed(vcpu) ? -EPERM : 0;
}

static bool is_boot_reg(struct kvm_vcpu *vcpu, u64 id)
{
	u64 core = id & ~(KVM_REG_ARCH_MASK | KVM_REG_SIZE_MASK | KVM_REG_ARM_CORE);

	if (vcpu->vcpu_idx || (id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM_CORE)
		return false;

	return core == KVM_REG_ARM_CORE_REG(regs.pc) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[0]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[1]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[2]) ||
	       core == KVM_REG_ARM_CORE_REG(regs.regs[3]);
}

/*
 * VMMs set registers to their reset values: zeroes, or PSTATE. User space could change the
 * value between this check and the write, but the hypervisor would not take it.
 */
static bool is_unchanged(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg)
{
	__uint128_t val;
	void *addr;

	if ((reg->id & KVM_REG_ARM_COPROC_MASK) != KVM_REG_ARM_CORE)
		return false;

	addr = core_reg_addr(vcpu, reg);

	return addr && !copy_from_user(&val, (void __user *)reg->addr, KVM_REG_SIZE(reg->id)) &&
	       !memcmp(&val, addr, KVM_REG_SIZE(reg->id));
}

/**
 * pkvm_guest_check_reg() - Check whether user space may get or set a register
 * @vcpu: the vCPU, its mutex held.
 * @reg: the register, and the user pointer to its value.
 * @write: whether it is to be set.
 *
 * Called after pkvm_guest_check_vcpu_ioctl(), so the vCPU has not run yet. For a protected
 * VM, user space may set what the boot protocol needs: pc and x0..x3 of vCPU 0. For every
 * vCPU it may write the current value of a core register.
 *
 * Return: 0 if so or if the VM is not protected, else -EPERM.
 */
int pkvm_guest_check_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg, bool write)
{
	if (!kvm_vm_is_protected(vcpu->kvm))
		return 0;

	if (write && !is_boot_reg(vcpu, reg->id) && !is_unchanged(vcpu, reg))
		return -EPERM;

	return 0;
}

/*
 * The hypervisor has turned a vCPU on or off. The host sees that by the exits of two vCPUs,
 * in any order: of the vCPU that turned it on, and of the vCPU itself when it turned itself
 * off. So the host counts: the vCPU is on if it was turned on more often than off.
 */
static void change_power(struct kvm_vcpu *vcpu, int change)
{
	spin_lock(&vcpu->arch.mp_state_lock);
	vcpu->arch.pkvm.power += change;
	if (vcpu->arch.pkvm.power > 0) {
		WRITE_ONCE(vcpu->arch.mp_state.mp_state, KVM_MP_STATE_RUNNABLE);
		kvm_vcpu_wake_up(vcpu);
	} else {
		WRITE_ONCE(vcpu->arch.mp_state.mp_state, KVM_MP_STATE_STOPPED);
		kvm_make_request(KVM_REQ_SLEEP, vcpu);
	}
	spin_unlock(&vcpu->arch.mp_state_lock);
}

static int handle_cpu_on(struct kvm_vcpu *vcpu)
{
	struct kvm_vcpu *target = kvm_mpidr_to_vcpu(vcpu->kvm, smccc_get_arg1(vcpu));

	if (target)
		change_power(target, 1);

	return 1;
}

static int handle_cpu_off(struct kvm_vcpu *vcpu)
{
	change_power(vcpu, -1);

	return 1;
}

static int handle_need_tables(struct kvm_vcpu *vcpu)
{
	struct kvm_hyp_memcache *mc = &vcpu->arch.pkvm_memcache;
	unsigned long nr_pages;
	int ret;

	ret = topup_hyp_memcache(mc, kvm_mmu_cache_min_pages(&vcpu->kvm->arch.mmu));
	if (ret)
		return ret;

	nr_pages = mc->nr_pages;
	ret = kvm_call_hyp_nvhe(__pkvm_vcpu_refill_memcache);
	nr_pages -= mc->nr_pages;
	pkvm_guest_metadata_donated(nr_pages);
	trace_pkvm_tables_given(vcpu->kvm->arch.pkvm.handle, nr_pages);

	return ret ?: 1;
}

/*
 * Donate the pages that the guest's call needs. The call can go on with the first of them,
 * so an error for a later page is ignored here; the guest's next call will meet it. If there
 * is no memslot at the first page, the call fails.
 */
static int handle_need_pages(struct kvm_vcpu *vcpu)
{
	gfn_t gfn = smccc_get_arg1(vcpu) >> PAGE_SHIFT;
	unsigned long i, nr = smccc_get_arg2(vcpu);
	struct kvm *kvm = vcpu->kvm;
	struct kvm_memory_slot *slot;
	int ret = 0, idx;

	idx = srcu_read_lock(&kvm->srcu);
	for (i = 0; i < nr; i++) {
		slot = gfn_to_memslot(kvm, gfn + i);
		ret = -ENOENT;
		if (slot && !(slot->flags & KVM_MEM_ARM_STANDALONE))
			ret = pkvm_guest_mem_abort(vcpu, (gfn + i) << PAGE_SHIFT, slot);
		if (ret || signal_pending(current))
			break;
		cond_resched();
	}
	srcu_read_unlock(&kvm->srcu, idx);

	if (i || !ret)
		return 1;

	switch (ret) {
	case -ENOENT:
		kvm_inject_dabt(vcpu, gfn << PAGE_SHIFT);
		return 1;
	case -EFAULT:
		/* Another vCPU has put a guard there: let EL2 refuse the repeated call. */
		if (kvm_call_hyp_nvhe(__pkvm_guest_check_place, gfn) == -EPERM)
			return 1;
		fallthrough;
	default:
		return ret;
	}
}

/**
 * pkvm_guest_handle_hvc() - Handle a hypercall for which the hypervisor needs the host
 * @vcpu: the vCPU; its syndrome has the kind of exit, its registers have the arguments.
 *
 * Return: 1 to go on, 0 to exit to user space, or a negative error for KVM_RUN.
 */
int pkvm_guest_handle_hvc(struct kvm_vcpu *vcpu)
{
	switch (kvm_vcpu_hvc_get_imm(vcpu)) {
	case PVM_EXIT_CPU_ON:
		return handle_cpu_on(vcpu);
	case PVM_EXIT_CPU_OFF:
		return handle_cpu_off(vcpu);
	case PVM_EXIT_PAGE:
		return handle_need_pages(vcpu);
	case PVM_EXIT_HELD:
		return pkvm_guest_mem_release(vcpu, smccc_get_arg1(vcpu) >> PAGE_SHIFT,
					      smccc_get_arg2(vcpu)) ?: 1;
	case PVM_EXIT_TABLES:
		return handle_need_tables(vcpu);
	case PVM_EXIT_RELINQUISH:
		pkvm_guest_relinquished(vcpu, smccc_get_arg1(vcpu) >> PAGE_SHIFT);
		return 1;
	default:
		/* PSCI. */
		return kvm_smccc_call_handler(vcpu);
	}
}
