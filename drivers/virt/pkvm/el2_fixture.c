// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages and VMs that a test case drives EL2 with. Whatever a test case did, in the end its VMs are
 * torn down and every page of theirs must be the host's again; a page that is not is leaked, for
 * whoever touched it next would take an abort for it.
 */
#include <kunit/test-bug.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_kunit.h>

#include "el2_kunit.h"

#define EL2_PATTERN	0x5ca1ab1e0ddba11ULL

/* A vCPU is loaded on a CPU, so a test case stays on one. */
static void el2_stay_on_cpu(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(EL2_CPU)), 0);
}

/**
 * el2_fixture_init() - Test-case init. Skips the test case where EL2 is not ours to drive.
 * @test:	The test case.
 *
 * Return: 0 or a negative error.
 */
int el2_fixture_init(struct kunit *test)
{
	struct el2_fixture *f;

	if (!is_protected_kvm_enabled())
		kunit_skip(test, "the host was not booted with kvm-arm.mode=protected");

	f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	if (!f)
		return -ENOMEM;
	f->test = test;
	INIT_LIST_HEAD(&f->vms);
	INIT_LIST_HEAD(&f->pages);
	test->priv = f;
	el2_stay_on_cpu(test);
	return 0;
}

/**
 * el2_fixture_exit() - Test-case exit: everything comes back.
 * @test:	The test case.
 */
void el2_fixture_exit(struct kunit *test)
{
	struct el2_fixture *f = test->priv;
	struct el2_vm *vm, *next_vm;
	struct page *page, *next_page;

	if (!f)
		return;

	el2_stay_on_cpu(test);
	el2_put();
	list_for_each_entry_safe(vm, next_vm, &f->vms, node)
		el2_vm_destroy(test, vm);

	list_for_each_entry_safe(page, next_page, &f->pages, lru) {
		list_del(&page->lru);
		if (el2_readable(page))
			__free_page(page);
		else
			KUNIT_FAIL(test, "page 0x%llx did not come back", page_to_phys(page));
	}
}

/**
 * el2_page() - Take a page for the test case, filled with a pattern.
 * @test:	The test case.
 *
 * Return: the page; it is freed with the test case.
 */
struct page *el2_page(struct kunit *test)
{
	struct el2_fixture *f = test->priv;
	struct page *page = alloc_page(GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, page);
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		((u64 *)page_address(page))[i] = EL2_PATTERN;
	list_add(&page->lru, &f->pages);
	return page;
}

static bool el2_holds(struct page *page, u64 value)
{
	unsigned int i;
	u64 found;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++) {
		if (copy_from_kernel_nofault(&found, (u64 *)page_address(page) + i, sizeof(found)))
			return false;
		if (found != value)
			return false;
	}
	return true;
}

/**
 * el2_readable() - Whether the host can read a page.
 * @page:	The page.
 *
 * Return: false when the read ends in an abort.
 */
bool el2_readable(struct page *page)
{
	u64 value;

	return !copy_from_kernel_nofault(&value, page_address(page), sizeof(value));
}

/**
 * el2_holds_pattern() - Whether the host reads in a page what el2_page() wrote.
 * @page:	The page.
 *
 * Return: whether it does, all over the page.
 */
bool el2_holds_pattern(struct page *page)
{
	return el2_holds(page, EL2_PATTERN);
}

/**
 * el2_holds_zeroes() - Whether the host reads nothing but zeroes in a page.
 * @page:	The page.
 *
 * Return: whether it does, all over the page.
 */
bool el2_holds_zeroes(struct page *page)
{
	return el2_holds(page, 0);
}

/**
 * el2_write() - Write to memory that may not be the host's.
 * @to:		Where to.
 * @value:	What to write.
 *
 * copy_to_kernel_nofault() is not for modules.
 *
 * Return: 0; -EFAULT if the host has no access.
 */
int el2_write(void *to, u64 value)
{
	pagefault_disable();
	__put_kernel_nofault(to, &value, u64, fault);
	pagefault_enable();
	return 0;

fault:
	pagefault_enable();
	return -EFAULT;
}

/**
 * el2_share() - Share a page with EL2.
 * @page:	The page.
 *
 * Return: what __pkvm_host_share_hyp() returned.
 */
