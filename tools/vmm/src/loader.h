/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Loads images into guest memory before the guest runs, while all of it belongs to the host.
 * Rule: a file is loaded whole, or the error is printed.
 */
#ifndef VMM_LOADER_H
#define VMM_LOADER_H

#include <stdint.h>

#include "memory.h"

/* An image in guest memory. */
struct image {
	/* Guest physical address. */
	uint64_t address;
	/* Bytes of the file. */
	uint64_t size;
	/* Bytes of memory that it needs when it runs, at least @size. */
	uint64_t footprint;
};

/**
 * load_file() - Load a file unchanged.
 * @memory: guest memory
 * @what: name of the file's purpose in messages
 * @path: the file
 * @address: guest physical address
 * @limit: bytes of room at @address, which guest memory should cover
 * @image: filled in on success
 *
 * Prints every error on standard error.
 *
 * Return: 0; -EINVAL if the file is empty or not a regular file; -EFBIG if it is larger than
 * @limit; -ERANGE if guest memory does not cover it; or the negative errno of open(), fstat()
 * or pread().
 */
int load_file(const struct guest_memory *memory, const char *what, const char *path,
	      uint64_t address, uint64_t limit, struct image *image);

/**
 * load_kernel() - Load an arm64 Image.
 * @memory: guest memory
 * @path: the file
 * @address: guest physical address, a multiple of 2 MiB, to which the image's text_offset is
 *	added
 * @limit: bytes of room at @address
 * @image: filled in on success
 *
 * Checks the header (Documentation/arch/arm64/booting.rst). Prints every error on standard
 * error.
 *
 * Return: as load_file(); also -EINVAL for a file that is not an uncompressed arm64 Image, and
 * -EFBIG if the running kernel needs more room than there is.
 */
int load_kernel(const struct guest_memory *memory, const char *path, uint64_t address,
		uint64_t limit, struct image *image);

#endif /* VMM_LOADER_H */
