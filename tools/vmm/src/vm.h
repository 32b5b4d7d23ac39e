/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM of KVM: its address space and its interrupt controller. Rule: every function prints its
 * errors on standard error, except vm_map_window() and vm_unmap_window(). All are for the main
 * thread before the run, except these two and vm_set_irq().
 */
#ifndef VMM_VM_H
#define VMM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/kvm.h>
#include <linux/pkvm.h>

#include "memory.h"

struct vm {
	int kvm_fd;
	int fd;
	int gic_fd;
	bool protected_vm;
	/* Width of its guest physical addresses. */
	unsigned int ipa_bits;
	/* Features of its vCPUs: bits KVM_ARM_VCPU_*. */
	uint32_t vcpu_features;
	/* Bytes of a vCPU's struct kvm_run. */
	size_t run_size;
	/* Bytes of its memory; 0 until it is mapped. */
	uint64_t memory_size;
	/* Memslots of windows can come and go, and have these flags. */
	bool has_windows;
	uint32_t window_flags;
};

/**
 * vm_create() - Create a VM.
 * @vm: filled in
 * @protected_vm: create a protected VM
 *
 * The caller must call vm_destroy() even after an error.
 *
 * Return: 0; -ENODEV if KVM has another API version; or the negative errno of open() or of an
 * ioctl() of KVM, among them -EINVAL if the host has no protected VMs.
 */
int vm_create(struct vm *vm, bool protected_vm);

/**
 * vm_choose_features() - Choose the features of the vCPUs.
 * @vm: the VM, without vCPUs yet
 * @wanted: CPU_FEATURE_* of options.h
 * @must: a feature that the VM cannot have is an error; otherwise it is left out
 *
 * Return: 0, or -ENODEV if @must is set and the VM cannot have a feature.
 */
int vm_choose_features(struct vm *vm, unsigned int wanted, bool must);

/**
 * vm_load_firmware() - Make the hypervisor load the host's firmware, in which vCPU 0 starts.
 * @vm: a protected VM
 * @address: guest physical address, a multiple of the page size
 * @limit: bytes of room at @address
 *
 * Return: 0; -ENOENT if the host has no firmware; -EFBIG if it is larger than @limit; or the
 * negative errno of KVM_ENABLE_CAP.
 */
int vm_load_firmware(struct vm *vm, uint64_t address, uint64_t limit);

/**
 * vm_map_memory() - Give the VM its memory.
 * @vm: the VM
 * @memory: guest memory, which must outlive the VM
 *
 * Return: 0; -E2BIG if it exceeds the VM's address width; or the negative errno of
 * KVM_SET_USER_MEMORY_REGION.
 */
int vm_map_memory(struct vm *vm, const struct guest_memory *memory);

/**
 * vm_map_window() - Put memory of the host into the guest's address space; for windows.
 * @vm: struct vm, with has_windows set
 * @number: number of the window, counted from 0
 * @address: guest physical address
 * @memory: the memory
 * @size: its bytes
 *
 * Any thread, but one call at a time for a window.
 *
 * Return: 0, or the negative errno of KVM_SET_USER_MEMORY_REGION.
 */
int vm_map_window(void *vm, unsigned int number, uint64_t address, void *memory, uint64_t size);

/**
 * vm_unmap_window() - Take that memory away again.
 * @vm: struct vm
 * @number: number of the window
 *
 * Return: as vm_map_window().
 */
int vm_unmap_window(void *vm, unsigned int number);

/**
 * vm_create_gic() - Give the VM a GICv3 at the addresses of layout.h.
 * @vm: the VM; all of its vCPUs exist
 * @nr_vcpus: number of vCPUs
 *
 * Return: 0, or the negative errno of KVM_CREATE_DEVICE or KVM_SET_DEVICE_ATTR.
 */
int vm_create_gic(struct vm *vm, unsigned int nr_vcpus);

/**
 * vm_set_irq() - Set the level of a shared interrupt; for struct irq_line.
 * @controller: struct vm
 * @spi: its number, counted from 0
 * @level: true requests an interrupt
 *
 * Any thread. An error is a warning.
 */
void vm_set_irq(void *controller, unsigned int spi, bool level);

/**
 * vm_destroy() - Close the VM; the host destroys it if its vCPUs are closed too.
 * @vm: from vm_create(), whether that succeeded or not
 */
void vm_destroy(struct vm *vm);

#endif /* VMM_VM_H */
