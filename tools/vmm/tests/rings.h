/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a split virtqueue to guest memory as a driver does, valid or not, for tests.
 */
#ifndef VMM_TEST_RINGS_H
#define VMM_TEST_RINGS_H

#include <linux/virtio_ring.h>

#include "le.h"
#include "test.h"

#define RING_DESC	(RAM_BASE + 0x10000)
#define RING_AVAIL	(RAM_BASE + 0x12000)
#define RING_USED	(RAM_BASE + 0x14000)
#define BUFFERS		(RAM_BASE + 0x20000)

static inline void put_desc(const struct guest_memory *memory, unsigned int index,
			    uint64_t address, uint32_t length, uint16_t flags, uint16_t next)
{
	struct vring_desc desc;

	put_le64(&desc.addr, address);
	put_le32(&desc.len, length);
	put_le16(&desc.flags, flags);
	put_le16(&desc.next, next);
	assert_int_equal(guest_memory_write(memory, RING_DESC + index * sizeof(desc), &desc,
					    sizeof(desc)), 0);
}

static inline void put_avail(const struct guest_memory *memory, unsigned int slot, uint16_t head)
{
	assert_int_equal(guest_memory_store16(memory, RING_AVAIL + 4 + 2 * slot, head), 0);
}

static inline void set_avail_index(const struct guest_memory *memory, uint16_t index)
{
	assert_int_equal(guest_memory_store16(memory, RING_AVAIL + 2, index), 0);
}

static inline void set_avail_flags(const struct guest_memory *memory, uint16_t flags)
{
	assert_int_equal(guest_memory_store16(memory, RING_AVAIL, flags), 0);
}

static inline uint16_t used_index(const struct guest_memory *memory)
{
	uint16_t index;

	assert_int_equal(guest_memory_load16(memory, RING_USED + 2, &index), 0);
	return index;
}

struct used {
	uint32_t id;
	uint32_t len;
};

static inline struct used used_elem(const struct guest_memory *memory, unsigned int slot)
{
	struct vring_used_elem elem;

	assert_int_equal(guest_memory_read(memory, RING_USED + 4 + slot * sizeof(elem), &elem,
					   sizeof(elem)), 0);
	return (struct used) { get_le32(&elem.id), get_le32(&elem.len) };
}

#endif /* VMM_TEST_RINGS_H */
