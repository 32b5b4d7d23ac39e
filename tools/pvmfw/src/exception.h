/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exceptions: all of them are fatal, but for the first access to a page of a
 * device (guard.h).
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
 * @elr: where it happened
 * @spsr: the processor state there
 * @esr: the syndrome
 * @far: the faulting address, if the syndrome has one
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
 * exception_set_guard() - Say who guards devices.
 * @guard: called at faults from now on
 */
void exception_set_guard(struct guard *guard);

/**
 * exception_handle() - Handle an exception.
 * @frame: the registers
 * @vector: which of the sixteen vectors was taken
 *
 * Called by entry.S alone, on the exception stack. Comes back if the instruction
 * can be made again; else prints the registers and the reason, and resets the
 * VM.
 */
void exception_handle(const struct exception_frame *frame, u64 vector);

#endif
