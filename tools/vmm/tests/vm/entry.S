/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry of the test guest (guest.c). CPU 0 starts at _start with x0 = device tree, the others by
 * CPU_ON at secondary_entry with x0 = their number. vm.py writes the parameter into the image.
 */
	.section .text.entry, "ax"
	.global	_start
_start:
	b	1f
	.balign	8
	.global	parameter
parameter:
	.quad	0
1:	mov	x0, #0
	.global	secondary_entry
secondary_entry:
	adr	x1, vectors
	msr	vbar_el1, x1
	isb
	/* Each CPU has a stack of 16 KiB; that of CPU 0 is the last one. */
	ldr	x1, =stack_end
	sub	x1, x1, x0, lsl #14
	mov	sp, x1
	b	guest_main

	.balign	2048
vectors:
	.rept	16
	.balign	128
	b	guest_exception
	.endr
