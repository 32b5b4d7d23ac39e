// SPDX-License-Identifier: GPL-2.0-only
/*
 * The GICv3 CPU interface of vCPUs on a protected host.
 *
 * R4: EL2 takes the list registers from the host, which is trusted to deliver interrupts.
 *     All other state moves between the hardware and EL2's own vCPU, and EL2 follows no
 *     pointer of the host. It shows the host VMCR of a protected vCPU, so that the host
 *     knows when to wake it, but never takes that from the host.
 * R8: a protected VM whose ID registers show no GIC has no CPU interface either.
 */

#include <linux/irqchip/arm-gic-v3.h>
#include <linux/kvm_host.h>

#include <asm/kvm_hyp.h>

#include <nvhe/guest_vgic.h>
#include <nvhe/pkvm.h>

/* Number of implemented list registers, and so the most that may be used. */
extern unsigned int hyp_gicv3_nr_lr;

/* All of the CPU interface traps; guest_sysreg.c makes it UNDEFINED. */
#define NO_CPU_IF	(ICH_HCR_TALL0 | ICH_HCR_TALL1 | ICH_HCR_TC)

static struct vgic_v3_cpu_if *hyp_cpu_if(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	return &hyp_vcpu->vcpu.arch.vgic_cpu.vgic_v3;
}

static struct vgic_v3_cpu_if *host_cpu_if(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	return &hyp_vcpu->host_vcpu->arch.vgic_cpu.vgic_v3;
}

/* For a non-protected VM the host itself sets the traps, in its value of ICH_HCR_EL2. */
static bool is_without_gic(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	return pkvm_hyp_vcpu_is_protected(hyp_vcpu) &&
	       !kvm_has_feat(hyp_vcpu->vcpu.kvm, ID_AA64PFR0_EL1, GIC, IMP);
}

/**
 * pkvm_vgic_load() - Put VMCR and the active priorities of a vCPU into the hardware
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 *
 * Does nothing if they are there already from an earlier run. Those of a non-protected
 * vCPU come from the host's copy, which user space may have changed.
 */
void pkvm_vgic_load(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct vgic_v3_cpu_if *hyp = hyp_cpu_if(hyp_vcpu);
	struct vgic_v3_cpu_if *host = host_cpu_if(hyp_vcpu);

	if (!static_branch_unlikely(&kvm_vgic_global_state.gicv3_cpuif) ||
	    hyp_vcpu->state.vgic_loaded)
		return;

	if (is_without_gic(hyp_vcpu)) {
		/* If this is 0, KVM writes ICH_HCR_EL2 even if no interrupt is pending. */
		hyp->vgic_sre = 0;
	} else if (pkvm_hyp_vcpu_is_protected(hyp_vcpu)) {
		hyp->vgic_sre = ICC_SRE_EL1_DIB | ICC_SRE_EL1_DFB | ICC_SRE_EL1_SRE;
	} else {
		hyp->vgic_sre = host->vgic_sre;
		hyp->vgic_vmcr = host->vgic_vmcr;
		memcpy(hyp->vgic_ap0r, host->vgic_ap0r, sizeof(hyp->vgic_ap0r));
		memcpy(hyp->vgic_ap1r, host->vgic_ap1r, sizeof(hyp->vgic_ap1r));
		/* This pointer is not followed, but only compared with NULL. */
		hyp->its_vpe.its_vm = host->its_vpe.its_vm;
	}

	__vgic_v3_restore_vmcr_aprs(hyp);
	hyp_vcpu->state.vgic_loaded = true;
}

/**
 * pkvm_vgic_put() - Undo pkvm_vgic_load(), and show the host what it may see
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 */
void pkvm_vgic_put(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct vgic_v3_cpu_if *hyp = hyp_cpu_if(hyp_vcpu);
	struct vgic_v3_cpu_if *host = host_cpu_if(hyp_vcpu);

	if (!hyp_vcpu->state.vgic_loaded)
		return;

	__vgic_v3_save_vmcr_aprs(hyp);
	hyp_vcpu->state.vgic_loaded = false;

	host->vgic_vmcr = hyp->vgic_vmcr;
	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		return;

	memcpy(host->vgic_ap0r, hyp->vgic_ap0r, sizeof(hyp->vgic_ap0r));
	memcpy(host->vgic_ap1r, hyp->vgic_ap1r, sizeof(hyp->vgic_ap1r));
}

/**
 * pkvm_vgic_flush_lrs() - Take the list registers from the host before a run
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 */
void pkvm_vgic_flush_lrs(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct vgic_v3_cpu_if *hyp = hyp_cpu_if(hyp_vcpu);
	struct vgic_v3_cpu_if *host = host_cpu_if(hyp_vcpu);
	unsigned int i;

	if (is_without_gic(hyp_vcpu)) {
		hyp->vgic_hcr = NO_CPU_IF;
		hyp->used_lrs = 0;
		return;
	}

	hyp->vgic_hcr = host->vgic_hcr;
	hyp->used_lrs = min(READ_ONCE(host->used_lrs), hyp_gicv3_nr_lr);
	for (i = 0; i < hyp->used_lrs; i++)
		hyp->vgic_lr[i] = host->vgic_lr[i];
}

/**
 * pkvm_vgic_sync_lrs() - Return the list registers to the host after a run
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 */
void pkvm_vgic_sync_lrs(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct vgic_v3_cpu_if *hyp = hyp_cpu_if(hyp_vcpu);
	struct vgic_v3_cpu_if *host = host_cpu_if(hyp_vcpu);
	unsigned int i;

	if (is_without_gic(hyp_vcpu))
		return;

	host->vgic_hcr = hyp->vgic_hcr;
	for (i = 0; i < hyp->used_lrs; i++)
		host->vgic_lr[i] = hyp->vgic_lr[i];
}
