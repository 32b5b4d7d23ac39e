// SPDX-License-Identifier: GPL-2.0-only
/*
 * Non-protected VMs on a host in protected mode: the functions that KVM calls instead of
 * kvm_pgtable_stage2_*(). The hypervisor has the page tables of these VMs (R2), so the
 * functions here ask it to share pages with the guest and to unshare them.
 *
 * The host does not record what it shares: only the hypervisor's tables say that. A call on a
 * range returns how far it got. The kvm_pgtable of such a VM has no tables, only the geometry
 * that they would have.
 *
 * KVM also calls these functions for protected VMs, for example from MMU notifiers. The host
 * shares pages with a protected VM only in windows, see pkvm_guest_window.c.
 */

#include <linux/arm-smccc.h>
#include <linux/kvm_host.h>
#include <linux/mm.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_mmu.h>
#include <asm/kvm_pgtable.h>
#include <asm/kvm_pkvm_guest.h>
#include <asm/kvm_pkvm_np.h>

#include "pkvm_guest.h"
#include "trace_pkvm.h"

/* The handle of a non-protected VM that exists at EL2; 0 for any other VM. */
static pkvm_handle_t np_handle(struct kvm *kvm)
{
	return kvm_vm_is_protected(kvm) ? 0 : READ_ONCE(kvm->arch.pkvm.handle);
}

/*
 * The handle of a VM, protected or not, with which the host may share pages; 0 if it cannot
 * have shared any yet, so that there is nothing to unshare.
 */
static pkvm_handle_t shared_handle(struct kvm *kvm)
{
	if (kvm_vm_is_protected(kvm) && !READ_ONCE(kvm->arch.pkvm.guest.has_windows))
		return 0;

	return READ_ONCE(kvm->arch.pkvm.handle);
}

static void count_shared(struct kvm *kvm, u64 gfn, u64 pfn, u64 nr)
{
	if (kvm_vm_is_protected(kvm)) {
		atomic64_add(nr, &pkvm_guest_totals.window_pages_shared);
		trace_pkvm_window_pages_shared(kvm->arch.pkvm.handle, gfn, pfn, nr);
	} else {
		atomic64_add(nr, &pkvm_guest_totals.np_pages_shared);
		trace_pkvm_np_pages_shared(kvm->arch.pkvm.handle, gfn, pfn, nr);
	}
}

static void add_unshared(struct kvm *kvm, u64 nr)
{
	atomic64_add(nr, kvm_vm_is_protected(kvm) ? &pkvm_guest_totals.window_pages_unshared :
						    &pkvm_guest_totals.np_pages_unshared);
}

static void count_unshared(struct kvm *kvm, u64 gfn, u64 pfn, u64 nr)
{
	add_unshared(kvm, nr);
	if (kvm_vm_is_protected(kvm))
		trace_pkvm_window_pages_unshared(kvm->arch.pkvm.handle, gfn, pfn, nr);
	else
		trace_pkvm_np_pages_unshared(kvm->arch.pkvm.handle, gfn, pfn, nr);
}

