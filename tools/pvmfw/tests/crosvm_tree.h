/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device trees in the shapes that crosvm gives them.
 */
#ifndef PVMFW_CROSVM_TREE_H
#define PVMFW_CROSVM_TREE_H

#include "types.h"

/** RAM begins with the tree; the windows in another order; and what is behind it. */
extern const u8 crosvm_tree[], crosvm_tree_end[];

/** RAM and the firmware's region are one range; the tree is at its end. */
extern const u8 crosvm_joined[], crosvm_joined_end[];

/** They are two; both windows carry the space code of 64 bits. */
extern const u8 crosvm_apart[], crosvm_apart_end[];

#endif
