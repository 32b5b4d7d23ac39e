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

/* An SMC of a lower exception level: C code gets the registers and changes them. */
smc:
	stp	x0, x1, [sp, #-256]!
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	str	x30, [sp, #240]

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

	ldp	x2, x3, [sp, #16]
	ldp	x4, x5, [sp, #32]
	ldp	x6, x7, [sp, #48]
	ldp	x8, x9, [sp, #64]
	ldp	x10, x11, [sp, #80]
	ldp	x12, x13, [sp, #96]
	ldp	x14, x15, [sp, #112]
	ldp	x16, x17, [sp, #128]
	ldp	x18, x19, [sp, #144]
	ldp	x20, x21, [sp, #160]
	ldp	x22, x23, [sp, #176]
	ldp	x24, x25, [sp, #192]
	ldp	x26, x27, [sp, #208]
	ldp	x28, x29, [sp, #224]
	ldr	x30, [sp, #240]
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
