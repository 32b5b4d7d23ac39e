// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: an invalid index, id or length that the device writes breaks the queue for good; the
 * driver does not read its own state back from shared memory.
 *
 * The test is the device. It accesses the rings as the virtio standard defines them.
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

struct fixture {
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
	struct fixture *f = calloc(1, sizeof(*f));
	uintptr_t base;

	assert_non_null(f);
	fake_hyp_reset();
	base = (uintptr_t)fake_hyp.arena;
	assert_int_equal(buddy_init(&f->heap, base, FW_SCRATCH_SHIFT, f->tree), FW_OK);
	assert_int_equal(buddy_add(&f->heap, base, FW_SCRATCH_SIZE), FW_OK);
	hyp_discover(&f->hyp);
	assert_int_equal(shared_init(&f->pool, &f->hyp, &f->heap, 0, 0), FW_OK);
	assert_int_equal(virtq_init(&f->vq, &f->pool, 8), FW_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	fake_hyp_release();
	return 0;
}

static struct ring_desc *desc(struct fixture *f)
{
	return (struct ring_desc *)f->vq.desc;
}

/* Set the index of the used ring. */
static void set_used_idx(struct fixture *f, u16 idx)
{
	memcpy((u8 *)f->vq.used + 2, &idx, sizeof(idx));
}

static void set_used(struct fixture *f, u16 slot, u32 id, u32 len)
{
	u32 elem[2] = { id, len };

	memcpy((u8 *)f->vq.used + 4 + 8 * (slot % f->vq.size), elem, sizeof(elem));
}

static u16 add(struct fixture *f)
{
	u16 id;

	assert_int_equal(virtq_add(&f->vq, segs, ARRAY_SIZE(segs), &id), FW_OK);
	return id;
}

static enum fw_status poll(struct fixture *f)
{
	u32 written;
	u16 id;

	return virtq_poll(&f->vq, &id, &written);
}

static void sizes(void **state)
{
	static const u16 bad[] = { 0, 1, 2, 3, 5, 12, 0x7fff, 0xffff };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(virtq_init(&f->vq, &f->pool, bad[i]), FW_EVIRTIO_QUEUE);
	assert_int_equal(virtq_init(&f->vq, &f->pool, 0x8000), FW_OK);
	assert_int_equal(f->vq.size, VIRTQUEUE_MAX);
	assert_int_equal(virtq_init(&f->vq, &f->pool, 4), FW_OK);
	assert_int_equal(f->vq.size, 4);
}

/* The device completes requests in any order, many times around the ring. */
static void out_of_order(void **state)
{
	struct fixture *f = *state;
	u64 seed = 9;
	u16 idx = 0, round, i, id;
	u32 written;

	for (round = 0; round < 40000; round++) {
		u16 a = add(f), b = add(f);
		u16 first = test_random(&seed) % 2 ? a : b;

		assert_int_equal(virtq_add(&f->vq, segs, 3, &id), FW_EAGAIN);
		assert_int_equal(poll(f), FW_EAGAIN);
		for (i = 0; i < 2; i++) {
			u16 expected = i ? (u16)(a ^ b ^ first) : first;

			set_used(f, idx, expected, 513 - i);
			set_used_idx(f, ++idx);
			assert_int_equal(virtq_poll(&f->vq, &id, &written), FW_OK);
			assert_int_equal(id, expected);
			assert_int_equal(written, 513 - i);
		}
	}
	assert_int_equal(f->vq.free_count, 8);
}

static void ring_contents(void **state)
{
	struct fixture *f = *state;
	u16 head = add(f), avail[3];
	struct ring_desc *d = desc(f);

	assert_int_equal(d[head].addr, 0x1000);
	assert_int_equal(d[head].flags, 1);
	assert_int_equal(d[d[head].next].len, 512);
	assert_int_equal(d[d[head].next].flags, 3);
	assert_int_equal(d[d[d[head].next].next].addr, 0x3000);
	assert_int_equal(d[d[d[head].next].next].flags, 2);
	/* No interrupts, one request, its head. */
	memcpy(avail, f->vq.avail, sizeof(avail));
	assert_int_equal(avail[0], 1);
	assert_int_equal(avail[1], 1);
	assert_int_equal(avail[2], head);
}

/* The pool does not zero memory that it reuses, so virtq_init() must. */
static void dirty_rings(void **state)
{
	struct fixture *f = *state;
	void *block;

	assert_int_equal(alloc_shared(&f->pool, 512, &block), FW_OK);
	memset(block, 0xff, 512);
	assert_int_equal(dealloc_shared(&f->pool, block, 512), FW_OK);
	assert_int_equal(virtq_init(&f->vq, &f->pool, 16), FW_OK);
	assert_ptr_equal(f->vq.desc, block);
	assert_int_equal(poll(f), FW_EAGAIN);
}

static void check_broken(struct fixture *f)
{
	u16 id;

	assert_int_equal(poll(f), FW_EVIRTIO_RING);
	/* It stays broken, even if the index is valid again. */
	set_used_idx(f, 0);
	assert_int_equal(poll(f), FW_EVIRTIO_RING);
	assert_int_equal(virtq_add(&f->vq, segs, 3, &id), FW_EVIRTIO_RING);
}

static void index_jumps(void **state)
{
	static const u16 bad[] = { 2, 3, 8, 9, 0x7fff, 0x8000, 0xfffe, 0xffff };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&f->vq, &f->pool, 8), FW_OK);
		set_used(f, 0, add(f), 1);
		set_used_idx(f, bad[i]);
		check_broken(f);
	}
}

