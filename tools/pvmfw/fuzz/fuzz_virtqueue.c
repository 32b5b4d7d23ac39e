// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes the virtqueue with a device that writes anything to the rings at any time.
 *
 * Rules: virtq_poll() returns only requests that are in flight, with no more bytes than the
 * device may write; a broken queue stays broken; no descriptor is lost or used twice.
 *
 * The input is a list of steps: the driver makes a request or polls the queue, or the device
 * completes a request or changes bytes of the rings.
 */
#include "fuzz_pool.h"
#include "virtqueue.h"

#define SIZE		8
/* Bytes of the rings of a queue of that size, rounded up. */
#define RINGS_SIZE	256
#define HEAP_SIZE	(2 * PAGE_SIZE)

struct fixture {
	struct fuzz_pool memory;
	struct virtqueue vq;
	bool under_way[SIZE];
	u32 writable[SIZE];
	unsigned int used_descs;
};

static struct fixture fixture;

static void start(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	fuzz_pool_start(&f->memory, HEAP_SIZE);
	FUZZ_RULE(virtq_init(&f->vq, &f->memory.pool, SIZE) == FW_OK);
}

static void make_request(struct fixture *f, struct fuzz_input *in)
{
	unsigned int count = 1 + fuzz_take(in, 1) % 4, i;
	struct virtq_seg seg[4] = { { 0 } };
	bool broken = f->vq.broken;
	enum fw_status status;
	u32 writable = 0;
	u16 id;

	for (i = 0; i < count; i++) {
		seg[i].addr = 0x1000 * (i + 1);
		seg[i].len = (u32)fuzz_take(in, 2);
		seg[i].device_writes = i;
		writable += i ? seg[i].len : 0;
	}
	status = virtq_add(&f->vq, seg, count, &id);
	if (status != FW_OK) {
		FUZZ_RULE(status == FW_EVIRTIO_RING ? broken :
			  status == FW_EAGAIN && f->used_descs + count > SIZE);
		return;
	}
	FUZZ_RULE(!broken && id < SIZE && !f->under_way[id]);
	f->under_way[id] = true;
	f->writable[id] = writable;
	f->used_descs += count;
	FUZZ_RULE(f->used_descs + f->vq.free_count == SIZE);
}

static void poll(struct fixture *f)
{
	unsigned int free_before = f->vq.free_count;
	bool broken = f->vq.broken;
	enum fw_status status;
	u32 written;
	u16 id;

	status = virtq_poll(&f->vq, &id, &written);
	FUZZ_RULE(!broken || status == FW_EVIRTIO_RING);
	if (status != FW_OK)
		return;
	FUZZ_RULE(id < SIZE && f->under_way[id] && written <= f->writable[id]);
	FUZZ_RULE(f->vq.free_count > free_before);
	f->under_way[id] = false;
	f->used_descs -= f->vq.free_count - free_before;
	FUZZ_RULE(f->used_descs + f->vq.free_count == SIZE);
}

static void scribble(struct fixture *f, struct fuzz_input *in)
{
	u8 *rings = (u8 *)f->vq.desc;
	unsigned int at = (unsigned int)fuzz_take(in, 1) % RINGS_SIZE;
	unsigned int len = 1 + fuzz_take(in, 1) % 8;

	for (; len && at < RINGS_SIZE; len--, at++)
		rings[at] = (u8)fuzz_take(in, 1);
}

/* Write a used entry that is often valid, so that the driver gets further than errors. */
static void answer(struct fixture *f, struct fuzz_input *in)
{
	u16 idx = (u16)(f->vq.used_idx + 1);
	u32 elem[2] = { (u32)fuzz_take(in, 1) % SIZE, (u32)fuzz_take(in, 2) };
	u8 *used = (u8 *)f->vq.used;

	memcpy(used + 4 + 8 * (f->vq.used_idx % SIZE), elem, sizeof(elem));
	memcpy(used + 2, &idx, sizeof(idx));
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct fixture *f = &fixture;

	start(f);
	while (in.left) {
		switch (fuzz_take(&in, 1) % 4) {
		case 0:
			make_request(f, &in);
			break;
		case 1:
			scribble(f, &in);
			break;
		case 2:
			answer(f, &in);
			break;
		default:
			poll(f);
		}
	}
	fuzz_pool_end(&f->memory, HEAP_SIZE);
	return 0;
}
