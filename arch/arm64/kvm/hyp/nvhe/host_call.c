// SPDX-License-Identifier: GPL-2.0-only
/*
 * The calls that a host in protected mode can make: those of asm/kvm_pkvm_calls.h, and those
 * calls of hyp-main.c that work differently, do nothing or are refused once the host is no
 * longer trusted.
 *
 * R4: a call acts on a handle, on a page frame number, or on the vCPU that is loaded on this
 *     CPU. The calls for which hyp-main.c would follow a pointer from the host have another
 *     handler here, or are refused.
 *
 * Each handler reads its arguments from the host's registers, from x1 on, and writes its
 * results there. The functions that the handlers call document rules, locks and errors.
 */

#include <linux/kvm_host.h>

#include <asm/kvm_asm.h>
#include <asm/kvm_emulate.h>
#include <asm/kvm_hyp.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_calls.h>

#include <nvhe/debug_call.h>
#include <nvhe/guest_hold.h>
#include <nvhe/guest_mem.h>
#include <nvhe/guest_np.h>
#include <nvhe/guest_np_range.h>
#include <nvhe/guest_np_share.h>
#include <nvhe/guest_reclaim.h>
#include <nvhe/guest_teardown.h>
#include <nvhe/guest_vcpu.h>
#include <nvhe/guest_vgic.h>
#include <nvhe/host_call.h>
#include <nvhe/mem_protect.h>
#include <nvhe/mm.h>
#include <nvhe/pkvm.h>
#include <nvhe/stage2_dump.h>
#include <nvhe/trap_handler.h>
#include <nvhe/vcpu_load.h>

/*
 * On an error, return ARM_EXCEPTION_IL rather than an errno: a negative number has the bit
 * set that tells the host of a pending SError.
 */
static int run_loaded_vcpu(struct kvm_vcpu *host_vcpu)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	/*
	 * While the host uses SME, the guest would run in its streaming mode or with its
	 * ZA enabled. KVM turns both off when it loads a vCPU, so this host misbehaves.
	 */
	if (unlikely((system_supports_sme() && read_sysreg_s(SYS_SVCR)) ||
		     debug_host_uses_sme()))
		return ARM_EXCEPTION_IL;

	/* The host's pointer is only compared: the vCPU to run is the one that is loaded. */
	if (!hyp_vcpu || hyp_vcpu->host_vcpu != host_vcpu)
		return ARM_EXCEPTION_IL;

	return pkvm_hyp_vcpu_is_protected(hyp_vcpu) ? pvm_vcpu_run(hyp_vcpu) :
						      pkvm_np_vcpu_run(hyp_vcpu);
}

static void call___kvm_vcpu_run(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(struct kvm_vcpu *, host_vcpu, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = run_loaded_vcpu(kern_hyp_va(host_vcpu));
}

static void call___kvm_adjust_pc(struct kvm_cpu_context *host_ctxt)
{
	pkvm_adjust_pc(pkvm_get_loaded_hyp_vcpu());
}

static void call___vgic_v3_save_vmcr_aprs(struct kvm_cpu_context *host_ctxt)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	if (hyp_vcpu)
		pkvm_vgic_put(hyp_vcpu);
}

static void call___pkvm_vcpu_load(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(unsigned int, vcpu_idx, host_ctxt, 2);

	cpu_reg(host_ctxt, 1) = pkvm_vcpu_load(handle, vcpu_idx);
}

static void call___pkvm_vcpu_put(struct kvm_cpu_context *host_ctxt)
{
	pkvm_vcpu_put();
}

static int refill_vcpu_memcache(struct pkvm_hyp_vcpu *hyp_vcpu)
{
	struct kvm_vcpu *host_vcpu = hyp_vcpu->host_vcpu;

	return refill_memcache(&hyp_vcpu->vcpu.arch.pkvm_memcache,
			       kvm_mmu_cache_min_pages(hyp_vcpu->vcpu.arch.hw_mmu),
			       &host_vcpu->arch.pkvm_memcache);
}

static void call___pkvm_vcpu_refill_memcache(struct kvm_cpu_context *host_ctxt)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	cpu_reg(host_ctxt, 1) = hyp_vcpu ? refill_vcpu_memcache(hyp_vcpu) : -EINVAL;
}

static void call___pkvm_start_teardown_vm(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_start_teardown_vm(handle);
}

static void call___pkvm_reclaim_dying_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	DECLARE_REG(u64, nr_granules, host_ctxt, 3);

	cpu_reg(host_ctxt, 1) = __pkvm_reclaim_dying_guest(handle, gfn, nr_granules);
}

static void call___pkvm_finalize_teardown_vm(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_finalize_teardown_vm(handle);
}

/* The vCPU that is loaded on this CPU, if it is protected. */
static struct pkvm_hyp_vcpu *get_loaded_pvm_vcpu(void)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	return hyp_vcpu && pkvm_hyp_vcpu_is_protected(hyp_vcpu) ? hyp_vcpu : NULL;
}

