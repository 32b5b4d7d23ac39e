/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM of KVM: its address space and its interrupt controller.
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>

#include "memory.h"

#ifndef KVM_VM_TYPE_ARM_PROTECTED
#define KVM_VM_TYPE_ARM_PROTECTED	0x80000000UL
#endif

#ifndef KVM_CAP_ARM_PROTECTED_VM
#define KVM_CAP_ARM_PROTECTED_VM	0xffbadab1
#endif

struct vm {
	int kvm_fd;
	int fd;
	int gic_fd;
	bool protected_vm;
	/* Bits of its guest physical addresses. */
	unsigned int ipa_bits;
	/* What its vCPUs have: bits of KVM_ARM_VCPU_*. */
	uint32_t vcpu_features;
	/* Bytes of a vCPU's struct kvm_run. */
	size_t run_size;
	/* Bytes of its memory; 0 until it is mapped. */
	uint64_t memory_size;
};

/**
 * vm_create() - Create a VM.
 * @vm: what to fill in
 * @protected_vm: hide its memory from the host
 *
 * All functions of this file say on standard error what is wrong. After an
 * error vm_destroy() is still to be called.
 *
 * Return: 0, or a negative errno.
 */
int vm_create(struct vm *vm, bool protected_vm);

/**
 * vm_choose_features() - Choose what the vCPUs have.
 * @vm: the VM, without vCPUs yet
 * @wanted: CPU_FEATURE_* of options.h
 * @must: whether each of them has to be there; else what the VM can have of it is taken
 *
 * Return: 0, or -ENODEV if the VM cannot have what it must.
 */
int vm_choose_features(struct vm *vm, unsigned int wanted, bool must);

/**
 * vm_load_firmware() - Have the VM start in the firmware that the host has for it.
 * @vm: the VM, protected
 * @address: guest physical address, a multiple of the page size
 * @limit: bytes that there is room for
 *
 * Return: 0; -ENOENT if the host has none; -EFBIG if it is too large; or another
 * negative errno.
 */
int vm_load_firmware(struct vm *vm, uint64_t address, uint64_t limit);

/**
 * vm_map_memory() - Give the VM its memory.
 * @vm: the VM
 * @memory: what to map, at the addresses that it says
 *
 * Return: 0, or a negative errno.
 */
int vm_map_memory(struct vm *vm, const struct guest_memory *memory);

/**
 * vm_create_gic() - Give the VM a GICv3 where layout.h wants it.
 * @vm: the VM, all vCPUs of which exist
 * @nr_vcpus: how many these are
 *
 * Return: 0, or a negative errno.
 */
int vm_create_gic(struct vm *vm, unsigned int nr_vcpus);

/**
 * vm_set_irq() - Drive a shared interrupt; for struct irq_line.
 * @controller: struct vm
 * @spi: number, from 0
 * @level: true asks for an interrupt
 *
 * Any thread.
 */
void vm_set_irq(void *controller, unsigned int spi, bool level);

/**
 * vm_destroy() - Let go of the VM; the host takes it apart if its vCPUs are gone.
 * @vm: from vm_create(), whether that succeeded or not
 */
void vm_destroy(struct vm *vm);

#endif /* VMM_VM_H */
