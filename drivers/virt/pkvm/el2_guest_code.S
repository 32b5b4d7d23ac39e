/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of the EL2 suites: it does what its mailbox tells it, and parks in CPU_SUSPEND, which
 * EL2 passes on to the host. It runs with its MMU off, at whatever address it is put.
 *
 * Entry: x0 = IPA of the mailbox, a struct el2_mailbox. The first thing it does is to share it.
 */
#include <linux/arm-smccc.h>
#include <linux/linkage.h>
#include <uapi/linux/psci.h>

#include <asm/assembler.h>

#include "el2_guest.h"

	.section .rodata, "a"
	.balign	8
SYM_DATA_START(el2_guest_code)
	mov	x19, x0
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
SYM_DATA_END_LABEL(el2_guest_code, SYM_L_GLOBAL, el2_guest_code_end)
