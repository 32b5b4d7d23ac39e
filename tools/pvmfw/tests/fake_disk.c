// SPDX-License-Identifier: GPL-2.0-only
/*
 * The disk (fake_disk.h), as virtio 1.2 defines it.
 */
#include <linux/pci_regs.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "fake_counter.h"
#include "fake_disk.h"
#include "fake_hyp.h"
#include "fake_trace.h"
#include "testing.h"

#define BAR_SIZE	0x4000
#define COMMON_AT	0x0000
#define NOTIFY_AT	0x1000
#define DEVICE_AT	0x2000
#define REGION_SIZE	0x1000
#define NOTIFY_MULTIPLIER 4

struct fake_disk fake_disk;

const struct fake_disk_evil_case fake_disk_evil_cases[FAKE_DISK_EVIL_CASES] = {
	{ EVIL_USED_JUMP, FW_EVIRTIO_RING },
	{ EVIL_USED_BACK, FW_EVIRTIO_RING },
	{ EVIL_WRONG_ID, FW_EVIRTIO_RING },
	{ EVIL_HUGE_ID, FW_EVIRTIO_RING },
	{ EVIL_LONG, FW_EVIRTIO_RING },
	{ EVIL_SHORT, FW_EBLK_SHORT },
	{ EVIL_STATUS, FW_EBLK_STATUS },
	{ EVIL_NO_STATUS, FW_EBLK_STATUS },
	{ EVIL_SILENT, FW_ETIMEOUT },
	{ EVIL_NEEDS_RESET, FW_EVIRTIO_BROKEN },
};

u8 fake_disk_byte(u64 at)
{
	return (u8)(at * 31 + (at >> 9) * 7 + (at >> 17));
}

/* Get memory of the guest, which must be shared. */
static void *guest(u64 addr, u64 len)
{
	fake_hyp_check_shared(addr, len);
	return (void *)(uintptr_t)addr;
}

/* Do the request that starts at @head: sets its status, returns the bytes written. */
static u32 serve(u16 head, u8 *result)
{
	const struct vring_desc *table = guest(fake_disk.desc,
					       fake_disk.queue_size * sizeof(*table));
	const struct vring_desc *req = &table[head], *data = &table[req->next];
	const struct vring_desc *status = &table[data->next];
	u64 sector, i;
	u32 type;
	u8 *to;

	/* Header, data, status; the device writes the last two. */
	assert_int_equal(req->flags, VRING_DESC_F_NEXT);
	assert_int_equal(data->flags, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE);
	assert_int_equal(status->flags, VRING_DESC_F_WRITE);
	assert_int_equal(req->len, 16);
	assert_int_equal(status->len, 1);
	assert_int_equal(data->len % 512, 0);

	memcpy(&type, guest(req->addr, 16), sizeof(type));
	memcpy(&sector, (u8 *)guest(req->addr, 16) + 8, sizeof(sector));
	assert_int_equal(type, VIRTIO_BLK_T_IN);
	assert_true(range_inside(sector, data->len / 512, 0, fake_disk.sectors));

	*result = VIRTIO_BLK_S_OK;
	if (fake_disk.unsupported)
		*result = VIRTIO_BLK_S_UNSUPP;
	else if (range_inside(fake_disk.bad_sector, 1, sector, data->len / 512))
		*result = VIRTIO_BLK_S_IOERR;
	to = guest(data->addr, data->len);
	for (i = 0; i < data->len && !*result; i++)
		to[i] = fake_disk_byte(sector * 512 + i);
	return *result ? 1 : data->len + 1;
}

