/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The types that the kernel's headers for user space are written in: the firmware has
 * no C library of a kernel's to take them from.
 */
#ifndef PVMFW_LINUX_TYPES_H
#define PVMFW_LINUX_TYPES_H

#include <stdint.h>

typedef uint8_t __u8;
typedef uint16_t __u16;
typedef uint32_t __u32;
typedef uint64_t __u64;

/* All of it is little-endian, as is the CPU. */
#define __bitwise
typedef __u16 __le16;
typedef __u32 __le32;
typedef __u64 __le64;

#endif
