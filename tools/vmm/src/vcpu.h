/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU, and what becomes of its exits.
 */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "bus.h"
#include "vm.h"

/* vcpu_run() ended because somebody else ended the run. */
#define VCPU_STOPPED	(-1)

struct vcpu {
	const struct vm *vm;
	unsigned int index;
	int fd;
	struct kvm_run *run;
};

/**
 * vcpu_create() - Create a vCPU; all but the first wait for PSCI CPU_ON.
 * @vcpu: what to fill in
 * @vm: its VM
 * @index: its number, from 0
 *
 * Says on standard error what is wrong. After an error vcpu_destroy() is still
 * to be called.
 *
 * Return: 0, or a negative errno.
 */
int vcpu_create(struct vcpu *vcpu, const struct vm *vm, unsigned int index);

/**
 * vcpu_set_entry() - Say where the vCPU starts.
 * @vcpu: vCPU 0, before its first run
 * @pc: guest physical address
 * @x0: first argument
 *
 * Return: 0, or a negative errno, reported on standard error.
 */
int vcpu_set_entry(struct vcpu *vcpu, uint64_t pc, uint64_t x0);

/**
 * vcpu_install_kick() - Make vcpu_kick_signal() interrupt vcpu_run().
 *
 * Return: 0, or the negative errno of sigaction().
 */
int vcpu_install_kick(void);

/**
 * vcpu_kick_signal() - The signal that makes a thread in vcpu_run() look at @stopping.
 *
 * Return: a signal number, to be sent to that thread by pthread_kill().
 */
int vcpu_kick_signal(void);

/**
 * vcpu_run() - Run the vCPU in this thread until the VM ends.
 * @vcpu: the vCPU
 * @bus: what answers its MMIO accesses
 * @stopping: tells whether the run is over
 *
 * Return: an exit status of options.h if this vCPU ends the run, an error being
 * reported on standard error; or VCPU_STOPPED.
 */
int vcpu_run(struct vcpu *vcpu, const struct bus *bus, bool (*stopping)(void));

/**
 * vcpu_destroy() - Let go of the vCPU.
 * @vcpu: from vcpu_create(), whether that succeeded or not; no thread runs it
 */
void vcpu_destroy(struct vcpu *vcpu);

#endif /* VMM_VCPU_H */
