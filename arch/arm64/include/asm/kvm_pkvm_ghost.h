/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The report that EL2 leaves for the host to print when a page differs from its ghost, see
 * nvhe/ghost.c.
 */
#ifndef __ARM64_KVM_PKVM_GHOST_H__
#define __ARM64_KVM_PKVM_GHOST_H__

#include <linux/types.h>

#include <asm/hyp_image.h>

#ifdef CONFIG_NVHE_EL2_DEBUG

/**
 * struct pkvm_ghost_report - A difference between the ghost and EL2's state.
 * @call:	The call after which EL2 found the difference; NULL if there is none.
 * @what:	What differs.
 * @ret:	What the call returned.
 * @phys:	Physical address of the page that differs, or 0 if the difference is not in a
 *		page.
 * @found:	The value in EL2's state.
 * @wanted:	The value that EL2's state ought to have.
 * @owner:	In the ghost: the page's owner, enum pkvm_component_id.
 * @shared:	In the ghost: whether the page is shared, enum ghost_share.
 * @handle:	In the ghost: the guest that owns the page; or the VM that differs.
 * @ipa:	In the ghost: the page's IPA in that guest; or the IPA where the VM differs.
 * @count:	In the ghost: at how many IPAs of VMs the host shares the page.
 * @pins:	In the ghost: how many times the hypervisor has pinned the page.
 */
struct pkvm_ghost_report {
	const char *call;
	const char *what;
	s64 ret;
	u64 phys;
	u64 found;
	u64 wanted;
	u64 owner;
	u64 shared;
	u64 handle;
	u64 ipa;
	u64 count;
	u64 pins;
};

#define pkvm_hyp_ghost_report	kvm_nvhe_sym(ghost_report)
extern struct pkvm_ghost_report pkvm_hyp_ghost_report;

void pkvm_ghost_print(u64 hyp_offset);

#else

static inline void pkvm_ghost_print(u64 hyp_offset) { }

#endif
#endif /* __ARM64_KVM_PKVM_GHOST_H__ */
