/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses of the test guest to memory and registers, each by one instruction, and its hypercalls.
 */
#ifndef VMM_TEST_ACCESS_H
#define VMM_TEST_ACCESS_H

#include <stdint.h>

static inline void write8(uint64_t address, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline void write16(uint64_t address, uint16_t value)
{
	__asm__ volatile("strh %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline void write32(uint64_t address, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline void write64(uint64_t address, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" : : "r" (value), "r" (address) : "memory");
}

static inline uint8_t read8(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldrb %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
	return value;
}

static inline uint16_t read16(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldrh %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
	return value;
}

static inline uint32_t read32(uint64_t address)
{
	uint32_t value;

	__asm__ volatile("ldr %w0, [%1]" : "=r" (value) : "r" (address) : "memory");
	return value;
}

static inline uint64_t read64(uint64_t address)
{
	uint64_t value;

	__asm__ volatile("ldr %0, [%1]" : "=r" (value) : "r" (address) : "memory");
	return value;
}

static inline int64_t hypercall(uint64_t function, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = function;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	__asm__ volatile("hvc #0" : "+r" (x0), "+r" (x1), "+r" (x2), "+r" (x3) : :
			 "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14",
			 "x15", "x16", "x17", "memory");
	return x0;
}

#endif /* VMM_TEST_ACCESS_H */
