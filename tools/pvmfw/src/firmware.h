/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All that the firmware knows, in one place: who leaves must reach everything.
 */
#ifndef PVMFW_FIRMWARE_H
#define PVMFW_FIRMWARE_H

#include "buddy.h"
#include "config.h"
#include "disk.h"
#include "guard.h"
#include "guest.h"
#include "hyp.h"
#include "layout.h"
#include "memmap.h"
#include "pgtable.h"
#include "platform.h"
#include "shared.h"
#include "types.h"

/**
 * enum phase - What the time goes into; each phase ends where the next one starts.
 * @PHASE_START: up to the device tree
 * @PHASE_DEVTREE: checking the device tree
 * @PHASE_DISK: finding and reading the disk
 * @PHASE_VERIFY: checking kernel and initrd
 * @PHASE_LEAVE: taking everything back
 * @PHASE_COUNT: how many there are
 */
enum phase {
	PHASE_START,
	PHASE_DEVTREE,
	PHASE_DISK,
	PHASE_VERIFY,
	PHASE_LEAVE,
	PHASE_COUNT,
};

/**
 * struct firmware - The firmware.
 * @heap: private memory
 * @pgtable: the live map
 * @map: what is in it
 * @guard: the guard of its devices
 * @platform: what the device tree says
 * @config: what may be started
 * @guest: what a kernel is told
 * @hyp: the hypervisor
 * @pool: memory that the host sees
 * @disk: the disk
 * @devices_mapped: the devices of @platform are in @map
 * @host_tree: the first page of the host's device tree
 * @tree: the kernel's device tree, in the heap; NULL if no kernel is to be started
 * @ticks: by phase: what the counter was when it began; then the end of the last one
 * @heap_tree: records of @heap
 */
struct firmware {
	struct buddy heap;
	struct pgtable pgtable;
	struct memmap map;
	struct guard guard;
	struct platform platform;
	struct fw_config config;
	struct guest guest;
	struct hyp hyp;
	struct shared_pool pool;
	struct disk disk;
	bool devices_mapped;
	u64 host_tree;
	void *tree;
	u64 ticks[PHASE_COUNT + 1];
	u8 heap_tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

#endif
