/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device trees as a host could pass them. Each lies in an allocation of its size, so that
 * ASan finds a read beyond it.
 */
#ifndef PVMFW_FAKE_TREE_H
#define PVMFW_FAKE_TREE_H

#include "platform.h"
#include "testing.h"

/* No tree is larger. */
#define TREE_MAX	4096

/* What the tree says. A test changes a few fields of the copy that it makes of tree_good. */
struct tree_spec {
	const char *psci_method;
	u64 mem_base, mem_size;
	bool no_memory;
	u64 more_memory[6];
	int more_cells;
	u64 rsv_base, rsv_size;
	u64 reserved[6];
	int reserved_cells;
	bool no_map;
	u64 uart_base, uart_size;
	bool no_uart, no_stdout, uart_on_bus;
	const char *stdout_path;
	u32 reg_shift;
	u64 ecam_base, ecam_size;
	bool no_pci, cam;
	u32 bus_first, bus_last, window_space, high_space;
	u64 window_bus, window_base, window_size;
	u64 high_bus, high_base, high_size;
	int ranges_len;
	u64 pool_base, pool_size;
	bool pool_reg;
	u64 kernel[2], initrd[2];
};

extern const struct tree_spec tree_good;

/* What tree_load() found. */
extern struct platform tree_plat;
/* Whether it asks for a fixed DMA pool. */
extern bool tree_static_pool;

/* Add a node of memory to a tree that is being written. */
void tree_add_memory(void *fdt, const char *name, u64 base, u64 size);

/* Make a tree, to be freed by the caller. */
void *tree_build(const struct tree_spec *s);

/* Check, parse and map a tree, as the firmware does. */
enum fw_status tree_load(const struct tree_spec *s);

#endif
