/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exception vectors for el2_host_test.c that skip the faulting instruction, and leave its syndrome
 * in x0.
 */
#include <linux/linkage.h>

	.text
	.balign	2048
SYM_CODE_START(el2_skip_vectors)
	.space	0x200
	/* From the current exception level, with its own stack pointer: synchronous. */
	mrs	x0, elr_el1
	add	x0, x0, #4
	msr	elr_el1, x0
	mrs	x0, esr_el1
	eret
	.balign	2048
SYM_CODE_END(el2_skip_vectors)
