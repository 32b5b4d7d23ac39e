// SPDX-License-Identifier: GPL-2.0-only
/*
 * Creation of VMs and vCPUs, and loading of vCPUs. Keeps R4 (a call acts on a handle, or on the
 * vCPU that this CPU has loaded) and R5 (a vCPU is loaded on one CPU at most).
 */
#include <linux/bitfield.h>
#include <linux/cpumask.h>
#include <linux/smp.h>

#include <asm/kvm_emulate.h>
#include <asm/kvm_pkvm.h>
#include <asm/kvm_pkvm_kunit.h>

#include "el2_kunit.h"

/* Expect the host to still own all pages that it passed to a refused call. */
static void expect_all_owned(struct kunit *test, void *p, size_t size)
{
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		el2_expect_owned(test, virt_to_page(p + offset));
}

static void expect_no_vm(struct kunit *test, struct el2_vm *vm)
{
	expect_all_owned(test, vm->hyp_vm, pkvm_kunit_hyp_vm_size(vm->nr_vcpus));
	expect_all_owned(test, vm->pgd, kvm_pgtable_stage2_pgd_size(vm->kvm->arch.mmu.vtcr));
}

/* Rule: EL2 owns a VM's state from its creation on, and returns all of it. */
static void create_and_destroy(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, EL2_MAX_VCPUS);
	struct page *hyp_vm = virt_to_page(vm->hyp_vm);
	struct page *pgd = virt_to_page(vm->pgd);
	struct page *hyp_vcpu = virt_to_page(vm->hyp_vcpu[0]);

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_EXPECT_GE(test, vm->handle, PKVM_HANDLE_OFFSET);
	el2_expect_lost(test, hyp_vm);
	el2_expect_lost(test, pgd);

	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 1), 0);
	el2_expect_lost(test, hyp_vcpu);
	el2_vm_destroy(test, vm);
}

/* Rule (R7): EL2 refuses an invalid VM, and the host keeps its pages. */
static void create_refused(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	u64 vtcr = vm->kvm->arch.mmu.vtcr;
	void *hyp_vm = vm->hyp_vm;

	vm->nr_vcpus = 0;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->nr_vcpus = KVM_MAX_VCPUS + 1;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->nr_vcpus = -1;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->nr_vcpus = 1;

	vm->kvm->arch.mmu.vtcr = (vtcr & ~VTCR_EL2_T0SZ_MASK) | VTCR_EL2_T0SZ(56);
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->kvm->arch.mmu.vtcr = (vtcr & ~VTCR_EL2_T0SZ_MASK) | VTCR_EL2_T0SZ(16);
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->kvm->arch.mmu.vtcr = vtcr;

	/* EL2 refuses an IPA for the firmware that is not aligned or outside the IPA space. */
	vm->kvm->arch.pkvm.guest.fw_ipa = BIT_ULL(EL2_IPA_BITS);
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->kvm->arch.pkvm.guest.fw_ipa = PAGE_SIZE / 2;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	vm->kvm->arch.pkvm.guest.fw_ipa = PVM_NO_FW;
	expect_no_vm(test, vm);

	vm->hyp_vm = hyp_vm + 8;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -ENOMEM);
	vm->hyp_vm = hyp_vm;
	expect_no_vm(test, vm);
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), 0);
}

/* Rule (R4): EL2 takes the size of a VM's state from the call, not from the host's structure. */
static void size_is_passed(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	size_t size = pkvm_kunit_hyp_vm_size(1);
	size_t more = pkvm_kunit_hyp_vm_size(KVM_MAX_VCPUS) - size;
	void *mem = alloc_pages_exact(size + more, GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, mem);
	free_pages_exact(vm->hyp_vm, size);
	vm->hyp_vm = mem;
	vm->kvm->created_vcpus = KVM_MAX_VCPUS;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), 0);
	expect_all_owned(test, mem + size, more);
	free_pages_exact(mem + size, more);
}

/* Rule (R5): EL2 refuses pages for a PGD that are not adjacent and aligned. */
static void pgd_not_contiguous(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	size_t size = kvm_pgtable_stage2_pgd_size(vm->kvm->arch.mmu.vtcr);
	void *pgd = vm->pgd, *mem;

	if (size == PAGE_SIZE)
		kunit_skip(test, "a PGD is one page");

	mem = alloc_pages_exact(2 * size, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, mem);
	vm->pgd = mem + PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), -EINVAL);
	expect_no_vm(test, vm);
	vm->pgd = pgd;
	KUNIT_EXPECT_EQ(test, el2_init_vm(vm), 0);
	free_pages_exact(mem, 2 * size);
}

