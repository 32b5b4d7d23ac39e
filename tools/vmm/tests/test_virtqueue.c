// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: no contents of a ring make the device access other memory or loop: each kind of invalid
 * contents has its own result, after which the queue still works.
 */
#include "rings.h"

#include "virtqueue.h"

#define SIZE	8

struct fixture {
	struct guest_memory memory;
	struct virtqueue vq;
	struct vq_chain chain;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	virtqueue_reset(&f->vq);
	f->vq.size = SIZE;
	f->vq.desc = RING_DESC;
	f->vq.avail = RING_AVAIL;
	f->vq.used = RING_USED;
	assert_int_equal(virtqueue_enable(&f->vq, &f->memory), VQ_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_memory_destroy(&f->memory);
	free(f);
	return 0;
}

/* Make the chain at descriptor @head available and pop it. */
static enum vq_result pop(struct fixture *f, uint16_t head)
{
	unsigned int count;

	put_avail(&f->memory, f->vq.next_avail % SIZE, head);
	set_avail_index(&f->memory, f->vq.next_avail + 1);
	assert_int_equal(virtqueue_available(&f->vq, &f->memory, &count), VQ_OK);
	assert_int_equal(count, 1);
	return virtqueue_pop(&f->vq, &f->memory, &f->chain);
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	unsigned int count = 99;

	assert_int_equal(virtqueue_available(&f->vq, &f->memory, &count), VQ_OK);
	assert_int_equal(count, 0);
}

static void test_chain(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 5, BUFFERS, 16, VRING_DESC_F_NEXT, 2);
	put_desc(&f->memory, 2, BUFFERS + 0x100, 512, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 7);
	put_desc(&f->memory, 7, BUFFERS + 0x400, 1, VRING_DESC_F_WRITE, 0xffff);
	assert_int_equal(pop(f, 5), VQ_OK);
	assert_int_equal(f->chain.head, 5);
	assert_int_equal(f->chain.nr_buffers, 3);
	assert_int_equal(f->chain.nr_readable, 1);
	assert_int_equal(f->chain.readable_length, 16);
	assert_int_equal(f->chain.writable_length, 513);
	assert_int_equal(f->chain.buffer[1].address, BUFFERS + 0x100);
	assert_int_equal(f->chain.buffer[2].length, 1);
}

/* A chain may use every descriptor of the table. */
static void test_longest_chain(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < SIZE; i++)
		put_desc(&f->memory, i, BUFFERS + i, 1, i < SIZE - 1 ? VRING_DESC_F_NEXT : 0,
			 i + 1);
	assert_int_equal(pop(f, 0), VQ_OK);
	assert_int_equal(f->chain.nr_buffers, SIZE);
}

/* Used entries appear in order, and both indices wrap at 2^16. */
static void test_push_wraps(void **state)
{
	struct fixture *f = *state;
	struct used elem;
	unsigned int i;

	put_desc(&f->memory, 3, BUFFERS, 4, 0, 0);
	for (i = 0; i < 0x10005; i++) {
		assert_int_equal(pop(f, 3), VQ_OK);
		assert_int_equal(virtqueue_push(&f->vq, &f->memory, 3, i), VQ_OK);
	}
	assert_int_equal(used_index(&f->memory), 5);
	elem = used_elem(&f->memory, 4);
	assert_int_equal(elem.id, 3);
	assert_int_equal(elem.len, 0x10004);
}

/* An available index that is ahead by more than the queue's size is an error. */
static void test_avail_index_jumps(void **state)
{
	static const uint16_t lies[] = { SIZE + 1, 0x7fff, 0x8000, 0xffff };
	struct fixture *f = *state;
	unsigned int count, i;

	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		set_avail_index(&f->memory, lies[i]);
		assert_int_equal(virtqueue_available(&f->vq, &f->memory, &count),
				 VQ_AVAIL_INDEX);
	}
	set_avail_index(&f->memory, SIZE);
	assert_int_equal(virtqueue_available(&f->vq, &f->memory, &count), VQ_OK);
	assert_int_equal(count, SIZE);
}

static void test_head_outside(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pop(f, SIZE), VQ_HEAD);
	assert_int_equal(pop(f, 0xffff), VQ_HEAD);
}

static void test_next_outside(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, BUFFERS, 16, VRING_DESC_F_NEXT, SIZE);
	assert_int_equal(pop(f, 0), VQ_NEXT);
	put_desc(&f->memory, 0, BUFFERS, 16, VRING_DESC_F_NEXT, 0xffff);
	assert_int_equal(pop(f, 0), VQ_NEXT);
}

