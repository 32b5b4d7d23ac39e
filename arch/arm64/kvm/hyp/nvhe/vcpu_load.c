// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which vCPU is loaded on which CPU.
 *
 * R5: a vCPU is loaded on one CPU at most. When it is loaded, EL2 invalidates what another
 *     vCPU of its VM has left in the CPU's TLB and instruction cache.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_np.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/guest_vgic.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>
#include <nvhe/vcpu_load.h>

/* The vCPU that the host has loaded on this CPU, if any. */
static DEFINE_PER_CPU(struct pkvm_hyp_vcpu *, loaded_hyp_vcpu);

/*
 * For each entry of the VM table, which vCPU of the VM was loaded on this CPU
 * last: its index + 1, or 0 if there was none.
 */
static DEFINE_PER_CPU(u16 [KVM_MAX_PVMS], last_vcpu_loaded);

/**
 * pkvm_forget_loaded() - Forget which vCPUs of a VM were loaded where
 * @handle: the VM, which is dying, so that its handle may soon be another VM's.
 */
void pkvm_forget_loaded(pkvm_handle_t handle)
{
	unsigned long cpu;

	for (cpu = 0; cpu < hyp_nr_cpus; cpu++)
		(*per_cpu_ptr(&last_vcpu_loaded, cpu))[handle - PKVM_HANDLE_OFFSET] = 0;
}

/* Drop what another vCPU of the VM left in TLB and instruction cache of this CPU. */
static void flush_other_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct pkvm_hyp_vm *hyp_vm = pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu);
	unsigned int idx = hyp_vm->kvm.arch.pkvm.handle - PKVM_HANDLE_OFFSET;
	u16 *last = &(*this_cpu_ptr(&last_vcpu_loaded))[idx];

	if (*last == hyp_vcpu->vcpu.vcpu_idx + 1)
		return;

	*last = hyp_vcpu->vcpu.vcpu_idx + 1;
	__kvm_flush_cpu_context(&hyp_vm->kvm.arch.mmu);
}

/**
 * pkvm_get_loaded_hyp_vcpu() - The vCPU that is loaded on this CPU
 *
 * Return: the vCPU, valid until the current call of the host ends; NULL if there is none.
 */
struct pkvm_hyp_vcpu *pkvm_get_loaded_hyp_vcpu(void)
{
	return __this_cpu_read(loaded_hyp_vcpu);
}

static int load_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	int ret;

	/* The VM cannot begin to die any more, as the caller holds a reference to it. */
	if (pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.is_dying)
		return -ENOENT;

	if (__this_cpu_read(loaded_hyp_vcpu) || xchg(&hyp_vcpu->state.loaded, true))
		return -EBUSY;

	ret = pkvm_np_load(hyp_vcpu);
	if (ret) {
		/* The CPU that loads it next sees all that this CPU wrote to it. */
		smp_store_release(&hyp_vcpu->state.loaded, false);
		return ret;
	}

	pkvm_timer_load(hyp_vcpu);
	flush_other_vcpu(hyp_vcpu);
	__this_cpu_write(loaded_hyp_vcpu, hyp_vcpu);

	return 0;
}

/**
 * pkvm_vcpu_load() - Make a vCPU the one that this CPU's calls act on
 * @handle: its VM.
 * @vcpu_idx: its index in the VM.
 *
 * A vCPU is loaded on one CPU at most, and a CPU has at most one loaded (R5).
 * While it is, its VM cannot be torn down. Nothing of another vCPU of the VM is
 * left in the CPU's TLB and instruction cache.
 *
 * Return: 0; -ENOENT if there is no such VM or vCPU; -EBUSY if the vCPU, or another one on
 * this CPU, is loaded; or the error of pkvm_np_load().
 */
int pkvm_vcpu_load(pkvm_handle_t handle, unsigned int vcpu_idx)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_load_hyp_vcpu(handle, vcpu_idx);
	int ret;

	if (!hyp_vcpu)
		return -ENOENT;

	ret = load_vcpu(hyp_vcpu);
	if (ret)
		pkvm_put_hyp_vcpu(hyp_vcpu);

	return ret;
}

/**
 * pkvm_vcpu_put() - Undo pkvm_vcpu_load() on this CPU, if a vCPU is loaded there
 */
void pkvm_vcpu_put(void)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	if (!hyp_vcpu)
		return;

	pkvm_vgic_put(hyp_vcpu);
	pkvm_timer_put();
	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		pvm_show_stats(hyp_vcpu);

	__this_cpu_write(loaded_hyp_vcpu, NULL);
	/* The CPU that loads it next sees all that this CPU wrote to it. */
	smp_store_release(&hyp_vcpu->state.loaded, false);
	pkvm_put_hyp_vcpu(hyp_vcpu);
}
