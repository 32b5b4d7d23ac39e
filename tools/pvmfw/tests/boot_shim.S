/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * boot.py puts this code before the firmware, to change how the firmware is entered. It
 * copies another device tree into memory and enters the firmware. boot.py appends the
 * parameters: x0 for the firmware (0: the VMM's x0), the address to enter, the address and
 * the length (a multiple of 8) of the tree, the tree.
 *
 * boot.py replaces the firmware's first instruction, "mov x20, x0", by a branch to this code,
 * which therefore sets x20 instead.
 */
	.text
	.global	_start
_start:
	adr	x1, params
	ldp	x20, x5, [x1], #16
	ldp	x2, x3, [x1], #16
1:	cbz	x3, 2f
	ldr	x4, [x1], #8
	str	x4, [x2], #8
	sub	x3, x3, #8
	b	1b
2:	cbnz	x20, 3f
	mov	x20, x0
3:	br	x5
	.balign	8
params:
