/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The device tree: it comes from the host, so nothing in it is believed before
 * it is checked. The first access makes the memory private, so it cannot change
 * under the check.
 */
#ifndef PVMFW_DEVTREE_H
#define PVMFW_DEVTREE_H

#include <libfdt_env.h>

#include "status.h"
#include "types.h"

/* Bytes that say how much there is. */
#define DEVTREE_HEADER_SIZE	40

/**
 * devtree_size() - Read how large a device tree is.
 * @fdt: the tree, 8 byte aligned; DEVTREE_HEADER_SIZE bytes can be read
 * @max_size: bytes that it may have
 * @size: where its size goes
 *
 * Return: FW_OK; FW_EFDT_HEADER if it has no magic or is smaller than its header;
 * FW_EFDT_SIZE.
 */
enum fw_status devtree_size(const void *fdt, size_t max_size, size_t *size);

/**
 * devtree_check() - Check the whole structure of a device tree.
 * @fdt: the tree, 8 byte aligned
 * @max_size: bytes that may be read at @fdt
 *
 * Return: FW_OK; FW_EFDT_HEADER, FW_EFDT_SIZE or FW_EFDT_STRUCT for a tree that
 * libfdt's readers should not be let loose on.
 */
enum fw_status devtree_check(const void *fdt, size_t max_size);

/**
 * devtree_cells() - Read a number of one or two cells.
 * @cell: the first one
 * @cells: how many
 *
 * Return: the number.
 */
u64 devtree_cells(const fdt32_t *cell, int cells);

/**
 * devtree_reg_count() - Count the entries of a "reg".
 * @fdt: a tree that passed devtree_check(), as for all functions below
 * @parent: the parent of @node
 * @node: whose "reg"
 *
 * Return: how many; -1 if it is missing or malformed.
 */
int devtree_reg_count(const void *fdt, int parent, int node);

/**
 * devtree_reg() - Read an entry of a "reg".
 * @fdt: the tree
 * @parent: the parent of @node
 * @node: whose "reg"
 * @i: which entry, one that devtree_reg_count() said is there
 * @base: where the address goes
 * @size: where the size goes
 */
void devtree_reg(const void *fdt, int parent, int node, int i, u64 *base, u64 *size);

/**
 * devtree_root_reg() - Read the "reg" of a device right below the root: one that no
 *	bus in between translates.
 * @fdt: the tree
 * @node: the device
 * @base: where the address goes
 * @size: where the size goes
 *
 * Return: true if it is there and well formed; of several entries it is the first.
 */
bool devtree_root_reg(const void *fdt, int node, u64 *base, u64 *size);

/**
 * devtree_number() - Read a property that is a number.
 * @fdt: the tree
 * @node: the node
 * @name: the property
 * @value: where it goes
 *
 * Return: true if it is there and of one or two cells.
 */
bool devtree_number(const void *fdt, int node, const char *name, u64 *value);

/**
 * devtree_string() - Read a property that is one string.
 * @fdt: the tree
 * @node: the node
 * @name: the property
 * @max: bytes that it may have, with its end
 *
 * Return: the string, or NULL if it is missing, longer or not one string.
 */
const char *devtree_string(const void *fdt, int node, const char *name, int max);

#endif
