/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state of the firmware, in one struct: leave() has to reach all of it.
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
 * enum phase - The phases whose duration stats.h reports; each ends where the next starts.
 * @PHASE_START: from the first instruction on
 * @PHASE_DEVTREE: checking the device tree
 * @PHASE_DISK: finding and reading the disk
 * @PHASE_VERIFY: checking kernel and initrd
 * @PHASE_LEAVE: stopping the disk, unguarding its MMIO, unsharing memory
 * @PHASE_COUNT: number of phases
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
 * @pgtable: the live page tables
 * @map: the ranges that @pgtable maps
 * @guard: guards the devices that @pgtable maps
 * @platform: what the device tree says
 * @config: what the firmware may start
 * @guest: what the kernel's device tree will say
 * @hyp: the hypervisor
 * @pool: memory that the host can access
 * @disk: the disk
 * @devices_mapped: the devices of @platform are in @map
 * @host_tree: address of the first page of the host's device tree
 * @tree: the kernel's device tree, in the heap; NULL if no kernel is to be started
 * @ticks: the counter at the start of each phase, and at the end of the last
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
