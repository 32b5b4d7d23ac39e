// SPDX-License-Identifier: GPL-2.0-only
/*
 * MMIO_RGUARD_MAP and MMIO_RGUARD_UNMAP: guards on ranges, which EL2 keeps as the largest leaves
 * that fit, and which it splits to remove a part.
 *
 * R1: an IPA never has both a guard and memory, also when two vCPUs race. R5: the host gets the
 * tables for guards back. R6: a call visits up to PVM_RANGE_MAX leaves. R7: a call does exactly
 * what it reports. Guards on one page are in pkvm_mmio_guard.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

#define PAGE		((uint64_t)getpagesize())
/* The sizes of blocks one and two levels above pages, in granules. */
#define BLOCK		(PAGE / sizeof(uint64_t))
#define BIG_BLOCK	(BLOCK * BLOCK)

#define DATA_PAGES	256UL
#define TIMEOUT		120

/* IPAs without a slot, with room for blocks. */
#define DEVICE_IPA	0x20000000UL
#define BIG_IPA		(8 * BIG_BLOCK * PAGE)

FIXTURE(guards) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
};

FIXTURE_SETUP(guards)
{
	if (!pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	ASSERT_EQ(0, pvm_create(&self->vm, KVM_VM_TYPE_ARM_PROTECTED, 2, DATA_PAGES * PAGE));
	self->vcpu = &self->vm.vcpus[0];
}

FIXTURE_TEARDOWN(guards)
{
	pvm_free(&self->vm);
}

/* Count the guarded granules, by KVM's statistics. */
static uint64_t guarded(const struct pvm *vm)
{
	return pvm_kvm_stat(vm->fd, "protected_bytes_guarded") / PAGE;
}

/* Make a call that must do @done granules of the range; 0: that EL2 must refuse. */
static void expect_done(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			uint32_t function, uint64_t ipa, uint64_t granules, uint64_t done)
{
	EXPECT_EQ(done ? HVC_SUCCESS : HVC_INVALID_PARAMETER,
		  pvm_hvc(vcpu, function, ipa, granules, 0));
	EXPECT_EQ(done, vcpu->results[1]) {
		TH_LOG("%#lx granules from IPA %#lx", granules, ipa);
	}
	EXPECT_EQ(0, vcpu->results[2]);
	EXPECT_EQ(0, vcpu->results[3]);
}

/* Have an enrolled guest store: the store must be MMIO with a guard, and abort without. */
static void expect_guard(struct __test_metadata *const _metadata, struct pvm_vcpu *vcpu,
			 uint64_t ipa, bool guard)
{
	EXPECT_EQ(guard ? -EPROTO : -EIO, pvm_store(vcpu, ipa, 1)) {
		TH_LOG("store at %#lx", ipa);
	}
	if (guard) {
		EXPECT_EQ(ipa, vcpu->run->mmio.phys_addr);
		ASSERT_EQ(0, pvm_run(vcpu));
	} else {
		EXPECT_EQ(ipa, vcpu->exception.far);
	}
}

/* R6: a call stops after PVM_RANGE_MAX leaves of a last-level table. */
TEST_F(guards, counts)
{
	static const struct {
		uint64_t granules;
		uint64_t done;
	} counts[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 2 }, { 255, 255 }, { 256, 256 }, { 257, 256 },
		{ 511, 256 }, { 512, 256 }, { 513, 256 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		const uint64_t ipa = DEVICE_IPA + PAGE;

		expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, ipa, counts[i].granules,
			    counts[i].done);
		EXPECT_EQ(counts[i].done, guarded(&self->vm));
		expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, ipa, counts[i].granules,
			    counts[i].done);
		EXPECT_EQ(0, guarded(&self->vm));
	}
}

