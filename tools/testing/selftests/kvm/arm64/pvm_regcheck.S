/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of pkvm_secrets; see pvm_regcheck.h. It starts with x0 = its channel, which it saves in
 * the data page behind its code, and runs with the MMU off. The code is position independent, and a
 * vCPU enters it at its start.
 *
 * In each round the guest fills its registers and makes the exit. Then it checks x0 and x1 with one
 * instruction each, and uses them to compare x2 and all others with their secrets. Registers that
 * an exit uses have no secret during the exit, since the host may read them, and get it back before
 * the check.
 */
#include "pvm_regcheck.h"

/* Offsets in the data page. */
#define CHANNEL		0
#define LOST		8
#define WHICH		16
#define RESULT		24
#define HELD		32
#define ARG		40
#define COMMAND		48
#define SYSREGS		64	/* the values of the system registers before the exit */

	.arch	armv8-a

	/* Put the secret of register number \n into \reg, 64 bits. */
	.macro	secret reg, n
	mov	\reg, #((REGCHECK_TAG | \n) & 0xffff)
	movk	\reg, #(REGCHECK_TAG >> 16), lsl #16
	movk	\reg, #((REGCHECK_TAG | \n) & 0xffff), lsl #32
	movk	\reg, #(REGCHECK_TAG >> 16), lsl #48
	.endm

	/* Expand \op for each system register. */
	.macro	each_sysreg op
	\op	0, sp_el0
	\op	1, elr_el1
	\op	2, spsr_el1
	\op	3, tpidr_el0
	\op	4, tpidrro_el0
	\op	5, tpidr_el1
	\op	6, ttbr0_el1
	\op	7, ttbr1_el1
	\op	8, mair_el1
	\op	9, amair_el1
	\op	10, tcr_el1
	\op	11, contextidr_el1
	\op	12, afsr0_el1
	\op	13, afsr1_el1
	\op	14, esr_el1
	\op	15, far_el1
	\op	16, par_el1
	\op	17, vbar_el1
	\op	18, cntkctl_el1
	\op	19, csselr_el1
	.endm

	/* Write its secret to a system register, and save the value that it holds then. */
	.macro	fill_sysreg n, name
	secret	x1, (64 + \n)
	msr	\name, x1
	isb
	mrs	x1, \name
	str	x1, [x0, #(SYSREGS + 8 * \n)]
	eor	x1, x1, x2
	and	x1, x1, #REGCHECK_TAG_MASK
	cmp	x1, #0
	cinc	x3, x3, eq
	.endm

	.macro	refill_sysreg n, name
	ldr	x1, [x0, #(SYSREGS + 8 * \n)]
	msr	\name, x1
	.endm

	.macro	check_sysreg n, name
	ldr	x1, [x0, #(SYSREGS + 8 * \n)]
	mrs	x2, \name
	mov	x3, #(64 + \n)
	cmp	x1, x2
	b.eq	.Lsame\@
	bl	lost
.Lsame\@:
	.endm

	.macro	fill_x n
	secret	x\n, \n
	.endm

	.macro	fill_v n
	secret	x1, (32 + \n)
	dup	v\n\().2d, x1
	.endm

	.macro	check_x n
	secret	x1, \n
	cmp	x1, x\n
	b.eq	.Lsame\@
	orr	x0, x0, #(1 << \n)
.Lsame\@:
	.endm

	.macro	check_v n
	secret	x1, (32 + \n)
	mov	x3, #(32 + \n)
	mov	x2, v\n\().d[0]
	cmp	x1, x2
	b.ne	.Ldiffers\@
	mov	x2, v\n\().d[1]
	cmp	x1, x2
	b.eq	.Lsame\@
.Ldiffers\@:
	bl	lost
.Lsame\@:
	.endm

	.section .rodata, "a"
	.balign	4096
	.global	pvm_regcheck_code
pvm_regcheck_code:
	adr	x1, data
	str	x0, [x1, #CHANNEL]
	/* Do not trap FP and SIMD. */
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb

round:
	adr	x28, data
	ldr	x27, [x28, #CHANNEL]
	ldr	x1, [x27, #REGCHECK_COMMAND]
	str	x1, [x28, #COMMAND]
	ldr	x1, [x27, #REGCHECK_ARG]
	str	x1, [x28, #ARG]
	str	xzr, [x28, #LOST]
	str	xzr, [x28, #RESULT]

	/* x2: a secret without its number; x3: the number of registers that hold a secret. */
	mov	x0, x28
	secret	x2, 0
	mov	x3, #0
	each_sysreg fill_sysreg
	str	x3, [x0, #HELD]
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	fill_v	\n
	.endr
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	fill_v	\n
	.endr
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	fill_x	\n
	.endr

	/* Only x0 and x1 have no secret yet. */
	adr	x0, data
	ldr	x1, [x0, #COMMAND]
	and	x1, x1, #0xff
	adr	x0, ways
	add	x0, x0, x1, lsl #2
	br	x0

ways:
	b	way_spin
	b	way_wfi
	b	way_mmio_read
	b	way_mmio_write
	b	way_load
	b	way_hvc
	b	way_sysreg
	b	way_sgi

	/* x1 counts; x0 has its secret. */
way_spin:
	mov	x0, #REGCHECK_X0
	mov	x1, #(1 << 27)
1:	sub	x1, x1, #1
	cbnz	x1, 1b
	mov	x1, #REGCHECK_X1
	b	check

way_wfi:
	mov	x0, #REGCHECK_X0
	mov	x1, #REGCHECK_X1
	wfi
	b	check

	/* x0 has the IPA, x2 gets the value. */
way_mmio_read:
	adr	x0, data
	ldr	x0, [x0, #ARG]
	mov	x1, #REGCHECK_X1
	ldr	x2, [x0]
	b	keep_x2

way_mmio_write:
	adr	x0, data
	ldr	x0, [x0, #ARG]
	mov	x1, #(REGCHECK_SHOWN & 0xffff)
	movk	x1, #((REGCHECK_SHOWN >> 16) & 0xffff), lsl #16
	orr	x1, x1, x1, lsl #32
	str	x1, [x0]
	mov	x0, #REGCHECK_X0
	mov	x1, #REGCHECK_X1
	b	check

way_load:
	adr	x0, data
	ldr	x0, [x0, #ARG]
	mov	x1, #REGCHECK_X1
	dc	civac, x0
	dsb	sy
	ldr	x2, [x0]
keep_x2:
	adr	x0, data
	str	x2, [x0, #RESULT]
	secret	x2, 2
	mov	x0, #REGCHECK_X0
	b	check

	/* SMCCC: x0..x3 have the arguments and then the results. */
way_hvc:
	adr	x2, data
	ldr	x0, [x2, #COMMAND]
	lsr	x0, x0, #32
	ldr	x1, [x2, #ARG]
	mov	x2, #0
	mov	x3, #0
	hvc	#0
	adr	x1, data
	str	x0, [x1, #RESULT]
	secret	x2, 2
	secret	x3, 3
	mov	x0, #REGCHECK_X0
	mov	x1, #REGCHECK_X1
	b	check

	/*
	 * Debug registers read as zero. Accesses to PMU registers are undefined, and the handler
	 * skips them. The exception overwrites ELR, ESR, SPSR and FAR, the handler needs VBAR and
	 * TPIDR_EL0, so these get their secrets back before the check.
	 */
way_sysreg:
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	mov	x0, #REGCHECK_X0
	mov	x1, #REGCHECK_X1
	mrs	x1, dbgbvr0_el1
	mov	x1, #REGCHECK_X1
	mrs	x1, pmcr_el0
	mov	x1, #REGCHECK_X1
	msr	dbgbvr0_el1, x1
	msr	pmccntr_el0, x1
	adr	x0, data
	refill_sysreg	1, elr_el1
	refill_sysreg	2, spsr_el1
	refill_sysreg	3, tpidr_el0
	refill_sysreg	14, esr_el1
	refill_sysreg	15, far_el1
	refill_sysreg	17, vbar_el1
	isb
	mov	x0, #REGCHECK_X0
	mov	x1, #REGCHECK_X1
	b	check

	/* The host may read the value. */
way_sgi:
	mrs	x0, S3_0_C12_C12_5	/* ICC_SRE_EL1 */
	orr	x0, x0, #1
	msr	S3_0_C12_C12_5, x0
	isb
	adr	x1, data
	ldr	x1, [x1, #ARG]
	mov	x0, #REGCHECK_X0
	msr	S3_0_C12_C11_5, x1	/* ICC_SGI1R_EL1 */
	isb
	mov	x1, #REGCHECK_X1

	/* Check x0 and x1 by themselves. x0 gets a bit for each general register that changed. */
check:
	eor	x0, x0, #REGCHECK_X0
	cbz	x0, 1f
	mov	x0, #1
1:	eor	x1, x1, #REGCHECK_X1
	cbz	x1, 2f
	orr	x0, x0, #2
2:
	.irp	n, 2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
	check_x	\n
	.endr
	adr	x28, data
	mov	x4, x0
	mov	x0, x28
	mov	x3, #0
3:	tbz	x4, #0, 4f
	bl	lost
4:	lsr	x4, x4, #1
	add	x3, x3, #1
	cbnz	x4, 3b

	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15
	check_v	\n
	.endr
	.irp	n, 16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	check_v	\n
	.endr
	each_sysreg check_sysreg

	ldr	x27, [x28, #CHANNEL]
	ldr	x1, [x28, #LOST]
	str	x1, [x27, #REGCHECK_LOST]
	ldr	x1, [x28, #WHICH]
	str	x1, [x27, #REGCHECK_WHICH]
	ldr	x1, [x28, #RESULT]
	str	x1, [x27, #REGCHECK_RESULT]
	ldr	x1, [x28, #HELD]
	str	x1, [x27, #REGCHECK_HELD]
	str	xzr, [x27, #REGCHECK_DONE]
	b	round

	/* Count changed register x3, and save the first. x28: the data page; changes x5. */
lost:
	ldr	x5, [x28, #LOST]
	cbnz	x5, 1f
	str	x3, [x28, #WHICH]
1:	add	x5, x5, #1
	str	x5, [x28, #LOST]
	ret

	/* Skip the instruction, and change no register but TPIDR_EL0. */
	.balign	2048
vectors:
	.rept	16
	msr	tpidr_el0, x0
	mrs	x0, elr_el1
	add	x0, x0, #4
	msr	elr_el1, x0
	mrs	x0, tpidr_el0
	eret
	.balign	128
	.endr
	.balign	4096
data:
	.skip	4096

	.global	pvm_regcheck_code_end
pvm_regcheck_code_end:

	.section .note.GNU-stack, "", %progbits
