/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU and its exits.
 *
 * Rule (R4): the VMM sets entry point and first argument of vCPU 0 before the first run, and
 * accesses no register of a protected vCPU afterwards.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "vm.h"
#include "window.h"

/* vcpu_run() returned because the run is ending for another reason. */
#define VCPU_STOPPED	(-1)

struct vcpu {
	const struct vm *vm;
	/* The windows of the VM, NULL if it has none. */
	struct windows *windows;
	unsigned int index;
	int fd;
	struct kvm_run *run;
};

/**
 * vcpu_create() - Create a vCPU. All but vCPU 0 wait for PSCI CPU_ON.
 * @vcpu: filled in
 * @vm: its VM, which must outlive it
 * @index: its number, counted from 0
 *
 * Prints every error on standard error. The caller must call vcpu_destroy() even after an error.
 *
 * Return: 0, or the negative errno of mmap() or of an ioctl() of KVM.
 */
int vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int index);

/**
 * vcpu_set_entry() - Set where a vCPU starts.
 * @vcpu: vCPU 0, before its first run
 * @pc: guest physical address
 * @x0: value of x0
 *
 * Return: 0, or the negative errno of KVM_SET_ONE_REG, reported on standard error.
 */
int vcpu_set_entry(struct vcpu *vcpu, uint64_t pc, uint64_t x0);

/**
 * vcpu_install_kick() - Install the handler of vcpu_kick_signal(), once for the process.
 *
 * Return: 0, or the negative errno of sigaction().
 */
int vcpu_install_kick(void);

/**
 * vcpu_kick_signal() - Get the signal that makes a thread in vcpu_run() call @stopping.
 *
 * Return: a signal number for pthread_kill().
 */
int vcpu_kick_signal(void);

/**
 * vcpu_run() - Run a vCPU in this thread until the run ends.
 * @vcpu: the vCPU
 * @bus: handles its MMIO accesses
 * @stopping: called before each entry of the guest; true if the run is ending
 *
 * Return: an exit status of options.h if this vCPU ends the run, after an error was reported on
 * standard error; VCPU_STOPPED if @stopping returned true.
 */
int vcpu_run(struct vcpu *vcpu, const struct bus *bus, bool (*stopping)(void));

/**
 * vcpu_destroy() - Close a vCPU.
 * @vcpu: from vcpu_create(), whether that succeeded or not; no thread runs it
 */
void vcpu_destroy(struct vcpu *vcpu);

#endif /* VMM_VCPU_H */
