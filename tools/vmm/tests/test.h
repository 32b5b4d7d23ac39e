/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Includes and helpers of all unit tests of the VMM: cmocka, guest memory with private pages,
 * and files with known contents.
 */
#ifndef VMM_TEST_H
#define VMM_TEST_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "layout.h"
#include "memory.h"

#define TEST_MEMORY_SIZE	0x400000UL
#define TEST_PAGE		0x1000UL

/*
 * Make a page private: the VMM's accesses to it fail as on a protected host. cmocka installs its
 * own signal handlers before each test, so install those of the VMM again.
 */
static inline void make_private(const struct guest_memory *memory, uint64_t address)
{
	assert_int_equal(guest_memory_guard(), 0);
	assert_int_equal(mprotect(memory->host + (address - memory->base), TEST_PAGE, PROT_NONE),
			 0);
}

static inline void make_shared(const struct guest_memory *memory, uint64_t address)
{
	assert_int_equal(mprotect(memory->host + (address - memory->base), TEST_PAGE,
				  PROT_READ | PROT_WRITE), 0);
}

/* Make an unnamed file of @size bytes, in which byte n is n / 512 + n. */
static inline int make_file(size_t size)
{
	char path[] = "/tmp/vmm-test-XXXXXX";
	uint8_t *bytes = malloc(size + 1);
	int fd = mkstemp(path);
	size_t i;

	assert_non_null(bytes);
	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	for (i = 0; i < size; i++)
		bytes[i] = i / 512 + i;
	assert_int_equal(pwrite(fd, bytes, size, 0), size);
	free(bytes);
	return fd;
}

#endif /* VMM_TEST_H */
