/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs before the firmware in tests of its start: puts another device tree where
 * the VMM's was, and enters the firmware as the test asks. boot.py appends the
 * parameters: what to enter with in x0 (0: what the VMM gave), where to enter,
 * where the tree goes, its length (a multiple of 8), the tree.
 *
 * The firmware's first instruction is "mov x20, x0"; a branch to here stands in
 * its place, so this code does what it did.
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
