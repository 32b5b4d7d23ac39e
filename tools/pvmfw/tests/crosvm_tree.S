/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled trees that test_crosvm.c reads; the makefile says in which folder they
 * are, to the assembler.
 */
	.macro	tree, name, file
	.balign	8
	.global	\name, \name\()_end
\name:
	.incbin	"\file"
\name\()_end:
	.endm

	.section .rodata
	tree	crosvm_tree, crosvm.dtb
	tree	crosvm_joined, crosvm-joined.dtb
	tree	crosvm_apart, crosvm-apart.dtb
	.section .note.GNU-stack, "", %progbits
