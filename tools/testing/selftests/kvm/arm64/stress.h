/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the stress test: VMMs whose VMs use their memory, processes that put the host's
 * memory under pressure, and the counts of all of them.
 *
 * Each value that is written has a tag that says who may read it. A guest writes STRESS_SECRET to
 * private pages and STRESS_PUBLIC to shared pages; the host writes STRESS_PLAIN to its own pages.
 */
#ifndef SELFTEST_KVM_STRESS_H
#define SELFTEST_KVM_STRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STRESS_TAG_MASK		0xffffffff00000000UL
#define STRESS_SECRET		0x5ec2e70000000000UL
#define STRESS_PUBLIC		0x9b11c00000000000UL
#define STRESS_PLAIN		0x9a11000000000000UL

#define STRESS_VCPUS		4
/* The size of a VM's memory: a huge page. */
#define STRESS_VM_SIZE		(2UL << 20)

/* The counts, in memory that all processes of the test share. */
struct stress_counts {
	atomic_ulong stores;
	atomic_ulong loads;
	atomic_ulong shares;
	atomic_ulong unshares;
	atomic_ulong refused;
	atomic_ulong host_denied;
	atomic_ulong paged_out;
};

struct stress_vm {
	bool protected;
	/* MAP_SHARED for memory of the memfd, MAP_PRIVATE for anonymous memory. */
	int flags;
	int memfd;
	uint64_t seed;
	struct stress_counts *counts;
};

uint64_t stress_random(uint64_t *state);
int stress_vmm(const struct stress_vm *config);

int stress_add_swap(void);
int stress_pressure(unsigned int kind, uint64_t seed);
#define STRESS_PRESSURES	4

#endif /* SELFTEST_KVM_STRESS_H */
