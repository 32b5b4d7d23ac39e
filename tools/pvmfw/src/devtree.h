/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Checks the structure of the host's device tree, and reads properties. Rule: nothing in the
 * tree is used before it is checked. The tree of a protected VM lies in private memory, so
 * the host cannot change it between check and use.
 */
#ifndef PVMFW_DEVTREE_H
#define PVMFW_DEVTREE_H

#include <libfdt_env.h>

#include "status.h"
#include "types.h"

/* Bytes of the header, which holds the size of the tree. */
#define DEVTREE_HEADER_SIZE	40

/**
 * devtree_size() - Read the size of a device tree.
 * @fdt: the tree, aligned to 8 bytes; DEVTREE_HEADER_SIZE bytes can be read
 * @max_size: the largest size allowed, in bytes
 * @size: set to the size in bytes
 *
 * Return: FW_OK; FW_EFDT_HEADER if the tree has no magic or is smaller than its header;
 * FW_EFDT_SIZE if it is larger than @max_size.
 */
enum fw_status devtree_size(const void *fdt, size_t max_size, size_t *size);

/**
 * devtree_check() - Check the whole structure of a device tree.
 * @fdt: the tree, aligned to 8 bytes
 * @max_size: bytes that may be read at @fdt
 *
 * Return: FW_OK if libfdt's functions can safely read the tree; FW_EFDT_HEADER for a bad
 * header; FW_EFDT_SIZE if the tree is larger than @max_size; FW_EFDT_STRUCT for a malformed
 * structure.
 */
enum fw_status devtree_check(const void *fdt, size_t max_size);

/**
 * devtree_cells() - Read a number of up to two cells.
 * @cell: the first cell
 * @cells: number of cells, 0 to 2
 *
 * Return: the number.
 */
u64 devtree_cells(const fdt32_t *cell, int cells);

/**
 * devtree_reg_count() - Count the entries of a "reg".
 * @fdt: a tree that passed devtree_check(), as for all functions below
 * @parent: the parent of @node
 * @node: the node
 *
 * Return: number of entries; -1 if "reg" is missing or malformed.
 */
int devtree_reg_count(const void *fdt, int parent, int node);

/**
 * devtree_reg() - Read an entry of a "reg".
 * @fdt: the tree
 * @parent: the parent of @node
 * @node: the node
 * @i: index of the entry, less than devtree_reg_count()
 * @base: set to the address
 * @size: set to the size in bytes
 */
void devtree_reg(const void *fdt, int parent, int node, int i, u64 *base, u64 *size);

/**
 * devtree_root_reg() - Read the first entry of the "reg" of a device directly below the root,
 *	so that no bus translates its address.
 * @fdt: the tree
 * @node: the device
 * @base: set to the address
 * @size: set to the size in bytes
 *
 * Return: true if the node is below the root and "reg" is well formed.
 */
bool devtree_root_reg(const void *fdt, int node, u64 *base, u64 *size);

/**
 * devtree_number() - Read a property that is a number.
 * @fdt: the tree
 * @node: the node
 * @name: the property
 * @value: set to the number
 *
 * Return: true if the property exists and has one or two cells.
 */
bool devtree_number(const void *fdt, int node, const char *name, u64 *value);

/**
 * devtree_string() - Read a property that is one string.
 * @fdt: the tree
 * @node: the node
 * @name: the property
 * @max: bytes that it may have, with the terminating 0
 *
 * Return: the string, or NULL if the property is missing, longer or not one string.
 */
const char *devtree_string(const void *fdt, int node, const char *name, int max);

#endif
