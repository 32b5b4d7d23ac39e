/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protected guests: definitions on which the host and the hypervisor have to agree, and
 * functions that the rest of the host's KVM calls.
 */
#ifndef __ARM64_KVM_PKVM_GUEST_H__
#define __ARM64_KVM_PKVM_GUEST_H__

#include <linux/kvm_types.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include <asm/hyp_image.h>

struct kvm;
struct kvm_enable_cap;
struct kvm_memory_slot;
struct kvm_one_reg;
struct kvm_vcpu;

/*
 * The most granules that one __pkvm_reclaim_dying_guest() call returns to the host. EL2 may
 * have to zero and clean each of them with interrupts off (R6).
 */
#define PKVM_RECLAIM_MAX_GRANULES	16

/*
 * The most pages of page tables and memcaches that one __pkvm_finalize_teardown_vm() call
 * returns to the host (R6). The few pages with the state of a vCPU or of the VM are returned
 * as a whole.
 */
#define PKVM_TEARDOWN_MAX_PAGES		16

/* The most entries of a dying guest's stage-2 that one such call visits. */
#define PKVM_TEARDOWN_MAX_ENTRIES	512

/*
 * How many pages of stage-2 tables a protected guest may have beyond one for each of its pages
 * of memory. A guest with more gets no further tables for guards.
 */
#define PVM_MAX_GUARD_TABLES		(SZ_64M >> PAGE_SHIFT)

/* Instead of an IPA for the firmware: the VM has no firmware. */
#define PVM_NO_FW			(~0ULL)

/* VM handles start here rather than at 0, so that 0 means "no VM". */
#define PKVM_HANDLE_OFFSET		0x1000

/**
 * pkvm_handle_to_vmid() - The VMID that the hypervisor runs a VM with
 * @handle: a handle that __pkvm_init_vm() returned.
 *
 * In protected mode the hypervisor hands out the VMIDs of all VMs, so that none
 * can hit the TLB entries of another. VMID 0 is the host's.
 *
 * Return: the VMID.
 */
static inline unsigned int pkvm_handle_to_vmid(unsigned int handle)
{
	return handle - PKVM_HANDLE_OFFSET + 1;
}

/*
 * Answers to SMCCC_ARCH_FEATURES for ARCH_WORKAROUND_1, 2 and 3 (Arm DEN0028), according to the
 * mitigations that the host found when it booted.
 */
enum pvm_smccc_workaround {
	PVM_SMCCC_WORKAROUND_1,
	PVM_SMCCC_WORKAROUND_2,
	PVM_SMCCC_WORKAROUND_3,
	PVM_NR_SMCCC_WORKAROUNDS,
};

extern s64
kvm_nvhe_sym(pvm_smccc_workarounds)[PVM_NR_SMCCC_WORKAROUNDS];

#ifndef __KVM_NVHE_HYPERVISOR__

void pkvm_guest_init_cpu(u64 pfr0);
void pkvm_guest_init_smccc(void);
void pkvm_guest_fw_init(void);
int pkvm_guest_init_vm(struct kvm *kvm, unsigned long *type);
void pkvm_guest_vm_created(struct kvm *kvm, void *pgd, size_t pgd_size, size_t vm_size);
void pkvm_guest_metadata_donated(unsigned long nr_pages);
int pkvm_guest_teardown(struct kvm *kvm);

int pkvm_guest_check_new_vcpu(struct kvm *kvm);
unsigned int pkvm_guest_max_vcpus(struct kvm *kvm);
int pkvm_guest_add_vcpus(struct kvm *kvm);
void pkvm_guest_count_tables(void *addr, unsigned int nr_pages);
void *pkvm_guest_alloc_table(void);
void pkvm_guest_uncount_table(void *addr);
void pkvm_guest_vcpu_load(struct kvm_vcpu *vcpu);
void pkvm_guest_fail_entry(struct kvm_vcpu *vcpu);

int pkvm_guest_mem_abort(struct kvm_vcpu *vcpu, phys_addr_t ipa,
			 struct kvm_memory_slot *memslot);
void pkvm_guest_relinquished(struct kvm_vcpu *vcpu, gfn_t gfn);
int pkvm_guest_mem_release(struct kvm_vcpu *vcpu, gfn_t gfn, unsigned long nr);
int pkvm_guest_handle_hvc(struct kvm_vcpu *vcpu);
bool pkvm_guest_resolve_abort(unsigned long addr);

bool pkvm_guest_wants_page(struct kvm *kvm, const struct kvm_memory_slot *memslot);
int pkvm_window_failed(struct kvm_vcpu *vcpu, phys_addr_t ipa,
		       const struct kvm_memory_slot *memslot, int error);

int pkvm_guest_enable_cap(struct kvm *kvm, struct kvm_enable_cap *cap);
int pkvm_guest_check_vm_ioctl(struct kvm *kvm, unsigned int ioctl);
int pkvm_guest_check_memslot(struct kvm *kvm, const struct kvm_memory_slot *old,
			     const struct kvm_memory_slot *new, enum kvm_mr_change change);
int pkvm_guest_init_features(struct kvm_vcpu *vcpu, u32 *features);
int pkvm_guest_check_vcpu_ioctl(struct kvm_vcpu *vcpu, unsigned int ioctl);
int pkvm_guest_check_vgic_cpu_regs(struct kvm_vcpu *vcpu);
int pkvm_guest_check_reg(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg,
			 bool write);

/* In guest.c. */
void *core_reg_addr(struct kvm_vcpu *vcpu, const struct kvm_one_reg *reg);

#endif /* !__KVM_NVHE_HYPERVISOR__ */

#endif /* __ARM64_KVM_PKVM_GUEST_H__ */
