/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What EL2 leaves for the host to print when a page is not what its ghost says, see
 * nvhe/ghost.c.
 */
#ifndef __ARM64_KVM_PKVM_GHOST_H__
#define __ARM64_KVM_PKVM_GHOST_H__

#include <linux/types.h>

#include <asm/hyp_image.h>

#ifdef CONFIG_NVHE_EL2_DEBUG

/**
 * struct pkvm_ghost_report - A difference between the ghost and EL2.
 * @call:	The call after which it was found; NULL as long as none was.
 * @what:	What differs.
 * @ret:	What the call returned.
 * @phys:	The page, or 0 if the difference is not one of a page.
 * @found:	What EL2 has.
 * @wanted:	What it ought to have.
 * @owner:	Of the ghost: enum pkvm_component_id.
 * @shared:	Of the ghost: enum ghost_share.
 * @handle:	Of the ghost: the guest that owns the page; or the VM that differs.
 * @ipa:	Of the ghost: where that has it; or where the VM differs.
 * @count:	Of the ghost: places in np-VMs.
 * @pins:	Of the ghost: pins of the hypervisor.
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
