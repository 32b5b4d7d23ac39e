/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a device tree sequentially: the VMM's tree for the guest, and the firmware's tree for
 * the kernel.
 *
 * Rule: the writer keeps libfdt's first error, so a caller checks only fdtw_finish(). There are
 * no locks: a writer belongs to one caller.
 */
#ifndef FDT_WRITER_H
#define FDT_WRITER_H

#include <stddef.h>
#include <stdint.h>

#include <libfdt.h>

/**
 * struct fdt_writer - A tree that is being written.
 * @fdt: the tree
 * @err: the first error of libfdt; 0 if there was none
 */
struct fdt_writer {
	void *fdt;
	int err;
};

/**
 * fdtw_start() - Start a tree without memory reservations, and its root node.
 * @w: the writer
 * @buffer: where the tree goes, aligned to 8 bytes
 * @size: bytes of @buffer
 *
 * Return: 0; an error of libfdt if @buffer has no room for a header. Then no other function
 * may be called on @w.
 */
int fdtw_start(struct fdt_writer *w, void *buffer, size_t size);

/**
 * fdtw_finish() - End the root and the tree.
 * @w: the writer
 *
 * Return: 0 if the whole tree was written, else the first error of libfdt.
 */
int fdtw_finish(struct fdt_writer *w);

/**
 * fdtw_begin() - Begin a subnode of the current node.
 * @w: the writer
 * @name: its name
 */
void fdtw_begin(struct fdt_writer *w, const char *name);

/**
 * fdtw_begin_at() - Begin a subnode with a unit address in its name.
 * @w: the writer
 * @name: its name without the address; 14 characters at most
 * @address: the address
 */
void fdtw_begin_at(struct fdt_writer *w, const char *name, uint64_t address);

/**
 * fdtw_end() - End the current node.
 * @w: the writer
 */
void fdtw_end(struct fdt_writer *w);

/**
 * fdtw_empty() - Write a property without a value.
 * @w: the writer
 * @name: its name
 */
void fdtw_empty(struct fdt_writer *w, const char *name);

/**
 * fdtw_bytes() - Write a property of bytes.
 * @w: the writer
 * @name: its name
 * @bytes: its value
 * @size: bytes of it
 */
void fdtw_bytes(struct fdt_writer *w, const char *name, const void *bytes, size_t size);

/**
 * fdtw_string() - Write a property that is one string.
 * @w: the writer
 * @name: its name
 * @string: its value
 */
void fdtw_string(struct fdt_writer *w, const char *name, const char *string);

/**
 * fdtw_u32() - Write a property of one cell.
 * @w: the writer
 * @name: its name
 * @value: its value
 */
void fdtw_u32(struct fdt_writer *w, const char *name, uint32_t value);

/**
 * fdtw_u64() - Write a property of one two-cell number.
 * @w: the writer
 * @name: its name
 * @value: its value
 */
void fdtw_u64(struct fdt_writer *w, const char *name, uint64_t value);

/**
 * fdtw_u32s() - Write a property of cells.
 * @w: the writer
 * @name: its name
 * @values: the cells
 * @count: number of cells
 */
void fdtw_u32s(struct fdt_writer *w, const char *name, const uint32_t *values,
	       unsigned int count);

/**
 * fdtw_u64s() - Write a property of two-cell numbers, such as addresses and sizes.
 * @w: the writer
 * @name: its name
 * @values: the numbers
 * @count: number of numbers
 */
void fdtw_u64s(struct fdt_writer *w, const char *name, const uint64_t *values,
	       unsigned int count);

/**
 * fdtw_room() - Make room for a property of cells that the caller fills in afterwards.
 * @w: the writer
 * @name: its name
 * @count: number of cells
 *
 * Return: the cells, big-endian; NULL if there was an error.
 */
fdt32_t *fdtw_room(struct fdt_writer *w, const char *name, unsigned int count);

/**
 * fdtw_fill() - Fill in cells.
 * @cell: the first cell
 * @values: the values
 * @count: number of values
 */
void fdtw_fill(fdt32_t *cell, const uint32_t *values, unsigned int count);

/**
 * fdtw_sizes() - Write #address-cells and #size-cells of the current node.
 * @w: the writer
 * @address_cells: cells of an address
 * @size_cells: cells of a size
 */
void fdtw_sizes(struct fdt_writer *w, uint32_t address_cells, uint32_t size_cells);

#endif
