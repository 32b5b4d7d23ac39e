/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test may ask by __pkvm_debug of a hypervisor that is built with CONFIG_NVHE_EL2_DEBUG:
 * to assume a state that no available CPU or kernel brings about.
 */
#ifndef __ARM64_KVM_PKVM_DEBUG_H__
#define __ARM64_KVM_PKVM_DEBUG_H__

#include <linux/sizes.h>

#include <asm/hyp_image.h>

/**
 * enum pkvm_debug_op - First argument of __pkvm_debug.
 * @PKVM_DEBUG_HOST_SME: assume that on this CPU the host is in streaming mode or has ZA
 *			 enabled, if the second argument is not 0.
 * @PKVM_DEBUG_SPOIL_PAGE: set a wrong state for the page whose frame number is the second
 *			   argument, which the comparison with the ghost has to find.
 */
enum pkvm_debug_op {
	PKVM_DEBUG_HOST_SME,
	PKVM_DEBUG_SPOIL_PAGE,
};

/* Whether the ghost compares states, and whether errors in the page-table account are fatal. */
#define pkvm_hyp_ghost		kvm_nvhe_sym(hyp_ghost)
#define pkvm_hyp_pgtable_check	kvm_nvhe_sym(hyp_pgtable_check)
extern bool pkvm_hyp_ghost;
extern bool pkvm_hyp_pgtable_check;

/*
 * How many bytes the hypervisor may map beside memory and the vmemmap. The host reserves tables
 * for this size.
 */
#ifdef CONFIG_NVHE_EL2_DEBUG
#define pkvm_hyp_private_size	kvm_nvhe_sym(hyp_private_size)
extern unsigned long pkvm_hyp_private_size;
#define pkvm_private_size()	pkvm_hyp_private_size
#else
#define pkvm_private_size()	SZ_1G
#endif

#endif /* __ARM64_KVM_PKVM_DEBUG_H__ */
