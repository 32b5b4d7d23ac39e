// SPDX-License-Identifier: GPL-2.0-only
/*
 * Checks the device tree, and reads properties (devtree.h).
 */
#include <assert.h>
#include <string.h>

#include <libfdt.h>

#include "devtree.h"

/* The first version whose header holds the size of every block. */
#define FDT_VERSION	17

#define MAX_CELLS	2
#define MAX_DEPTH	16

/* Whether the property at @offset has a terminated name in the strings block. */
static bool property_is_sound(const void *fdt, int offset)
{
	const char *name;
	int len;

	return fdt_getprop_by_offset(fdt, offset, &name, &len) && name && len >= 0;
}

static_assert(sizeof(struct fdt_header) == DEVTREE_HEADER_SIZE, "the header has ten fields");

enum fw_status devtree_size(const void *fdt, size_t max_size, size_t *size)
{
	if (max_size < DEVTREE_HEADER_SIZE || fdt_magic(fdt) != FDT_MAGIC)
		return FW_EFDT_HEADER;
	*size = fdt_totalsize(fdt);
	if (*size > max_size)
		return FW_EFDT_SIZE;
	return *size < DEVTREE_HEADER_SIZE ? FW_EFDT_HEADER : FW_OK;
}

enum fw_status devtree_check(const void *fdt, size_t max_size)
{
	int offset = 0, next, depth = 0;
	bool props_over = false, seen_root = false;
	enum fw_status status;
	size_t size;

	status = devtree_size(fdt, max_size, &size);
	if (status != FW_OK)
		return status;
	if (fdt_version(fdt) < FDT_VERSION || fdt_check_header(fdt) ||
	    !is_aligned(fdt_off_dt_struct(fdt), sizeof(fdt32_t)) ||
	    !is_aligned(fdt_off_mem_rsvmap(fdt), sizeof(fdt64_t)))
		return FW_EFDT_HEADER;
	if (fdt_num_mem_rsv(fdt) < 0)
		return FW_EFDT_STRUCT;

	for (;; offset = next) {
		switch (fdt_next_tag(fdt, offset, &next)) {
		case FDT_BEGIN_NODE:
			if ((seen_root && !depth) || ++depth > MAX_DEPTH)
				return FW_EFDT_STRUCT;
			seen_root = true;
			props_over = false;
			break;
		case FDT_END_NODE:
			if (--depth < 0)
				return FW_EFDT_STRUCT;
			props_over = true;
			break;
		case FDT_PROP:
			if (!depth || props_over || !property_is_sound(fdt, offset))
				return FW_EFDT_STRUCT;
			break;
		case FDT_NOP:
			break;
		case FDT_END:
			/* libfdt also returns END after an error, with a negative @next. */
			return next >= 0 && !depth && seen_root ? FW_OK : FW_EFDT_STRUCT;
		default:
			return FW_EFDT_STRUCT;
		}
	}
}

u64 devtree_cells(const fdt32_t *cell, int cells)
{
	u64 value = 0;

	while (cells--)
		value = value << 32 | fdt32_ld(cell++);
	return value;
}

int devtree_reg_count(const void *fdt, int parent, int node)
{
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	int len;

	if (ac < 1 || ac > MAX_CELLS || sc < 1 || sc > MAX_CELLS ||
	    !fdt_getprop(fdt, node, "reg", &len))
		return -1;
	if (len <= 0 || len % ((ac + sc) * (int)sizeof(fdt32_t)))
		return -1;
	return len / ((ac + sc) * (int)sizeof(fdt32_t));
}

void devtree_reg(const void *fdt, int parent, int node, int i, u64 *base, u64 *size)
{
	int ac = fdt_address_cells(fdt, parent);
	int sc = fdt_size_cells(fdt, parent);
	const fdt32_t *cell = fdt_getprop(fdt, node, "reg", NULL);

	cell += i * (ac + sc);
	*base = devtree_cells(cell, ac);
	*size = devtree_cells(cell + ac, sc);
}

bool devtree_root_reg(const void *fdt, int node, u64 *base, u64 *size)
{
	if (fdt_parent_offset(fdt, node) != 0 || devtree_reg_count(fdt, 0, node) < 1)
		return false;
	devtree_reg(fdt, 0, node, 0, base, size);
	return true;
}

bool devtree_number(const void *fdt, int node, const char *name, u64 *value)
{
	const fdt32_t *cell;
	int len;

	cell = fdt_getprop(fdt, node, name, &len);
	if (!cell || (len != (int)sizeof(*cell) && len != 2 * (int)sizeof(*cell)))
		return false;
	*value = devtree_cells(cell, len / (int)sizeof(*cell));
	return true;
}

const char *devtree_string(const void *fdt, int node, const char *name, int max)
{
	const char *string;
	int len;

	string = fdt_getprop(fdt, node, name, &len);
	if (!string || len <= 0 || len > max || strnlen(string, (size_t)len) + 1 != (size_t)len)
		return NULL;
	return string;
}
