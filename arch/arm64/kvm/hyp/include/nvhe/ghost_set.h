/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sets of IPAs for the ghost. See ghost_set.c.
 */
#ifndef __ARM64_KVM_NVHE_GHOST_SET_H__
#define __ARM64_KVM_NVHE_GHOST_SET_H__

#include <nvhe/ghost_state.h>

void ghost_set_add(struct ghost_set *set, u64 start, u64 end);
void ghost_set_remove(struct ghost_set *set, u64 start, u64 end);
bool ghost_set_has(const struct ghost_set *set, u64 ipa);
u64 ghost_set_size(const struct ghost_set *set);

#endif /* __ARM64_KVM_NVHE_GHOST_SET_H__ */
