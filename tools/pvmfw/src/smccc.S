/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * smccc_hvc(): R0 to R3 are where the C calling convention has put them. SMCCC
 * 1.1 keeps x4 to x17, so the pointer to the results survives in x4 on a
 * hypervisor of that version; it is kept on the stack for one that follows 1.0.
 */
	.text
	.global	smccc_hvc
	.type	smccc_hvc, %function
smccc_hvc:
	str	x4, [sp, #-16]!
	mov	x4, xzr
	hvc	#0
	ldr	x4, [sp], #16
	stp	x0, x1, [x4]
	stp	x2, x3, [x4, #16]
	ret
	.size	smccc_hvc, . - smccc_hvc
