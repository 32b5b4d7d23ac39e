/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled device trees of test_crosvm.c (crosvm_tree.h). tests.mk compiles them and
 * passes their directory to the assembler.
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
