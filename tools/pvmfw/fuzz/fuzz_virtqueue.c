// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that writes what it likes into the rings, whenever it likes: a request
 * comes back only if it is under way, with no more bytes than it may write; a
 * queue that is broken stays so; no descriptor is lost or used twice.
 *
 * The input is a list of steps: a request is made, the queue is polled, or some
 * bytes of the rings change.
 */
#include "fuzz_pool.h"
#include "virtqueue.h"

#define SIZE		8
/* The rings of a queue of that size, with all that belongs to them. */
#define RINGS_SIZE	256
#define HEAP_SIZE	(2 * PAGE_SIZE)

struct world {
	struct fuzz_pool memory;
	struct virtqueue vq;
	bool under_way[SIZE];
	u32 writable[SIZE];
	unsigned int used_descs;
};

static struct world world;

static void start(struct world *w)
{
	memset(w, 0, sizeof(*w));
	fuzz_pool_start(&w->memory, HEAP_SIZE);
	FUZZ_RULE(virtq_init(&w->vq, &w->memory.pool, SIZE) == FW_OK);
}

static void make_request(struct world *w, struct fuzz_input *in)
{
	unsigned int count = 1 + fuzz_take(in, 1) % 4, i;
	struct virtq_seg seg[4] = { { 0 } };
	bool broken = w->vq.broken;
	enum fw_status status;
	u32 writable = 0;
	u16 id;

	for (i = 0; i < count; i++) {
		seg[i].addr = 0x1000 * (i + 1);
		seg[i].len = (u32)fuzz_take(in, 2);
		seg[i].device_writes = i;
		writable += i ? seg[i].len : 0;
	}
	status = virtq_add(&w->vq, seg, count, &id);
	if (status != FW_OK) {
		FUZZ_RULE(status == FW_EVIRTIO_RING ? broken :
			  status == FW_EAGAIN && w->used_descs + count > SIZE);
		return;
	}
	FUZZ_RULE(!broken && id < SIZE && !w->under_way[id]);
	w->under_way[id] = true;
	w->writable[id] = writable;
	w->used_descs += count;
	FUZZ_RULE(w->used_descs + w->vq.free_count == SIZE);
}

static void poll(struct world *w)
{
	unsigned int free_before = w->vq.free_count;
	bool broken = w->vq.broken;
	enum fw_status status;
	u32 written;
	u16 id;

	status = virtq_poll(&w->vq, &id, &written);
	FUZZ_RULE(!broken || status == FW_EVIRTIO_RING);
	if (status != FW_OK)
		return;
	FUZZ_RULE(id < SIZE && w->under_way[id] && written <= w->writable[id]);
	FUZZ_RULE(w->vq.free_count > free_before);
	w->under_way[id] = false;
	w->used_descs -= w->vq.free_count - free_before;
	FUZZ_RULE(w->used_descs + w->vq.free_count == SIZE);
}

static void scribble(struct world *w, struct fuzz_input *in)
{
	u8 *rings = (u8 *)w->vq.desc;
	unsigned int at = (unsigned int)fuzz_take(in, 1) % RINGS_SIZE;
	unsigned int len = 1 + fuzz_take(in, 1) % 8;

	for (; len && at < RINGS_SIZE; len--, at++)
		rings[at] = (u8)fuzz_take(in, 1);
}

/* What an honest device does, so that more than refusals is reached. */
static void answer(struct world *w, struct fuzz_input *in)
{
	u16 idx = (u16)(w->vq.used_idx + 1);
	u32 elem[2] = { (u32)fuzz_take(in, 1) % SIZE, (u32)fuzz_take(in, 2) };
	u8 *used = (u8 *)w->vq.used;

	memcpy(used + 4 + 8 * (w->vq.used_idx % SIZE), elem, sizeof(elem));
	memcpy(used + 2, &idx, sizeof(idx));
}

int fuzz_one_input(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct world *w = &world;

	start(w);
	while (in.left) {
		switch (fuzz_take(&in, 1) % 4) {
		case 0:
			make_request(w, &in);
			break;
		case 1:
			scribble(w, &in);
			break;
		case 2:
			answer(w, &in);
			break;
		default:
			poll(w);
		}
	}
	fuzz_pool_end(&w->memory, HEAP_SIZE);
	return 0;
}
