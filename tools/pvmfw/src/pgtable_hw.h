/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bits of stage-1 descriptors and of the registers that control translation (Arm ARM,
 * VMSAv8-64, 4 KiB granule), for C and assembly.
 */
#ifndef PVMFW_PGTABLE_HW_H
#define PVMFW_PGTABLE_HW_H

#ifdef __ASSEMBLER__
#define HW_BITS(v, shift) ((v) << (shift))
#else
#define HW_BITS(v, shift) ((v##ULL) << (shift))
#endif

#define PTE_VALID	HW_BITS(1, 0)
#define PTE_TABLE	HW_BITS(1, 1)	/* levels 1 and 2 */
#define PTE_PAGE	HW_BITS(1, 1)	/* level 3 */
#define PTE_DEVICE	HW_BITS(0, 2)	/* MAIR index 0 */
#define PTE_NORMAL	HW_BITS(1, 2)	/* MAIR index 1 */
#define PTE_RDONLY	HW_BITS(1, 7)
#define PTE_INNER	HW_BITS(3, 8)
#define PTE_AF		HW_BITS(1, 10)
#define PTE_NG		HW_BITS(1, 11)
#define PTE_PXN		HW_BITS(1, 53)
#define PTE_UXN		HW_BITS(1, 54)
#define PTE_LAZY	HW_BITS(1, 55)	/* software: device, invalid until its first access */

/* W^X: no kind is both writable and executable. */
#define PTE_KIND_TEXT	(PTE_NORMAL | PTE_INNER | PTE_AF | PTE_NG | PTE_UXN | PTE_RDONLY)
#define PTE_KIND_RODATA	(PTE_KIND_TEXT | PTE_PXN)
#define PTE_KIND_DATA	(PTE_NORMAL | PTE_INNER | PTE_AF | PTE_NG | PTE_UXN | PTE_PXN)
#define PTE_KIND_DEVICE	(PTE_DEVICE | PTE_AF | PTE_NG | PTE_UXN | PTE_PXN)

/*
 * Index 0: Device-nGnRE; index 1: normal, write-back, read and write allocate.
 */
#define MAIR_VALUE	0xff04

/*
 * T0SZ, inner and outer write-back walks, inner shareable, no TTBR1 walks; entry.S adds IPS.
 */
#define TCR_VALUE	((64 - VA_BITS) | HW_BITS(1, 8) | HW_BITS(1, 10) | HW_BITS(3, 12) | \
			 HW_BITS(1, 23))
#define TCR_IPS_SHIFT	32
#define TCR_IPS_MAX	5		/* 48 bits */

/* RES1 bits, MMU, data cache, stack alignment check, instruction cache, WXN. */
#define SCTLR_RES1	0x30d00800
#define SCTLR_VALUE	(SCTLR_RES1 | HW_BITS(1, 0) | HW_BITS(1, 2) | HW_BITS(1, 3) | \
			 HW_BITS(1, 12) | HW_BITS(1, 19))

/* The static map of entry.S uses ASID 0, the map that mmu.c switches to ASID 1. */
#define TTBR_ASID_SHIFT	48

#endif
