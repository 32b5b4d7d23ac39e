/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device trees as different versions of crosvm make them; the sources are
 * ../fuzz/seeds/devtree-crosvm*.dtsrc.
 */
#ifndef PVMFW_CROSVM_TREE_H
#define PVMFW_CROSVM_TREE_H

#include "types.h"

/** The tree lies at the start of RAM. */
extern const u8 crosvm_tree[], crosvm_tree_end[];

/** One memory range covers the firmware's region and RAM. The tree lies at the end of RAM. */
extern const u8 crosvm_joined[], crosvm_joined_end[];

/** RAM and firmware have a memory range each. Both PCI windows have the 64-bit space code. */
extern const u8 crosvm_apart[], crosvm_apart_end[];

#endif
