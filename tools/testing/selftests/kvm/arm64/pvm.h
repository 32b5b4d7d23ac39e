/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bare VMs for the tests of protected KVM. A protected vCPU takes no more than a pc and x0..x3, so
 * the page tables, descriptors and registers that the guests of the harness start with cannot be
 * given to it. These guests need none: a test commands them step by step (pvm_channel.h), and
 * sees each step from both sides.
 *
 * A vCPU is for one thread at a time. IPAs and sizes are in bytes.
 */
#ifndef SELFTEST_KVM_PVM_H
#define SELFTEST_KVM_PVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/kvm.h>

#include "pvm_channel.h"

/* Where things lie in the guest's IPA space. */
#define PVM_CHANNEL_IPA		0x10000UL	/* one channel for each vCPU, no memslot */
#define PVM_CODE_IPA		0x80000000UL	/* slot 0, the guest's code */
#define PVM_DATA_IPA		0x90000000UL	/* slot 1, the test's memory */
#define PVM_CODE_SLOT		0
#define PVM_DATA_SLOT		1
#define PVM_FREE_SLOT		2		/* for more, from here on */

#define PVM_MAX_VCPUS		8

/* Guest hypercalls: the ABI, in numbers rather than as the kernel's headers have it. */
#define HVC_SMCCC_VERSION	0x80000000UL
#define HVC_ARCH_FEATURES	0x80000001UL
#define HVC_TRNG_VERSION	0x84000050UL
#define HVC_PSCI_VERSION	0x84000000UL
#define HVC_PSCI_SYSTEM_OFF	0x84000008UL
#define HVC_PSCI_SYSTEM_RESET	0x84000009UL
#define HVC_PSCI_FEATURES	0x8400000aUL
#define HVC_PSCI_CPU_OFF	0x84000002UL
#define HVC_PSCI_CPU_ON		0xc4000003UL
#define HVC_PSCI_AFFINITY_INFO	0xc4000004UL
#define HVC_CALL_UID		0x8600ff01UL
#define HVC_FEATURES		0x86000000UL
#define HVC_HYP_MEMINFO		0xc6000002UL
#define HVC_MEM_SHARE		0xc6000003UL
#define HVC_MEM_UNSHARE		0xc6000004UL
#define HVC_GUARD_INFO		0xc6000005UL
#define HVC_GUARD_ENROLL	0xc6000006UL
#define HVC_GUARD_MAP		0xc6000007UL
#define HVC_GUARD_UNMAP		0xc6000008UL
#define HVC_MEM_RELINQUISH	0xc6000009UL
#define HVC_RGUARD_MAP		0xc600000aUL
#define HVC_RGUARD_UNMAP	0xc600000bUL

#define HVC_SUCCESS		0L
#define HVC_NOT_SUPPORTED	(-1L)
#define HVC_INVALID_PARAMETER	(-3L)

/* A call on a range does no more granules than this, and no more leaves of the guest's stage-2. */
#define PVM_RANGE_MAX		256

struct pvm;

struct pvm_vcpu {
	struct pvm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;

	/* IPA of its channel; where no memslot is. */
	uint64_t channel;

	/* The command under way, and what came of it. */
	uint64_t command;
	uint64_t args[4];
	uint64_t results[4];
	struct {
		uint64_t esr;
		uint64_t far;
		uint64_t elr;
	} exception;

	/* KVM_SYSTEM_EVENT_*, if pvm_run() returned -ESHUTDOWN. */
	uint32_t event;
};

struct pvm {
	int kvm_fd;
	int fd;
	size_t run_size;
	unsigned int nr_vcpus;
	struct pvm_vcpu vcpus[PVM_MAX_VCPUS];

	uint8_t *code;
	size_t code_size;

	/* The memory behind slot 1, NULL if there is none. */
	uint8_t *data;
	size_t data_size;
};

/* What PVM_BATCH does, in the guest's memory. */
struct pvm_step {
	uint64_t command;	/* PVM_HVC, PVM_LOAD, PVM_STORE */
	uint64_t regs[4];	/* x0..x3: its arguments, then its results */
	uint64_t unused[3];
};

/* What pvm_hvc() returns for a call that did not come back. */
#define PVM_HVC_LOST		INT64_MIN

bool pvm_host_is_protected(void);

int pvm_create_vm_fd(unsigned long type);
int pvm_create(struct pvm *vm, unsigned long type, unsigned int nr_vcpus, size_t data_size);
int pvm_create_features(struct pvm *vm, unsigned long type, unsigned int nr_vcpus,
			size_t data_size, uint32_t features);
int pvm_copy_code(void *memory, size_t size);
void pvm_kill(struct pvm *vm);
void pvm_free(struct pvm *vm);

int pvm_set_slot(struct pvm *vm, unsigned int slot, uint32_t flags, uint64_t ipa, uint64_t size,
		 void *memory);
int pvm_get_reg(struct pvm_vcpu *vcpu, uint64_t id, uint64_t *value);
int pvm_set_reg(struct pvm_vcpu *vcpu, uint64_t id, uint64_t value);

int pvm_run(struct pvm_vcpu *vcpu);
int pvm_command(struct pvm_vcpu *vcpu, uint64_t command, uint64_t arg0, uint64_t arg1,
		uint64_t arg2, uint64_t arg3);
int pvm_command_to_end(struct pvm_vcpu *vcpu, uint64_t command, uint64_t arg0, uint64_t arg1,
		       uint64_t arg2, uint64_t arg3);
int pvm_load(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t *value);
int pvm_store(struct pvm_vcpu *vcpu, uint64_t ipa, uint64_t value);
int64_t pvm_hvc(struct pvm_vcpu *vcpu, uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3);
int64_t pvm_share(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_unshare(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_relinquish(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_range(struct pvm_vcpu *vcpu, uint32_t function, uint64_t ipa, uint64_t granules);
int64_t pvm_enroll(struct pvm *vm);
int pvm_cpu_on(struct pvm *vm, unsigned int index);

#endif /* SELFTEST_KVM_PVM_H */
