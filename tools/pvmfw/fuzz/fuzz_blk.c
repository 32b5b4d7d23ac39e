// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the block driver with a hostile disk: it completes requests in any way at any time,
 * and changes rings, headers, data and status under the driver.
 *
 * Rules: a request finishes once, with no more data than requested; a slot never belongs to
 * two requests; no memory is lost.
 *
 * The input is a list of steps: the driver starts or finishes a read, the device completes a
 * request, or it changes bytes of shared memory. The device also acts whenever the driver
 * reads the counter.
 */
#include <stdlib.h>

#include "fake_counter.h"
#include "fuzz_pool.h"
#include "mmio.h"
#include "virtio_blk.h"

#define HEAP_SIZE	(FW_SCRATCH_SIZE / 8)
#define QUEUE_SIZE	16
#define SECTORS		1000
#define NOTIFY		0x2000000ull
#define COMMON		0x2001000ull
/* A bit of the byte that selects a slot: the byte is the id for the used ring instead. */
#define ANY_ID		0x80
/* A header and its status. */
#define REQUEST_SIZE	25

struct fixture {
	struct fuzz_input in;
	struct fuzz_pool memory;
	struct virtio_blk blk;
	u64 ring_bytes;
	u32 len[VIRTIO_BLK_MAX_DEPTH];
};

static struct fixture fixture;

/* The driver reads only the device status here. */
u8 mmio_read8(u64 addr)
{
	FUZZ_RULE(range_inside(addr, 1, COMMON, 0x38));
	return (u8)fuzz_take(&fixture.in, 1);
}

u16 mmio_read16(u64 addr)
{
	FUZZ_RULE(!addr);
	return 0;
}

u32 mmio_read32(u64 addr)
{
	FUZZ_RULE(!addr);
	return 0;
}

void mmio_write8(u64 addr, u8 value)
{
	FUZZ_RULE(!addr && !value);
}

void mmio_write16(u64 addr, u16 value)
{
	FUZZ_RULE(addr == NOTIFY && !value);
}

void mmio_write32(u64 addr, u32 value)
{
	FUZZ_RULE(!addr && !value);
}

static bool is_shared(const void *at, size_t len)
{
	u64 first = (u64)((const u8 *)at - fake_hyp.arena) / PAGE_SIZE;
	u64 last = (u64)((const u8 *)at + len - 1 - fake_hyp.arena) / PAGE_SIZE;

	for (; first <= last; first++)
		if (first >= ARRAY_SIZE(fake_hyp.shared) || !fake_hyp.shared[first])
			return false;
	return true;
}

/* The device writes bytes to a shared page. */
static void scribble(struct fixture *f)
{
	u64 page = fuzz_take(&f->in, 1) * 2, at = fuzz_take(&f->in, 2) % PAGE_SIZE;
	unsigned int len = 1 + fuzz_take(&f->in, 1) % 8;

	while (page < ARRAY_SIZE(fake_hyp.shared) && !fake_hyp.shared[page])
		page++;
	for (; page < ARRAY_SIZE(fake_hyp.shared) && len && at < PAGE_SIZE; len--, at++)
		fake_hyp.arena[page * PAGE_SIZE + at] = (u8)fuzz_take(&f->in, 1);
}

/*
 * The device completes a request with a status and a length that are often right, or with an
 * id that may be wrong.
 */
static void answer(struct fixture *f)
{
	struct virtqueue *vq = &f->blk.vq;
	u8 which = (u8)fuzz_take(&f->in, 1), status = (u8)fuzz_take(&f->in, 1) % 4;
	unsigned int slot = which % VIRTIO_BLK_MAX_DEPTH;
	u16 idx = (u16)(vq->used_idx + 1);
	u8 *used = (u8 *)vq->used;
	/* Valid are the length of the data, and one byte more. */
	u32 elem[2] = { 0, f->len[slot] - 1 + (u32)fuzz_take(&f->in, 1) % 4 };

	if (which & ANY_ID)
		elem[0] = which % (QUEUE_SIZE + 2);
	else
		while (elem[0] < QUEUE_SIZE &&
		       (!vq->chain[elem[0]] || f->blk.slot_of[elem[0]] != slot))
			elem[0]++;
	if (f->blk.slot[slot].req)
		((u8 *)f->blk.slot[slot].req)[REQUEST_SIZE - 1] = status;
	memcpy(used + 4 + 8 * (vq->used_idx % QUEUE_SIZE), elem, sizeof(elem));
	memcpy(used + 2, &idx, sizeof(idx));
}

