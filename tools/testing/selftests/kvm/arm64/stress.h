/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of the stress test: VMMs whose VMs work on their memory, a host that does not leave
 * memory in peace, and what they count together.
 *
 * Each word that is written anywhere says who may see it. A guest writes STRESS_SECRET to what is
 * private and STRESS_PUBLIC to what it shares; the host leaves STRESS_PLAIN in what no guest has.
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
/* Memory of one VM: a huge page's worth, of which a part belongs to no vCPU alone. */
#define STRESS_VM_SIZE		(2UL << 20)

/* In memory that all processes of the test share. */
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
	/* MAP_SHARED or MAP_PRIVATE: whether the VM's memory is the memfd's or anonymous. */
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
