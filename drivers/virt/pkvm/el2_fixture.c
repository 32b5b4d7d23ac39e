// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fixture of the test cases for EL2, and its VMs. Rule (R1): after each test case it tears its
 * VMs down, and the host must own all of their pages again. The fixture leaks a page that the host
 * does not own, since the next access to it would abort.
 *
 * All functions may sleep, and must run in the test case's thread, which stays on one CPU.
 */
#include <kunit/test-bug.h>
#include <linux/cpumask.h>
#include <linux/gfp.h>
#include <linux/sched.h>
#include <linux/string.h>

#include <asm/kvm_mmu.h>
#include <asm/kvm_pkvm_kunit.h>

#include "el2_kunit.h"

/* EL2 loads a vCPU on one CPU, so keep the test case on it. */
static void el2_stay_on_cpu(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, set_cpus_allowed_ptr(current, cpumask_of(EL2_CPU)), 0);
}

/**
 * el2_fixture_init() - Test-case init. Skips the test case on a host that is not protected.
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
 * el2_fixture_exit() - Test-case exit: tears VMs down, and frees pages.
 * @test:	The test case; fails if the host does not get a page back.
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
			KUNIT_FAIL(test, "the host lost page 0x%llx", page_to_phys(page));
	}
}

static void *el2_alloc(struct kunit *test, size_t size)
{
	void *p = alloc_pages_exact(size, GFP_KERNEL | __GFP_ZERO);

	KUNIT_ASSERT_NOT_NULL(test, p);
	return p;
}

/* Allocate whole pages and share them with EL2. */
static void *el2_alloc_shared(struct kunit *test, size_t size)
{
	void *p = el2_alloc(test, PAGE_ALIGN(size));
	size_t offset;

	for (offset = 0; offset < size; offset += PAGE_SIZE)
		KUNIT_ASSERT_EQ(test, el2_share(virt_to_page(p + offset)), 0);
	return p;
}

/* Unshare and free. EL2 refuses to unshare a page that it still has pinned. */
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
 * el2_vm_alloc() - Allocate the host's structures of a protected VM, without a call to EL2.
 * @test:	The test case.
 * @nr_vcpus:	The number of vCPUs, at most EL2_MAX_VCPUS.
 *
 * Return: the VM, which el2_vm_destroy() or the end of the test case frees.
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
	vm->kvm->arch.pkvm.guest.fw_ipa = PVM_NO_FW;
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
 * el2_vm_add_sve() - Give SVE to the vCPUs of a protected VM.
 * @test:	The test case; skipped on a machine without SVE.
 * @vm:		The VM, before el2_init_vm().
 *
 * Allocates the memory for their SVE state, for the longest vectors of the machine.
 */
void el2_vm_add_sve(struct kunit *test, struct el2_vm *vm)
{
	unsigned int i;

	if (!pkvm_kunit_sve_size())
		kunit_skip(test, "the machine has no SVE");

	__set_bit(KVM_ARM_VCPU_SVE, vm->kvm->arch.vcpu_features);
	for (i = 0; i < vm->nr_vcpus; i++) {
		vcpu_set_flag(vm->vcpu[i], GUEST_HAS_SVE);
		vm->vcpu[i]->arch.sve_max_vl = SVE_VL_MAX;
		vm->sve[i] = el2_alloc(test, pkvm_kunit_sve_size());
	}
}

/**
 * el2_init_vm() - Create a VM at EL2.
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
 * el2_init_vcpu() - Create a vCPU at EL2.
 * @vm:		The VM.
 * @idx:	Index of the host's vCPU to pass. EL2 creates vCPUs in order.
 *
 * Return: the result of __pkvm_init_vcpu().
 */
int el2_init_vcpu(struct el2_vm *vm, unsigned int idx)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_init_vcpu, vm->handle, vm->vcpu[idx], vm->hyp_vcpu[idx],
				    vm->sve[idx]);

	if (ret)
		return ret;
	vm->metadata += pkvm_kunit_hyp_vcpu_size() / PAGE_SIZE;
	if (vm->sve[idx])
		vm->metadata += pkvm_kunit_sve_size() / PAGE_SIZE;
	vm->hyp_vcpu[idx] = NULL;
	vm->sve[idx] = NULL;
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
 * el2_vm_was_made() - Record that EL2 has made its side of a VM without el2_init_vm().
 * @vm:		The VM, with its handle or, if it is gone again, without.
 * @vcpu:	Whether its first vCPU was made as well.
 */
