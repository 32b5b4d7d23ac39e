// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random hypercalls of a host. Most arguments are plausible: pages and VMs of the test, IPAs at
 * which a guest has something, and results of earlier calls. The others are edge cases.
 */
#include <linux/arm-smccc.h>
#include <linux/irqflags.h>
#include <linux/pkvm.h>
#include <uapi/linux/psci.h>

#include <asm/kvm_pgtable.h>

#include "el2_fuzz.h"

/* A call to EL2, counted. */
#define call(h, f, ...)							\
	({								\
		(h)->calls++;						\
		kvm_call_hyp_nvhe(f, ##__VA_ARGS__);			\
	})

/* A UART of QEMU's virt machine. */
#define DEVICE_PFN	PHYS_PFN(0x09000000)

/**
 * fuzz_edge() - Get a number that is an edge case.
 * @h:	The host.
 *
 * Return: the number.
 */
u64 fuzz_edge(struct fuzz_cpu *h)
{
	static const u64 edges[] = {
		0, 1, 2, PAGE_SIZE - 1, PAGE_SIZE, BIT_ULL(31), U32_MAX, BIT_ULL(32),
		BIT_ULL(40) - 1, BIT_ULL(48 - PAGE_SHIFT), BIT_ULL(52 - PAGE_SHIFT) - 1,
		BIT_ULL(52 - PAGE_SHIFT), BIT_ULL(63), S64_MAX, -PAGE_SIZE, U64_MAX - 1, U64_MAX,
	};

	return edges[fuzz_below(h, ARRAY_SIZE(edges))];
}

/* Get a frame number that is an edge case but not memory, which the running kernel may need. */
static u64 edge_pfn(struct fuzz_cpu *h)
{
	u64 pfn = fuzz_edge(h);

	return pfn_is_map_memory(pfn) ? DEVICE_PFN : pfn;
}

/*
 * Get an address that EL2 has to refuse. It must not be the start of a page, unless EL2 cannot take
 * that page: EL2 ignores the high bits of an address, so that it could be one of any page of the
 * running kernel, and EL2 clears the pages that it returns.
 */
static void *bad_address(struct fuzz_cpu *h)
{
	if (fuzz_one_in(h, 2))
		return (void *)(fuzz_edge(h) | 1);
	/* EL2 cannot take this page, as it is shared with EL2 while the test runs. */
	return h->fuzz->vm[fuzz_below(h, FUZZ_VMS)]->kvm;
}

/**
 * fuzz_pfn() - Get the frame number of a page.
 * @h:	The host.
 *
 * Return: the number, mostly that of a page which calls of the test may share and donate.
 */
u64 fuzz_pfn(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;

	switch (fuzz_below(h, 24)) {
	case 0:
		return edge_pfn(h);
	case 1:
		return DEVICE_PFN;
	case 2:		/* EL2 reads this page. */
		return virt_to_pfn(f->vm[fuzz_below(h, FUZZ_VMS)]->kvm);
	case 3:
		return virt_to_pfn(f->vm[fuzz_below(h, FUZZ_VMS)]->vcpu[0]);
	case 4:		/* Before EL2 gets it: afterwards it must be used for nothing else. */
		if (!READ_ONCE(f->late))
			return virt_to_pfn(f->hyp_vm);
		fallthrough;
	case 5:
		if (!READ_ONCE(f->late))
			return virt_to_pfn(f->pgd);
		fallthrough;
	case 6:
	case 7:
		return page_to_pfn(f->mailbox);
	case 8:
		return page_to_pfn(f->tx);
	case 9:
	case 10:
	case 11:
		if (f->block)
			return page_to_pfn(f->block) + fuzz_below(h, 4);
		fallthrough;
	default:
		return page_to_pfn(f->page[fuzz_below(h, FUZZ_PAGES)]);
	}
}

static u64 any_gfn(struct fuzz_cpu *h)
{
	static const u64 gfns[] = {
		0, 1, 2, PTRS_PER_PTE - 1, PTRS_PER_PTE, 2 * PTRS_PER_PTE, 2 * PTRS_PER_PTE + 1,
		EL2_CODE_GFN, EL2_MAILBOX_GFN, EL2_TEST_GFN, EL2_TEST_GFN + 1, EL2_TEST_GFN + 2,
		EL2_TEST_GFN + 3, EL2_TEST_GFN + 4, BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT) - 1,
	};

	return fuzz_one_in(h, 16) ? fuzz_edge(h) : gfns[fuzz_below(h, ARRAY_SIZE(gfns))];
}

