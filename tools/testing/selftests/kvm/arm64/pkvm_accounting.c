// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: SecPageTables in /proc/meminfo counts a VM's stage-2 tables, whether the host or EL2 has
 * them, and no longer counts them when the VM is dead. R7: the tables that a protected guest needs
 * for its guards are limited.
 */
#include <linux/sizes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "pvm.h"
#include "pvm_probe.h"

/* The number of pages so far from each other that each needs a table. */
#define AREAS			128
#define SPARSE_SLOT		PVM_FREE_SLOT
#define SPARSE_IPA		0xc0000000UL
/* The bytes that a last-level table covers. */
#define SPAN			((uint64_t)getpagesize() * (getpagesize() / 8))
#define GUARDS_IPA		0x200000000UL
/* PVM_MAX_GUARD_TABLES of the kernel. */
#define MAX_GUARD_TABLES	((uint64_t)SZ_64M / getpagesize())
#define TIMEOUT			200
/* The tolerance: tables above the last level, and tables of other processes. */
#define NOISE			64

FIXTURE(accounting) {
	struct pvm vm;
	struct pvm_vcpu *vcpu;
	uint8_t *sparse;
	size_t sparse_size;
	long before;
};

FIXTURE_VARIANT(accounting) {
	unsigned long type;
};

FIXTURE_VARIANT_ADD(accounting, protected) { .type = KVM_VM_TYPE_ARM_PROTECTED };
FIXTURE_VARIANT_ADD(accounting, np) { .type = 0 };

/* In pages. Writing to stat_refresh adds the parts of the count that are per CPU. */
static long secondary_tables(void)
{
	if (pvm_write("/proc/sys/vm/stat_refresh", "1"))
		return -1;
	return pvm_proc_number("/proc/meminfo", "SecPageTables") * 1024 / getpagesize();
}

FIXTURE_SETUP(accounting)
{
	uint64_t value;

	if (variant->type == KVM_VM_TYPE_ARM_PROTECTED && !pvm_host_is_protected())
		SKIP(return, "the host is not protected");

	self->before = secondary_tables();
	ASSERT_LE(0, self->before);
	ASSERT_EQ(0, pvm_create(&self->vm, variant->type, 1, getpagesize()));
	self->vcpu = &self->vm.vcpus[0];
	self->sparse_size = AREAS * SPAN;
	self->sparse = mmap(NULL, self->sparse_size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	ASSERT_NE(MAP_FAILED, self->sparse);
	ASSERT_EQ(0, madvise(self->sparse, self->sparse_size, MADV_NOHUGEPAGE));
	ASSERT_EQ(0, pvm_set_slot(&self->vm, SPARSE_SLOT, 0, SPARSE_IPA, self->sparse_size,
				  self->sparse));
	ASSERT_EQ(0, pvm_load(self->vcpu, PVM_DATA_IPA, &value));
}

FIXTURE_TEARDOWN(accounting)
{
	long after;

	pvm_free(&self->vm);
	munmap(self->sparse, self->sparse_size);
	after = secondary_tables();
	EXPECT_GE(self->before + NOISE, after);
	EXPECT_LE(self->before - NOISE, after);
}

TEST_F(accounting, tables_for_memory)
{
	long start = secondary_tables(), now;

	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, SPARSE_IPA, 1, AREAS, SPAN));
	now = secondary_tables();
	EXPECT_LE(start + AREAS - NOISE, now);
	EXPECT_GE(start + AREAS + NOISE, now);
}

/* The guest guards a page here and there, each of which needs a table, until it gets no more. */
TEST_F_TIMEOUT(accounting, tables_for_guards, TIMEOUT)
{
	const uint64_t wanted = MAX_GUARD_TABLES + NOISE;
	uint64_t guarded, value;
	long start, now;

	if (variant->type != KVM_VM_TYPE_ARM_PROTECTED)
		SKIP(return, "a non-protected guest has no guards");

	start = secondary_tables();
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_HVC_SWEEP, HVC_GUARD_MAP, GUARDS_IPA, wanted,
				 SPAN));
	guarded = self->vcpu->results[0];
	/* Some of the tables are above the last level, or for memory. */
	EXPECT_GE(MAX_GUARD_TABLES, guarded);
	EXPECT_LE(MAX_GUARD_TABLES - NOISE, guarded);
	EXPECT_EQ(wanted - guarded, self->vcpu->results[1]);
	now = secondary_tables();
	EXPECT_GE(start + (long)MAX_GUARD_TABLES + NOISE, now);
	EXPECT_LE(start + (long)MAX_GUARD_TABLES - NOISE, now);

	/* A guard that needs no table is put, and so is one that needs a table that became free. */
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP, GUARDS_IPA + getpagesize(), 0,
				       0));
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_UNMAP, GUARDS_IPA + SPAN, 0, 0));
	EXPECT_EQ(HVC_SUCCESS, pvm_hvc(self->vcpu, HVC_GUARD_MAP,
				       GUARDS_IPA + SPAN + getpagesize(), 0, 0));
	EXPECT_EQ(HVC_INVALID_PARAMETER,
		  pvm_hvc(self->vcpu, HVC_GUARD_MAP, GUARDS_IPA + (wanted + 1) * SPAN, 0, 0));

	/* The guest still gets tables for memory. */
	ASSERT_EQ(0, pvm_command(self->vcpu, PVM_FILL, SPARSE_IPA, 7, AREAS, SPAN));
	ASSERT_EQ(0, pvm_load(self->vcpu, SPARSE_IPA + (AREAS - 1) * SPAN, &value));
	EXPECT_EQ(7, value);
}

TEST_HARNESS_MAIN