/* A circular chain is an error. */
static void test_loop(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, BUFFERS, 16, VRING_DESC_F_NEXT, 0);
	assert_int_equal(pop(f, 0), VQ_LOOP);
	put_desc(&f->memory, 0, BUFFERS, 16, VRING_DESC_F_NEXT, 1);
	put_desc(&f->memory, 1, BUFFERS, 16, VRING_DESC_F_NEXT, 0);
	assert_int_equal(pop(f, 1), VQ_LOOP);
}

/* Indirect descriptors, which were not negotiated, and unknown flags are errors. */
static void test_flags(void **state)
{
	struct fixture *f = *state;
	unsigned int bit;

	for (bit = 2; bit < 16; bit++) {
		put_desc(&f->memory, 0, BUFFERS, 16, 1U << bit, 0);
		assert_int_equal(pop(f, 0), VQ_FLAGS);
	}
}

static void test_readable_after_writable(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, BUFFERS, 16, VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, 1);
	put_desc(&f->memory, 1, BUFFERS, 16, 0, 0);
	assert_int_equal(pop(f, 0), VQ_ORDER);
}

static void test_zero_length(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, BUFFERS, 0, 0, 0);
	assert_int_equal(pop(f, 0), VQ_ZERO_LENGTH);
}

static void test_buffer_outside(void **state)
{
	static const struct {
		uint64_t address;
		uint32_t length;
	} lies[] = {
		{ 0, 16 },
		{ RAM_BASE - 1, 16 },
		{ RAM_BASE + TEST_MEMORY_SIZE - 15, 16 },
		{ RAM_BASE, TEST_MEMORY_SIZE + 1 },
		{ RAM_BASE, UINT32_MAX },
		{ UINT64_MAX, 16 },
		{ UINT64_MAX - 15, 16 },
		{ UART_BASE, 8 },
	};
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		put_desc(&f->memory, 0, lies[i].address, lies[i].length, VRING_DESC_F_WRITE, 0);
		assert_int_equal(pop(f, 0), VQ_BUFFER_ADDRESS);
	}
}

/* The length of a chain must fit into the 32 bits of the used length. */
static void test_too_long(void **state)
{
	struct fixture *f = *state;
	const uint64_t size = 1UL << 30;
	unsigned int i;

	guest_memory_destroy(&f->memory);
	assert_int_equal(guest_memory_init(&f->memory, RAM_BASE, size), 0);
	for (i = 0; i < 4; i++)
		put_desc(&f->memory, i, RAM_BASE, size, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT,
			 i + 1);
	put_desc(&f->memory, 4, RAM_BASE, 1, VRING_DESC_F_WRITE, 0);
	assert_int_equal(pop(f, 0), VQ_TOO_LONG);
	put_desc(&f->memory, 3, RAM_BASE, size - 1, VRING_DESC_F_WRITE, 0);
	assert_int_equal(pop(f, 0), VQ_OK);
	assert_int_equal(f->chain.writable_length, UINT32_MAX);
}

/* An invalid chain stays in the queue. If the driver replaces it, the queue works. */
static void test_survives_bad_chain(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(pop(f, SIZE), VQ_HEAD);
	put_desc(&f->memory, 1, BUFFERS, 16, 0, 0);
	assert_int_equal(pop(f, 1), VQ_OK);
	assert_int_equal(f->vq.next_avail, 1);
}

/* A popped chain does not change if the driver rewrites its descriptors. */
static void test_no_double_fetch(void **state)
{
	struct fixture *f = *state;

	put_desc(&f->memory, 0, BUFFERS, 16, 0, 0);
	assert_int_equal(pop(f, 0), VQ_OK);
	put_desc(&f->memory, 0, 0, UINT32_MAX, VRING_DESC_F_NEXT, 0xffff);
	assert_int_equal(f->chain.buffer[0].address, BUFFERS);
	assert_int_equal(f->chain.buffer[0].length, 16);
	assert_int_equal(f->chain.nr_buffers, 1);
}

static void test_ring_addresses(void **state)
{
	static const uint64_t end = RAM_BASE + TEST_MEMORY_SIZE;
	struct fixture *f = *state;
	const struct {
		uint64_t desc;
		uint64_t avail;
		uint64_t used;
	} lies[] = {
		{ RING_DESC + 8, RING_AVAIL, RING_USED },
		{ RING_DESC, RING_AVAIL + 1, RING_USED },
		{ RING_DESC, RING_AVAIL, RING_USED + 2 },
		{ end - 16 * SIZE + 16, RING_AVAIL, RING_USED },
		{ RING_DESC, end - 4 - 2 * SIZE, RING_USED },
		{ RING_DESC, RING_AVAIL, end - 4 - 8 * SIZE },
		{ 0, RING_AVAIL, RING_USED },
		{ RING_DESC, 0, RING_USED },
		{ RING_DESC, RING_AVAIL, 0 },
		{ UINT64_MAX - 15, RING_AVAIL, RING_USED },
		{ RING_DESC, UINT64_MAX - 1, RING_USED },
		{ RING_DESC, RING_AVAIL, UINT64_MAX - 3 },
	};
	struct virtqueue vq;
	unsigned int i;

	for (i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		virtqueue_reset(&vq);
		vq.size = SIZE;
		vq.desc = lies[i].desc;
		vq.avail = lies[i].avail;
		vq.used = lies[i].used;
		assert_int_equal(virtqueue_enable(&vq, &f->memory), VQ_RING_ADDRESS);
		assert_false(vq.enabled);
	}
}