static u64 window_gfn(struct fuzz_cpu *h)
{
	return FUZZ_WINDOW_GFN + fuzz_below(h, 4);
}

/* Get a gfn, mostly one at which the guest has memory. */
static u64 test_gfn(struct fuzz_cpu *h)
{
	return fuzz_one_in(h, 4) ? any_gfn(h) : EL2_TEST_GFN + fuzz_below(h, 4);
}

static u64 any_nr(struct fuzz_cpu *h)
{
	if (!fuzz_one_in(h, 4))
		return 1 + fuzz_below(h, 4);
	return fuzz_one_in(h, 2) ? PTRS_PER_PTE : fuzz_edge(h);
}

static u64 any_handle(struct fuzz_cpu *h)
{
	if (fuzz_one_in(h, 16))
		return fuzz_edge(h);
	return READ_ONCE(h->fuzz->vm[fuzz_below(h, FUZZ_VMS)]->handle);
}

/* Get permissions: without X, as EL2 requires it for a protected guest, with it, or any. */
static u64 any_prot(struct fuzz_cpu *h)
{
	if (!fuzz_one_in(h, 4))
		return fuzz_one_in(h, 2) ? KVM_PGTABLE_PROT_RWX : KVM_PGTABLE_PROT_RW;
	return fuzz_one_in(h, 4) ? fuzz_edge(h) : fuzz_below(h, 64);
}

/* Mostly, give the loaded vCPU pages for tables. */
static void topup(struct fuzz_cpu *h)
{
	if (h->loaded >= 0 && !fuzz_one_in(h, 8))
		atomic_add(el2_try_topup(h->fuzz->vm[h->loaded], 0), &h->fuzz->made[h->loaded]);
}

static void step_load(struct fuzz_cpu *h)
{
	unsigned int v = fuzz_one_in(h, 2) ? FUZZ_GUEST : fuzz_below(h, FUZZ_VMS);
	u64 idx = fuzz_one_in(h, 8) ? fuzz_edge(h) : 0;
	u64 handle = READ_ONCE(h->fuzz->vm[v]->handle);

	/* The handle may belong to a newer VM by now, which @loaded need not know. */
	if (!call(h, __pkvm_vcpu_load, handle, idx))
		h->loaded = v;
}

static void step_put(struct fuzz_cpu *h)
{
	call(h, __pkvm_vcpu_put);
	h->loaded = -1;
}

/* Write a command to the mailbox, if host and guest can still access that page. */
static void tell_guest(struct fuzz_cpu *h)
{
	static const u32 functions[] = {
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID,
		PSCI_0_2_FN_PSCI_VERSION,
		PSCI_0_2_FN64_CPU_ON,
	};
	static const u32 window_functions[] = {
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID,
		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID,
	};
	struct el2_mailbox *mailbox = page_address(h->fuzz->mailbox);
	u64 command = fuzz_one_in(h, 8) ? fuzz_below(h, 3) : EL2_GUEST_HVC;
	bool window = fuzz_one_in(h, 3);
	u32 function = window ? window_functions[fuzz_below(h, ARRAY_SIZE(window_functions))] :
				functions[fuzz_below(h, ARRAY_SIZE(functions))];
	u64 gfn = window ? window_gfn(h) : test_gfn(h);

	el2_write(&mailbox->command, command);
	el2_write(&mailbox->x[0], function);
	el2_write(&mailbox->x[1], gfn << PAGE_SHIFT);
	el2_write(&mailbox->x[2], fuzz_one_in(h, 8) ? fuzz_edge(h) : fuzz_below(h, 4));
	el2_write(&mailbox->x[3], fuzz_one_in(h, 16));
}