/* Rule: EL2 refuses pages for a VM's state that the host does not own exclusively. */
static void create_from_wrong_memory(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct el2_vm *other = el2_vm_create(test, 1);
	struct page *lost = el2_page(test);
	void *pgd = vm->pgd;

	KUNIT_ASSERT_EQ(test, el2_load(other, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_donate(other, 0, lost, 0), 0);
	el2_put();

	vm->pgd = vm->kvm;
	KUNIT_EXPECT_LT(test, el2_init_vm(vm), 0);
	vm->pgd = vm->hyp_vm;
	KUNIT_EXPECT_LT(test, el2_init_vm(vm), 0);
	vm->pgd = page_address(lost);
	KUNIT_EXPECT_LT(test, el2_init_vm(vm), 0);
	vm->pgd = pgd;
	expect_no_vm(test, vm);
	el2_expect_lost(test, lost);
}

/* Rule (R4): EL2 follows pointers of the host only to memory that is shared with it. */
static void create_from_wild_pointer(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *page = el2_page(test);
	void *wild[] = {
		NULL,
		(void *)PAGE_SIZE,
		(void *)~0UL,
		(void *)(-PAGE_SIZE),
		page_address(page),
		vm->hyp_vm,
	};
	struct kvm *kvm = vm->kvm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		vm->kvm = wild[i];
		KUNIT_EXPECT_LT(test, el2_init_vm(vm), 0);
	}
	vm->kvm = kvm;
	expect_no_vm(test, vm);
}

/* Rule: EL2 creates vCPUs in order, from shared memory, and no more than the VM has. */
static void vcpu_refused(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, EL2_MAX_VCPUS);
	size_t size = pkvm_kunit_hyp_vcpu_size();
	struct page *page = el2_page(test);
	void *hyp_vcpu = vm->hyp_vcpu[0];
	struct kvm_vcpu *vcpu = vm->vcpu[0];
	void *spare;

	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -ENOENT);
	expect_all_owned(test, hyp_vcpu, size);
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);

	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 1), -EINVAL);
	expect_all_owned(test, vm->hyp_vcpu[1], size);
	vm->vcpu[0] = page_address(page);
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EBUSY);
	vm->vcpu[0] = NULL;
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EBUSY);
	vm->vcpu[0] = vcpu;
	vm->hyp_vcpu[0] = hyp_vcpu + 8;
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -ENOMEM);
	vm->hyp_vcpu[0] = hyp_vcpu;
	expect_all_owned(test, hyp_vcpu, size);

	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 1), 0);
	spare = alloc_pages_exact(size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, spare);
	KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_init_vcpu, vm->handle, vm->vcpu[0],
						     spare, NULL), -EINVAL);
	expect_all_owned(test, spare, size);
	free_pages_exact(spare, size);
}

/*
 * Rule: EL2 keeps the SVE state of a protected vCPU in pages that the host donates. It takes as
 * many as the longest vectors of the machine need, even if the host claims longer ones, and returns
 * them zeroed.
 */
static void sve_state_is_donated(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, EL2_MAX_VCPUS);
	size_t offset;
	void *sve;

	el2_vm_add_sve(test, vm);
	sve = vm->sve[0];
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 0), 0);
	KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, 1), 0);
	for (offset = 0; offset < pkvm_kunit_sve_size(); offset += PAGE_SIZE)
		el2_expect_lost(test, virt_to_page(sve + offset));
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), 0);
	el2_put();
	el2_vm_destroy(test, vm);
}

/*
 * Rule (R7): EL2 refuses a vCPU with an invalid vector length, or with memory for its SVE state
 * that the host cannot donate, and the host keeps all of its pages.
 */
