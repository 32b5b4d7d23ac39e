/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fw_jump(): enter a kernel by the Linux boot protocol: MMU and caches off, interrupts
 * masked, x0 = device tree, x1 to x3 = 0. This code accesses no memory, is mapped 1:1 and is
 * clean to the point of coherency, so it survives turning the MMU off.
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
