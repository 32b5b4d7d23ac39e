// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to device registers (mmio.h), in assembly: a hypervisor that emulates a device
 * needs the decoded instruction in the fault syndrome, which is valid only for plain loads
 * and stores of one register.
 */
#include "mmio.h"

u8 mmio_read8(u64 addr)
{
	u32 value;

	asm volatile("ldrb %w0, [%1]\n\tdmb oshld" : "=r" (value) : "r" (addr) : "memory");
	return (u8)value;
}

u16 mmio_read16(u64 addr)
{
	u32 value;

	asm volatile("ldrh %w0, [%1]\n\tdmb oshld" : "=r" (value) : "r" (addr) : "memory");
	return (u16)value;
}

u32 mmio_read32(u64 addr)
{
	u32 value;

	asm volatile("ldr %w0, [%1]\n\tdmb oshld" : "=r" (value) : "r" (addr) : "memory");
	return value;
}

void mmio_write8(u64 addr, u8 value)
{
	asm volatile("dmb osh\n\tstrb %w0, [%1]" :: "r" (value), "r" (addr) : "memory");
}

void mmio_write16(u64 addr, u16 value)
{
	asm volatile("dmb osh\n\tstrh %w0, [%1]" :: "r" (value), "r" (addr) : "memory");
}

void mmio_write32(u64 addr, u32 value)
{
	asm volatile("dmb osh\n\tstr %w0, [%1]" :: "r" (value), "r" (addr) : "memory");
}
