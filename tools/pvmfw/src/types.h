/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integer types and the few macros that every file of the firmware uses.
 *
 * The firmware runs on one CPU with interrupts masked, so nothing in it takes a lock. A
 * function must not be called from the exception handler unless its comment allows it.
 */
#ifndef PVMFW_TYPES_H
#define PVMFW_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

#define __printf(fmt, args) __attribute__((	\
	__format__(__printf__, fmt, args)))

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/*
 * Exactly one access, which the compiler neither tears, repeats nor invents: the only way
 * to touch memory that the host may change at the same time.
 */
#define READ_ONCE(x) __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, v) __atomic_store_n(&(x), (v), __ATOMIC_RELAXED)

/**
 * is_power_of_2() - Check whether exactly one bit is set.
 * @x: the value
 *
 * Return: true if so.
 */
static inline bool is_power_of_2(u64 x)
{
	return x && !(x & (x - 1));
}

/**
 * is_aligned() - Check whether a value is a multiple.
 * @x: the value
 * @align: a power of two
 *
 * Return: true if @x is a multiple of @align.
 */
static inline bool is_aligned(u64 x, u64 align)
{
	return !(x & (align - 1));
}

/**
 * align_down() - Round down to a multiple.
 * @x: the value
 * @align: a power of two
 *
 * Return: the largest multiple of @align that is no larger than @x.
 */
static inline u64 align_down(u64 x, u64 align)
{
	return x & ~(align - 1);
}

/**
 * align_up() - Round up to a multiple.
 * @x: the value; the caller has made sure that @x + @align does not wrap
 * @align: a power of two
 *
 * Return: the smallest multiple of @align that is no smaller than @x.
 */
static inline u64 align_up(u64 x, u64 align)
{
	return align_down(x + align - 1, align);
}

/**
 * range_overlaps() - Check whether two ranges have a byte in common.
 * @a: start of the first range
 * @a_size: its size in bytes; @a + @a_size must not wrap
 * @b: start of the second range
 * @b_size: its size in bytes; @b + @b_size must not wrap
 *
 * Return: true if so.
 */
static inline bool range_overlaps(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

/**
 * range_inside() - Check whether a range lies wholly inside another one.
 * @a: start of the inner range
 * @a_size: its size in bytes; @a + @a_size may wrap
 * @b: start of the outer range
 * @b_size: its size in bytes
 *
 * Return: true if so; also for an empty range at either end of the outer one.
 */
static inline bool range_inside(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a >= b && a_size <= b_size && a - b <= b_size - a_size;
}

#endif