static void sve_state_refused(struct kunit *test)
{
	static const unsigned int no_vl[] = { 0, 1, SVE_VL_MIN - 1, SVE_VL_MIN + 1 };
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct page *shared = el2_page(test);
	void *hyp_vcpu = vm->hyp_vcpu[0];
	unsigned int i;
	void *sve;

	el2_vm_add_sve(test, vm);
	sve = vm->sve[0];
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);

	for (i = 0; i < ARRAY_SIZE(no_vl); i++) {
		vm->vcpu[0]->arch.sve_max_vl = no_vl[i];
		KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EINVAL);
	}
	vm->vcpu[0]->arch.sve_max_vl = SVE_VL_MAX;

	vm->sve[0] = sve + SVE_VQ_BYTES;
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EBUSY);
	vm->sve[0] = hyp_vcpu;
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EBUSY);
	KUNIT_ASSERT_EQ(test, el2_share(shared), 0);
	vm->sve[0] = page_address(shared);
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_unshare(shared), 0);
	vm->sve[0] = sve;

	expect_all_owned(test, hyp_vcpu, pkvm_kunit_hyp_vcpu_size());
	expect_all_owned(test, sve, pkvm_kunit_sve_size());
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), 0);
}

/* Rule (R8): EL2 refuses a vCPU with SVE if the VM has none, and one without SVE if it has. */
static void sve_not_as_the_vm(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_alloc(test, 1);
	struct el2_vm *without = el2_vm_alloc(test, 1);

	el2_vm_add_sve(test, vm);
	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	vcpu_clear_flag(vm->vcpu[0], GUEST_HAS_SVE);
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(vm, 0), -EINVAL);
	expect_all_owned(test, vm->sve[0], pkvm_kunit_sve_size());

	el2_vm_add_sve(test, without);
	__clear_bit(KVM_ARM_VCPU_SVE, without->kvm->arch.vcpu_features);
	KUNIT_ASSERT_EQ(test, el2_init_vm(without), 0);
	KUNIT_EXPECT_EQ(test, el2_init_vcpu(without, 0), -EINVAL);
	expect_all_owned(test, without->sve[0], pkvm_kunit_sve_size());
}

/* Rule: EL2 loads no vCPU for an invalid handle or index. */
static void load_bad_handle(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 1);
	static const pkvm_handle_t bad[] = {
		0, 1, PKVM_HANDLE_OFFSET - 1, PKVM_HANDLE_OFFSET + KVM_MAX_PVMS, 0x7fff, 0xffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ(test, (int)kvm_call_hyp_nvhe(__pkvm_vcpu_load, bad[i], 0), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_load(vm, ~0U), -ENOENT);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), 0);
}

static int load_from_other_cpu(void *arg)
{
	return el2_load(arg, 0);
}

static int put_from_other_cpu(void *arg)
{
	el2_put();
	return 0;
}

/* Rule (R5): one vCPU per CPU, one CPU per vCPU; a put without a loaded vCPU does nothing. */
static void load_twice(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);

	el2_put();
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 1), -EBUSY);
	el2_put();
	el2_put();
	KUNIT_EXPECT_EQ(test, el2_load(vm, 1), 0);
}

static void load_on_two_cpus(struct kunit *test)
{
	struct el2_vm *vm;

	if (!cpu_online(EL2_OTHER_CPU))
		kunit_skip(test, "needs two CPUs");

	vm = el2_vm_create(test, 1);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	KUNIT_EXPECT_EQ(test, smp_call_on_cpu(EL2_OTHER_CPU, load_from_other_cpu, vm, false),
			-EBUSY);
	KUNIT_EXPECT_EQ(test, smp_call_on_cpu(EL2_OTHER_CPU, put_from_other_cpu, vm, false), 0);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -EBUSY);
	el2_put();

	KUNIT_ASSERT_EQ(test, smp_call_on_cpu(EL2_OTHER_CPU, load_from_other_cpu, vm, false), 0);
	KUNIT_EXPECT_EQ(test, el2_load(vm, 0), -EBUSY);
	KUNIT_EXPECT_EQ(test, el2_start_teardown(vm), -EBUSY);
	KUNIT_EXPECT_EQ(test, smp_call_on_cpu(EL2_OTHER_CPU, put_from_other_cpu, vm, false), 0);
}

static int run(struct kvm_vcpu *vcpu)
{
	return kvm_call_hyp_nvhe(__kvm_vcpu_run, vcpu);
}

