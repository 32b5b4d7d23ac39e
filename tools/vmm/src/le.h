/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Access to little-endian fields of structures that the guest uses, at any alignment.
 */
#ifndef VMM_LE_H
#define VMM_LE_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

static inline uint16_t get_le16(const void *field)
{
	uint16_t value;

	memcpy(&value, field, sizeof(value));
	return le16toh(value);
}

static inline uint32_t get_le32(const void *field)
{
	uint32_t value;

	memcpy(&value, field, sizeof(value));
	return le32toh(value);
}

static inline uint64_t get_le64(const void *field)
{
	uint64_t value;

	memcpy(&value, field, sizeof(value));
	return le64toh(value);
}

static inline void put_le16(void *field, uint16_t value)
{
	value = htole16(value);
	memcpy(field, &value, sizeof(value));
}

static inline void put_le32(void *field, uint32_t value)
{
	value = htole32(value);
	memcpy(field, &value, sizeof(value));
}

static inline void put_le64(void *field, uint64_t value)
{
	value = htole64(value);
	memcpy(field, &value, sizeof(value));
}

#endif /* VMM_LE_H */
