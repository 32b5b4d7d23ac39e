// SPDX-License-Identifier: GPL-2.0-only
/*
 * Non-protected vCPUs on a protected host. The host can see and set their registers, but EL2
 * decides which values its own registers have for a run.
 *
 * R4: the host may choose only traps by which it sees more or less of its own guest. It cannot
 *     turn off a trap by which EL2 keeps control of the CPU. EL2 follows a pointer in the
 *     host's vCPU only to memory that it has pinned, or that is part of the vCPU, which is
 *     pinned.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>

#include <nvhe/guest_cpu.h>
#include <nvhe/guest_mpam.h>
#include <nvhe/guest_np.h>
#include <nvhe/guest_quiet.h>
#include <nvhe/guest_sve.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/guest_vgic.h>
#include <nvhe/mem_protect.h>
#include <nvhe/pkvm.h>

/* The bits of HCR_EL2 and MDCR_EL2 that the host chooses for its guest. */
#define HOST_HCR	(HCR_TWI | HCR_TWE | HCR_VSE | HCR_VI | HCR_VF | HCR_TVM |	\
			 HCR_TRVM | HCR_TID2 | HCR_TID4)
#define HOST_MDCR	(MDCR_EL2_TDE | MDCR_EL2_TDA)

#define NP_MDCR	(MDCR_EL2_TPM | MDCR_EL2_TPMS | MDCR_EL2_TTRF | MDCR_EL2_TPMCR |	\
		 MDCR_EL2_TDRA | MDCR_EL2_TDOSA)

