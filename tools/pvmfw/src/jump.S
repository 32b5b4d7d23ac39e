/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fw_jump(): enter a kernel by its boot protocol: MMU and caches off, interrupts
 * masked, x0 = device tree. The code is part of the identity map and of a clean
 * image, and touches no memory.
 */
#include "layout.h"
#include "pgtable_hw.h"

	.text
	.global	fw_jump
	.type	fw_jump, %function
fw_jump:
	msr	daifset, #0xf
	mov	x4, x0
	mov	x0, x1
	movz	x1, #(SCTLR_RES1 & 0xffff)
	movk	x1, #(SCTLR_RES1 >> 16), lsl #16
	dsb	sy
	msr	sctlr_el1, x1
	isb
	ic	iallu
	tlbi	vmalle1
	dsb	nsh
	isb
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	br	x4
	.size	fw_jump, . - fw_jump
