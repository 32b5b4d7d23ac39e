/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a test may ask of a hypervisor that is built with CONFIG_NVHE_EL2_DEBUG, by
 * __pkvm_debug: to take for true what no CPU and no kernel at hand shows.
 */
#ifndef __ARM64_KVM_PKVM_DEBUG_H__
#define __ARM64_KVM_PKVM_DEBUG_H__

#include <linux/sizes.h>

#include <asm/hyp_image.h>

/**
 * enum pkvm_debug_op - First argument of __pkvm_debug.
 * @PKVM_DEBUG_HOST_SME: on this CPU the host is in streaming mode or has ZA enabled, if the
 *			 second argument is not 0.
 * @PKVM_DEBUG_SPOIL_PAGE: give the page whose frame number is the second argument a wrong
 *			   state, so that the ghost has something to find.
 */
enum pkvm_debug_op {
	PKVM_DEBUG_HOST_SME,
	PKVM_DEBUG_SPOIL_PAGE,
};

/* Whether the ghost compares, and whether an offence against the page-table account counts. */
#define pkvm_hyp_ghost		kvm_nvhe_sym(hyp_ghost)
#define pkvm_hyp_pgtable_check	kvm_nvhe_sym(hyp_pgtable_check)
extern bool pkvm_hyp_ghost;
extern bool pkvm_hyp_pgtable_check;

/*
 * How much the hypervisor may map beside memory and the vmemmap, in bytes: there are
 * tables for so much.
 */
#ifdef CONFIG_NVHE_EL2_DEBUG
#define pkvm_hyp_private_size	kvm_nvhe_sym(hyp_private_size)
extern unsigned long pkvm_hyp_private_size;
#define pkvm_private_size()	pkvm_hyp_private_size
#else
#define pkvm_private_size()	SZ_1G
#endif

#endif /* __ARM64_KVM_PKVM_DEBUG_H__ */
