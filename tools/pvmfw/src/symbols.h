/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses that the linker script (pvmfw.lds.S) defines.
 */
#ifndef PVMFW_SYMBOLS_H
#define PVMFW_SYMBOLS_H

extern char image_start[], text_end[], rodata_end[], image_end[], config_start[];
extern char stack_guard[], stack_top[], exc_stack_guard[], exc_stack_top[], heap_start[];

#endif