void el2_vm_was_made(struct el2_vm *vm, bool vcpu)
{
	vm->metadata += pkvm_kunit_hyp_vm_size(vm->nr_vcpus) / PAGE_SIZE;
	vm->metadata += kvm_pgtable_stage2_pgd_size(el2_vtcr()) / PAGE_SIZE;
	vm->hyp_vm = NULL;
	vm->pgd = NULL;
	if (!vcpu)
		return;
	vm->metadata += pkvm_kunit_hyp_vcpu_size() / PAGE_SIZE;
	vm->hyp_vcpu[0] = NULL;
}

/**
 * el2_vm_create() - Create a protected VM at EL2 with its vCPUs.
 * @test:	The test case; ends if that fails.
 * @nr_vcpus:	The number of vCPUs, at most EL2_MAX_VCPUS.
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
 * el2_np_vm_alloc() - Allocate a non-protected VM as el2_vm_alloc() does.
 * @test:	The test case.
 * @nr_vcpus:	The number of vCPUs, at most EL2_MAX_VCPUS.
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
 * el2_np_vm_create() - Create a non-protected VM as el2_vm_create() does.
 * @test:	The test case; ends if that fails.
 * @nr_vcpus:	The number of vCPUs, at most EL2_MAX_VCPUS.
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
 * Return: the result of __pkvm_vcpu_load().
 */
int el2_load(struct el2_vm *vm, unsigned int idx)
{
	return kvm_call_hyp_nvhe(__pkvm_vcpu_load, vm->handle, idx);
}

/**
 * el2_put() - Unload the vCPU of this CPU, if one is loaded.
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
 * el2_try_topup() - Have as many pages ready for tables as one donation can take.
 * @vm:		The VM.
 * @idx:	The vCPU whose memcache is filled.
 *
 * Return: how many pages were added.
 */
unsigned int el2_try_topup(struct el2_vm *vm, unsigned int idx)
{
	struct kvm_hyp_memcache *mc = &vm->vcpu[idx]->arch.pkvm_memcache;
	unsigned long before = mc->nr_pages;

	__topup_hyp_memcache(mc, kvm_mmu_cache_min_pages(&vm->kvm->arch.mmu), el2_alloc_table,
			     el2_virt_to_phys, NULL);
	return mc->nr_pages - before;
}

/**
 * el2_topup() - Fill a vCPU's memcache with the table pages that one donation can take.
 * @test:	The test case.
 * @vm:		The VM.
 * @idx:	The vCPU whose memcache is filled.
 */
void el2_topup(struct kunit *test, struct el2_vm *vm, unsigned int idx)
{
	el2_try_topup(vm, idx);
	KUNIT_ASSERT_GE(test, vm->vcpu[idx]->arch.pkvm_memcache.nr_pages,
			kvm_mmu_cache_min_pages(&vm->kvm->arch.mmu));
}

/**
 * el2_donate_raw() - Donate pages to the loaded guest, without filling the memcache.
 * @vm:		The VM that is, or should be, loaded.
 * @idx:	Its vCPU.
 * @pfns:	The pages, as many as @nr says but not more than a call can donate.
 * @gfn:	The gfn of the first page in the guest.
 * @nr:		The number of pages.
 *
 * Return: the result of __pkvm_host_donate_guest().
 */
int el2_donate_raw(struct el2_vm *vm, unsigned int idx, const u64 *pfns, u64 gfn, u64 nr)
{
	struct kvm_vcpu_arch *arch = &vm->vcpu[idx]->arch;
	unsigned long before = arch->pkvm_memcache.nr_pages;
	int ret;

	memcpy(arch->pkvm.donation, pfns, min(nr, PKVM_DONATE_MAX_GRANULES) * sizeof(*pfns));
	ret = kvm_call_hyp_nvhe(__pkvm_host_donate_guest, gfn, nr);
	vm->metadata += before - arch->pkvm_memcache.nr_pages;
	return ret;
}

/**
 * el2_donate_run() - Fill the memcache, and donate pages to the loaded guest.
 * @vm:		The VM that is, or should be, loaded.
 * @idx:	Its vCPU.
 * @pages:	The pages.
 * @gfn:	The gfn of the first page in the guest.
 * @nr:		The number of pages, at most PKVM_DONATE_MAX_GRANULES.
 *
 * Return: the result of __pkvm_host_donate_guest().
 */
int el2_donate_run(struct el2_vm *vm, unsigned int idx, struct page **pages, u64 gfn, u64 nr)
{
	struct kunit *test = kunit_get_current_test();
	u64 pfns[PKVM_DONATE_MAX_GRANULES];
	int ret, i;

	for (i = 0; i < nr; i++)
		pfns[i] = page_to_pfn(pages[i]);
	el2_topup(test, vm, idx);
	ret = el2_donate_raw(vm, idx, pfns, gfn, nr);
	for (i = 0; i < ret; i++)
		KUNIT_ASSERT_EQ(test, xa_err(xa_store(&vm->granules, gfn + i, pages[i],
						      GFP_KERNEL)), 0);
	return ret;
}

