/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Accesses to device registers. Rule: each function makes exactly one access of its width. A
 * read is ordered before later accesses to shared memory, a write after earlier ones.
 */
#ifndef PVMFW_MMIO_H
#define PVMFW_MMIO_H

#include "types.h"

/**
 * mmio_read8() - Read an 8-bit register.
 * @addr: its address, mapped as device memory
 *
 * Return: its value.
 */
u8 mmio_read8(u64 addr);

/**
 * mmio_read16() - Read a 16-bit register.
 * @addr: its address, mapped as device memory, a multiple of 2
 *
 * Return: its value.
 */
u16 mmio_read16(u64 addr);

/**
 * mmio_read32() - Read a 32-bit register.
 * @addr: its address, mapped as device memory, a multiple of 4
 *
 * Return: its value.
 */
u32 mmio_read32(u64 addr);

/**
 * mmio_write8() - Write an 8-bit register.
 * @addr: its address, mapped as device memory
 * @value: the value
 */
void mmio_write8(u64 addr, u8 value);

/**
 * mmio_write16() - Write a 16-bit register.
 * @addr: its address, mapped as device memory, a multiple of 2
 * @value: the value
 */
void mmio_write16(u64 addr, u16 value);

/**
 * mmio_write32() - Write a 32-bit register.
 * @addr: its address, mapped as device memory, a multiple of 4
 * @value: the value
 */
void mmio_write32(u64 addr, u32 value);

#endif
