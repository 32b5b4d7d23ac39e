// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: of what the device writes, nothing is believed: an index, name or
 * length that cannot be breaks the queue, once and for good; what the driver
 * remembers is not read back from shared memory.
 *
 * The test plays the device, on the rings as the standard lays them out.
 */
#include "fake_hyp.h"
#include "testing.h"
#include "virtqueue.h"

struct ring_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

struct world {
	struct buddy heap;
	struct hyp hyp;
	struct shared_pool pool;
	struct virtqueue vq;
	u8 tree[BUDDY_TREE_SIZE(FW_SCRATCH_SHIFT)];
};

static const struct virtq_seg segs[] = {
	{ 0x1000, 16, false },
	{ 0x2000, 512, true },
	{ 0x3000, 1, true },
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	uintptr_t base;

	assert_non_null(w);
	fake_hyp_reset();
	base = (uintptr_t)fake_hyp.arena;
	assert_int_equal(buddy_init(&w->heap, base, FW_SCRATCH_SHIFT, w->tree), FW_OK);
	assert_int_equal(buddy_add(&w->heap, base, FW_SCRATCH_SIZE), FW_OK);
	hyp_discover(&w->hyp);
	assert_int_equal(shared_init(&w->pool, &w->hyp, &w->heap, 0, 0), FW_OK);
	assert_int_equal(virtq_init(&w->vq, &w->pool, 8), FW_OK);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	fake_hyp_release();
	return 0;
}

static struct ring_desc *desc(struct world *w)
{
	return (struct ring_desc *)w->vq.desc;
}

/* The device says that its used ring has @idx entries. */
static void set_used_idx(struct world *w, u16 idx)
{
	memcpy((u8 *)w->vq.used + 2, &idx, sizeof(idx));
}

static void set_used(struct world *w, u16 slot, u32 id, u32 len)
{
	u32 elem[2] = { id, len };

	memcpy((u8 *)w->vq.used + 4 + 8 * (slot % w->vq.size), elem, sizeof(elem));
}

static u16 add(struct world *w)
{
	u16 id;

	assert_int_equal(virtq_add(&w->vq, segs, ARRAY_SIZE(segs), &id), FW_OK);
	return id;
}

static enum fw_status poll(struct world *w)
{
	u32 written;
	u16 id;

	return virtq_poll(&w->vq, &id, &written);
}

static void sizes(void **state)
{
	static const u16 bad[] = { 0, 1, 2, 3, 5, 12, 0x7fff, 0xffff };
	struct world *w = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(virtq_init(&w->vq, &w->pool, bad[i]), FW_EVIRTIO_QUEUE);
	assert_int_equal(virtq_init(&w->vq, &w->pool, 0x8000), FW_OK);
	assert_int_equal(w->vq.size, VIRTQUEUE_MAX);
	assert_int_equal(virtq_init(&w->vq, &w->pool, 4), FW_OK);
	assert_int_equal(w->vq.size, 4);
}

/* Requests come back in any order, many times around the ring. */
static void out_of_order(void **state)
{
	struct world *w = *state;
	u64 seed = 9;
	u16 idx = 0, round, i, id;
	u32 written;

	for (round = 0; round < 40000; round++) {
		u16 a = add(w), b = add(w);
		u16 first = test_random(&seed) % 2 ? a : b;

		assert_int_equal(virtq_add(&w->vq, segs, 3, &id), FW_EAGAIN);
		assert_int_equal(poll(w), FW_EAGAIN);
		for (i = 0; i < 2; i++) {
			u16 expected = i ? (u16)(a ^ b ^ first) : first;

			set_used(w, idx, expected, 513 - i);
			set_used_idx(w, ++idx);
			assert_int_equal(virtq_poll(&w->vq, &id, &written), FW_OK);
			assert_int_equal(id, expected);
			assert_int_equal(written, 513 - i);
		}
	}
	assert_int_equal(w->vq.free_count, 8);
}

static void ring_contents(void **state)
{
	struct world *w = *state;
	u16 head = add(w), avail[3];
	struct ring_desc *d = desc(w);

	assert_int_equal(d[head].addr, 0x1000);
	assert_int_equal(d[head].flags, 1);
	assert_int_equal(d[d[head].next].len, 512);
	assert_int_equal(d[d[head].next].flags, 3);
	assert_int_equal(d[d[d[head].next].next].addr, 0x3000);
	assert_int_equal(d[d[d[head].next].next].flags, 2);
	/* No interrupts wanted, one request, this one. */
	memcpy(avail, w->vq.avail, sizeof(avail));
	assert_int_equal(avail[0], 1);
	assert_int_equal(avail[1], 1);
	assert_int_equal(avail[2], head);
}