int el2_share(struct page *page)
{
	return kvm_call_hyp_nvhe(__pkvm_host_share_hyp, page_to_pfn(page));
}

/**
 * el2_unshare() - Take a page back that is shared with EL2.
 * @page:	The page.
 *
 * Return: what __pkvm_host_unshare_hyp() returned.
 */
int el2_unshare(struct page *page)
{
	return kvm_call_hyp_nvhe(__pkvm_host_unshare_hyp, page_to_pfn(page));
}

/**
 * el2_expect_owned() - Expect a page to be the host's and nobody else's.
 * @test:	The test case.
 * @page:	The page.
 *
 * Nothing but OWNED can be shared, and nothing but what was shared can be unshared.
 */
void el2_expect_owned(struct kunit *test, struct page *page)
{
	u64 value = 0;

	KUNIT_EXPECT_TRUE(test, el2_readable(page));
	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, page_address(page), sizeof(value)),
			0);
	KUNIT_EXPECT_EQ(test, el2_write(page_address(page), value), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_share(page), 0);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), 0);
}

/**
 * el2_expect_lost() - Expect a page to be someone else's, private: the host has no use of it.
 * @test:	The test case.
 * @page:	The page.
 */
void el2_expect_lost(struct kunit *test, struct page *page)
{
	u64 value = 0;

	KUNIT_EXPECT_EQ(test, copy_from_kernel_nofault(&value, page_address(page), sizeof(value)),
			-EFAULT);
	KUNIT_EXPECT_EQ(test, el2_write(page_address(page), value), -EFAULT);
	KUNIT_EXPECT_EQ(test, el2_share(page), -EPERM);
	KUNIT_EXPECT_EQ(test, el2_unshare(page), -EPERM);
}

static void *el2_alloc(struct kunit *test, size_t size)
{
	void *p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/* Memory that EL2 reads, in pages of its own. */
static void *el2_alloc_shared(struct kunit *test, size_t size)
{
	void *p = el2_alloc(test, PAGE_ALIGN(size));
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		KUNIT_ASSERT_EQ(test, el2_share(virt_to_page(p + offset)), 0);
	return p;
}

/* EL2 refuses to unshare what it still has pinned. */
static void el2_free_shared(struct kunit *test, void *p, size_t size)
{
	bool unshared = true;
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		unshared &= !el2_unshare(virt_to_page(p + offset));
	KUNIT_EXPECT_TRUE_MSG(test, unshared, "EL2 has kept a pin on a structure of the host");
	if (unshared)
		free_pages_exact(p, PAGE_ALIGN(size));
}

static u64 el2_vtcr(void)
{
	return kvm_get_vtcr(read_sanitised_ftr_reg(SYS_ID_AA64MMFR0_EL1),
			    read_sanitised_ftr_reg(SYS_ID_AA64MMFR1_EL1), EL2_IPA_BITS);
}

/**
 * el2_vm_alloc() - Make the host's side of a protected VM, that EL2 knows nothing of yet.
 * @test:	The test case.
 * @nr_vcpus:	vCPUs, at most EL2_MAX_VCPUS.
 *
 * Return: the VM; el2_vm_destroy() or the end of the test case ends it.
 */
struct el2_vm *el2_vm_alloc(struct kunit *test, unsigned int nr_vcpus)
{
	struct el2_fixture *f = test->priv;
	struct el2_vm *vm = kunit_kzalloc(test, sizeof(*vm), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, vm);
	xa_init(&vm->granules);
	list_add(&vm->node, &f->vms);

	vm->kvm = el2_alloc_shared(test, sizeof(*vm->kvm));
	vm->kvm->created_vcpus = nr_vcpus;
	vm->kvm->arch.mmu.vtcr = el2_vtcr();
	vm->kvm->arch.vgic.vgic_model = KVM_DEV_TYPE_ARM_VGIC_V3;
	vm->kvm->arch.pkvm.enabled = true;
	vm->kvm->arch.pkvm.fw_ipa = PVM_NO_FW;
	for (i = 0; i < nr_vcpus; i++) {
		vm->vcpu[i] = el2_alloc_shared(test, sizeof(*vm->vcpu[i]));
		vm->vcpu[i]->vcpu_idx = i;
		vm->vcpu[i]->vcpu_id = i;
		vm->hyp_vcpu[i] = el2_alloc(test, pkvm_kunit_hyp_vcpu_size());
		vm->nr_vcpus++;
	}
	vm->hyp_vm = el2_alloc(test, pkvm_kunit_hyp_vm_size(nr_vcpus));
	vm->pgd = el2_alloc(test, kvm_pgtable_stage2_pgd_size(el2_vtcr()));
	return vm;
}

/**
 * el2_init_vm() - Have EL2 make its side of a VM.
 * @vm:	The VM.
 *
 * Return: 0 with the handle in @vm, or the error of __pkvm_init_vm().
 */
int el2_init_vm(struct el2_vm *vm)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_init_vm, vm->kvm, vm->hyp_vm, vm->pgd,
				    vm->nr_vcpus);

	if (ret < 0)
		return ret;
	vm->handle = ret;
	vm->metadata += pkvm_kunit_hyp_vm_size(vm->nr_vcpus) / PAGE_SIZE;
	vm->metadata += kvm_pgtable_stage2_pgd_size(el2_vtcr()) / PAGE_SIZE;
	vm->hyp_vm = NULL;
	vm->pgd = NULL;
	return 0;
}