/*
 * The host lists the pages in its struct kvm_vcpu, which EL2 has pinned but which the host can
 * still change: so EL2 reads each pfn once.
 */
static int donate_guest(struct pkvm_hyp_vcpu *hyp_vcpu, u64 gfn, u64 nr_granules)
{
	const u64 *host_pfns = hyp_vcpu->host_vcpu->arch.pkvm.donation;
	u64 pfns[PKVM_DONATE_MAX_GRANULES];
	unsigned int i;
	int ret;

	if (nr_granules > PKVM_DONATE_MAX_GRANULES)
		return -EINVAL;

	ret = refill_vcpu_memcache(hyp_vcpu);
	if (ret)
		return ret;

	for (i = 0; i < nr_granules; i++)
		pfns[i] = READ_ONCE(host_pfns[i]);

	return __pkvm_host_donate_guest(pfns, gfn, nr_granules, hyp_vcpu);
}

static void call___pkvm_host_donate_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, gfn, host_ctxt, 1);
	DECLARE_REG(u64, nr_granules, host_ctxt, 2);
	struct pkvm_hyp_vcpu *hyp_vcpu = get_loaded_pvm_vcpu();

	cpu_reg(host_ctxt, 1) = hyp_vcpu ? donate_guest(hyp_vcpu, gfn, nr_granules) : -EINVAL;
}

static void call___pkvm_host_hold_page(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, pfn, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_host_hold_page(pfn);
}

static void call___pkvm_host_release_page(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, pfn, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_host_release_page(pfn);
}

static void call___pkvm_host_force_reclaim(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, pfn, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_host_force_reclaim(pfn);
}

static void call___pkvm_guest_check_place(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, gfn, host_ctxt, 1);
	struct pkvm_hyp_vcpu *hyp_vcpu = get_loaded_pvm_vcpu();

	cpu_reg(host_ctxt, 1) = hyp_vcpu ? __pkvm_guest_check_place(gfn, hyp_vcpu) : -EINVAL;
}

/* The vCPU that is loaded on this CPU, if its VM is non-protected. */
static struct pkvm_hyp_vcpu *get_loaded_np_vcpu(void)
{
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	return hyp_vcpu && !pkvm_hyp_vcpu_is_protected(hyp_vcpu) ? hyp_vcpu : NULL;
}

static void call___pkvm_host_share_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, pfn, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	DECLARE_REG(u64, nr_granules, host_ctxt, 3);
	DECLARE_REG(u64, prot, host_ctxt, 4);
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();
	int ret = -EINVAL;

	if (hyp_vcpu)
		ret = refill_vcpu_memcache(hyp_vcpu) ?:
		      __pkvm_host_share_guest(pfn, gfn, nr_granules, prot, hyp_vcpu);

	cpu_reg(host_ctxt, 1) = ret;
}

static void call___pkvm_host_unshare_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	DECLARE_REG(u64, nr_granules, host_ctxt, 3);
	struct np_unshared_run taken = {};

	cpu_reg(host_ctxt, 1) = __pkvm_host_unshare_guest(handle, gfn, nr_granules, &taken);
	cpu_reg(host_ctxt, 2) = taken.pfn;
	cpu_reg(host_ctxt, 3) = taken.nr_granules;
}

static void call___pkvm_host_unshare_guest_all(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	u64 nr_taken;

	cpu_reg(host_ctxt, 1) = __pkvm_host_unshare_guest_all(handle, gfn, &nr_taken);
	cpu_reg(host_ctxt, 2) = nr_taken;
}

static void call___pkvm_host_relax_perms_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, gfn, host_ctxt, 1);
	DECLARE_REG(u64, prot, host_ctxt, 2);
	struct pkvm_hyp_vcpu *hyp_vcpu = pkvm_get_loaded_hyp_vcpu();

	cpu_reg(host_ctxt, 1) = hyp_vcpu ? __pkvm_host_relax_perms_guest(gfn, prot, hyp_vcpu) :
					   -EINVAL;
}

static void call___pkvm_host_wrprotect_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	DECLARE_REG(u64, nr_granules, host_ctxt, 3);

	cpu_reg(host_ctxt, 1) = __pkvm_host_wrprotect_guest(handle, gfn, nr_granules);
}

static void call___pkvm_host_test_clear_young_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);
	DECLARE_REG(u64, gfn, host_ctxt, 2);
	DECLARE_REG(u64, nr_granules, host_ctxt, 3);
	DECLARE_REG(bool, mkold, host_ctxt, 4);
	bool young;

	cpu_reg(host_ctxt, 1) = __pkvm_host_test_clear_young_guest(handle, gfn, nr_granules,
								   mkold, &young);
	cpu_reg(host_ctxt, 2) = young;
}

