/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of the protected VM tests: a loop that executes the test's commands one by one; see
 * pvm_channel.h. It needs no memory but its code, has no stack and runs with the MMU off. Every
 * vCPU enters it by the boot protocol or by PSCI CPU_ON, with x0 = its channel.
 *
 * The code is position independent and fits into a page. The test copies it to the start of a page,
 * where the vCPU enters it.
 *
 * With the MMU off the guest's accesses bypass the caches that the host uses. So the guest cleans
 * and invalidates the cache line before a load, and before and after a store.
 *
 * x28 holds the channel, x27 the address of the command table.
 */
#include "pvm_channel.h"

	.section .rodata, "a"
	.balign	2048
	.global	pvm_guest_code
pvm_guest_code:
	mov	x28, x0
	adr	x0, vectors
	msr	vbar_el1, x0
	isb

next:
	ldr	x4, [x28, #PVM_COMMAND]
	ldr	x0, [x28, #PVM_ARG]
	ldr	x1, [x28, #PVM_ARG + 8]
	ldr	x2, [x28, #PVM_ARG + 16]
	ldr	x3, [x28, #PVM_ARG + 24]

	adr	x27, commands
	add	x27, x27, x4, lsl #2
	br	x27

	/* In the order of the command numbers. */
commands:
	b	do_hvc
	b	do_load
	b	do_store
	b	do_fill
	b	do_hvc_sweep
	b	do_spin
	b	do_smc
	b	do_sve_fill
	b	do_sve_check
	b	do_batch
	b	do_insn

do_hvc:
	hvc	#0
	b	done

do_load:
	dc	civac, x0
	dsb	sy
	ldr	x0, [x0]
	b	done

do_store:
	dc	civac, x0
	dsb	sy
	str	x1, [x0]
	dsb	sy
	dc	civac, x0
	dsb	sy
	b	done

do_fill:
	cbz	x2, done
	dc	civac, x0
	dsb	sy
	str	x1, [x0]
	dsb	sy
	dc	civac, x0
	dsb	sy
	add	x0, x0, x3
	sub	x2, x2, #1
	b	do_fill

	/* SMCCC 1.1 lets a hypercall change x0..x3 only. */
do_hvc_sweep:
	mov	x4, x0
	mov	x5, x1
	mov	x6, x2
	mov	x7, x3
	mov	x8, xzr
	mov	x9, xzr
sweep_next:
	cbz	x6, sweep_done
	mov	x0, x4
	mov	x1, x5
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	cmp	x0, #0
	cinc	x8, x8, eq
	cmn	x0, #3
	cinc	x9, x9, eq
	add	x5, x5, x7
	sub	x6, x6, #1
	b	sweep_next
sweep_done:
	mov	x0, x8
	mov	x1, x9
	b	done

do_spin:
	b	do_spin

do_smc:
	smc	#0
	b	done

	.arch_extension sve
	/* Use the longest vectors that EL2 allows. ZCR_EL1 is S3_0_C1_C2_0. */
do_sve_fill:
	mrs	x4, cpacr_el1
	orr	x4, x4, #(3 << 16)
	orr	x4, x4, #(3 << 20)
	msr	cpacr_el1, x4
	isb
	mov	x4, #0xf
	msr	s3_0_c1_c2_0, x4
	isb
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
		   22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	z\n\().d, x0
	.endr
	rdvl	x0, #1
	b	done

	/* Compare z31 with z30, set z31 to the right value, and compare all others with it. */
do_sve_check:
	mov	x5, xzr
	ptrue	p0.d
	cmpne	p1.d, p0/z, z30.d, z31.d
	cntp	x6, p0, p1.d
	add	x5, x5, x6
	dup	z31.d, x0
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, \
		   22, 23, 24, 25, 26, 27, 28, 29, 30
	cmpne	p1.d, p0/z, z\n\().d, z31.d
	cntp	x6, p0, p1.d
	add	x5, x5, x6
	.endr
	mov	x0, x5
	rdvl	x1, #1
	b	done
	.arch_extension nosve

	/* Store the instruction, and invalidate the instruction cache. */
do_insn:
	adr	x4, insn
	dc	civac, x4
	dsb	sy
	str	w0, [x4]
	dsb	sy
	dc	civac, x4
	dsb	sy
	ic	iallu
	dsb	sy
	isb
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, xzr
insn:
	nop
	isb
	b	done

do_batch:
	mov	x4, x0
	mov	x5, x1
batch_next:
	cbz	x5, done
	dc	civac, x4
	dsb	sy
	ldr	x6, [x4]
	ldr	x0, [x4, #8]
	ldr	x1, [x4, #16]
	ldr	x2, [x4, #24]
	ldr	x3, [x4, #32]
	cbz	x6, batch_hvc
	dc	civac, x0
	dsb	sy
	cmp	x6, #PVM_LOAD
	b.eq	batch_load
	str	x1, [x0]
	dsb	sy
	dc	civac, x0
	b	batch_done
batch_load:
	ldr	x0, [x0]
	b	batch_done
batch_hvc:
	hvc	#0
batch_done:
	str	x0, [x4, #8]
	str	x1, [x4, #16]
	str	x2, [x4, #24]
	str	x3, [x4, #32]
	dsb	sy
	dc	civac, x4
	dsb	sy
	add	x4, x4, #PVM_STEP_SIZE
	sub	x5, x5, #1
	b	batch_next

done:
	str	x0, [x28, #PVM_RESULT]
	str	x1, [x28, #PVM_RESULT + 8]
	str	x2, [x28, #PVM_RESULT + 16]
	str	x3, [x28, #PVM_RESULT + 24]
	str	xzr, [x28, #PVM_DONE]
	b	next

	/* Report the exception, which ends the command, and get the next one. */
exception:
	mrs	x0, esr_el1
	mrs	x1, far_el1
	mrs	x2, elr_el1
	str	x0, [x28, #PVM_EXC_ESR]
	str	x1, [x28, #PVM_EXC_FAR]
	str	x2, [x28, #PVM_EXC_ELR]
	b	next

	.balign	2048
vectors:
	.rept	16
	b	exception
	.balign	128
	.endr

	.global	pvm_guest_code_end
pvm_guest_code_end:

	.section .note.GNU-stack, "", %progbits