/* Make a call that returns several values, in @res. */
#define np_call(res, f, ...)	\
	arm_smccc_1_1_hvc(KVM_HOST_SMCCC_FUNC(f), ##__VA_ARGS__, res)

static s64 np_result(const struct arm_smccc_res *res)
{
	return WARN_ON(res->a0 != SMCCC_RET_SUCCESS) ? -EINVAL : (s64)res->a1;
}

/**
 * pkvm_pgtable_stage2_init() - kvm_pgtable_stage2_init() for a VM whose tables EL2 has
 * @pgt: to be filled in.
 * @mmu: its MMU, of which the VTCR is set.
 * @mm_ops: stored, but never called, as there are no tables.
 *
 * Return: 0.
 */
int pkvm_pgtable_stage2_init(struct kvm_pgtable *pgt, struct kvm_s2_mmu *mmu,
			     struct kvm_pgtable_mm_ops *mm_ops)
{
	pgt->ia_bits = VTCR_EL2_IPA(mmu->vtcr);
	pgt->start_level = VTCR_EL2_TGRAN_SL0_BASE - FIELD_GET(VTCR_EL2_SL0_MASK, mmu->vtcr);
	pgt->mm_ops = mm_ops;
	pgt->mmu = mmu;

	return 0;
}

/**
 * pkvm_np_unshare_all() - Unshare all that was shared with a VM
 * @kvm: the VM; no vCPU of it runs, or will again.
 *
 * Sleeps. MMU notifiers may run at the same time, and still find the pages that are shared:
 * otherwise a page would be freed while the VM still maps it. As on other hosts, the data
 * caches are not cleaned when a VM is destroyed.
 */
void pkvm_np_unshare_all(struct kvm *kvm)
{
	pkvm_handle_t handle = shared_handle(kvm);
	u64 end = BIT(VTCR_EL2_IPA(kvm->arch.mmu.vtcr)) >> PAGE_SHIFT;
	struct arm_smccc_res res;
	u64 gfn = 0;
	s64 done;

	if (!handle)
		return;

	while (gfn < end) {
		np_call(&res, __pkvm_host_unshare_guest_all, handle, gfn);
		done = np_result(&res);
		if (WARN_ON_ONCE(done <= 0))
			return;

		add_unshared(kvm, res.a2);
		gfn += done;
		cond_resched();
	}
}

static int np_share_pages(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			  enum kvm_pgtable_prot prot, struct kvm_hyp_memcache *mc)
{
	struct kvm *kvm = kvm_s2_mmu_to_kvm(pgt->mmu);
	unsigned long nr_tables = mc->nr_pages;
	int ret;

	ret = kvm_call_hyp_nvhe(__pkvm_host_share_guest, PHYS_PFN(phys), addr >> PAGE_SHIFT,
				size >> PAGE_SHIFT, prot);
	pkvm_guest_metadata_donated(nr_tables - mc->nr_pages);
	if (ret)
		return ret;

	count_shared(kvm, addr >> PAGE_SHIFT, PHYS_PFN(phys), size >> PAGE_SHIFT);

	return 0;
}

/* Share pages. If other pages are shared at the IPA, unshare those first. */
static int np_replace_pages(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			    enum kvm_pgtable_prot prot, struct kvm_hyp_memcache *mc)
{
	int ret;

	ret = np_share_pages(pgt, addr, size, phys, prot, mc);
	if (ret != -EEXIST)
		return ret;

	return pkvm_pgtable_stage2_unmap(pgt, addr, size) ?:
	       np_share_pages(pgt, addr, size, phys, prot, mc);
}

/*
 * Share a page or a block in a window. If the guest does not guard all of the block, the host
 * shares only the page on which the guest faulted.
 */
static int np_share_window(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			   enum kvm_pgtable_prot prot, struct kvm_hyp_memcache *mc)
{
	struct kvm_vcpu *vcpu = kvm_get_running_vcpu();
	u64 offset = kvm_vcpu_get_fault_ipa(vcpu) & (size - 1) & PAGE_MASK;
	int ret;

	prot &= ~KVM_PGTABLE_PROT_X;
	/* MMU notifiers hold the mmu_lock, as the caller does, and unshare only if this is set. */
	WRITE_ONCE(vcpu->kvm->arch.pkvm.guest.has_windows, true);

	ret = np_replace_pages(pgt, addr, size, phys, prot, mc);
	if (ret == -ENOENT && size > PAGE_SIZE) {
		addr += offset;
		ret = np_replace_pages(pgt, addr, PAGE_SIZE, phys + offset, prot, mc);
	}

	/* The page is shared already. Perhaps the guest lacked the permission to write. */
	if (ret == -EAGAIN && prot & KVM_PGTABLE_PROT_W)
		ret = pkvm_pgtable_stage2_relax_perms(pgt, addr, prot);

	return ret;
}

/**
 * pkvm_pgtable_stage2_map() - kvm_pgtable_stage2_map() for a VM whose tables EL2 has
 * @pgt: the VM's; its mmu_lock is held. A vCPU of it is loaded.
 * @addr: IPA, in bytes.
 * @size: PAGE_SIZE or, of memory, PMD_SIZE.
 * @phys: what to share, a physical address in bytes.
 * @prot: how.
 * @mc: the vCPU's pkvm_memcache, topped up.
 * @flags: not used: EL2 always walks with its lock held.
 *
 * Other pages that are shared at the IPA are unshared first. KVM calls this function for a
 * protected VM only to share pages in a window. The VM then may get fewer pages than @size
 * has, and cannot execute them.
 *
 * Return: 0; -EAGAIN if the guest has to fault again, because another vCPU was
 * faster or only permissions differ; -EFAULT if the page is not the host's to
 * share, or is for a window and no memory; -ENOENT if a protected VM does not guard the
 * IPA; or another error of __pkvm_host_share_guest().
 */
int pkvm_pgtable_stage2_map(struct kvm_pgtable *pgt, u64 addr, u64 size, u64 phys,
			    enum kvm_pgtable_prot prot, void *mc, enum kvm_pgtable_walk_flags flags)
{
	bool window = kvm_vm_is_protected(kvm_s2_mmu_to_kvm(pgt->mmu));
	int ret;

	if (pfn_is_map_memory(PHYS_PFN(phys)))
		__clean_dcache_guest_page(__va(phys), size);
	else if (window)
		return -EFAULT;

	if (window)
		ret = np_share_window(pgt, addr, size, phys, prot, mc);
	else
		ret = np_replace_pages(pgt, addr, size, phys, prot, mc);

	switch (ret) {
	case -EEXIST:
		return -EAGAIN;
	case -EPERM:
		return -EFAULT;
	default:
		return ret;
	}
}

/* Clean pages that were unshared. With FWB the guest's accesses were cacheable: nothing to do. */
static void clean_taken_pages(unsigned long pfn, unsigned long nr_pages)
{
	if (pfn_is_map_memory(pfn))
		__clean_dcache_guest_page(__va(PFN_PHYS(pfn)), nr_pages << PAGE_SHIFT);
}

/**
 * pkvm_pgtable_stage2_unmap() - kvm_pgtable_stage2_unmap() for a VM whose tables EL2 has
 * @pgt: the VM's; its mmu_lock is held.
 * @addr: where the range begins, an IPA in bytes.
 * @size: its length, in bytes.
 *
 * A block that is only partly in the range is unshared as a whole. The host shares the rest of
 * it again when the guest faults there.
 *
 * Return: 0, or the error of __pkvm_host_unshare_guest().
 */
int pkvm_pgtable_stage2_unmap(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	struct kvm *kvm = kvm_s2_mmu_to_kvm(pgt->mmu);
	pkvm_handle_t handle = shared_handle(kvm);
	u64 gfn = addr >> PAGE_SHIFT;
	u64 end = (addr + size) >> PAGE_SHIFT;
	struct arm_smccc_res res;
	s64 done;

	for (; handle && gfn < end; gfn += done) {
		np_call(&res, __pkvm_host_unshare_guest, handle, gfn, end - gfn);
		done = np_result(&res);
		if (done < 0)
			return done;

		if (res.a3) {
			clean_taken_pages(res.a2, res.a3);
			count_unshared(kvm, gfn, res.a2, res.a3);
		}
	}

	return 0;
}

/**
 * pkvm_pgtable_stage2_flush() - kvm_pgtable_stage2_flush() for a VM whose tables EL2 has
 * @pgt: the VM's; its mmu_lock is held for writing.
 * @addr: where the range begins, an IPA in bytes.
 * @size: its length, in bytes.
 *
 * Unshares the pages, which cleans them; the guest then faults on them again. KVM calls this
 * function when the guest turns its caches off or on, and few pages are shared then.
 *
 * Return: 0, or the error of __pkvm_host_unshare_guest().
 */
int pkvm_pgtable_stage2_flush(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	if (cpus_have_final_cap(ARM64_HAS_STAGE2_FWB))
		return 0;

	return pkvm_pgtable_stage2_unmap(pgt, addr, size);
}

/**
 * pkvm_pgtable_stage2_wrprotect() - kvm_pgtable_stage2_wrprotect() for a VM whose tables EL2 has
 * @pgt: the VM's; its mmu_lock is held for writing.
 * @addr: where the range begins, an IPA in bytes.
 * @size: its length, in bytes.
 *
 * Return: 0, or the error of __pkvm_host_wrprotect_guest().
 */
int pkvm_pgtable_stage2_wrprotect(struct kvm_pgtable *pgt, u64 addr, u64 size)
{
	pkvm_handle_t handle = np_handle(kvm_s2_mmu_to_kvm(pgt->mmu));
	u64 gfn = addr >> PAGE_SHIFT;
	u64 end = (addr + size) >> PAGE_SHIFT;
	s64 done;

	for (; handle && gfn < end; gfn += done) {
		done = (s64)kvm_call_hyp_nvhe(__pkvm_host_wrprotect_guest, handle, gfn, end - gfn);
		if (done < 0)
			return done;
	}

	return 0;
}

/**
 * pkvm_pgtable_stage2_relax_perms() - kvm_pgtable_stage2_relax_perms() by a call to EL2
 * @pgt: the VM's; its mmu_lock is held. A vCPU of it is loaded.
 * @addr: IPA, in bytes.
 * @prot: the permissions to add.
 *
 * Return: 0, or the error of __pkvm_host_relax_perms_guest().
 */
int pkvm_pgtable_stage2_relax_perms(struct kvm_pgtable *pgt, u64 addr, enum kvm_pgtable_prot prot)
{
	/* The memory type was set when the page was shared, and does not change. */
	prot &= KVM_PGTABLE_PROT_RWX;

	return kvm_call_hyp_nvhe(__pkvm_host_relax_perms_guest, addr >> PAGE_SHIFT, prot);
}

/**
 * pkvm_pgtable_stage2_test_clear_young() - kvm_pgtable_stage2_test_clear_young() by calls to EL2
 * @pgt: the VM's; its mmu_lock is held for writing.
 * @addr: where the range begins, an IPA in bytes.
 * @size: its length, in bytes.
 * @mkold: whether to clear the access flags.
 *
 * Return: whether an access flag was set in the range.
 */
bool pkvm_pgtable_stage2_test_clear_young(struct kvm_pgtable *pgt, u64 addr, u64 size, bool mkold)
{
	pkvm_handle_t handle = np_handle(kvm_s2_mmu_to_kvm(pgt->mmu));
	u64 gfn = addr >> PAGE_SHIFT;
	u64 end = (addr + size) >> PAGE_SHIFT;
	struct arm_smccc_res res;
	bool young = false;
	s64 done;

	for (; handle && gfn < end; gfn += done) {
		np_call(&res, __pkvm_host_test_clear_young_guest, handle, gfn, end - gfn, mkold);
		done = np_result(&res);
		if (WARN_ON_ONCE(done < 0))
			break;

		young |= res.a2;
	}

	return young;
}

/**
 * pkvm_pgtable_stage2_mkyoung() - kvm_pgtable_stage2_mkyoung() by a call to EL2
 * @pgt: the VM's; its mmu_lock is held. A vCPU of it is loaded.
 * @addr: IPA, in bytes.
 *
 * Return: a valid entry with the page that is shared there, 0 if none is.
 */
kvm_pte_t pkvm_pgtable_stage2_mkyoung(struct kvm_pgtable *pgt, u64 addr)
{
	struct arm_smccc_res res;

	np_call(&res, __pkvm_host_mkyoung_guest, addr >> PAGE_SHIFT);
	if (np_result(&res))
		return 0;

	return kvm_phys_to_pte(PFN_PHYS(res.a2)) | KVM_PTE_VALID;
}

/**
 * pkvm_np_tlb_flush() - Invalidate all TLB entries of a VM, on all CPUs
 * @kvm: the VM.
 *
 * Return: 0, in place of kvm_arch_flush_remote_tlbs().
 */
int pkvm_np_tlb_flush(struct kvm *kvm)
{
	pkvm_handle_t handle = np_handle(kvm);

	if (handle)
		WARN_ON_ONCE(kvm_call_hyp_nvhe(__pkvm_tlb_flush_vmid, handle));

	return 0;
}