static void step_run(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	struct kvm_vcpu *vcpu = f->vm[h->loaded < 0 ? fuzz_below(h, FUZZ_VMS) : h->loaded]->vcpu[0];
	unsigned long flags;

	if (h->loaded == FUZZ_GUEST)
		tell_guest(h);
	vcpu->arch.hcr_el2 = HCR_RW;
	vcpu->arch.ctxt.regs.pstate = PSR_MODE_EL1h | PSR_A_BIT | PSR_I_BIT | PSR_F_BIT;
	if (fuzz_one_in(h, 8))
		vcpu->arch.iflags = fuzz_below(h, 256);

	local_irq_save(flags);
	call(h, __kvm_vcpu_run, fuzz_one_in(h, 16) ? (struct kvm_vcpu *)fuzz_edge(h) : vcpu);
	local_irq_restore(flags);
}

/* Access a page. The host faults if its stage-2 does not map the page, or if it has lost it. */
static void step_touch(struct fuzz_cpu *h)
{
	struct page *page = h->fuzz->page[fuzz_below(h, FUZZ_PAGES)];

	if (h->fuzz->block && fuzz_one_in(h, 4))
		page = h->fuzz->block + fuzz_below(h, PTRS_PER_PTE);
	if (fuzz_one_in(h, 2))
		el2_readable(page);
	else
		el2_write(page_address(page) + PAGE_SIZE / 2, 1);
}

static void step_host_page(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	u64 pfn = page_to_pfn(f->page[fuzz_below(h, FUZZ_PAGES)]);

	if (fuzz_one_in(h, 8))
		pfn = edge_pfn(h);
	if (fuzz_one_in(h, 2))
		call(h, __pkvm_host_share_hyp, fuzz_one_in(h, 2) ? fuzz_pfn(h) : pfn);
	else	/* Not one of fuzz_pfn(), as structures that EL2 reads have to stay shared. */
		call(h, __pkvm_host_unshare_hyp, pfn);
}

static void step_donate(struct fuzz_cpu *h)
{
	u64 *pfns = h->fuzz->vm[max(h->loaded, 0)]->vcpu[0]->arch.pkvm.donation;
	u64 nr = fuzz_one_in(h, 8) ? fuzz_edge(h) : 1 + fuzz_below(h, PKVM_DONATE_MAX_GRANULES);
	unsigned int i;

	for (i = 0; i < PKVM_DONATE_MAX_GRANULES; i++)
		WRITE_ONCE(pfns[i], fuzz_pfn(h));
	topup(h);
	call(h, __pkvm_host_donate_guest, test_gfn(h), nr);
}

static void step_hold(struct fuzz_cpu *h)
{
	if (fuzz_one_in(h, 2))
		call(h, __pkvm_host_hold_page, fuzz_pfn(h));
	else
		call(h, __pkvm_host_release_page, fuzz_pfn(h));
}

static void step_share_guest(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	bool block = f->block && fuzz_one_in(h, 8);
	u64 nr = fuzz_one_in(h, 8) ? fuzz_edge(h) : 1;

	topup(h);
	/* Of blocks, share only the one that belongs to the test. */
	if (block)
		call(h, __pkvm_host_share_guest, page_to_pfn(f->block),
		     fuzz_below(h, 3) * PTRS_PER_PTE, PTRS_PER_PTE, any_prot(h));
	else
		call(h, __pkvm_host_share_guest, fuzz_pfn(h), any_gfn(h), nr, any_prot(h));
}