/* The pool does not zero what it hands out again. */
static void dirty_rings(void **state)
{
	struct world *w = *state;
	void *block;

	assert_int_equal(alloc_shared(&w->pool, 512, &block), FW_OK);
	memset(block, 0xff, 512);
	assert_int_equal(dealloc_shared(&w->pool, block, 512), FW_OK);
	assert_int_equal(virtq_init(&w->vq, &w->pool, 16), FW_OK);
	assert_ptr_equal(w->vq.desc, block);
	assert_int_equal(poll(w), FW_EAGAIN);
}

static void check_broken(struct world *w)
{
	u16 id;

	assert_int_equal(poll(w), FW_EVIRTIO_RING);
	/* For good, also if the device takes it back. */
	set_used_idx(w, 0);
	assert_int_equal(poll(w), FW_EVIRTIO_RING);
	assert_int_equal(virtq_add(&w->vq, segs, 3, &id), FW_EVIRTIO_RING);
}

static void index_jumps(void **state)
{
	static const u16 bad[] = { 2, 3, 8, 9, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct world *w = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&w->vq, &w->pool, 8), FW_OK);
		set_used(w, 0, add(w), 1);
		set_used_idx(w, bad[i]);
		check_broken(w);
	}
}

static void used_without_request(void **state)
{
	struct world *w = *state;

	set_used_idx(w, 1);
	check_broken(w);
}

static void wrong_ids(void **state)
{
	static const u32 bad[] = { 1, 2, 3, 7, 8, 16, 0x10000, 0x80000000, 0xffffffff };
	struct world *w = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&w->vq, &w->pool, 8), FW_OK);
		assert_int_equal(add(w), 0);
		set_used(w, 0, bad[i], 1);
		set_used_idx(w, 1);
		check_broken(w);
	}
}

static void same_id_twice(void **state)
{
	struct world *w = *state;
	u16 first = add(w);

	add(w);
	set_used(w, 0, first, 1);
	set_used(w, 1, first, 1);
	set_used_idx(w, 2);
	assert_int_equal(poll(w), FW_OK);
	check_broken(w);
}

static void wrote_too_much(void **state)
{
	static const u32 bad[] = { 514, 529, 0x10000, 0xffffffff };
	struct world *w = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&w->vq, &w->pool, 8), FW_OK);
		set_used(w, 0, add(w), bad[i]);
		set_used_idx(w, 1);
		check_broken(w);
	}
}

/*
 * The device scribbles over everything shared; the driver's memory is its own.
 */
static void scribbles(void **state)
{
	struct world *w = *state;
	u16 idx = 0, round, head;
	u64 seed = 21;
	u32 i;

	for (round = 0; round < 1000; round++) {
		head = add(w);
		for (i = 0; i < 8 * sizeof(struct ring_desc); i++)
			((u8 *)w->vq.desc)[i] = (u8)test_random(&seed);
		set_used(w, idx, head, 513);
		set_used_idx(w, ++idx);
		assert_int_equal(poll(w), FW_OK);
		assert_int_equal(w->vq.free_count, 8);
	}
}

static void random_device(void **state)
{
	struct world *w = *state;
	u64 seed = 31;
	u32 round, i;

	for (round = 0; round < 20000; round++) {
		u16 id;

		/* Rings of an earlier round stay in the pool; empty it. */
		assert_int_equal(shared_end(&w->pool), FW_OK);
		assert_int_equal(virtq_init(&w->vq, &w->pool, 8), FW_OK);
		for (i = 0; i < 20 && !w->vq.broken; i++) {
			if (test_random(&seed) % 2)
				virtq_add(&w->vq, segs, 1 + test_random(&seed) % 3, &id);
			set_used(w, (u16)test_random(&seed), test_random(&seed) % 9,
				 test_random(&seed) % 600);
			set_used_idx(w, (u16)(w->vq.used_idx + test_random(&seed) % 3));
			poll(w);
			assert_true(w->vq.free_count <= 8);
		}
	}
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(out_of_order, setup, teardown),
		cmocka_unit_test_setup_teardown(ring_contents, setup, teardown),
		cmocka_unit_test_setup_teardown(dirty_rings, setup, teardown),
		cmocka_unit_test_setup_teardown(index_jumps, setup, teardown),
		cmocka_unit_test_setup_teardown(used_without_request, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(same_id_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(wrote_too_much, setup, teardown),
		cmocka_unit_test_setup_teardown(scribbles, setup, teardown),
		cmocka_unit_test_setup_teardown(random_device, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw virtqueue", tests, NULL, NULL);
}