/* If the guest unshares a ring, each access to that ring is an error. */
static void test_private_rings(void **state)
{
	struct fixture *f = *state;
	unsigned int count;
	bool wanted;

	put_desc(&f->memory, 0, BUFFERS, 16, 0, 0);
	put_avail(&f->memory, 0, 0);
	set_avail_index(&f->memory, 1);

	make_private(&f->memory, RING_AVAIL);
	assert_int_equal(virtqueue_available(&f->vq, &f->memory, &count), VQ_RING_UNREACHABLE);
	assert_int_equal(virtqueue_pop(&f->vq, &f->memory, &f->chain), VQ_RING_UNREACHABLE);
	assert_int_equal(virtqueue_wants_interrupt(&f->vq, &f->memory, &wanted),
			 VQ_RING_UNREACHABLE);
	make_shared(&f->memory, RING_AVAIL);

	make_private(&f->memory, RING_DESC);
	assert_int_equal(virtqueue_pop(&f->vq, &f->memory, &f->chain), VQ_RING_UNREACHABLE);
	make_shared(&f->memory, RING_DESC);

	make_private(&f->memory, RING_USED);
	assert_int_equal(virtqueue_push(&f->vq, &f->memory, 0, 0), VQ_RING_UNREACHABLE);
	make_shared(&f->memory, RING_USED);
	assert_int_equal(f->vq.next_used, 0);
}

/* Popping a chain with a private buffer succeeds; using the buffer fails. */
static void test_private_buffer(void **state)
{
	struct fixture *f = *state;

	make_private(&f->memory, BUFFERS);
	put_desc(&f->memory, 0, BUFFERS, 16, 0, 0);
	assert_int_equal(pop(f, 0), VQ_OK);
}

static void test_interrupt_flag(void **state)
{
	struct fixture *f = *state;
	bool wanted;

	assert_int_equal(virtqueue_wants_interrupt(&f->vq, &f->memory, &wanted), VQ_OK);
	assert_true(wanted);
	set_avail_flags(&f->memory, VRING_AVAIL_F_NO_INTERRUPT);
	assert_int_equal(virtqueue_wants_interrupt(&f->vq, &f->memory, &wanted), VQ_OK);
	assert_false(wanted);
}

/* Random rings cause only defined results. */
static void test_random_rings(void **state)
{
	struct fixture *f = *state;
	unsigned int round, i, good = 0;

	srand(1);
	for (round = 0; round < 20000; round++) {
		enum vq_result result;

		for (i = 0; i < SIZE; i++)
			put_desc(&f->memory, i,
				 rand() % 16 ? BUFFERS + rand() % 0x100000 :
				 (uint64_t)rand() << 33,
				 rand() % 8 ? rand() % 0x10000 : rand(),
				 rand() % 8 ? rand() % 4 : rand(), rand() % (SIZE + 1));
		result = pop(f, rand() % (SIZE + 1));
		assert_in_range(result, VQ_OK, NR_VQ_RESULTS - 1);
		if (result != VQ_OK) {
			assert_non_null(vq_result_string(result));
			continue;
		}
		good++;
		assert_in_range(f->chain.nr_buffers, 1, SIZE);
		assert_in_range(f->chain.nr_readable, 0, f->chain.nr_buffers);
		for (i = 0; i < f->chain.nr_buffers; i++)
			assert_true(guest_memory_contains(&f->memory, f->chain.buffer[i].address,
							  f->chain.buffer[i].length));
	}
	assert_true(good > 100);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_empty),
		TEST(test_chain),
		TEST(test_longest_chain),
		TEST(test_push_wraps),
		TEST(test_avail_index_jumps),
		TEST(test_head_outside),
		TEST(test_next_outside),
		TEST(test_loop),
		TEST(test_flags),
		TEST(test_readable_after_writable),
		TEST(test_zero_length),
		TEST(test_buffer_outside),
		TEST(test_too_long),
		TEST(test_survives_bad_chain),
		TEST(test_no_double_fetch),
		TEST(test_ring_addresses),
		TEST(test_private_rings),
		TEST(test_private_buffer),
		TEST(test_interrupt_flag),
		TEST(test_random_rings),
	};

	return cmocka_run_group_tests_name("virtqueue", tests, NULL, NULL);
}