static void step_unshare_guest(struct fuzz_cpu *h)
{
	if (fuzz_one_in(h, 4))
		call(h, __pkvm_host_unshare_guest_all, any_handle(h), any_gfn(h));
	else
		call(h, __pkvm_host_unshare_guest, any_handle(h), any_gfn(h), any_nr(h));
}

/*
 * What a host does in the windows of the guest, and what it must not: it shares any page there, as
 * any kind of memory, and takes it back while the other CPU, or the guest, is about to do so.
 */
static void step_window(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	bool block = f->block && fuzz_one_in(h, 4);
	u64 pfn = block ? page_to_pfn(f->block) : fuzz_pfn(h);
	u64 gfn = block ? FUZZ_WINDOW_GFN : window_gfn(h);
	u64 prot = fuzz_one_in(h, 8) ? any_prot(h) : KVM_PGTABLE_PROT_RW;

	if (fuzz_one_in(h, 3)) {
		call(h, __pkvm_host_unshare_guest, READ_ONCE(f->vm[FUZZ_GUEST]->handle), gfn,
		     any_nr(h));
		return;
	}
	topup(h);
	if (!call(h, __pkvm_host_share_guest, pfn, gfn, block ? PTRS_PER_PTE : 1, prot) &&
	    h->loaded == FUZZ_GUEST)
		h->windows++;
}

static void step_attributes(struct fuzz_cpu *h)
{
	switch (fuzz_below(h, 6)) {
	case 0:
		call(h, __pkvm_host_relax_perms_guest, any_gfn(h), any_prot(h));
		break;
	case 1:
		call(h, __pkvm_host_wrprotect_guest, any_handle(h), any_gfn(h), any_nr(h));
		break;
	case 2:
		call(h, __pkvm_host_test_clear_young_guest, any_handle(h), any_gfn(h), any_nr(h),
		     fuzz_one_in(h, 2));
		break;
	case 3:
		call(h, __pkvm_host_mkyoung_guest, any_gfn(h));
		break;
	case 4:
		call(h, __pkvm_tlb_flush_vmid, any_handle(h));
		break;
	case 5:
		call(h, __pkvm_guest_check_place, any_gfn(h));
		break;
	}
}

static void step_force(struct fuzz_cpu *h)
{
	call(h, __pkvm_host_force_reclaim, fuzz_pfn(h));
}

static void step_refill(struct fuzz_cpu *h)
{
	topup(h);
	call(h, __pkvm_vcpu_refill_memcache, fuzz_one_in(h, 4) ? fuzz_edge(h) : fuzz_below(h, 8));
}

/* Create FUZZ_LATE and then its vCPU, mostly from the pages that were allocated for them. */
static void step_make(struct fuzz_cpu *h)
{
	struct fuzz *f = h->fuzz;
	struct el2_vm *vm = f->vm[FUZZ_LATE];
	void *kvm = fuzz_one_in(h, 4) ? (void *)fuzz_edge(h) : vm->kvm;
	void *hyp_vm = fuzz_one_in(h, 4) ? bad_address(h) : f->hyp_vm;
	void *pgd = fuzz_one_in(h, 4) ? hyp_vm : f->pgd;
	void *hyp_vcpu = bad_address(h);
	int ret;

	if (!READ_ONCE(f->late)) {
		ret = call(h, __pkvm_init_vm, kvm, hyp_vm, pgd,
			   fuzz_one_in(h, 4) ? (u32)fuzz_edge(h) : 1);
		if (ret > 0) {
			WRITE_ONCE(vm->handle, ret);
			WRITE_ONCE(f->late, true);
		}
		return;
	}

	/* Pass these pages only once: EL2 clears pages of a vCPU when it returns them. */
	if (!READ_ONCE(f->late_vcpu) && !fuzz_one_in(h, 4))
		hyp_vcpu = f->hyp_vcpu;
	if (!call(h, __pkvm_init_vcpu, vm->handle, vm->vcpu[0], hyp_vcpu, bad_address(h)))
		WRITE_ONCE(f->late_vcpu, true);
}