static void complete(u16 head, u32 written, u8 result)
{
	bool evil = fake_disk.evil && fake_disk.requests >= fake_disk.evil_from;
	enum fake_disk_evil how = evil ? fake_disk.evil : EVIL_NONE;
	const struct vring_desc *table = (const void *)(uintptr_t)fake_disk.desc;
	u64 status_at = table[table[table[head].next].next].addr;
	u16 step = 1, idx = fake_disk.done;
	u32 elem[2] = { head, written };
	u8 *used;

	switch (how) {
	case EVIL_USED_JUMP:
		step = 2;
		break;
	case EVIL_USED_BACK:
		step = 0xffff;
		break;
	case EVIL_WRONG_ID:
		elem[0] = table[head].next;
		break;
	case EVIL_HUGE_ID:
		elem[0] = 0x10000 | head;
		break;
	case EVIL_LONG:
		elem[1] = written + 1;
		break;
	case EVIL_SHORT:
		elem[1] = written - 2;
		break;
	case EVIL_UNCOUNTED:
		elem[1] = written - 1;
		break;
	case EVIL_STATUS:
		result = 0x77;
		break;
	case EVIL_SILENT:
		return;
	case EVIL_NEEDS_RESET:
		fake_disk.status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		return;
	default:
		break;
	}
	if (how != EVIL_NO_STATUS)
		*(u8 *)guest(status_at, 1) = result;
	used = guest(fake_disk.used, 4 + 8 * (u64)fake_disk.queue_size);
	memcpy(used + 4 + 8 * (idx % fake_disk.queue_size), elem, sizeof(elem));
	fake_disk.done = (u16)(idx + step);
	memcpy(used + 2, &fake_disk.done, sizeof(fake_disk.done));
}

static void answer(u16 head)
{
	u32 written;
	u8 result;

	written = serve(head, &result);
	complete(head, written, result);
}

/* Complete one of the requests, chosen at random, while the driver waits. */
static void tick(void)
{
	unsigned int i;
	u16 head;

	if (!fake_disk.held_count)
		return;
	i = test_random(&fake_disk.shuffle) % fake_disk.held_count;
	head = fake_disk.held[i];
	fake_disk.held[i] = fake_disk.held[--fake_disk.held_count];
	answer(head);
}

static void take(u16 head)
{
	if (!fake_disk.shuffle) {
		answer(head);
		return;
	}
	assert_true(fake_disk.held_count < ARRAY_SIZE(fake_disk.held));
	fake_disk.held[fake_disk.held_count++] = head;
	if (fake_disk.held_count > fake_disk.held_peak)
		fake_disk.held_peak = fake_disk.held_count;
}

static void notified(void)
{
	u16 idx, head;
	u8 *avail;

	if (!fake_disk.queue_enable || !(fake_disk.status & VIRTIO_CONFIG_S_DRIVER_OK))
		fail_msg("a request before DRIVER_OK");
	avail = guest(fake_disk.avail, 4 + 2 * (u64)fake_disk.queue_size);
	memcpy(&idx, avail + 2, sizeof(idx));
	while (fake_disk.seen != idx) {
		memcpy(&head, avail + 4 + 2 * (fake_disk.seen % fake_disk.queue_size),
		       sizeof(head));
		fake_disk.seen++;
		fake_disk.requests++;
		take(head);
	}
}

static u32 common_read(u64 offset)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DF:
		return fake_disk.feature_select < 2 ?
			(u32)(fake_disk.features >> 32 * fake_disk.feature_select) : 0;
	case VIRTIO_PCI_COMMON_STATUS:
		return fake_disk.status;
	case VIRTIO_PCI_COMMON_CFGGENERATION:
		return fake_disk.restless ? fake_disk.generation++ : fake_disk.generation;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		return fake_disk.queue_size ? fake_disk.queue_size : fake_disk.queue_max;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		return fake_disk.queue_enable;
	case VIRTIO_PCI_COMMON_Q_NOFF:
		return fake_disk.notify_off;
	default:
		fail_msg("read of common register 0x%x", (unsigned int)offset);
		return 0;
	}
}

static void set_half(u64 *reg, u64 offset, u32 value)
{
	const unsigned int shift = offset & 4 ? 32 : 0;

	*reg = (*reg & ~(0xffffffffull << shift)) | (u64)value << shift;
}

static void write_status(u8 value)
{
	if (!value) {
		fake_trace(EVENT_DISK_RESET, 0);
		if (fake_disk.stuck_reset)
			return;
		fake_disk.queue_enable = 0;
		fake_disk.queue_size = 0;
		fake_disk.seen = 0;
		fake_disk.done = 0;
		fake_disk.held_count = 0;
		fake_disk.driver_features = 0;
	}
	if (fake_disk.refuse_features)
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	fake_disk.status = value;
}

