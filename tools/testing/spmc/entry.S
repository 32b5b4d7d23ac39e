/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * EL3: reset, SMCs, and the entry of EL2.
 *
 * Every CPU starts here at reset. The code runs in flash, where QEMU loads the image, and its
 * data lies in secure RAM. The MMU of EL3 stays off.
 */
#include "spmc.h"

	.section .text.entry, "ax"
	.global _start
_start:
	mrs	x19, mpidr_el1
	and	x19, x19, #0xff
	cmp	x19, #SPMC_MAX_CPUS
	b.hs	hang

	adr	x0, vectors
	msr	vbar_el3, x0
	ldr	x0, =stacks
	add	x1, x19, #1
	add	x0, x0, x1, lsl #SPMC_STACK_SHIFT
	mov	sp, x0
	isb

	mov	x0, x19
	bl	spmc_cpu_reset

/* The CPU is off until another CPU passes an entry point for it to CPU_ON. */
off:
	mov	x0, x19
	bl	spmc_cpu_wait

	/* x0 is the struct spmc_cpu of this CPU. */
	ldp	x1, x0, [x0]
	msr	elr_el3, x1
	mov	x1, #SPMC_SPSR_EL2
	msr	spsr_el3, x1
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	isb
	eret

hang:
	wfe
	b	hang

/* x2 to x30, of a struct spmc_regs at sp. */
	.macro	each_register, op
	.irp	n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, \
		   24, 25, 26, 27, 28, 29, 30
	\op	x\n, [sp, #(8 * \n)]
	.endr
	.endm

/* An SMC of a lower exception level: C code gets the registers and changes them. */
smc:
	stp	x0, x1, [sp, #-256]!
	each_register str

	mrs	x19, mpidr_el1
	and	x19, x19, #0xff
	mrs	x1, esr_el3
	lsr	x1, x1, #26
	cmp	x1, #SPMC_EC_SMC64
	b.ne	hang

	mov	x0, sp
	mov	x1, x19
	bl	spmc_handle_smc
	cbnz	w0, leave

	each_register ldr
	ldp	x0, x1, [sp], #256
	eret

/* CPU_OFF: drop the caller's registers. */
leave:
	add	sp, sp, #256
	b	off

	.macro	vector, to
	.balign	128
	b	\to
	.endm

	.balign	2048
vectors:
	.rept	8
	vector	hang
	.endr
	vector	smc
	.rept	7
	vector	hang
	.endr
