/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of the EL2 suites: it does the commands in its mailbox, and parks in CPU_SUSPEND, which
 * EL2 forwards to the host. It runs with the MMU off, at any address.
 *
 * Entry: x0 = IPA of the mailbox, a struct el2_mailbox, which the guest shares first.
 * The code fits in a page and lies at its start.
 */
#include <linux/arm-smccc.h>
#include <linux/linkage.h>
#include <uapi/linux/psci.h>

#include <asm/assembler.h>
#include <asm/page-def.h>
#include <asm/sysreg.h>

#include "el2_guest.h"

	.arch_extension fp
	.arch_extension simd
	.section .rodata, "a"
	.balign	8
SYM_DATA_START(el2_guest_code)
	mov	x19, x0
	adr	x0, el2_guest_code + EL2_GUEST_VECTORS
	msr	vbar_el1, x0
	mov_q	x0, ARM_SMCCC_VENDOR_HYP_KVM_MEM_SHARE_FUNC_ID
	mov	x1, x19
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0

.Lpark:
	dsb	sy
	mov_q	x0, PSCI_0_2_FN64_CPU_SUSPEND
	mov	x1, xzr
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	dsb	sy

	ldr	x4, [x19]
	cmp	x4, #EL2_GUEST_READ
	b.eq	.Lread
	cmp	x4, #EL2_GUEST_WRITE
	b.eq	.Lwrite
	cmp	x4, #EL2_GUEST_SECRET
	b.eq	.Lsecret
	cmp	x4, #EL2_GUEST_INSN
	b.eq	.Linsn

	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	hvc	#0
	stp	x0, x1, [x19, #8]
	stp	x2, x3, [x19, #24]
	b	.Lpark

.Lread:
	ldr	x1, [x19, #16]
	ldr	x0, [x1]
	str	x0, [x19, #8]
	b	.Lpark

.Lwrite:
	ldp	x1, x2, [x19, #16]
	str	x2, [x1]
	b	.Lpark

	/*
	 * The store bypasses the caches, as the MMU is off. So remove the old code from the
	 * caches, and from what the CPU has fetched.
	 */
.Linsn:
	ldp	x1, x0, [x19, #8]
	adr	x2, .Lpatched
	dc	civac, x2
	dsb	sy
	str	w1, [x2]
	dsb	sy
	dc	civac, x2
	dsb	sy
	ic	iallu
	dsb	sy
	isb
.Lpatched:
	nop
	isb
	mov	x1, xzr
	stp	x0, x1, [x19, #8]
	b	.Lpark

	/*
	 * Fill every register with the magic, make the exit, and count the
	 * registers that have another value afterwards, except x0..x3, which
	 * have the arguments of the exit.
	 */
	.macro	secret_sysregs, op
	.irp	reg, tpidr_el0, tpidrro_el0, tpidr_el1, ttbr1_el1, mair_el1, \
		     contextidr_el1, far_el1, elr_el1, sp_el0
	\op	\reg
	.endr
	.endm

	.macro	fill_sysreg, reg
	msr	\reg, x4
	.endm

	.macro	check_sysreg, reg
	mrs	x0, \reg
	.ifc	\reg, contextidr_el1
	cmp	w0, w4
	.else
	cmp	x0, x4
	.endif
	cinc	x3, x3, ne
	.endm

.Lsecret:
	ldp	x0, x1, [x19, #8]
	ldp	x2, x3, [x19, #24]
	mrs	x4, cpacr_el1
	orr	x4, x4, #(3 << 20)
	msr	cpacr_el1, x4
	isb
	mov_q	x4, EL2_GUEST_MAGIC
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, \
		   21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	dup	v\n\().2d, x4
	.endr
	secret_sysregs fill_sysreg
	isb
	.irp	n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
		   25, 26, 27, 28, 29, 30
	mov	x\n, x4
	.endr

	cbz	x0, .Lby_hvc
	cmp	x0, #EL2_LEAVE_WFI
	b.eq	.Lby_wfi
	cmp	x0, #EL2_LEAVE_LOAD
	b.eq	.Lby_load
	cmp	x0, #EL2_LEAVE_STORE
	b.eq	.Lby_store
	cmp	x0, #EL2_LEAVE_SGI
	b.eq	.Lby_sgi
	/* Loop until the host clears the word at x1, after an exit by its interrupt. */
.Lby_irq:
	dc	civac, x1
	dsb	sy
	ldr	x0, [x1]
	cbnz	x0, .Lby_irq
	b	.Lback

.Lby_hvc:
	mov	x0, x1
	mov	x1, x2
	mov	x2, xzr
	mov	x3, xzr
	hvc	#0
	b	.Lback
.Lby_wfi:
	mov	x0, xzr
	wfi
	b	.Lback
.Lby_load:
	ldr	x0, [x1]
	b	.Lback
.Lby_store:
	str	x2, [x1]
	mov	x0, xzr
	b	.Lback
.Lby_sgi:
	msr_s	SYS_ICC_SGI1R_EL1, x1
	mov	x0, xzr

.Lback:
	mov	x2, x0
	mov	x3, xzr
	.irp	n, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, \
		   25, 26, 27, 28, 29, 30
	cmp	x\n, x4
	cinc	x3, x3, ne
	.endr
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, \
		   21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
	mov	x0, v\n\().d[0]
	cmp	x0, x4
	cinc	x3, x3, ne
	mov	x0, v\n\().d[1]
	cmp	x0, x4
	cinc	x3, x3, ne
	.endr
	secret_sysregs check_sysreg
	mov_q	x19, EL2_MAILBOX_GFN << PAGE_SHIFT
	stp	x2, x3, [x19, #8]
	b	.Lpark

	/* The only vector that is used: a synchronous exception from EL1. */
	.org	el2_guest_code + EL2_GUEST_VECTORS + 0x200
	mrs	x1, esr_el1
	mov	x0, xzr
	stp	x0, x1, [x19, #8]
	b	.Lpark
SYM_DATA_END_LABEL(el2_guest_code, SYM_L_GLOBAL, el2_guest_code_end)