static u64 np_hcr(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	u64 host_hcr = READ_ONCE(hyp_vcpu->host_vcpu->arch.hcr_el2);
	u64 hcr = (HCR_GUEST_FLAGS & ~HOST_HCR) | HCR_TEA | HCR_TERR;

	hcr |= pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.feature_hcr | (host_hcr & HOST_HCR);

	/* An AArch32 vCPU can only run on a CPU that has AArch32 at EL1. */
	if (!(host_hcr & HCR_RW) && cpus_have_final_cap(ARM64_HAS_32BIT_EL1))
		hcr &= ~HCR_RW;

	/*
	 * TID2 traps reads of CTR_EL0 and of the registers that TID4 traps. The host chooses TID4
	 * if CTR_EL0 is the same on all CPUs. Use TID2 if it does not, or if there is no TID4.
	 */
	if (!(hcr & HCR_TID4) || !cpus_have_final_cap(ARM64_HAS_EVT))
		hcr |= HCR_TID2;

	if (has_hvhe())
		hcr |= HCR_E2H;
	if (cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
		hcr |= HCR_FWB;

	return hcr;
}

static u64 np_mdcr(const struct kvm_vcpu *host_vcpu)
{
	return NP_MDCR | (read_sysreg(mdcr_el2) & MDCR_EL2_HPMN_MASK) |
	       (READ_ONCE(host_vcpu->arch.mdcr_el2) & HOST_MDCR);
}

/* The debug registers to run with: the guest's own, or those by which user space debugs it. */
static struct kvm_guest_debug_arch *np_debug_ptr(struct kvm_vcpu *host_vcpu)
{
	struct kvm_guest_debug_arch *ptr = kern_hyp_va(READ_ONCE(host_vcpu->arch.debug_ptr));

	if (ptr == &host_vcpu->arch.external_debug_state)
		return ptr;

	return &host_vcpu->arch.vcpu_debug_state;
}

/* Inline, so that the size is constant and the copy becomes a few loads and stores. */
static __always_inline void copy_range(struct kvm_cpu_context *to,
				       const struct kvm_cpu_context *from,
				       enum vcpu_sysreg first, enum vcpu_sysreg last)
{
	memcpy(&to->sys_regs[first], &from->sys_regs[first],
	       (last - first + 1) * sizeof(to->sys_regs[0]));
}

/*
 * Whether EL2 switches more system registers than those that each vCPU has. Its HCR_EL2 is set
 * up already.
 */
static bool has_more_sys_regs(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	return pkvm_hyp_vcpu_to_hyp_vm(hyp_vcpu)->state.more_sys_regs ||
	       !(hyp_vcpu->vcpu.arch.hcr_el2 & HCR_RW);
}

/*
 * Copy the system registers that EL2 switches, or sets when it injects an exception. The host
 * emulates the others, or keeps them for nested guests. @more: also those of features that not
 * every vCPU has, and of AArch32.
 */
static void copy_sys_regs(struct kvm_cpu_context *to, const struct kvm_cpu_context *from,
			  bool more)
{
	copy_range(to, from, MPIDR_EL1, DISR_EL1);
	copy_range(to, from, CPACR_EL1, SPSR_EL1);
	copy_range(to, from, TTBR0_EL1, VBAR_EL1);
	if (likely(!more))
		return;

	copy_range(to, from, APIAKEYLO_EL1, DBGVCR32_EL2);
	copy_range(to, from, TFSR_EL1, TFSR_EL1);
	copy_range(to, from, ZCR_EL1, ZCR_EL1);
	copy_range(to, from, TCR2_EL1, POR_EL1);
}

/*
 * Copy the registers that change when EL2 skips an instruction or injects an exception. In two
 * parts, so that the compiler uses loads and stores for each of them and no call.
 */
static void copy_regs(struct kvm_cpu_context *to, const struct kvm_cpu_context *from)
{
	const size_t end = offsetof(struct kvm_cpu_context, fp_regs);
	const size_t half = ALIGN(end / 2, 16);

	memcpy(to, from, half);
	memcpy((void *)to + half, (void *)from + half, end - half);
}

/* Take from the host which of its performance counters count while the guest runs. */
static void take_pmu_events(struct kvm_vcpu *vcpu, const struct kvm_vcpu *host_vcpu)
{
#ifdef CONFIG_HW_PERF_EVENTS
	const struct kvm_pmu_events *events = &host_vcpu->arch.pmu.events;

	vcpu->arch.pmu.events.events_host = READ_ONCE(events->events_host);
	vcpu->arch.pmu.events.events_guest = READ_ONCE(events->events_guest);
#endif
}

/*
 * Show the host whether the guest took a pending SError: a run changes nothing else in HCR_EL2.
 * Change that bit alone, as other threads of the host may set a virtual interrupt meanwhile.
 */
static void give_hcr(const struct kvm_vcpu *vcpu, struct kvm_vcpu *host_vcpu)
{
	if (READ_ONCE(host_vcpu->arch.hcr_el2) & HCR_VSE & ~vcpu->arch.hcr_el2)
		clear_bit(ilog2(HCR_VSE), (unsigned long *)&host_vcpu->arch.hcr_el2);
}

/*
 * Take a vCPU's registers from the host's copy, but for those of FP/SIMD, see np_load_fp(). This
 * includes iflags, by which the host asks EL2 to move the pc on or to inject an exception.
 * HCR_EL2 is set up as well, and the flags that make EL2 save the host's profiling and trace
 * buffers during the run.
 */
static void np_ctxt_from_host(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	vcpu->arch.hcr_el2 = np_hcr(hyp_vcpu);
	copy_regs(&vcpu->arch.ctxt, &host_vcpu->arch.ctxt);
	copy_sys_regs(&vcpu->arch.ctxt, &host_vcpu->arch.ctxt, has_more_sys_regs(hyp_vcpu));
	vcpu->arch.iflags = READ_ONCE(host_vcpu->arch.iflags);
	take_pmu_events(vcpu, host_vcpu);
	pkvm_set_buffer_flags(vcpu);
	pkvm_cpu_save_keys(vcpu);
}

/* Copy the registers back to the host; those of FP/SIMD only if the vCPU has used them since. */
static void np_ctxt_to_host(struct pkvm_hyp_vcpu *hyp_vcpu, bool had_fp)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	copy_regs(&host_vcpu->arch.ctxt, &vcpu->arch.ctxt);
	copy_sys_regs(&host_vcpu->arch.ctxt, &vcpu->arch.ctxt, has_more_sys_regs(hyp_vcpu));
	if (had_fp)
		host_vcpu->arch.ctxt.fp_regs = vcpu->arch.ctxt.fp_regs;
	give_hcr(vcpu, host_vcpu);
	host_vcpu->arch.iflags = vcpu->arch.iflags;
}

