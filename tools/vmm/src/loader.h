/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Puts images into guest memory before the guest runs.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include <stdint.h>

#include "memory.h"

struct image {
	uint64_t address;
	/* Bytes of the file. */
	uint64_t size;
	/* Bytes of memory that it takes, at least @size. */
	uint64_t footprint;
};

/**
 * load_file() - Load a file as it is.
 * @memory: guest memory
 * @what: how messages call the file
 * @path: the file
 * @address: guest physical address
 * @limit: bytes that there is room for; guest memory must cover them
 * @image: where the file now is
 *
 * Says on standard error what is wrong with a file that is missing, empty, too
 * large or cannot be read.
 *
 * Return: 0, or a negative errno.
 */
int load_file(const struct guest_memory *memory, const char *what, const char *path,
	      uint64_t address, uint64_t limit, struct image *image);

/**
 * load_kernel() - Load an arm64 Image.
 * @memory: guest memory
 * @path: the file
 * @address: guest physical address, a multiple of 2 MiB, before the image's own offset
 * @limit: as load_file()
 * @image: where it is, and how much memory it takes
 *
 * As load_file(), and checks the header (Documentation/arch/arm64/booting.rst).
 *
 * Return: 0, or a negative errno.
 */
int load_kernel(const struct guest_memory *memory, const char *path, uint64_t address,
		uint64_t limit, struct image *image);

#endif /* VMM_LOADER_H */
