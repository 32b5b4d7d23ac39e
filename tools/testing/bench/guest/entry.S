/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Entry, exception vectors and stopwatches of the benchmark guest.
 *
 * It is entered by the Linux boot ABI with the MMU off, and leaves it off: the benchmarks time
 * what lies below stage 1. The VMM loads the whole image with the pool, so this code need not
 * zero or move anything, and every page is populated.
 *
 * A stopwatch measures from its first read of the counter to its second one. time_nothing()
 * measures the stopwatch itself.
 */
	.section .text.entry, "ax"
	.global	_start
_start:
	b	start
	.balign	8
/* The header of the image, which image.py fills in. */
	.ascii	"pkvmbnch"
	.quad	image_end - _start
	.global	pool_granules
pool_granules:
	.quad	0

start:
	adrp	x1, vectors
	add	x1, x1, :lo12:vectors
	msr	vbar_el1, x1
	isb
	adrp	x1, stack_top
	add	x1, x1, :lo12:stack_top
	mov	sp, x1
	bl	guest_main
1:	wfi
	b	1b

	.bss
	.balign	16
	.skip	4096
stack_top:

	.text
	.macro	start_watch
	isb
	mrs	x10, cntvct_el0
	.endm

	.macro	stop_watch
	isb
	mrs	x11, cntvct_el0
	.endm

/* u64 time_nothing(void) */
	.global	time_nothing
	.type	time_nothing, %function
time_nothing:
	start_watch
	stop_watch
	sub	x0, x11, x10
	ret

/* u64 time_hvc(u64 regs[4]): regs are x0 to x3, arguments before and results after. */
	.global	time_hvc
	.type	time_hvc, %function
time_hvc:
	mov	x9, x0
	ldp	x0, x1, [x9]
	ldp	x2, x3, [x9, #16]
	start_watch
	hvc	#0
	stop_watch
	stp	x0, x1, [x9]
	stp	x2, x3, [x9, #16]
	sub	x0, x11, x10
	ret

/* u64 time_store(u8 value, u64 address) */
	.global	time_store
	.type	time_store, %function
time_store:
	start_watch
	strb	w0, [x1]
	stop_watch
	sub	x0, x11, x10
	ret

/* void bench_ends(void): marks the end of a benchmark in a log of instructions. */
	.global	bench_ends
	.type	bench_ends, %function
bench_ends:
	ret

/* No exception is expected: every vector reports it and ends the VM. */
	.balign	0x800
vectors:
	.rept	16
	.balign	0x80
	mrs	x0, esr_el1
	mrs	x1, elr_el1
	mrs	x2, far_el1
	b	guest_exception
	.endr
