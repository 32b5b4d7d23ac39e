/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions. Rule: the first access to a page of a device (guard.h) is handled; every other
 * exception is fatal.
 */
#ifndef PVMFW_EXCEPTION_H
#define PVMFW_EXCEPTION_H

#include "guard.h"
#include "types.h"

/**
 * struct exception_frame - The registers at an exception, as entry.S stores
 *	them.
 * @x: x0 to x30
 * @sp: SP_EL0, the stack pointer of C code
 * @elr: ELR_EL1, where it happened
 * @spsr: SPSR_EL1, the processor state there
 * @esr: ESR_EL1, the syndrome
 * @far: FAR_EL1, the faulting address, if the exception has one
 */
struct exception_frame {
	u64 x[31];
	u64 sp;
	u64 elr;
	u64 spsr;
	u64 esr;
	u64 far;
};

/**
 * exception_set_guard() - Set the guard that handles first accesses to devices.
 * @guard: the guard, used at every fault from now on
 */
void exception_set_guard(struct guard *guard);

/**
 * exception_handle() - Handle an exception.
 * @frame: the registers
 * @vector: number of the vector, 0 to 15
 *
 * Only entry.S calls it, on the exception stack. Returns if the instruction can be repeated.
 * Otherwise prints the reason and the registers, unless the exception happened in the
 * handler, and resets the VM.
 */
void exception_handle(const struct exception_frame *frame, u64 vector);

#endif
