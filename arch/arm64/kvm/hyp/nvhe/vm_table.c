// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMs that the hypervisor knows: what is checked of a new one, who holds on to one,
 * and which vCPU is loaded on which CPU. The table itself is in pkvm.c.
 *
 * R4: of what the host says of a new VM each word is read once.
 * R5: a vCPU is loaded on one CPU at most, and finds nothing there that another vCPU of
 *     its VM has left in TLB and instruction cache.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_guest.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_fw.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/mem_protect.h>
#include <nvhe/memory.h>
#include <nvhe/pkvm.h>

/**
 * pkvm_check_new_vm() - Check what the host says of a VM that is to be made
 * @host_kvm: the host's, pinned. Of its VTCR the size of the IPA space is taken.
 * @pgd_hva: where the host has the pages that it gives for the PGD.
 * @nr_vcpus: how many vCPUs the VM may have.
 *
 * Return: VTCR_EL2 of the VM; 0 if there is to be none: it would have no vCPU or more than
 * KVM_MAX_VCPUS, an IPA space that is larger than the host's or too small, or a PGD that
 * is not aligned to its size.
 */
u64 pkvm_check_new_vm(struct kvm *host_kvm, unsigned long pgd_hva, unsigned int nr_vcpus)
{
	u32 phys_shift = VTCR_EL2_IPA(READ_ONCE(host_kvm->arch.mmu.vtcr));
	u64 vtcr;

	if (nr_vcpus < 1 || nr_vcpus > KVM_MAX_VCPUS || phys_shift < ARM64_MIN_PARANGE_BITS ||
	    phys_shift > VTCR_EL2_IPA(host_mmu.arch.mmu.vtcr))
		return 0;

	vtcr = kvm_get_vtcr(id_aa64mmfr0_el1_sys_val, id_aa64mmfr1_el1_sys_val, phys_shift);

	/* The pool that the pages become finds blocks by their physical address. */
	if (!IS_ALIGNED(__hyp_pa(kern_hyp_va(pgd_hva)), kvm_pgtable_stage2_pgd_size(vtcr)))
		return 0;

	return vtcr;
}

/**
 * pkvm_init_new_vm() - Set up what EL2 keeps of a VM
 * @vm: the VM, not in the table yet.
 * @host_kvm: the host's, pinned.
 * @vtcr: what pkvm_check_new_vm() returned.
 *
 * Return: 0, or the error of pvm_fw_init_vm().
 */
int pkvm_init_new_vm(struct pkvm_hyp_vm *vm, struct kvm *host_kvm, u64 vtcr)
{
	hyp_spin_lock_init(&vm->state.power_lock);
	vm->kvm.arch.mmu.vtcr = vtcr;
	/* The host's bool may be any byte. */
	vm->kvm.arch.pkvm.enabled = !!READ_ONCE(*(u8 *)&host_kvm->arch.pkvm.enabled);
	pkvm_cpu_init_vm(vm, host_kvm);

	return pvm_fw_init_vm(vm, READ_ONCE(host_kvm->arch.pkvm.guest.fw_ipa));
}

/**
 * pkvm_init_new_vcpu() - Set up what EL2 keeps of a vCPU
 * @hyp_vcpu: the vCPU, its VM and its cflags known, and its host_vcpu pinned.
 * @sve_hva: pages that the host gives for the SVE state of a protected one.
 *
 * Return: 0, or the error of pkvm_cpu_check_vcpu() or pkvm_vcpu_init_sve().
 */
int pkvm_init_new_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu, unsigned long sve_hva)
{
	int ret;

	ret = pkvm_cpu_check_vcpu(hyp_vcpu) ?: pkvm_vcpu_init_sve(hyp_vcpu, sve_hva);
	if (ret)
		return ret;

	pkvm_cpu_init_vcpu(hyp_vcpu);
	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		pvm_vcpu_init(hyp_vcpu);

	return 0;
}

/**
 * pkvm_get_hyp_vm() - Hold on to a VM
 * @handle: the VM.
 *
 * Return: the VM, which will not go before pkvm_put_hyp_vm(); NULL for an unknown
 * handle.
 */
struct pkvm_hyp_vm *pkvm_get_hyp_vm(pkvm_handle_t handle)
{
	struct pkvm_hyp_vm *hyp_vm;

	hyp_spin_lock(&vm_table_lock);
	hyp_vm = get_vm_by_handle(handle);
	if (hyp_vm)
		hyp_page_ref_inc(hyp_virt_to_page(hyp_vm));
	hyp_spin_unlock(&vm_table_lock);

	return hyp_vm;
}

/**
 * pkvm_put_hyp_vm() - Undo pkvm_get_hyp_vm()
 * @hyp_vm: what it returned.
 */
void pkvm_put_hyp_vm(struct pkvm_hyp_vm *hyp_vm)
{
	hyp_spin_lock(&vm_table_lock);
	hyp_page_ref_dec(hyp_virt_to_page(hyp_vm));
	hyp_spin_unlock(&vm_table_lock);
}

/* The vCPU that the host has loaded on this CPU, if any. */
static DEFINE_PER_CPU(struct pkvm_hyp_vcpu *, loaded_hyp_vcpu);

/*
 * For each entry of the VM table, which vCPU of the VM was loaded on this CPU
 * last: its index + 1, or 0 if there was none.
 */
static DEFINE_PER_CPU(u16 [KVM_MAX_PVMS], last_vcpu_loaded);

/**
 * pkvm_forget_loaded() - Forget which vCPUs of a VM were loaded where
 * @handle: the VM, which is dying: the handle's next one is another VM.
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
 * Return: the vCPU, good until the call that runs now ends, or NULL.
 */
struct pkvm_hyp_vcpu *pkvm_get_loaded_hyp_vcpu(void)
{
	return __this_cpu_read(loaded_hyp_vcpu);
}

static int load_vcpu(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	int ret;

	/* It cannot begin to die any more: the caller holds on to it. */
	if (pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.is_dying)
		return -ENOENT;

	if (__this_cpu_read(loaded_hyp_vcpu) || xchg(&hyp_vcpu->state.loaded, true))
		return -EBUSY;

	ret = pkvm_np_load(hyp_vcpu);
	if (ret) {
		/* Whoever loads it next finds what was done to it. */
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
	/* Whoever loads it next finds what it left. */
	smp_store_release(&hyp_vcpu->state.loaded, false);
	pkvm_put_hyp_vcpu(hyp_vcpu);
}
