/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the driver for guests of pKVM share.
 */
#ifndef PKVM_GUEST_H
#define PKVM_GUEST_H

#include <linux/init.h>
#include <linux/types.h>

bool __init pkvm_guest_init_ranges(u64 granule, u64 info);
void __init pkvm_guest_init_relinquish(u64 granule);

#endif /* PKVM_GUEST_H */