static void used_without_request(void **state)
{
	struct fixture *f = *state;

	set_used_idx(f, 1);
	check_broken(f);
}

static void wrong_ids(void **state)
{
	static const u32 bad[] = { 1, 2, 3, 7, 8, 16, 0x10000, 0x80000000, 0xffffffff };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&f->vq, &f->pool, 8), FW_OK);
		assert_int_equal(add(f), 0);
		set_used(f, 0, bad[i], 1);
		set_used_idx(f, 1);
		check_broken(f);
	}
}

static void same_id_twice(void **state)
{
	struct fixture *f = *state;
	u16 first = add(f);

	add(f);
	set_used(f, 0, first, 1);
	set_used(f, 1, first, 1);
	set_used_idx(f, 2);
	assert_int_equal(poll(f), FW_OK);
	check_broken(f);
}

static void wrote_too_much(void **state)
{
	static const u32 bad[] = { 514, 529, 0x10000, 0xffffffff };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(virtq_init(&f->vq, &f->pool, 8), FW_OK);
		set_used(f, 0, add(f), bad[i]);
		set_used_idx(f, 1);
		check_broken(f);
	}
}

/* The device overwrites the descriptors. The driver is not affected. */
static void descriptors_overwritten(void **state)
{
	struct fixture *f = *state;
	u16 idx = 0, round, head;
	u64 seed = 21;
	u32 i;

	for (round = 0; round < 1000; round++) {
		head = add(f);
		for (i = 0; i < 8 * sizeof(struct ring_desc); i++)
			((u8 *)f->vq.desc)[i] = (u8)test_random(&seed);
		set_used(f, idx, head, 513);
		set_used_idx(f, ++idx);
		assert_int_equal(poll(f), FW_OK);
		assert_int_equal(f->vq.free_count, 8);
	}
}

static void random_device(void **state)
{
	struct fixture *f = *state;
	u64 seed = 31;
	u32 round, i;

	for (round = 0; round < 20000; round++) {
		u16 id;

		/* Rings of an earlier round stay in the pool; empty it. */
		assert_int_equal(shared_end(&f->pool), FW_OK);
		assert_int_equal(virtq_init(&f->vq, &f->pool, 8), FW_OK);
		for (i = 0; i < 20 && !f->vq.broken; i++) {
			if (test_random(&seed) % 2)
				virtq_add(&f->vq, segs, 1 + test_random(&seed) % 3, &id);
			set_used(f, (u16)test_random(&seed), test_random(&seed) % 9,
				 test_random(&seed) % 600);
			set_used_idx(f, (u16)(f->vq.used_idx + test_random(&seed) % 3));
			poll(f);
			assert_true(f->vq.free_count <= 8);
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
		cmocka_unit_test_setup_teardown(descriptors_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(random_device, setup, teardown),
	};

	return cmocka_run_group_tests_name("pvmfw virtqueue", tests, NULL, NULL);
}