static void common_write(u64 offset, u32 value)
{
	switch (offset) {
	case VIRTIO_PCI_COMMON_DFSELECT:
		fake_disk.feature_select = value;
		break;
	case VIRTIO_PCI_COMMON_GFSELECT:
		fake_disk.driver_select = value;
		break;
	case VIRTIO_PCI_COMMON_GF:
		assert_true(fake_disk.driver_select < 2);
		fake_disk.driver_features |= (u64)value << 32 * fake_disk.driver_select;
		break;
	case VIRTIO_PCI_COMMON_STATUS:
		write_status((u8)value);
		break;
	case VIRTIO_PCI_COMMON_Q_SELECT:
		assert_int_equal(value, 0);
		break;
	case VIRTIO_PCI_COMMON_Q_SIZE:
		assert_true(value <= fake_disk.queue_max && is_power_of_2(value));
		fake_disk.queue_size = (u16)value;
		break;
	case VIRTIO_PCI_COMMON_Q_MSIX:
		assert_int_equal(value, VIRTIO_MSI_NO_VECTOR);
		break;
	case VIRTIO_PCI_COMMON_Q_ENABLE:
		fake_disk.queue_enable = !fake_disk.refuse_queue;
		break;
	case VIRTIO_PCI_COMMON_Q_DESCLO:
	case VIRTIO_PCI_COMMON_Q_DESCHI:
		set_half(&fake_disk.desc, offset, value);
		break;
	case VIRTIO_PCI_COMMON_Q_AVAILLO:
	case VIRTIO_PCI_COMMON_Q_AVAILHI:
		set_half(&fake_disk.avail, offset, value);
		break;
	case VIRTIO_PCI_COMMON_Q_USEDLO:
	case VIRTIO_PCI_COMMON_Q_USEDHI:
		set_half(&fake_disk.used, offset, value);
		break;
	default:
		fail_msg("write of common register 0x%x", (unsigned int)offset);
	}
}

static u32 bar_read(u64 offset, unsigned int size)
{
	if (offset < COMMON_AT + REGION_SIZE)
		return common_read(offset);
	assert_int_equal(size, 4);
	assert_true(offset == DEVICE_AT || offset == DEVICE_AT + 4);
	return (u32)(fake_disk.sectors >> (offset & 4) * 8);
}

static void bar_write(u64 offset, u32 value, unsigned int size)
{
	if (offset < COMMON_AT + REGION_SIZE) {
		common_write(offset, value);
		return;
	}
	assert_int_equal(offset, NOTIFY_AT + fake_disk.notify_off * NOTIFY_MULTIPLIER);
	assert_int_equal(size, 2);
	assert_int_equal(value, 0);
	notified();
}

static void add_cap(struct fake_fn *fn, u8 at, u8 next, u8 type, u32 offset)
{
	fn->config[at] = PCI_CAP_ID_VNDR;
	fn->config[at + 1] = next;
	fn->config[at + 2] = type == 2 ? 20 : 16;
	fn->config[at + 3] = type;
	fn->config[at + 4] = 0;
	fake_bus_set32(fn, at + 8u, offset);
	fake_bus_set32(fn, at + 12u, REGION_SIZE);
	if (type == 2)
		fake_bus_set32(fn, at + 16u, NOTIFY_MULTIPLIER);
}

struct fake_fn *fake_disk_add(unsigned int slot, u64 sectors)
{
	struct fake_fn *fn = fake_bus_add(slot, 0, 0x1af4, 0x1042);

	memset(&fake_disk, 0, sizeof(fake_disk));
	fake_disk.sectors = sectors;
	fake_disk.features = 3ull << 32 | 0x6246;
	fake_disk.queue_max = 256;
	fake_disk.bad_sector = (u64)-1;
	fake_disk.evil_from = 1;
	fake_counter_tick = tick;

	fn->config[0x06] = 0x10;
	fn->config[0x34] = FAKE_CAP_COMMON;
	add_cap(fn, FAKE_CAP_COMMON, FAKE_CAP_NOTIFY, 1, COMMON_AT);
	add_cap(fn, FAKE_CAP_NOTIFY, FAKE_CAP_DEVICE, 2, NOTIFY_AT);
	add_cap(fn, FAKE_CAP_DEVICE, 0, 4, DEVICE_AT);
	fake_bus_set32(fn, 0x10, 0x4);
	fn->bar_mask[0] = ~(BAR_SIZE - 1u);
	fn->bar_mask[1] = ~0u;
	fn->read = bar_read;
	fn->write = bar_write;
	return fn;
}
