/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The word that the compiler puts behind the arrays of a stack frame, to find one that
 * was overrun before the function returns into what was written there.
 */
#ifndef PVMFW_CANARY_H
#define PVMFW_CANARY_H

#include "types.h"

/**
 * canary_init() - Choose the word; called by entry.S before any function that has one.
 *
 * It comes from a source that the host does not see, the hypervisor's or the CPU's, if
 * there is one. Else it comes from the counter, which the host can guess: it then finds
 * mistakes, and stops nobody who makes them on purpose.
 */
void canary_init(void);

/** The word, under the name that the compiler knows. */
extern unsigned long __stack_chk_guard;

/**
 * __stack_chk_fail() - Report that a frame was overrun, and reset; called by the
 *	compiler's code.
 */
void __noreturn __stack_chk_fail(void);

#endif
