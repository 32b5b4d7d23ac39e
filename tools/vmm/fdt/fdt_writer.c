// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer of device trees (fdt_writer.h). Rule: every result of libfdt goes through
 * check(), so no error is lost.
 */
#include <stdio.h>

#include "fdt_writer.h"

static void check(struct fdt_writer *w, int err)
{
	if (!w->err)
		w->err = err;
}

int fdtw_start(struct fdt_writer *w, void *buffer, size_t size)
{
	int err;

	w->fdt = buffer;
	w->err = 0;
	/* libfdt's other functions must not be called on a buffer without a header. */
	err = fdt_create(buffer, (int)size);
	if (err)
		return err;
	check(w, fdt_finish_reservemap(buffer));
	fdtw_begin(w, "");
	return 0;
}

int fdtw_finish(struct fdt_writer *w)
{
	fdtw_end(w);
	check(w, fdt_finish(w->fdt));
	return w->err;
}

void fdtw_begin(struct fdt_writer *w, const char *name)
{
	check(w, fdt_begin_node(w->fdt, name));
}

void fdtw_begin_at(struct fdt_writer *w, const char *name, uint64_t address)
{
	char full[32];

	snprintf(full, sizeof(full), "%s@%llx", name, (unsigned long long)address);
	fdtw_begin(w, full);
}

void fdtw_end(struct fdt_writer *w)
{
	check(w, fdt_end_node(w->fdt));
}

void fdtw_empty(struct fdt_writer *w, const char *name)
{
	check(w, fdt_property(w->fdt, name, "", 0));
}

void fdtw_bytes(struct fdt_writer *w, const char *name, const void *bytes, size_t size)
{
	check(w, fdt_property(w->fdt, name, bytes, (int)size));
}

void fdtw_string(struct fdt_writer *w, const char *name, const char *string)
{
	check(w, fdt_property_string(w->fdt, name, string));
}

void fdtw_u32(struct fdt_writer *w, const char *name, uint32_t value)
{
	fdtw_u32s(w, name, &value, 1);
}

void fdtw_u64(struct fdt_writer *w, const char *name, uint64_t value)
{
	fdtw_u64s(w, name, &value, 1);
}

fdt32_t *fdtw_room(struct fdt_writer *w, const char *name, unsigned int count)
{
	void *where = NULL;

	check(w, fdt_property_placeholder(w->fdt, name, (int)(count * sizeof(fdt32_t)), &where));
	return w->err ? NULL : where;
}

void fdtw_fill(fdt32_t *cell, const uint32_t *values, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++)
		cell[i] = cpu_to_fdt32(values[i]);
}

void fdtw_u32s(struct fdt_writer *w, const char *name, const uint32_t *values,
	       unsigned int count)
{
	fdt32_t *cell = fdtw_room(w, name, count);

	if (cell)
		fdtw_fill(cell, values, count);
}

void fdtw_u64s(struct fdt_writer *w, const char *name, const uint64_t *values,
	       unsigned int count)
{
	fdt32_t *cell = fdtw_room(w, name, 2 * count);
	unsigned int i;

	for (i = 0; cell && i < count; i++) {
		cell[2 * i] = cpu_to_fdt32((uint32_t)(values[i] >> 32));
		cell[2 * i + 1] = cpu_to_fdt32((uint32_t)values[i]);
	}
}

void fdtw_sizes(struct fdt_writer *w, uint32_t address_cells, uint32_t size_cells)
{
	fdtw_u32(w, "#address-cells", address_cells);
	fdtw_u32(w, "#size-cells", size_cells);
}