/* EL2 keeps an aligned range as one leaf for each block, without further tables. */
TEST_F(guards, blocks)
{
	uint64_t value;
	long tables;

	/* The first run creates the VM at EL2. */
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
	tables = pvm_stat("metadata_pages_donated");
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA, BLOCK, BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA + BLOCK * PAGE, 16 * BLOCK,
		    16 * BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, BIG_IPA, BIG_BLOCK, BIG_BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, BIG_IPA + BIG_BLOCK * PAGE,
		    4 * BIG_BLOCK, 4 * BIG_BLOCK);
	EXPECT_EQ(17 * BLOCK + 5 * BIG_BLOCK, guarded(&self->vm));
	/* One table for each block of the lower level would be more than this limit. */
	EXPECT_GT(10, pvm_stat("metadata_pages_donated") - tables);

	/* A granule that is guarded already counts as done. */
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, BIG_IPA, 5 * BIG_BLOCK, 5 * BIG_BLOCK);
	EXPECT_EQ(17 * BLOCK + 5 * BIG_BLOCK, guarded(&self->vm));

	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, DEVICE_IPA, 64 * BLOCK, 17 * BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, BIG_IPA, ~0UL, 5 * BIG_BLOCK);
	EXPECT_EQ(0, guarded(&self->vm));
}

/* A range that is not aligned takes several calls, which guard exactly the range. */
TEST_F(guards, parts_of_blocks)
{
	const uint64_t first = DEVICE_IPA + 3 * PAGE, nr = 2 * BLOCK + 1;
	const uint64_t behind = first + nr * PAGE;

	ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_MAP, first, nr));
	EXPECT_EQ(nr, guarded(&self->vm));
	ASSERT_EQ(HVC_SUCCESS, pvm_enroll(&self->vm));
	expect_guard(_metadata, self->vcpu, first - 8, false);
	expect_guard(_metadata, self->vcpu, first, true);
	expect_guard(_metadata, self->vcpu, DEVICE_IPA + BLOCK * PAGE - 8, true);
	expect_guard(_metadata, self->vcpu, DEVICE_IPA + BLOCK * PAGE, true);
	expect_guard(_metadata, self->vcpu, behind - 8, true);
	expect_guard(_metadata, self->vcpu, behind, false);
}

/* UNMAP of a page removes only that page from a block of either size. */
TEST_F(guards, split)
{
	const uint64_t sizes[] = { BLOCK, BIG_BLOCK };
	uint64_t channels;

	ASSERT_EQ(HVC_SUCCESS, pvm_enroll(&self->vm));
	channels = guarded(&self->vm);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const uint64_t middle = BIG_IPA + (sizes[i] / 2 + 5) * PAGE;
		const uint64_t end = BIG_IPA + sizes[i] * PAGE;

		expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, BIG_IPA, sizes[i], sizes[i]);
		expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, middle, 1, 1);
		EXPECT_EQ(channels + sizes[i] - 1, guarded(&self->vm));
		expect_guard(_metadata, self->vcpu, middle, false);
		expect_guard(_metadata, self->vcpu, middle + PAGE - 8, false);
		expect_guard(_metadata, self->vcpu, middle - 8, true);
		expect_guard(_metadata, self->vcpu, middle + PAGE, true);
		expect_guard(_metadata, self->vcpu, BIG_IPA, true);
		expect_guard(_metadata, self->vcpu, end - 8, true);
		expect_guard(_metadata, self->vcpu, end, false);

		/* These pages have no guard any more: EL2 refuses both calls. */
		expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, middle, 8, 0);
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, middle, 0, 0));
		EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, BIG_IPA, 0, 0));
		expect_guard(_metadata, self->vcpu, BIG_IPA, false);
		expect_guard(_metadata, self->vcpu, BIG_IPA + PAGE, true);

		/* A call on the whole range fills the gaps. */
		ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_MAP, BIG_IPA, sizes[i]));
		expect_guard(_metadata, self->vcpu, middle, true);
		EXPECT_EQ(channels + sizes[i], guarded(&self->vm));
		ASSERT_LT(0, pvm_range(self->vcpu, HVC_RGUARD_UNMAP, BIG_IPA, sizes[i]));
		expect_guard(_metadata, self->vcpu, middle - 8, false);
		EXPECT_EQ(channels, guarded(&self->vm));
	}
}

/* R1: a call ends before private or shared memory, and does not change it. */
TEST_F(guards, memory_in_the_range)
{
	const uint64_t ipa = PVM_DATA_IPA, memory = ipa + 8 * PAGE;
	uint64_t value;

	ASSERT_EQ(0, pvm_store(self->vcpu, memory, 42));
	for (int shared = 0; shared < 2; shared++) {
		expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, ipa, 16, 8);
		EXPECT_EQ(8, guarded(&self->vm));
		expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, memory, 8, 0);
		expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, memory, 8, 0);
		expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, ipa, 16, 8);
		EXPECT_EQ(0, guarded(&self->vm));
		ASSERT_EQ(0, pvm_load(self->vcpu, memory, &value));
		EXPECT_EQ(42, value);
		if (!shared)
			ASSERT_EQ(HVC_SUCCESS, pvm_share(self->vcpu, memory));
	}
	EXPECT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, memory));
}

