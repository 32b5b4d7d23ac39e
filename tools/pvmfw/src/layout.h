/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The memory layout of a protected VM on which firmware and VMM agree. Used by C, assembly
 * and the linker script.
 */
#ifndef PVMFW_LAYOUT_H
#define PVMFW_LAYOUT_H

#ifdef __ASSEMBLER__
#define ADDR(x) x
#else
#define ADDR(x) x##ull
#endif

#define PAGE_SHIFT		12
#define PAGE_SIZE		ADDR(0x1000)
#define BLOCK_SIZE		ADDR(0x200000)

/* The image: code, constants and initial data. The firmware never writes to it. */
#define FW_IMAGE_BASE		ADDR(0x7fc00000)
#define FW_IMAGE_MAX_SIZE	ADDR(0x20000)

/* Data, stacks and heap. */
#define FW_SCRATCH_BASE		ADDR(0x7fe00000)
#define FW_SCRATCH_SHIFT	21
#define FW_SCRATCH_SIZE		ADDR(0x200000)

#define FW_STACK_SIZE		ADDR(0x4000)
#define FW_EXC_STACK_SIZE	ADDR(0x2000)

/* RAM starts here. The device tree lies anywhere in it. */
#define RAM_BASE		ADDR(0x80000000)
#define FDT_MAX_SIZE		ADDR(0x200000)

/* The UART that is the console until the device tree has been read. */
#define UART_DEFAULT_BASE	ADDR(0x3f8)
#define UART_DEFAULT_PAGE	ADDR(0)
#define UART_SIZE		ADDR(8)

/* Width of an address that the page tables can map: 39 bits, three levels. */
#define VA_BITS			39

#endif
