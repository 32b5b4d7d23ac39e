/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bare VMs for the tests of protected KVM. User space can only set pc and x0..x3 of a protected
 * vCPU, so it cannot run the guests of the KVM selftest library, which need page tables and more
 * registers. The guest of these VMs needs none of that: a test commands it step by step
 * (pvm_channel.h), and checks each step in guest and host.
 *
 * One thread at a time may use a vCPU. IPAs and sizes are in bytes.
 */
#ifndef SELFTEST_KVM_PVM_H
#define SELFTEST_KVM_PVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/arm-smccc.h>
#include <linux/kvm.h>
#include <linux/pkvm.h>
#include <linux/psci.h>

#include "pvm_channel.h"

/* The layout of the guest's IPA space. */
#define PVM_CHANNEL_IPA		0x10000UL	/* one channel for each vCPU, no memslot */
#define PVM_CODE_IPA		0x80000000UL	/* slot 0, the guest's code */
#define PVM_DATA_IPA		0x90000000UL	/* slot 1, the test's memory */
#define PVM_CODE_SLOT		0
#define PVM_DATA_SLOT		1
#define PVM_FREE_SLOT		2		/* the first slot number for a test */

#define PVM_MAX_VCPUS		8

/* Short names of the guests' hypercalls. */
#define HVC_SMCCC_VERSION	ARM_SMCCC_VERSION_FUNC_ID
#define HVC_ARCH_FEATURES	ARM_SMCCC_ARCH_FEATURES_FUNC_ID
#define HVC_PSCI_VERSION	PSCI_0_2_FN_PSCI_VERSION
#define HVC_PSCI_SUSPEND	PSCI_0_2_FN64_CPU_SUSPEND
#define HVC_PSCI_SYSTEM_OFF	PSCI_0_2_FN_SYSTEM_OFF
#define HVC_PSCI_SYSTEM_RESET	PSCI_0_2_FN_SYSTEM_RESET
#define HVC_PSCI_FEATURES	PSCI_1_0_FN_PSCI_FEATURES
#define HVC_PSCI_CPU_OFF	PSCI_0_2_FN_CPU_OFF
#define HVC_PSCI_CPU_ON		PSCI_0_2_FN64_CPU_ON
#define HVC_PSCI_AFFINITY_INFO	PSCI_0_2_FN64_AFFINITY_INFO
#define HVC_CALL_UID		ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID
#define HVC_FEATURES		ARM_SMCCC_VENDOR_HYP_KVM_FEATURES_FUNC_ID
#define HVC_HYP_MEMINFO		ARM_SMCCC_VENDOR_HYP_KVM_HYP_MEMINFO_FUNC_ID
#define HVC_MEM_SHARE		ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
#define HVC_MEM_UNSHARE		ARM_SMCCC_VENDOR_HYP_KVM_MEM_UNSHARE_FUNC_ID
#define HVC_GUARD_INFO		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_INFO_FUNC_ID
#define HVC_GUARD_ENROLL	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID
#define HVC_GUARD_MAP		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID
#define HVC_GUARD_UNMAP		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_UNMAP_FUNC_ID
#define HVC_MEM_RELINQUISH	ARM_SMCCC_VENDOR_HYP_KVM_MEM_RELINQUISH_FUNC_ID
#define HVC_RGUARD_MAP		ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_MAP_FUNC_ID
#define HVC_RGUARD_UNMAP	ARM_SMCCC_VENDOR_HYP_KVM_MMIO_RGUARD_UNMAP_FUNC_ID

#define HVC_SUCCESS		((long)SMCCC_RET_SUCCESS)
#define HVC_NOT_SUPPORTED	((long)SMCCC_RET_NOT_SUPPORTED)
#define HVC_INVALID_PARAMETER	((long)SMCCC_RET_INVALID_PARAMETER)

/* The limit of a call on a range, in granules, and for guards in leaves of the guest's stage-2. */
#define PVM_RANGE_MAX		256
/* The limit of MEM_UNSHARE, in granules of 4 KiB. */
#define PVM_UNSHARE_MAX		64

/* Op0, Op1, CRn, CRm and Op2 of a system register, where MRS and MSR have them. */
#define PVM_SYSREG(op0, op1, crn, crm, op2)						\
	((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5)
/* Instructions for pvm_insn(). */
#define PVM_MRS_X0(sysreg)	(0xd5200000U | (sysreg))
#define PVM_MSR_X0(sysreg)	(0xd5000000U | (sysreg))

struct pvm;

struct pvm_vcpu {
	struct pvm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;

	/* IPA of its channel, outside the memslots. */
	uint64_t channel;

	/* The current command and its results. */
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
	/* KVM_CREATE_VM's. */
	unsigned long type;
	size_t run_size;
	unsigned int nr_vcpus;
	struct pvm_vcpu vcpus[PVM_MAX_VCPUS];

	uint8_t *code;
	size_t code_size;

	/* MMIO at these IPAs reads as 0, and does not end pvm_run(). */
	uint64_t zero_ipa;
	uint64_t zero_size;

	/* The memory behind slot 1, NULL if there is none. */
	uint8_t *data;
	size_t data_size;
};

/**
 * struct pvm_setup - The settings of a new VM
 * @type: KVM_CREATE_VM's type.
 * @nr_vcpus: up to PVM_MAX_VCPUS.
 * @data_size: bytes of anonymous memory in slot 1, rounded up to pages; 0 for no slot 1.
 * @features: bits of KVM_ARM_VCPU_*: features that the vCPUs have beside the usual ones; SVE is
 *	finalized.
 * @without: bits of KVM_ARM_VCPU_*: usual features that the vCPUs do not have.
 * @prepare: if not NULL, called before the VM has vCPUs and slots; returns 0 or a negative errno.
 */
struct pvm_setup {
	unsigned long type;
	unsigned int nr_vcpus;
	size_t data_size;
	uint32_t features;
	uint32_t without;
	int (*prepare)(struct pvm *vm);
};

/* A step of PVM_BATCH, in the guest's memory. */
struct pvm_step {
	uint64_t command;	/* PVM_HVC, PVM_LOAD, PVM_STORE */
	uint64_t regs[4];	/* x0..x3: its arguments, then its results */
	uint64_t unused[3];
};

/* pvm_hvc() returns this if KVM_RUN failed before the call returned. */
#define PVM_HVC_LOST		INT64_MIN

bool pvm_host_is_protected(void);

int pvm_create_vm_fd(unsigned long type);
int pvm_create(struct pvm *vm, unsigned long type, unsigned int nr_vcpus, size_t data_size);
int pvm_create_features(struct pvm *vm, unsigned long type, unsigned int nr_vcpus,
			size_t data_size, uint32_t features);
int pvm_create_as(struct pvm *vm, const struct pvm_setup *setup);
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
int pvm_insn(struct pvm_vcpu *vcpu, uint32_t code, uint64_t x0, uint64_t x1, uint64_t x2);
int64_t pvm_hvc(struct pvm_vcpu *vcpu, uint32_t function, uint64_t x1, uint64_t x2, uint64_t x3);
int64_t pvm_share(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_unshare(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_relinquish(struct pvm_vcpu *vcpu, uint64_t ipa);
int64_t pvm_range(struct pvm_vcpu *vcpu, uint32_t function, uint64_t ipa, uint64_t granules);
int64_t pvm_enroll(struct pvm *vm);
int pvm_cpu_on(struct pvm *vm, unsigned int index);

#endif /* SELFTEST_KVM_PVM_H */