/* Rule (R4): EL2 runs only the loaded vCPU, and refuses a pointer to another. */
static void run_other_vcpu(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);

	KUNIT_EXPECT_EQ(test, run(vm->vcpu[0]), ARM_EXCEPTION_IL);
	KUNIT_EXPECT_EQ(test, run(NULL), ARM_EXCEPTION_IL);
	KUNIT_ASSERT_EQ(test, el2_load(vm, 1), 0);
	KUNIT_EXPECT_EQ(test, run(vm->vcpu[0]), ARM_EXCEPTION_IL);
	KUNIT_EXPECT_EQ(test, run(NULL), ARM_EXCEPTION_IL);
}

/* Rule: if loading a vCPU fails, KVM_RUN returns the errno to user space. */
static void failed_load_errno(struct kunit *test)
{
	struct el2_vm *vm = el2_vm_create(test, 2);
	struct kvm_vcpu *vcpu = vm->vcpu[1];
	struct kvm_run *run = kunit_kzalloc(test, sizeof(*run), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, run);
	vcpu->run = run;
	vcpu->kvm = vm->kvm;
	vm->kvm->arch.pkvm.handle = vm->handle;

	KUNIT_ASSERT_EQ(test, el2_load(vm, 0), 0);
	pkvm_guest_vcpu_load(vcpu);
	pkvm_guest_fail_entry(vcpu);
	KUNIT_EXPECT_EQ(test, run->fail_entry.hardware_entry_failure_reason,
			KVM_EXIT_FAIL_ENTRY_NOT_LOADED |
			FIELD_PREP(KVM_EXIT_FAIL_ENTRY_ERRNO_MASK, EBUSY));
	KUNIT_EXPECT_EQ(test, run->fail_entry.cpu, EL2_CPU);
	el2_put();

	vm->kvm->arch.pkvm.handle = vm->handle + 1;
	pkvm_guest_vcpu_load(vcpu);
	pkvm_guest_fail_entry(vcpu);
	KUNIT_EXPECT_EQ(test, run->fail_entry.hardware_entry_failure_reason,
			KVM_EXIT_FAIL_ENTRY_NOT_LOADED |
			FIELD_PREP(KVM_EXIT_FAIL_ENTRY_ERRNO_MASK, ENOENT));

	vm->kvm->arch.pkvm.handle = vm->handle;
	pkvm_guest_vcpu_load(vcpu);
	pkvm_guest_fail_entry(vcpu);
	KUNIT_EXPECT_EQ(test, run->fail_entry.hardware_entry_failure_reason, 0);
}

/* Rule: the number of VMs is limited, and a refused VM costs the host nothing. */
static void too_many_vms(struct kunit *test)
{
	struct el2_vm *vm;
	unsigned int nr;
	int ret;

	for (nr = 0; nr <= KVM_MAX_PVMS; nr++) {
		vm = el2_vm_alloc(test, 1);
		ret = el2_init_vm(vm);
		if (ret)
			break;
	}
	KUNIT_EXPECT_EQ(test, ret, -ENOMEM);
	KUNIT_EXPECT_EQ(test, nr, KVM_MAX_PVMS);
	if (ret)
		expect_no_vm(test, vm);
}

static struct kunit_case el2_vm_cases[] = {
	KUNIT_CASE(create_and_destroy),
	KUNIT_CASE(create_refused),
	KUNIT_CASE(size_is_passed),
	KUNIT_CASE(pgd_not_contiguous),
	KUNIT_CASE(create_from_wrong_memory),
	KUNIT_CASE(create_from_wild_pointer),
	KUNIT_CASE(vcpu_refused),
	KUNIT_CASE(sve_state_is_donated),
	KUNIT_CASE(sve_state_refused),
	KUNIT_CASE(sve_not_as_the_vm),
	KUNIT_CASE(load_bad_handle),
	KUNIT_CASE(load_twice),
	KUNIT_CASE(load_on_two_cpus),
	KUNIT_CASE(run_other_vcpu),
	KUNIT_CASE(failed_load_errno),
	KUNIT_CASE(too_many_vms),
	{}
};

static struct kunit_suite el2_vm_suite = {
	.name		= "pkvm_el2_vm",
	.init		= el2_fixture_init,
	.exit		= el2_fixture_exit,
	.test_cases	= el2_vm_cases,
};

kunit_test_suite(el2_vm_suite);
