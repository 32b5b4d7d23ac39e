/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first code that the VM runs, and the exception vectors. Entered by the Linux boot ABI:
 * EL1, MMU off, x0 = device tree, the image clean to the point of coherency.
 *
 * Rule: nothing is written before the MMU is on, so no cache line can be stale. The first
 * page tables are therefore constant and part of the image.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/psci.h>

#include "layout.h"
#include "pgtable_hw.h"

	.macro	mov64, reg, value
	movz	\reg, #((\value) & 0xffff)
	movk	\reg, #(((\value) >> 16) & 0xffff), lsl #16
	movk	\reg, #(((\value) >> 32) & 0xffff), lsl #32
	movk	\reg, #(((\value) >> 48) & 0xffff), lsl #48
	.endm

	.section .text.entry, "ax"
	.global	_start
	.type	_start, %function
_start:
	mov	x20, x0
	isb
	mrs	x22, cntvct_el0
	adr	x21, msg_el
	mrs	x1, CurrentEL
	cmp	x1, #(1 << 2)
	b.ne	early_error
	adr	x21, msg_place
	adr	x1, _start
	mov64	x2, FW_IMAGE_BASE
	cmp	x1, x2
	b.ne	early_error

	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1

	mov64	x1, MAIR_VALUE
	msr	mair_el1, x1
	mov64	x1, TCR_VALUE
	mrs	x2, id_aa64mmfr0_el1
	and	x2, x2, #0xf
	cmp	x2, #TCR_IPS_MAX
	mov	x3, #TCR_IPS_MAX
	csel	x2, x2, x3, lo
	orr	x1, x1, x2, lsl #TCR_IPS_SHIFT
	msr	tcr_el1, x1
	adrp	x1, idmap_l1
	msr	ttbr0_el1, x1
	isb
	tlbi	vmalle1
	ic	iallu
	dsb	nsh
	isb
	mov64	x1, SCTLR_VALUE
	msr	sctlr_el1, x1
	isb

	/* The C library's copy functions and SHA-256 use SIMD registers. */
	mov	x1, #(3 << 20)
	msr	cpacr_el1, x1
	isb

	/*
	 * Enroll in the MMIO guard before the first store: until then, a store to an IPA that
	 * stage 2 does not map shows its value to the host. Call only KVM, known by its UID.
	 */
	mov64	x0, ARM_SMCCC_VENDOR_HYP_CALL_UID_FUNC_ID
	hvc	#0
	mov	x21, #SMCCC_RET_NOT_SUPPORTED
	ldr	x4, =hyp_kvm_uid
	ldp	w5, w6, [x4]
	cmp	w0, w5
	ccmp	w1, w6, #0, eq
	ldp	w5, w6, [x4, #8]
	ccmp	w2, w5, #0, eq
	ccmp	w3, w6, #0, eq
	b.ne	0f
	mov64	x0, ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_ENROLL_FUNC_ID
	hvc	#0
	mov	x21, x0
0:
	ldr	x1, =data_load
	ldr	x2, =data_start
	ldr	x3, =data_end
1:	cmp	x2, x3
	b.hs	2f
	ldp	x4, x5, [x1], #16
	stp	x4, x5, [x2], #16
	b	1b
2:	ldr	x2, =bss_start
	ldr	x3, =bss_end
3:	cmp	x2, x3
	b.hs	4f
	stp	xzr, xzr, [x2], #16
	b	3b
4:
	/* A separate exception stack, so that an overflow of the main one can be reported. */
	msr	spsel, #1
	ldr	x1, =exc_stack_top
	mov	sp, x1
	msr	spsel, #0
	ldr	x1, =stack_top
	mov	sp, x1
	msr	daifclr, #4
	mov	x29, xzr
	mov	x30, xzr
	bl	canary_init
	mov	x30, xzr
	mov	x0, x20
	mov	x1, x21
	mov	x2, x22
	b	fw_main
	.size	_start, . - _start

/* Print the message at x21 and reset the VM. The MMU is off and there is no stack. */
	.type	early_error, %function
early_error:
	mov64	x1, UART_DEFAULT_BASE
1:	ldrb	w2, [x21], #1
	cbz	w2, 2f
	strb	w2, [x1]
	b	1b
2:	mov64	x0, PSCI_0_2_FN_SYSTEM_RESET
	hvc	#0
3:	wfi
	b	3b
	.size	early_error, . - early_error

msg_el:
	.asciz	"pvmfw: error: not entered at EL1\n"
msg_place:
	.asciz	"pvmfw: error: not loaded at its address\n"

/*
 * The vectors. C runs on SP_EL0, so its exceptions use vectors 0 to 3. Vectors 4 to 7 are
 * for exceptions in the handler itself, which does not return from them: they reset the
 * stack pointer and use TPIDR_EL1, which nothing else uses, as scratch.
 *
 * The handler does return from the first access to a page of a device. It saves no SIMD
 * registers: a function of mmio.c made the access, and the handler changes only those that
 * any function call may change.
 */
	.macro	vector, kind
	.balign	0x80
	.if	\kind >= 4
	msr	tpidr_el1, x0
	ldr	x0, =exc_stack_top
	mov	sp, x0
	mrs	x0, tpidr_el1
	.endif
	sub	sp, sp, #288
	stp	x0, x1, [sp]
	mov	x1, #\kind
	b	exception_entry
	.endm

	.text
	.balign	0x800
vectors:
	.irp	kind, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\kind
	.endr

/* Store a struct exception_frame (exception.h) at sp; x1 = number of the vector. */
	.type	exception_entry, %function
exception_entry:
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
	mrs	x2, sp_el0
	stp	x30, x2, [sp, #240]
	mrs	x2, elr_el1
	mrs	x3, spsr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, esr_el1
	mrs	x3, far_el1
	stp	x2, x3, [sp, #272]
	mov	x0, sp
	bl	exception_handle
	ldp	x2, x3, [sp, #256]
	msr	elr_el1, x2
	msr	spsr_el1, x3
	ldr	x30, [sp, #240]
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #288
	eret
	.size	exception_entry, . - exception_entry

/*
 * The static map: the default UART, the image (read-only, executable) and the scratch
 * memory (writable, not executable). map_self() of main.c replaces it by a finer one.
 */
	.section .rodata.idmap, "a"
	.balign	PAGE_SIZE
idmap_l1:
	.quad	idmap_l2_low + PTE_VALID + PTE_TABLE
	.quad	idmap_l2_high + PTE_VALID + PTE_TABLE
	.fill	510, 8, 0
idmap_l2_low:
	.quad	PTE_KIND_DEVICE | PTE_VALID
	.fill	511, 8, 0
idmap_l2_high:
	.fill	510, 8, 0
	.quad	FW_IMAGE_BASE | PTE_KIND_TEXT | PTE_VALID
	.quad	FW_SCRATCH_BASE | PTE_KIND_DATA | PTE_VALID