/* R1: the host cannot donate a page to a guarded IPA, on an access or on MEM_SHARE. */
TEST_F(guards, guards_in_a_slot)
{
	uint64_t value;

	self->vm.data[5 * PAGE] = 42;
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, PVM_DATA_IPA, 16, 16);
	expect_done(_metadata, self->vcpu, HVC_MEM_SHARE, PVM_DATA_IPA + 5 * PAGE, 16, 0);
	EXPECT_EQ(16, guarded(&self->vm));
	EXPECT_EQ(42, self->vm.data[5 * PAGE]);

	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, PVM_DATA_IPA, 6, 6);
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA + 5 * PAGE, &value));
	EXPECT_EQ(42, value);
	EXPECT_EQ(10, guarded(&self->vm));
	/* KVM_RUN reports an access to a guard in a slot to the VMM. */
	EXPECT_EQ(-EFAULT, pvm_load(self->vcpu, PVM_DATA_IPA + 6 * PAGE, &value));
}

/* A call of any length ends at the end of the IPA space. */
TEST_F(guards, ends_of_the_ipa_space)
{
	uint64_t end;

	end = 1UL << ioctl(self->vm.kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_ARM_VM_IPA_SIZE);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, end - PAGE, 1UL << 52, 1);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, end - PAGE, ~0UL, 1);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, end - BIG_BLOCK * PAGE, 1UL << 52,
		    BIG_BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, end - BIG_BLOCK * PAGE, 1UL << 63,
		    BIG_BLOCK);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, end, 1, 0);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, end, 1, 0);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, -PAGE, 2, 0);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, 0, 8, 8);
	expect_done(_metadata, self->vcpu, HVC_RGUARD_UNMAP, 0, 16, 8);
	EXPECT_EQ(0, guarded(&self->vm));
}

TEST_F(guards, bad_arguments)
{
	static const struct {
		uint64_t offset;
		uint64_t granules;
		uint64_t reserved;
	} bad[] = {
		{ 1, 4, 0 }, { 8, 4, 0 }, { 0x800, 4, 0 }, { 0xfff, 4, 0 }, { 1UL << 52, 4, 0 },
		{ 1UL << 63, 4, 0 }, { 0, 0, 0 }, { 0, 4, 1 }, { 0, 4, 1UL << 63 },
	};

	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA, 4, 4);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, HVC_RGUARD_MAP,
				  DEVICE_IPA + 4 * PAGE + bad[i].offset, bad[i].granules,
				  bad[i].reserved));
		EXPECT_EQ(HVC_INVALID_PARAMETER,
			  pvm_hvc(self->vcpu, HVC_RGUARD_UNMAP, DEVICE_IPA + bad[i].offset,
				  bad[i].granules, bad[i].reserved));
		EXPECT_EQ(4, guarded(&self->vm));
	}
}

/* Guards and the enrollment by one vCPU apply to all vCPUs. */
TEST_F(guards, every_vcpu)
{
	struct pvm_vcpu *other = &self->vm.vcpus[1];

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, pvm_store(other, PVM_DATA_IPA, 1));
	expect_done(_metadata, self->vcpu, HVC_RGUARD_MAP, DEVICE_IPA, BLOCK, BLOCK);
	ASSERT_EQ(HVC_SUCCESS, pvm_enroll(&self->vm));
	expect_guard(_metadata, other, DEVICE_IPA + 7 * PAGE, true);
	expect_guard(_metadata, other, DEVICE_IPA - 8, false);
	expect_done(_metadata, other, HVC_RGUARD_UNMAP, DEVICE_IPA, BLOCK, BLOCK);
	expect_guard(_metadata, self->vcpu, DEVICE_IPA + 7 * PAGE, false);
}

