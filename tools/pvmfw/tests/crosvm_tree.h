/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A device tree in the shape that crosvm gives it.
 */
#ifndef PVMFW_CROSVM_TREE_H
#define PVMFW_CROSVM_TREE_H

#include "types.h"

/** The tree, and what is behind it. */
extern const u8 crosvm_tree[], crosvm_tree_end[];

#endif