/**
 * el2_init_vcpu() - Have EL2 make its side of a vCPU.
 * @vm:		The VM.
 * @idx:	Index of the host's vCPU to pass. EL2 makes them in order.
 *
 * Return: what __pkvm_init_vcpu() returned.
 */
int el2_init_vcpu(struct el2_vm *vm, unsigned int idx)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_init_vcpu, vm->handle, vm->vcpu[idx], vm->hyp_vcpu[idx]);

	if (ret)
		return ret;
	vm->metadata += pkvm_kunit_hyp_vcpu_size() / PAGE_SIZE;
	vm->hyp_vcpu[idx] = NULL;
	return 0;
}

static void el2_vm_start(struct kunit *test, struct el2_vm *vm)
{
	unsigned int i;

	KUNIT_ASSERT_EQ(test, el2_init_vm(vm), 0);
	for (i = 0; i < vm->nr_vcpus; i++)
		KUNIT_ASSERT_EQ(test, el2_init_vcpu(vm, i), 0);
}

/**
 * el2_vm_create() - Make a protected VM that is ready to be loaded.
 * @test:	The test case.
 * @nr_vcpus:	vCPUs, at most EL2_MAX_VCPUS.
 *
 * Return: the VM.
 */
struct el2_vm *el2_vm_create(struct kunit *test, unsigned int nr_vcpus)
{
	struct el2_vm *vm = el2_vm_alloc(test, nr_vcpus);

	el2_vm_start(test, vm);
	return vm;
}

/**
 * el2_np_vm_alloc() - As el2_vm_alloc(), of a VM that is not protected.
 * @test:	The test case.
 * @nr_vcpus:	vCPUs, at most EL2_MAX_VCPUS.
 *
 * Return: the VM.
 */
struct el2_vm *el2_np_vm_alloc(struct kunit *test, unsigned int nr_vcpus)
{
	struct el2_vm *vm = el2_vm_alloc(test, nr_vcpus);

	vm->kvm->arch.pkvm.enabled = false;
	return vm;
}

/**
 * el2_np_vm_create() - As el2_vm_create(), of a VM that is not protected.
 * @test:	The test case.
 * @nr_vcpus:	vCPUs, at most EL2_MAX_VCPUS.
 *
 * Return: the VM.
 */
struct el2_vm *el2_np_vm_create(struct kunit *test, unsigned int nr_vcpus)
{
	struct el2_vm *vm = el2_np_vm_alloc(test, nr_vcpus);

	el2_vm_start(test, vm);
	return vm;
}

/**
 * el2_load() - Load a vCPU on this CPU.
 * @vm:		The VM.
 * @idx:	The vCPU.
 *
 * Return: what __pkvm_vcpu_load() returned.
 */
int el2_load(struct el2_vm *vm, unsigned int idx)
{
	return kvm_call_hyp_nvhe(__pkvm_vcpu_load, vm->handle, idx);
}

/**
 * el2_put() - Unload what is loaded on this CPU, if anything is.
 */
void el2_put(void)
{
	kvm_call_hyp_nvhe(__pkvm_vcpu_put);
}

