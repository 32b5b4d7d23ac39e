/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The linker script. Code and constants run where they are loaded, in the image region.
 * Everything that is written lies in the scratch region, with unmapped guard pages below the
 * stacks.
 */
#include "layout.h"

ENTRY(_start)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	bss PT_LOAD FLAGS(6);
}

SECTIONS
{
	. = FW_IMAGE_BASE;
	.text : {
		image_start = .;
		*(.text.entry)
		*(.text .text.*)
		. = ALIGN(PAGE_SIZE);
		text_end = .;
	} :text

	.rodata : {
		*(.rodata.idmap)
		*(.rodata .rodata.*)
		. = ALIGN(16);
		rodata_end = .;
	} :rodata

	. = FW_SCRATCH_BASE;
	.data : AT(rodata_end) {
		data_start = .;
		*(.data .data.*)
		*(.got .got.plt)
		. = ALIGN(16);
		data_end = .;
	} :data
	data_load = LOADADDR(.data);
	image_end = data_load + SIZEOF(.data);
	/* The configuration (config.h) is appended to the image. */
	config_start = ALIGN(image_end, PAGE_SIZE);

	.bss (NOLOAD) : {
		bss_start = .;
		*(.bss .bss.* COMMON)
		. = ALIGN(16);
		bss_end = .;
		. = ALIGN(PAGE_SIZE);
		stack_guard = .;
		. += PAGE_SIZE + FW_STACK_SIZE;
		stack_top = .;
		exc_stack_guard = .;
		. += PAGE_SIZE + FW_EXC_STACK_SIZE;
		exc_stack_top = .;
		heap_start = .;
	} :bss

	/DISCARD/ : {
		*(.comment) *(.note .note.*) *(.eh_frame*) *(.ARM.attributes)
	}
}

ASSERT(config_start + PAGE_SIZE - FW_IMAGE_BASE <= FW_IMAGE_MAX_SIZE,
       "pvmfw: the image is too large")
ASSERT(heap_start - FW_SCRATCH_BASE <= FW_SCRATCH_SIZE / 4, "pvmfw: too little room for the heap")