/* R5: EL2 uses freed tables for the next guards. */
TEST_F(guards, tables_reused)
{
	long tables = 0;

	for (unsigned int round = 0; round < 16; round++) {
		for (uint64_t i = 0; i < 8; i++)
			ASSERT_EQ(HVC_SUCCESS,
				  pvm_hvc(self->vcpu, HVC_RGUARD_MAP,
					  BIG_IPA + (i * BIG_BLOCK + i) * PAGE, 1, 0));
		for (uint64_t i = 0; i < 8; i++)
			ASSERT_EQ(HVC_SUCCESS,
				  pvm_hvc(self->vcpu, HVC_RGUARD_UNMAP,
					  BIG_IPA + (i * BIG_BLOCK + i) * PAGE, 1, 0));
		/* In the first rounds the host fills the vCPU's stock of tables. */
		if (round < 2)
			tables = pvm_stat("metadata_pages_donated");
		EXPECT_EQ(tables, pvm_stat("metadata_pages_donated"));
	}
}

/* R5: when a VM with guards of all sizes dies, the host gets all tables back. */
TEST_F(guards, tables_returned)
{
	for (uint64_t i = 0; i < 32; i++) {
		ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_RGUARD_MAP,
					       BIG_IPA + i * BIG_BLOCK * PAGE,
					       BIG_BLOCK / 2 + i, 0));
		ASSERT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_RGUARD_UNMAP,
					       BIG_IPA + (i * BIG_BLOCK + 5) * PAGE, 1 + i, 0));
	}
	pvm_kill(&self->vm);
	EXPECT_EQ(pvm_stat("metadata_pages_donated"), pvm_stat("metadata_pages_returned"));
}

struct sweep {
	struct pvm_vcpu *vcpu;
	pthread_barrier_t *start;
	uint32_t function;
	uint64_t ipa;
	uint64_t step;
	int err;
};

static void *do_sweep(void *arg)
{
	struct sweep *sweep = arg;

	pthread_barrier_wait(sweep->start);
	sweep->err = pvm_command(sweep->vcpu, PVM_HVC_SWEEP, sweep->function, sweep->ipa,
				 DATA_PAGES, sweep->step);
	return NULL;
}

/*
 * R1: one vCPU guards page after page, and another shares them from the end backwards, for which
 * the host donates memory. Each page gets a guard or memory, never both, and all counts agree.
 */
TEST_F_TIMEOUT(guards, race_with_memory, TIMEOUT)
{
	pthread_barrier_t start;
	bool met = false;

	ASSERT_EQ(0, pvm_cpu_on(&self->vm, 1));
	ASSERT_EQ(0, pthread_barrier_init(&start, NULL, 2));
	for (int round = 0; round < 8; round++) {
		struct sweep sweeps[2] = {
			{ &self->vm.vcpus[0], &start, HVC_GUARD_MAP, PVM_DATA_IPA, PAGE },
			{ &self->vm.vcpus[1], &start, HVC_MEM_SHARE,
			  PVM_DATA_IPA + (DATA_PAGES - 1) * PAGE, -PAGE },
		};
		uint64_t *guards = self->vm.vcpus[0].results, *pages = self->vm.vcpus[1].results;
		pthread_t threads[2];

		for (int i = 0; i < 2; i++)
			ASSERT_EQ(0, pthread_create(&threads[i], NULL, do_sweep, &sweeps[i]));
		for (int i = 0; i < 2; i++) {
			ASSERT_EQ(0, pthread_join(threads[i], NULL));
			ASSERT_EQ(0, sweeps[i].err);
		}
		/* Exactly one of the two calls succeeded for each page. */
		EXPECT_EQ(DATA_PAGES, guards[0] + guards[1]);
		EXPECT_EQ(DATA_PAGES, pages[0] + pages[1]);
		EXPECT_EQ(DATA_PAGES, guards[0] + pages[0]);
		EXPECT_EQ(guards[0], guarded(&self->vm));
		EXPECT_EQ(pages[0] * PAGE,
			  pvm_kvm_stat(self->vm.fd, "protected_bytes_shared"));
		met |= guards[0] && pages[0];

		/* The host gets all pages back for another round. */
		for (uint64_t i = 0; i < DATA_PAGES; i++) {
			uint64_t ipa = PVM_DATA_IPA + i * PAGE;

			if (pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, ipa, 0, 0) == HVC_SUCCESS)
				continue;
			ASSERT_EQ(HVC_SUCCESS, pvm_unshare(self->vcpu, ipa));
			ASSERT_EQ(HVC_SUCCESS, pvm_relinquish(self->vcpu, ipa));
		}
	}
	EXPECT_TRUE(met);
	pthread_barrier_destroy(&start);
}

TEST_HARNESS_MAIN
