/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel that the firmware enters in the benchmark: it prints the value of the counter at
 * its first instruction, and powers the VM off.
 *
 * The firmware has unguarded the UART, so the kernel guards it again before the first character.
 * firmware.py pads the image to the size in its header.
 */
#include <linux/arm-smccc.h>
#include <linux/pkvm.h>
#include <linux/psci.h>

#define IMAGE_SIZE	(8 << 20)
#define UART		0x3f8

	.text
	b	start
	.long	0
	.quad	0, IMAGE_SIZE, 0, 0, 0, 0
	.ascii	"ARM\x64"
	.long	0

start:
	isb
	mrs	x19, cntvct_el0
	ldr	w0, =ARM_SMCCC_VENDOR_HYP_KVM_MMIO_GUARD_FUNC_ID
	mov	x1, #(UART & ~0xfff)
	mov	x2, #0
	mov	x3, #0
	hvc	#0

	mov	x3, #UART
	adr	x2, words
1:	ldrb	w4, [x2], #1
	cbz	w4, 2f
	strb	w4, [x3]
	b	1b
	/* 16 digits, the most significant one first. */
2:	adr	x2, digits
	mov	w5, #16
3:	ror	x19, x19, #60
	and	x4, x19, #0xf
	ldrb	w4, [x2, x4]
	strb	w4, [x3]
	subs	w5, w5, #1
	b.ne	3b
	mov	w4, #'\n'
	strb	w4, [x3]

	ldr	w0, =PSCI_0_2_FN_SYSTEM_OFF
	hvc	#0
	b	.

words:
	.asciz	"kernel: counter 0x"
digits:
	.ascii	"0123456789abcdef"
	.ltorg
