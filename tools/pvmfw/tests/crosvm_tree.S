/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The compiled tree that test_crosvm.c reads; the makefile says which file it is.
 */
	.section .rodata
	.balign	8
	.global	crosvm_tree, crosvm_tree_end
crosvm_tree:
	.incbin	CROSVM_TREE
crosvm_tree_end:
	.section .note.GNU-stack, "", %progbits