static void *el2_alloc_table(void *arg)
{
	return (void *)__get_free_page(GFP_KERNEL);
}

static phys_addr_t el2_virt_to_phys(void *p)
{
	return __pa(p);
}

static void *el2_phys_to_virt(phys_addr_t phys)
{
	return __va(phys);
}

static void el2_free_table(void *p, void *arg)
{
	free_page((unsigned long)p);
}

/**
 * el2_topup() - Have as many pages ready for tables as one donation can take.
 * @test:	The test case.
 * @vm:		The VM.
 * @idx:	The vCPU whose memcache is filled.
 */
void el2_topup(struct kunit *test, struct el2_vm *vm, unsigned int idx)
{
	KUNIT_ASSERT_EQ(test, __topup_hyp_memcache(&vm->vcpu[idx]->arch.pkvm_memcache,
						   kvm_mmu_cache_min_pages(&vm->kvm->arch.mmu),
						   el2_alloc_table, el2_virt_to_phys, NULL), 0);
}

/**
 * el2_donate_raw() - Donate to the guest that is loaded, as is.
 * @vm:		The VM that is, or should be, loaded.
 * @idx:	Its vCPU.
 * @pfn:	The page.
 * @gfn:	The place in the guest.
 *
 * Return: what __pkvm_host_donate_guest() returned.
 */
int el2_donate_raw(struct el2_vm *vm, unsigned int idx, u64 pfn, u64 gfn)
{
	struct kvm_hyp_memcache *mc = &vm->vcpu[idx]->arch.pkvm_memcache;
	unsigned long before = mc->nr_pages;
	int ret = kvm_call_hyp_nvhe(__pkvm_host_donate_guest, pfn, gfn);

	vm->metadata += before - mc->nr_pages;
	return ret;
}

/**
 * el2_donate() - Donate a page to the guest that is loaded, with memory for its tables.
 * @vm:		The VM that is, or should be, loaded.
 * @idx:	Its vCPU.
 * @page:	The page.
 * @gfn:	The place in the guest.
 *
 * Return: what __pkvm_host_donate_guest() returned.
 */
int el2_donate(struct el2_vm *vm, unsigned int idx, struct page *page, u64 gfn)
{
	struct kunit *test = kunit_get_current_test();
	int ret;

	el2_topup(test, vm, idx);
	ret = el2_donate_raw(vm, idx, page_to_pfn(page), gfn);
	if (!ret)
		KUNIT_ASSERT_EQ(test, xa_err(xa_store(&vm->granules, gfn, page, GFP_KERNEL)), 0);
	return ret;
}

/**
 * el2_np_share() - Share pages with a non-protected VM.
 * @test:	The test case.
 * @vm:		The VM, its vCPU 0 loaded.
 * @pfn:	The first page.
 * @gfn:	Where to, in granules.
 * @nr:		How many pages.
 * @prot:	enum kvm_pgtable_prot.
 *
 * Return: what __pkvm_host_share_guest() returned.
 */
int el2_np_share(struct kunit *test, struct el2_vm *vm, u64 pfn, u64 gfn, u64 nr, u64 prot)
{
	struct kvm_hyp_memcache *mc = &vm->vcpu[0]->arch.pkvm_memcache;
	unsigned long before;
	int ret;

	el2_topup(test, vm, 0);
	before = mc->nr_pages;
	ret = kvm_call_hyp_nvhe(__pkvm_host_share_guest, pfn, gfn, nr, prot);
	vm->metadata += before - mc->nr_pages;
	return ret;
}

/**
 * el2_force_reclaim() - Take a page back from the guest that has it.
 * @pfn:	The page.
 *
 * Return: what __pkvm_host_force_reclaim() returned.
 */
int el2_force_reclaim(u64 pfn)
{
	return kvm_call_hyp_nvhe(__pkvm_host_force_reclaim, pfn);
}

/**
 * el2_take_all() - Unshare whatever was shared with a VM that is not protected.
 * @test:	The test case.
 * @vm:		The VM.
 */
void el2_take_all(struct kunit *test, struct el2_vm *vm)
{
	u64 end = BIT_ULL(EL2_IPA_BITS - PAGE_SHIFT);
	u64 gfn = 0;
	s64 done;

	while (gfn < end) {
		done = kvm_call_hyp_nvhe(__pkvm_host_unshare_guest_all, vm->handle, gfn);
		KUNIT_ASSERT_GT(test, done, 0);
		gfn += done;
	}
}

