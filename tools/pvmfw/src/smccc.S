/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * smccc_hvc(). The C calling convention passes the function id and three arguments in x0 to
 * x3, as SMCCC wants them. The pointer to the results (x4) is saved on the stack: SMCCC 1.0
 * does not preserve x4 to x17. x4 is cleared so that the hypervisor gets no stray argument.
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