/**
 * np_load_fp() - Take a vCPU's FP/SIMD registers from the host's copy
 * @vcpu: the non-protected vCPU, which runs on this CPU and has its first access to them in this
 *	  run: only then does EL2 load them.
 */
void np_load_fp(struct kvm_vcpu *vcpu)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = container_of(vcpu, struct pkvm_hyp_vcpu, vcpu);

	if (!guest_owns_fp_regs())
		vcpu->arch.ctxt.fp_regs = hyp_vcpu->host_vcpu->arch.ctxt.fp_regs;
}

/**
 * pkvm_adjust_pc() - Skip an instruction or inject an exception, as the host has requested
 * @hyp_vcpu: the vCPU that is loaded on this CPU, or NULL.
 *
 * Does nothing for a protected vCPU: for that, the request is part of the answer to its last
 * exit, which takes effect at its next run.
 */
void pkvm_adjust_pc(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu, *vcpu;
	bool injects;

	if (!hyp_vcpu || pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		return;

	host_vcpu = hyp_vcpu->host_vcpu;
	vcpu = &hyp_vcpu->vcpu;

	vcpu->arch.iflags = READ_ONCE(host_vcpu->arch.iflags);
	injects = vcpu_get_flag(vcpu, PENDING_EXCEPTION);

	copy_regs(&vcpu->arch.ctxt, &host_vcpu->arch.ctxt);
	if (injects) {
		vcpu->arch.hcr_el2 = np_hcr(hyp_vcpu);
		copy_sys_regs(&vcpu->arch.ctxt, &host_vcpu->arch.ctxt,
			      has_more_sys_regs(hyp_vcpu));
	}

	__kvm_adjust_pc(vcpu);

	copy_regs(&host_vcpu->arch.ctxt, &vcpu->arch.ctxt);
	if (injects)
		copy_sys_regs(&host_vcpu->arch.ctxt, &vcpu->arch.ctxt,
			      has_more_sys_regs(hyp_vcpu));
	host_vcpu->arch.iflags = vcpu->arch.iflags;
}

/**
 * pkvm_np_load() - Learn what features a non-protected vCPU has by now
 * @hyp_vcpu: the vCPU, about to be loaded; nothing is done for a protected one.
 *
 * The host may come to initialise a vCPU, or to finalize its SVE, after another one of
 * the VM has run.
 *
 * Return: 0, or the error of pkvm_vcpu_pin_sve().
 */
int pkvm_np_load(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;

	if (pkvm_hyp_vcpu_is_protected(hyp_vcpu))
		return 0;

	vcpu->arch.cflags = READ_ONCE(host_vcpu->arch.cflags);
	if (!vcpu_get_flag(vcpu, VCPU_SVE_FINALIZED))
		vcpu_clear_flag(vcpu, GUEST_HAS_SVE);

	if (!vcpu_get_flag(vcpu, GUEST_HAS_SVE) || vcpu->arch.sve_state)
		return 0;

	return pkvm_vcpu_pin_sve(hyp_vcpu);
}

/**
 * pkvm_np_vcpu_run() - Run a non-protected vCPU until the host is needed
 * @hyp_vcpu: the vCPU, loaded on this CPU.
 *
 * Return: what __kvm_vcpu_run() returns to the host.
 */
int pkvm_np_vcpu_run(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;
	struct kvm_vcpu *vcpu = &hyp_vcpu->vcpu;
	bool had_fp;
	int ret;

	fpsimd_sve_flush();
	np_ctxt_from_host(hyp_vcpu);
	vcpu->arch.mdcr_el2 = np_mdcr(host_vcpu);
	vcpu->arch.debug_ptr = np_debug_ptr(host_vcpu);
	vcpu->arch.vsesr_el2 = host_vcpu->arch.vsesr_el2;
	pkvm_vgic_load(hyp_vcpu);
	pkvm_vgic_flush_lrs(hyp_vcpu);

	pkvm_mpam_trap();
	ret = __kvm_vcpu_run(vcpu);
	pkvm_mpam_untrap();

	had_fp = guest_owns_fp_regs();
	fpsimd_sve_sync(vcpu);
	np_ctxt_to_host(hyp_vcpu, had_fp);
	host_vcpu->arch.fault = vcpu->arch.fault;
	pkvm_vgic_sync_lrs(hyp_vcpu);

	return ret;
}