static void call___pkvm_host_mkyoung_guest(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, gfn, host_ctxt, 1);
	struct pkvm_hyp_vcpu *hyp_vcpu = get_loaded_np_vcpu();
	int ret = -EINVAL;
	u64 pfn = 0;

	if (hyp_vcpu)
		ret = __pkvm_host_mkyoung_guest(gfn, hyp_vcpu, &pfn);

	cpu_reg(host_ctxt, 1) = ret;
	cpu_reg(host_ctxt, 2) = pfn;
}

static void call___pkvm_tlb_flush_vmid(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 1);

	cpu_reg(host_ctxt, 1) = __pkvm_tlb_flush_vmid(handle);
}

#ifdef CONFIG_PKVM_STAGE2_DEBUG
static void call___pkvm_stage2_dump(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, pfn, host_ctxt, 1);
	DECLARE_REG(pkvm_handle_t, handle, host_ctxt, 2);
	DECLARE_REG(u64, addr, host_ctxt, 3);
	DECLARE_REG(u64, gen, host_ctxt, 4);

	cpu_reg(host_ctxt, 1) = __pkvm_stage2_dump(pfn, handle, addr, gen);
}
#endif

static void call___pkvm_debug(struct kvm_cpu_context *host_ctxt)
{
	DECLARE_REG(u64, op, host_ctxt, 1);
	DECLARE_REG(u64, arg, host_ctxt, 2);

	cpu_reg(host_ctxt, 1) = __pkvm_debug(op, arg);
}

/* For calls whose work the hypervisor does by itself when it creates, loads or runs a vCPU. */
static void nothing(struct kvm_cpu_context *host_ctxt)
{
}

static void refuse(struct kvm_cpu_context *host_ctxt)
{
	cpu_reg(host_ctxt, 0) = SMCCC_RET_NOT_SUPPORTED;
}

#define CALL(x)	\
	[__KVM_HOST_SMCCC_FUNC_##x] = call_##x
#define NOTHING(x)	\
	[__KVM_HOST_SMCCC_FUNC_##x] = nothing
#define REFUSE(x)	\
	[__KVM_HOST_SMCCC_FUNC_##x] = refuse

static void (* const host_calls[])(struct kvm_cpu_context *) = {
	/* Instead of the handlers in hyp-main.c. */
	CALL(__kvm_vcpu_run),
	CALL(__kvm_adjust_pc),
	CALL(__vgic_v3_save_vmcr_aprs),

	NOTHING(__vgic_v3_restore_vmcr_aprs),
	NOTHING(__pkvm_vcpu_init_traps),

	REFUSE(__kvm_flush_vm_context),
	REFUSE(__kvm_tlb_flush_vmid_ipa),
	REFUSE(__kvm_tlb_flush_vmid_ipa_nsh),
	REFUSE(__kvm_tlb_flush_vmid),
	REFUSE(__kvm_tlb_flush_vmid_range),
	REFUSE(__kvm_flush_cpu_context),
	REFUSE(__kvm_timer_set_cntvoff),
	REFUSE(__pkvm_teardown_vm),

	CALL(__pkvm_vcpu_load),
	CALL(__pkvm_vcpu_put),
	CALL(__pkvm_vcpu_refill_memcache),
	CALL(__pkvm_start_teardown_vm),
	CALL(__pkvm_reclaim_dying_guest),
	CALL(__pkvm_finalize_teardown_vm),
	CALL(__pkvm_host_donate_guest),
	CALL(__pkvm_host_hold_page),
	CALL(__pkvm_host_release_page),
	CALL(__pkvm_host_force_reclaim),
	CALL(__pkvm_guest_check_place),
	CALL(__pkvm_host_share_guest),
	CALL(__pkvm_host_unshare_guest),
	CALL(__pkvm_host_unshare_guest_all),
	CALL(__pkvm_host_relax_perms_guest),
	CALL(__pkvm_host_wrprotect_guest),
	CALL(__pkvm_host_test_clear_young_guest),
	CALL(__pkvm_host_mkyoung_guest),
	CALL(__pkvm_tlb_flush_vmid),
#ifdef CONFIG_PKVM_STAGE2_DEBUG
	CALL(__pkvm_stage2_dump),
#endif
	CALL(__pkvm_debug),
};

/**
 * pkvm_handle_host_call() - Answer a call of a host in protected mode
 * @host_ctxt: the host's registers.
 * @id: the number of the call.
 *
 * Return: true if the call was answered, also if it was refused; false if hyp-main.c has
 * to answer it, as it does all calls until the host has given up EL2.
 */
bool pkvm_handle_host_call(struct kvm_cpu_context *host_ctxt, unsigned long id)
{
	BUILD_BUG_ON(__KVM_HOST_SMCCC_FUNC___pkvm_teardown_vm >= PKVM_FIRST_HOST_CALL);

	if (!is_pkvm_initialized() || id >= ARRAY_SIZE(host_calls) || !host_calls[id])
		return false;

	cpu_reg(host_ctxt, 0) = SMCCC_RET_SUCCESS;
	host_calls[id](host_ctxt);

	return true;
}