/**
 * el2_start_teardown() - Begin the end of a VM.
 * @vm:	The VM.
 *
 * Return: what __pkvm_start_teardown_vm() returned.
 */
int el2_start_teardown(struct el2_vm *vm)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, vm->handle);

	if (!ret)
		vm->dying = true;
	return ret;
}

/**
 * el2_reclaim() - Take a dying guest's pages back.
 * @vm:			The VM.
 * @gfn:		The first.
 * @nr_granules:	How many places to look at.
 *
 * Return: what __pkvm_reclaim_dying_guest() returned.
 */
int el2_reclaim(struct el2_vm *vm, u64 gfn, u64 nr_granules)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle, gfn, nr_granules);
	u64 i;

	for (i = 0; !ret && i < nr_granules; i++)
		xa_erase(&vm->granules, gfn + i);
	return ret;
}

/* Nothing of a VM may be left in what comes back, but for the link to the next page in front. */
static void el2_free_returned(void *p, void *arg)
{
	if (memchr_inv(p + sizeof(phys_addr_t), 0, PAGE_SIZE - sizeof(phys_addr_t)))
		KUNIT_FAIL(kunit_get_current_test(), "EL2 has left something in page 0x%llx",
			   (u64)__pa(p));
	free_page((unsigned long)p);
}

/**
 * el2_finalize() - Take one step of the end of a VM whose guest owns nothing any more.
 * @vm:	The VM.
 *
 * Frees what comes back, and fails the test if it is not zeroed (R3).
 *
 * Return: what __pkvm_finalize_teardown_vm() returned.
 */
int el2_finalize(struct el2_vm *vm)
{
	struct kvm_hyp_memcache *mc = &vm->kvm->arch.pkvm.teardown_mc;
	int ret = kvm_call_hyp_nvhe(__pkvm_finalize_teardown_vm, vm->handle);

	vm->metadata -= mc->nr_pages;
	__free_hyp_memcache(mc, el2_free_returned, el2_phys_to_virt, NULL);
	if (!ret)
		vm->handle = 0;
	return ret;
}

static void el2_teardown(struct kunit *test, struct el2_vm *vm)
{
	unsigned long gfn;
	struct page *page;
	int ret;

	if (!vm->dying && !vm->kvm->arch.pkvm.enabled)
		el2_take_all(test, vm);
	if (!vm->dying)
		KUNIT_EXPECT_EQ(test, el2_start_teardown(vm), 0);
	xa_for_each(&vm->granules, gfn, page)
		KUNIT_EXPECT_EQ(test, el2_reclaim(vm, gfn, 1), 0);
	do {
		ret = el2_finalize(vm);
	} while (ret == -EAGAIN);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ_MSG(test, vm->metadata, 0, "EL2 has kept pages of a VM that is gone");
}

static void el2_free(void *p, size_t size)
{
	if (p)
		free_pages_exact(p, size);
}

/**
 * el2_vm_destroy() - End a VM, however far it got, and expect everything to come back.
 * @test:	The test case.
 * @vm:		The VM, not loaded anywhere.
 */
void el2_vm_destroy(struct kunit *test, struct el2_vm *vm)
{
	unsigned int i;

	if (vm->handle)
		el2_teardown(test, vm);

	el2_free(vm->hyp_vm, pkvm_kunit_hyp_vm_size(vm->nr_vcpus));
	el2_free(vm->pgd, kvm_pgtable_stage2_pgd_size(el2_vtcr()));
	for (i = 0; i < vm->nr_vcpus; i++) {
		__free_hyp_memcache(&vm->vcpu[i]->arch.pkvm_memcache, el2_free_table,
				    el2_phys_to_virt, NULL);
		el2_free(vm->hyp_vcpu[i], pkvm_kunit_hyp_vcpu_size());
		el2_free_shared(test, vm->vcpu[i], sizeof(*vm->vcpu[i]));
	}
	if (vm->kvm)
		el2_free_shared(test, vm->kvm, sizeof(*vm->kvm));
	xa_destroy(&vm->granules);
	list_del(&vm->node);
}
