/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What windows_host.c and window_init.c tell each other in the memory of a window.
 */
#ifndef VMM_TESTS_VM_WINDOW_H
#define VMM_TESTS_VM_WINDOW_H

#include <stdint.h>

#define WINDOW_MAGIC	0x6d6f646e69777076ULL

enum window_state {
	/* The host has written its data; the guest answers. */
	WINDOW_ASKED = 1,
	/* The guest has answered, and goes on using the window until it is gone. */
	WINDOW_ANSWERED,
	/* The guest found wrong data. */
	WINDOW_WRONG,
	/* There are no more windows: the guest's program ends. */
	WINDOW_END,
};

/* The start of a window; behind it is data of the host, in the second half the guest's. */
struct window_header {
	uint64_t magic;
	uint64_t number;
	uint64_t bytes;
	uint64_t state;
	/* Grows while the guest uses the window. */
	uint64_t beats;
	/* The guest answered by a non-cacheable mapping, and not by one of device memory. */
	uint64_t write_combined;
	/* What the guest reads at the end of the window while it uses it. */
	uint64_t last;
};

/* One access each, which the compiler does not leave out or join with another. */
static inline uint64_t window_read(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static inline void window_write(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
}

/* Word @index of the data of window @number. */
static inline uint64_t window_word(uint64_t number, uint64_t index)
{
	return (number << 32 | index) * 0x9e3779b97f4a7c15ULL;
}

#endif /* VMM_TESTS_VM_WINDOW_H */