/**
 * el2_donate() - Fill the memcache, and donate a page to the loaded guest.
 * @vm:		The VM that is, or should be, loaded.
 * @idx:	Its vCPU.
 * @page:	The page.
 * @gfn:	The gfn in the guest.
 *
 * Return: 0, or the error of __pkvm_host_donate_guest().
 */
int el2_donate(struct el2_vm *vm, unsigned int idx, struct page *page, u64 gfn)
{
	int ret = el2_donate_run(vm, idx, &page, gfn, 1);

	return ret == 1 ? 0 : ret;
}

/**
 * el2_np_share() - Share pages with a non-protected VM, or where a protected one has guards.
 * @test:	The test case.
 * @vm:		The VM, its vCPU 0 loaded.
 * @pfn:	The first page.
 * @gfn:	The first gfn in the guest.
 * @nr:		The number of pages.
 * @prot:	enum kvm_pgtable_prot.
 *
 * Return: the result of __pkvm_host_share_guest().
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
 * el2_force_reclaim() - Reclaim a page by force from the guest that owns it.
 * @pfn:	The page.
 *
 * Return: the result of __pkvm_host_force_reclaim().
 */
int el2_force_reclaim(u64 pfn)
{
	return kvm_call_hyp_nvhe(__pkvm_host_force_reclaim, pfn);
}

/**
 * el2_take_all() - Unshare all pages that the host shares with a VM.
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
 * el2_start_teardown() - Start the teardown of a VM.
 * @vm:	The VM.
 *
 * Return: the result of __pkvm_start_teardown_vm().
 */
int el2_start_teardown(struct el2_vm *vm)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_start_teardown_vm, vm->handle);

	if (!ret)
		vm->dying = true;
	return ret;
}

/**
 * el2_reclaim() - Reclaim pages of a dying VM.
 * @vm:			The VM.
 * @gfn:		The first gfn.
 * @nr_granules:	The number of gfns.
 *
 * Return: the result of __pkvm_reclaim_dying_guest().
 */
int el2_reclaim(struct el2_vm *vm, u64 gfn, u64 nr_granules)
{
	int ret = kvm_call_hyp_nvhe(__pkvm_reclaim_dying_guest, vm->handle, gfn, nr_granules);
	u64 i;

	for (i = 0; !ret && i < nr_granules; i++)
		xa_erase(&vm->granules, gfn + i);
	return ret;
}

/* Free a returned page, which must be zero except for the link to the next page at its start. */
static void el2_free_returned(void *p, void *arg)
{
	if (memchr_inv(p + sizeof(phys_addr_t), 0, PAGE_SIZE - sizeof(phys_addr_t)))
		KUNIT_FAIL(kunit_get_current_test(), "EL2 did not zero page 0x%llx",
			   (u64)__pa(p));
	free_page((unsigned long)p);
}

/**
 * el2_finalize() - Make one step of finalizing the teardown of a VM that owns no pages.
 * @vm:	The VM.
 *
 * Frees the returned pages, and fails the test if one is not zeroed (R3).
 *
 * Return: the result of __pkvm_finalize_teardown_vm().
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

	if (!vm->dying)
		el2_take_all(test, vm);
	if (!vm->dying)
		KUNIT_EXPECT_EQ(test, el2_start_teardown(vm), 0);
	xa_for_each(&vm->granules, gfn, page)
		KUNIT_EXPECT_EQ(test, el2_reclaim(vm, gfn, 1), 0);
	do {
		ret = el2_finalize(vm);
	} while (ret == -EAGAIN);
	KUNIT_EXPECT_EQ(test, ret, 0);
	KUNIT_EXPECT_EQ_MSG(test, vm->metadata, 0, "EL2 kept metadata pages of a dead VM");
}

static void el2_free(void *p, size_t size)
{
	if (p)
		free_pages_exact(p, size);
}

/**
 * el2_vm_destroy() - Tear down a VM in any state, and expect all pages back.
 * @test:	The test case.
 * @vm:		The VM, not loaded on any CPU.
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
		el2_free(vm->sve[i], pkvm_kunit_sve_size());
		el2_free_shared(test, vm->vcpu[i], sizeof(*vm->vcpu[i]));
	}
	if (vm->kvm)
		el2_free_shared(test, vm->kvm, sizeof(*vm->kvm));
	xa_destroy(&vm->granules);
	list_del(&vm->node);
}