static void device_acts(void)
{
	switch (fuzz_take(&fixture.in, 1) % 4) {
	case 0:
		scribble(&fixture);
		break;
	case 1:
		answer(&fixture);
		break;
	}
}

/* A slot in use has shared memory, a free one has none; the pool has no other memory in use. */
static void check_slots(const struct fixture *f)
{
	u64 in_use = f->ring_bytes;
	unsigned int i, waiting = 0;

	for (i = 0; i < VIRTIO_BLK_MAX_DEPTH; i++) {
		const struct virtio_blk_slot *s = &f->blk.slot[i];

		FUZZ_RULE(!s->req == !f->len[i] && s->len == f->len[i] && !s->bounce == !s->req);
		if (!s->req)
			continue;
		FUZZ_RULE(is_shared(s->req, REQUEST_SIZE) && is_shared(s->bounce, s->len));
		in_use += buddy_block_size(REQUEST_SIZE) + buddy_block_size(s->len);
		waiting += !s->done;
	}
	FUZZ_RULE(f->memory.pool.stats.in_use == in_use);
	FUZZ_RULE(f->blk.in_flight == waiting && waiting <= f->blk.in_flight_peak);
}

static void begin(struct fixture *f)
{
	u64 sector = fuzz_take(&f->in, 2) % (SECTORS + 100);
	u32 len = (u32)fuzz_take(&f->in, 1) * SECTOR_SIZE + (u32)fuzz_take(&f->in, 1) % 2;
	bool broken = f->blk.vq.broken, fits;
	enum fw_status status;
	unsigned int slot;

	fits = len && len <= VIRTIO_BLK_MAX_READ && len % SECTOR_SIZE == 0 &&
	       sector + len / SECTOR_SIZE <= SECTORS;
	status = virtio_blk_start_read(&f->blk, sector, len, &slot);
	if (status != FW_OK) {
		FUZZ_RULE(!fits || broken || status == FW_EAGAIN || status == FW_ENOMEM);
		return;
	}
	FUZZ_RULE(fits && !broken && slot < VIRTIO_BLK_MAX_DEPTH && !f->len[slot]);
	f->len[slot] = len;
}

static void finish(struct fixture *f)
{
	unsigned int slot = (unsigned int)fuzz_take(&f->in, 1) % VIRTIO_BLK_MAX_DEPTH;
	enum fw_status status;
	u8 *data;

	if (!f->len[slot])
		return;
	/* Of exactly the requested size, so that ASan finds a write beyond it. */
	data = malloc(f->len[slot]);
	FUZZ_RULE(data);
	status = virtio_blk_finish_read(&f->blk, slot, data);
	free(data);
	switch (status) {
	case FW_OK:
	case FW_EBLK_IO:
	case FW_EBLK_UNSUPPORTED:
		f->len[slot] = 0;
		break;
	case FW_EVIRTIO_RING:
		FUZZ_RULE(f->blk.vq.broken);
		break;
	default:
		FUZZ_RULE(status == FW_EBLK_STATUS || status == FW_EBLK_SHORT ||
			  status == FW_ETIMEOUT || status == FW_EVIRTIO_BROKEN);
	}
}

static void start(struct fixture *f, const u8 *data, size_t size)
{
	struct shared_pool *pool = &f->memory.pool;

	memset(f, 0, sizeof(*f));
	f->in = (struct fuzz_input){ data, size };
	fuzz_pool_start(&f->memory, HEAP_SIZE);
	FUZZ_RULE(virtq_init(&f->blk.vq, pool, QUEUE_SIZE) == FW_OK);
	f->ring_bytes = pool->stats.in_use;
	f->blk.pool = pool;
	f->blk.dev.common = (struct virtio_region){ COMMON, 0x38 };
	f->blk.notify = NOTIFY;
	f->blk.sectors = SECTORS;
	f->blk.running = true;
	fake_counter_tick = device_acts;
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct fixture *f = &fixture;

	start(f, data, size);
	while (f->in.left) {
		switch (fuzz_take(&f->in, 1) % 4) {
		case 0:
			begin(f);
			break;
		case 1:
			finish(f);
			break;
		case 2:
			answer(f);
			break;
		default:
			scribble(f);
		}
		check_slots(f);
	}
	fuzz_pool_end(&f->memory, HEAP_SIZE);
	return 0;
}
