/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stack canary: a word that the compiler puts behind the arrays of a stack frame and
 * checks before the function returns. Rule: a function whose arrays were overrun does not
 * return.
 */
#ifndef PVMFW_CANARY_H
#define PVMFW_CANARY_H

#include <stdnoreturn.h>

#include "types.h"

/**
 * canary_init() - Choose the canary. entry.S calls it before any function that checks it.
 *
 * The canary comes from the hypervisor's TRNG or the CPU's RNDR, which the host cannot
 * observe. Without both it comes from the counter, which the host can guess: it then finds
 * accidental overruns but does not stop an attack.
 */
void canary_init(void);

/** The canary, under the name that the compiler uses. */
extern unsigned long __stack_chk_guard;

/**
 * __stack_chk_fail() - Report that a stack frame was overrun, and reset the VM. Compiled
 *	code calls it.
 */
noreturn void __stack_chk_fail(void);

#endif
