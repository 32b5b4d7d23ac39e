/* SPDX-License-Identifier: GPL-2.0-only */
/* MPAM is the host's alone, see guest_mpam.c. */
#ifndef __ARM64_KVM_NVHE_GUEST_MPAM_H__
#define __ARM64_KVM_NVHE_GUEST_MPAM_H__

void pkvm_mpam_trap(void);
void pkvm_mpam_untrap(void);

#endif /* __ARM64_KVM_NVHE_GUEST_MPAM_H__ */
