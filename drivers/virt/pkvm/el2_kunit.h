/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the EL2 suites. The test cases make the hypercalls of a faulty or hostile host, on
 * pages and VMs of their own (el2_fixture.c).
 */
#ifndef __PKVM_EL2_KUNIT_H__
#define __PKVM_EL2_KUNIT_H__

#include <kunit/test.h>
#include <linux/kvm_host.h>
#include <linux/list.h>
#include <linux/xarray.h>

#include <asm/kvm_pkvm_guest.h>

/* The size of the IPA space of the VMs under test, in bits. */
#define EL2_IPA_BITS		40

#define EL2_MAX_VCPUS		2

/* The CPU that test cases run on, and another one. */
#define EL2_CPU			0
#define EL2_OTHER_CPU		1

/* Calls that do not exist, or are only for boot or for a host that is trusted. */
#define EL2_NR_REFUSED_CALLS	18
extern const u32 el2_refused_calls[EL2_NR_REFUSED_CALLS];

/**
 * struct el2_vm - A VM at EL2, created without KVM.
 * @node:	In el2_fixture.vms.
 * @kvm:	The host's structure, shared with EL2, which reads a few fields.
 * @vcpu:	The host's vCPUs, shared with EL2.
 * @nr_vcpus:	The number of vCPUs.
 * @hyp_vm:	Pages for EL2's VM, which EL2 owns from el2_init_vm() on.
 * @pgd:	Pages for the top level of the stage-2, likewise.
 * @hyp_vcpu:	Pages for EL2's vCPUs; NULL once EL2 owns them, after el2_init_vcpu().
 * @sve:	Pages for the SVE state of these vCPUs, likewise; NULL for a vCPU without SVE.
 * @handle:	The handle, or 0.
 * @dying:	Whether the teardown has started.
 * @metadata:	The number of pages for the VM itself that EL2 has not returned yet.
 * @granules:	gfn => page that the guest owns.
 */
struct el2_vm {
	struct list_head	node;
	struct kvm		*kvm;
	struct kvm_vcpu		*vcpu[EL2_MAX_VCPUS];
	unsigned int		nr_vcpus;
	void			*hyp_vm;
	void			*pgd;
	void			*hyp_vcpu[EL2_MAX_VCPUS];
	void			*sve[EL2_MAX_VCPUS];
	pkvm_handle_t		handle;
	bool			dying;
	unsigned long		metadata;
	struct xarray		granules;
};

/**
 * struct el2_fixture - The pages and VMs of a test case; test->priv.
 * @test:	The test case.
 * @vms:	Its VMs.
 * @pages:	Its pages, by page->lru.
 */
struct el2_fixture {
	struct kunit		*test;
	struct list_head	vms;
	struct list_head	pages;
};

int el2_fixture_init(struct kunit *test);
void el2_fixture_exit(struct kunit *test);

struct page *el2_page(struct kunit *test);
int el2_write(void *to, u64 value);
bool el2_readable(struct page *page);
bool el2_holds_pattern(struct page *page);
bool el2_holds_zeroes(struct page *page);
void el2_expect_owned(struct kunit *test, struct page *page);
void el2_expect_lost(struct kunit *test, struct page *page);

int el2_share(struct page *page);
int el2_unshare(struct page *page);

struct el2_vm *el2_vm_alloc(struct kunit *test, unsigned int nr_vcpus);
void el2_vm_add_sve(struct kunit *test, struct el2_vm *vm);
int el2_init_vm(struct el2_vm *vm);
int el2_init_vcpu(struct el2_vm *vm, unsigned int idx);
void el2_vm_was_made(struct el2_vm *vm, bool vcpu);
struct el2_vm *el2_vm_create(struct kunit *test, unsigned int nr_vcpus);
struct el2_vm *el2_np_vm_alloc(struct kunit *test, unsigned int nr_vcpus);
struct el2_vm *el2_np_vm_create(struct kunit *test, unsigned int nr_vcpus);

int el2_load(struct el2_vm *vm, unsigned int idx);
void el2_put(void);
unsigned int el2_try_topup(struct el2_vm *vm, unsigned int idx);
void el2_topup(struct kunit *test, struct el2_vm *vm, unsigned int idx);
int el2_donate_raw(struct el2_vm *vm, unsigned int idx, const u64 *pfns, u64 gfn, u64 nr);
int el2_donate_run(struct el2_vm *vm, unsigned int idx, struct page **pages, u64 gfn, u64 nr);
int el2_donate(struct el2_vm *vm, unsigned int idx, struct page *page, u64 gfn);

int el2_np_share(struct kunit *test, struct el2_vm *vm, u64 pfn, u64 gfn, u64 nr, u64 prot);

int el2_force_reclaim(u64 pfn);
void el2_take_all(struct kunit *test, struct el2_vm *vm);

int el2_start_teardown(struct el2_vm *vm);
int el2_reclaim(struct el2_vm *vm, u64 gfn, u64 nr_granules);
int el2_finalize(struct el2_vm *vm);
void el2_vm_destroy(struct kunit *test, struct el2_vm *vm);

#endif /* __PKVM_EL2_KUNIT_H__ */
