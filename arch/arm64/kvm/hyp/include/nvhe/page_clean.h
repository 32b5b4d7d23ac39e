/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cleaning pages that change hands to the point of coherency, see page_clean.c.
 */
#ifndef __ARM64_KVM_NVHE_PAGE_CLEAN_H__
#define __ARM64_KVM_NVHE_PAGE_CLEAN_H__

#include <linux/sizes.h>

#include <asm/kvm_pgtable.h>

/* The most pages that page_clean_entries() cleans in a call, with interrupts off (R6). */
#define PAGE_CLEAN_MAX	(SZ_256K / PAGE_SIZE)

int page_clean_init(void);
void page_clean_mapped(void *va, unsigned int nr_pages);
void page_clean_entries(const kvm_pte_t *entries, unsigned int nr_pages);

#endif /* __ARM64_KVM_NVHE_PAGE_CLEAN_H__ */