static void step_end(struct fuzz_cpu *h)
{
	unsigned int v = fuzz_below(h, FUZZ_VMS);
	struct el2_vm *vm = h->fuzz->vm[v];
	u64 handle = READ_ONCE(vm->handle);

	switch (fuzz_below(h, 8)) {
	case 0:		/* Rarely, so that VMs live long enough. */
		if (fuzz_one_in(h, 32) && !call(h, __pkvm_start_teardown_vm, handle))
			WRITE_ONCE(vm->dying, true);
		break;
	case 1:
		if (handle && !call(h, __pkvm_finalize_teardown_vm, handle))
			WRITE_ONCE(vm->handle, 0);
		break;
	case 2:
		call(h, __pkvm_finalize_teardown_vm, fuzz_edge(h));
		break;
	default:
		call(h, __pkvm_reclaim_dying_guest, handle, any_gfn(h), any_nr(h));
	}
}

/* Make a call that EL2 refuses, or one of KVM's calls that no other step makes. */
static void step_odd(struct fuzz_cpu *h)
{
	static const u32 ids[] = {
		KVM_HOST_SMCCC_FUNC(__kvm_enable_ssbs),
		KVM_HOST_SMCCC_FUNC(__vgic_v3_get_gic_config),
		KVM_HOST_SMCCC_FUNC(__pkvm_prot_finalize),
		KVM_HOST_SMCCC_FUNC(__kvm_adjust_pc),
		KVM_HOST_SMCCC_FUNC(__vgic_v3_save_vmcr_aprs),
		KVM_HOST_SMCCC_FUNC(__vgic_v3_restore_vmcr_aprs),
	};
	unsigned int i = fuzz_below(h, EL2_NR_REFUSED_CALLS + ARRAY_SIZE(ids));
	struct arm_smccc_res res;
	u32 id;

	id = i < EL2_NR_REFUSED_CALLS ? el2_refused_calls[i] : ids[i - EL2_NR_REFUSED_CALLS];
	h->calls++;
	arm_smccc_1_1_hvc(id, fuzz_edge(h), fuzz_edge(h), fuzz_edge(h), fuzz_edge(h), fuzz_edge(h),
			  fuzz_edge(h), fuzz_edge(h), &res);
}

/* Make an SMC that EL2 forwards to the firmware or answers itself, and that turns off no CPU. */
static void step_smc(struct fuzz_cpu *h)
{
	static const u32 ids[] = {
		PSCI_0_2_FN_PSCI_VERSION, PSCI_0_2_FN64_CPU_ON, PSCI_0_2_FN64_AFFINITY_INFO,
		PSCI_1_0_FN_PSCI_FEATURES, ARM_SMCCC_VERSION_FUNC_ID, ARM_SMCCC_TRNG_VERSION,
	};
	struct arm_smccc_res res;

	h->calls++;
	arm_smccc_1_1_smc(ids[fuzz_below(h, ARRAY_SIZE(ids))], fuzz_edge(h), fuzz_edge(h),
			  fuzz_edge(h), &res);
}

static void (*const steps[])(struct fuzz_cpu *h) = {
	step_load, step_load, step_load, step_put, step_run, step_run, step_run, step_run,
	step_touch, step_touch, step_host_page, step_host_page, step_donate, step_donate,
	step_donate, step_hold, step_share_guest, step_share_guest, step_unshare_guest,
	step_window, step_window, step_window, step_window,
	step_attributes, step_attributes, step_force, step_refill, step_make, step_end, step_end,
	step_odd, step_smc, fuzz_step_ffa, fuzz_step_ffa,
};

/**
 * fuzz_step() - Make one step: a call to EL2, or an access to a page.
 * @h:	The host, with the random numbers of this step.
 */
void fuzz_step(struct fuzz_cpu *h)
{
	steps[fuzz_below(h, ARRAY_SIZE(steps))](h);
}
