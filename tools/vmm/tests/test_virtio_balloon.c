// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: the device discards what a correct driver gives away, and nothing else; an incorrect
 * driver gets a device that needs a reset, and nothing is discarded; after the reset the device
 * works again.
 */
#include "balloon.h"

#include <errno.h>
#include <pthread.h>

#include <linux/pci_regs.h>

#include "stats.h"

static void test_identity(void **state)
{
	struct balloon *f = *state;
	uint32_t features;

	assert_int_equal(pci_config_read(&f->host, (SLOT << 11) + PCI_VENDOR_ID, 4), 0x10451af4);
	balloon_put(f, VIRTIO_PCI_COMMON_DFSELECT, 4, 0);
	features = balloon_get(f, VIRTIO_PCI_COMMON_DF, 4);
	assert_int_equal(features, VIRTIO_FEATURE(VIRTIO_BALLOON_F_STATS_VQ) |
				   VIRTIO_FEATURE(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
				   VIRTIO_FEATURE(VIRTIO_BALLOON_F_REPORTING));
	assert_int_equal(balloon_get(f, VIRTIO_PCI_COMMON_NUMQ, 2), NR_QUEUES);
	assert_int_equal(balloon_config(f, NUM_PAGES), TARGET >> VIRTIO_BALLOON_PFN_SHIFT);
}

/* The order of the numbers does not matter, nor does it if one comes twice. */
static void test_inflate(void **state)
{
	const uint32_t numbers[] = {
		NUMBER(FREE_PAGE(4)), NUMBER(FREE_PAGE(0)), NUMBER(FREE_PAGE(3)),
		NUMBER(FREE_PAGE(0)), NUMBER(FREE_PAGE(6)),
	};
	uint64_t before = stat_get(STAT_BALLOON_BYTES_INFLATED);
	struct balloon *f = *state;

	balloon_send_numbers(f, INFLATE, numbers, 5, sizeof(numbers));
	assert_int_equal(balloon_used(f, INFLATE), 1);
	assert_true(f->line);
	assert_int_equal(balloon_get(f, ISR, 1), 1);
	balloon_assert_discarded(f, 0x59);
	assert_int_equal(stat_get(STAT_BALLOON_BYTES_INFLATED) - before, 4 * TEST_PAGE);
}

/* A driver may split the array into any buffers. */
static void test_any_framing(void **state)
{
	const uint32_t numbers[] = { NUMBER(FREE_PAGE(1)), NUMBER(FREE_PAGE(7)) };
	struct balloon *f = *state;

	memcpy(f->memory.host + (ARRAY - RAM_BASE), numbers, sizeof(numbers));
	balloon_set_desc(f, INFLATE, 0, ARRAY, 3, VRING_DESC_F_NEXT);
	balloon_set_desc(f, INFLATE, 1, ARRAY + 3, 4, VRING_DESC_F_NEXT);
	balloon_set_desc(f, INFLATE, 2, ARRAY + 7, 1, 0);
	balloon_submit(f, INFLATE);
	assert_int_equal(balloon_used(f, INFLATE), 1);
	balloon_assert_discarded(f, 0x82);
}

/* Deflating changes no memory. */
static void test_deflate(void **state)
{
	const uint32_t numbers[] = { NUMBER(FREE_PAGE(1)), NUMBER(FREE_PAGE(2)) };
	uint64_t before = stat_get(STAT_BALLOON_BYTES_DEFLATED);
	struct balloon *f = *state;

	balloon_send_numbers(f, DEFLATE, numbers, 2, sizeof(numbers));
	assert_int_equal(balloon_used(f, DEFLATE), 1);
	balloon_assert_discarded(f, 0);
	assert_int_equal(stat_get(STAT_BALLOON_BYTES_DEFLATED) - before, 2 * TEST_PAGE);
}

/* Of a reported buffer, only pages go that it contains as a whole. */
static void test_report(void **state)
{
	uint64_t before = stat_get(STAT_BALLOON_BYTES_REPORTED);
	struct balloon *f = *state;
	unsigned int i;

	balloon_set_desc(f, REPORT, 0, FREE_PAGE(0), 2 * TEST_PAGE,
			 VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
	balloon_set_desc(f, REPORT, 1, FREE_PAGE(3) + 1, 2 * TEST_PAGE - 1,
			 VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
	balloon_set_desc(f, REPORT, 2, FREE_PAGE(6) + 8, TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	assert_int_equal(balloon_used(f, REPORT), 1);
	for (i = 3; i < FREE_PAGES; i += 3)
		assert_int_equal(f->memory.host[FREE_PAGE(i) - RAM_BASE], PATTERN);
	balloon_assert_discarded(f, 0x13);
	assert_int_equal(stat_get(STAT_BALLOON_BYTES_REPORTED) - before, 3 * TEST_PAGE);
}

/* Without the queue of statistics, the next one has its number. */
static void test_report_without_stats(void **state)
{
	struct balloon *f = *state;

	balloon_set_desc(f, STATS, 0, FREE_PAGE(2), TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, STATS);
	assert_int_equal(balloon_used(f, STATS), 1);
	balloon_assert_discarded(f, 0x4);
	/* The fourth queue is none. */
	balloon_set_desc(f, REPORT, 0, FREE_PAGE(3), TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	assert_true(balloon_status(f) & VIRTIO_CONFIG_S_NEEDS_RESET);
	balloon_assert_discarded(f, 0x4);
}

static void test_target(void **state)
{
	struct balloon *f = *state;
	uint8_t generation = balloon_get(f, VIRTIO_PCI_COMMON_CFGGENERATION, 1);

	assert_int_equal(virtio_balloon_set_target(&f->balloon, 0x123000), 0);
	assert_int_equal(balloon_config(f, NUM_PAGES), 0x123);
	assert_int_not_equal(balloon_get(f, VIRTIO_PCI_COMMON_CFGGENERATION, 1), generation);
	assert_true(f->line);
	assert_int_equal(balloon_get(f, ISR, 1), 2);
	assert_false(f->line);
	assert_int_equal(virtio_balloon_set_target(&f->balloon, TEST_MEMORY_SIZE), 0);
	assert_int_equal(virtio_balloon_set_target(&f->balloon, 0), 0);
	balloon_get(f, ISR, 1);

	/* What is refused changes nothing and interrupts nobody. */
	assert_int_equal(virtio_balloon_set_target(&f->balloon, 0x123001), -EINVAL);
	assert_int_equal(virtio_balloon_set_target(&f->balloon, TEST_MEMORY_SIZE + 0x1000),
			 -EINVAL);
	assert_int_equal(balloon_config(f, NUM_PAGES), 0);
	assert_false(f->line);
}

/* A device without a driver does not interrupt. */
static void test_target_early(void **state)
{
	struct balloon *f = *state;

	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(virtio_balloon_set_target(&f->balloon, 0x1000), 0);
	assert_false(f->line);
	assert_int_equal(balloon_config(f, NUM_PAGES), 1);
}

/* The driver sets what the balloon has, and nothing else. */
static void test_actual(void **state)
{
	struct balloon *f = *state;
	struct balloon_state now;

	balloon_put(f, CONFIG + ACTUAL, 4, 77);
	assert_int_equal(balloon_config(f, ACTUAL), 77);
	balloon_put(f, CONFIG + ACTUAL, 2, 5);
	balloon_put(f, CONFIG + ACTUAL + 1, 1, 5);
	balloon_put(f, CONFIG + NUM_PAGES, 4, 5);
	balloon_put(f, CONFIG + ACTUAL + 4, 4, 5);
	assert_int_equal(balloon_config(f, ACTUAL), 77);
	assert_int_equal(balloon_config(f, NUM_PAGES), TARGET >> VIRTIO_BALLOON_PFN_SHIFT);
	virtio_balloon_get_state(&f->balloon, 0, &now);
	assert_int_equal(now.actual, 77 * TEST_PAGE);
	assert_true(balloon_start_driver(f, ALL_FEATURES));
	assert_int_equal(balloon_config(f, ACTUAL), 0);
}

static void send_stats(struct balloon *f, uint64_t free_bytes)
{
	struct virtio_balloon_stat stats[2] = { };

	put_le16(&stats[0].tag, VIRTIO_BALLOON_S_MEMFREE);
	put_le64(&stats[0].val, free_bytes);
	/* A tag of the future. */
	put_le16(&stats[1].tag, 0xffff);
	put_le64(&stats[1].val, 1);
	memcpy(f->memory.host + (ARRAY - RAM_BASE), stats, sizeof(stats));
	balloon_set_desc(f, STATS, 0, ARRAY, sizeof(stats), 0);
	balloon_submit(f, STATS);
}

/* The device keeps the driver's buffer until somebody asks. */
static void test_stats(void **state)
{
	struct balloon *f = *state;
	struct balloon_state now;

	send_stats(f, 1111);
	assert_int_equal(balloon_used(f, STATS), 0);
	virtio_balloon_get_state(&f->balloon, 1, &now);
	assert_int_equal(balloon_used(f, STATS), 1);
	assert_true(now.known[VIRTIO_BALLOON_S_MEMFREE]);
	assert_false(now.known[VIRTIO_BALLOON_S_MEMTOT]);
	assert_int_equal(now.value[VIRTIO_BALLOON_S_MEMFREE], 1111);
	assert_string_equal(virtio_balloon_stat_name(VIRTIO_BALLOON_S_MEMFREE), "free_bytes");

	/* As long as the driver does not answer, there is nothing to give back. */
	virtio_balloon_get_state(&f->balloon, 1, &now);
	assert_int_equal(balloon_used(f, STATS), 1);
}

/* Linux notifies of its first buffer before it starts the device. */
static void test_stats_early(void **state)
{
	struct balloon *f = *state;
	struct balloon_state now;

	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	balloon_prepare_driver(f, ALL_FEATURES);
	send_stats(f, 3333);
	balloon_put(f, VIRTIO_PCI_COMMON_STATUS, 1, STATUS_RUNNING);
	virtio_balloon_get_state(&f->balloon, 1, &now);
	assert_int_equal(now.value[VIRTIO_BALLOON_S_MEMFREE], 3333);
	assert_int_equal(balloon_used(f, STATS), 1);
}

static void *answer(void *opaque)
{
	struct balloon *f = opaque;

	while (!balloon_used(f, STATS))
		usleep(1000);
	send_stats(f, 2222);
	return NULL;
}

static void test_stats_answered(void **state)
{
	struct balloon *f = *state;
	struct balloon_state now;
	pthread_t driver;

	send_stats(f, 1111);
	assert_int_equal(pthread_create(&driver, NULL, answer, f), 0);
	virtio_balloon_get_state(&f->balloon, 60000, &now);
	assert_int_equal(pthread_join(driver, NULL), 0);
	assert_int_equal(now.value[VIRTIO_BALLOON_S_MEMFREE], 2222);
}

/* A page outside of guest memory: nothing of the request is carried out. */
static void test_foreign_pages(void **state)
{
	static const uint32_t foreign[] = {
		0, NUMBER(RAM_BASE) - 1, NUMBER(RAM_BASE + TEST_MEMORY_SIZE), 0xffffffff,
	};
	struct balloon *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(foreign) / sizeof(*foreign); i++) {
		const uint32_t numbers[] = { NUMBER(FREE_PAGE(0)), foreign[i] };

		balloon_send_numbers(f, INFLATE, numbers, 2, sizeof(numbers));
		balloon_assert_failed(f);
		balloon_send_numbers(f, DEFLATE, numbers, 2, sizeof(numbers));
		balloon_assert_failed(f);
	}
}

static void test_bad_arrays(void **state)
{
	static const uint32_t lengths[] = {
		1, 7, 4 * BALLOON_MAX_PAGES + 4, TEST_MEMORY_SIZE / 2,
	};
	const uint32_t numbers[] = { NUMBER(FREE_PAGE(0)), NUMBER(FREE_PAGE(1)) };
	struct balloon *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		balloon_send_numbers(f, INFLATE, numbers, 2, lengths[i]);
		balloon_assert_failed(f);
	}
}

/* An array, statistics or rings that the guest does not share. */
static void test_private_arrays(void **state)
{
	struct balloon *f = *state;
	unsigned int queue;

	for (queue = INFLATE; queue <= STATS; queue++) {
		balloon_set_desc(f, queue, 0, ARRAY, queue == STATS ? 10 : 8, 0);
		make_private(&f->memory, ARRAY);
		balloon_submit(f, queue);
		make_shared(&f->memory, ARRAY);
		balloon_assert_failed(f);
	}
}

/* A page that the guest still owns stays with it, and the others of the request go. */
static void test_private_pages(void **state)
{
	const uint32_t numbers[] = {
		NUMBER(FREE_PAGE(0)), NUMBER(FREE_PAGE(1)), NUMBER(FREE_PAGE(2)),
	};
	uint64_t kept = stat_get(STAT_BALLOON_BYTES_KEPT);
	uint64_t taken = stat_get(STAT_BALLOON_BYTES_INFLATED);
	struct balloon *f = *state;

	make_private(&f->memory, FREE_PAGE(1));
	balloon_send_numbers(f, INFLATE, numbers, 3, sizeof(numbers));
	balloon_set_desc(f, REPORT, 0, FREE_PAGE(1), 3 * TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	make_shared(&f->memory, FREE_PAGE(1));
	assert_int_equal(balloon_status(f), STATUS_RUNNING);
	balloon_assert_discarded(f, 0xd);
	assert_int_equal(stat_get(STAT_BALLOON_BYTES_KEPT) - kept, 2 * TEST_PAGE);
	assert_int_equal(stat_get(STAT_BALLOON_BYTES_INFLATED) - taken, 2 * TEST_PAGE);
}

static void test_bad_reports(void **state)
{
	struct balloon *f = *state;
	unsigned int i;

	/* A buffer that the device may not write to. */
	balloon_set_desc(f, REPORT, 0, FREE_PAGE(0), TEST_PAGE, 0);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
	/* Memory that is not the guest's. */
	balloon_set_desc(f, REPORT, 0, RAM_BASE - TEST_PAGE, 2 * TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
	balloon_set_desc(f, REPORT, 0, FREE, TEST_MEMORY_SIZE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
	/* All memory, and one page once more. */
	balloon_set_desc(f, REPORT, 0, RAM_BASE, TEST_MEMORY_SIZE,
			 VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
	balloon_set_desc(f, REPORT, 1, FREE, TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
	/* A chain that does not end. */
	for (i = 0; i < QUEUE_SIZE; i++)
		balloon_set_desc(f, REPORT, i, FREE, TEST_PAGE,
				 VRING_DESC_F_WRITE | VRING_DESC_F_NEXT);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
}

static void test_bad_stats(void **state)
{
	static const uint32_t lengths[] = { 1, 9, 11, 65 * 10, 0x10000 };
	struct balloon *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		balloon_set_desc(f, STATS, 0, ARRAY, lengths[i], 0);
		balloon_submit(f, STATS);
		balloon_assert_failed(f);
	}
	/* A second buffer, while the device has one. */
	send_stats(f, 1);
	assert_int_equal(balloon_status(f), STATUS_RUNNING);
	send_stats(f, 2);
	balloon_assert_failed(f);
}

/* A ring that became private while the device had a buffer of statistics. */
static void test_stats_private_ring(void **state)
{
	struct balloon *f = *state;
	struct balloon_state now;

	send_stats(f, 1);
	make_private(&f->memory, USED(STATS));
	virtio_balloon_get_state(&f->balloon, 1, &now);
	make_shared(&f->memory, USED(STATS));
	balloon_assert_failed(f);
}

/* Free pages are reported only by a driver that has said so. */
static void test_not_negotiated(void **state)
{
	struct balloon *f = *state;

	assert_true(balloon_start_driver(f, ALL_FEATURES & ~REPORTING));
	balloon_set_desc(f, REPORT, 0, FREE_PAGE(0), TEST_PAGE, VRING_DESC_F_WRITE);
	balloon_submit(f, REPORT);
	balloon_assert_failed(f);
}

/* Only the driver of a protected guest must know that it has to share memory. */
static void test_platform(void **state)
{
	struct balloon *f = *state;

	assert_false(balloon_start_driver(f, ALL_FEATURES & ~PLATFORM));
	assert_false(balloon_start_driver(f, ALL_FEATURES & ~BASIC));
	assert_true(balloon_start_driver(f, ALL_FEATURES));
}

static void test_platform_optional(void **state)
{
	struct balloon *f = *state;

	balloon_assert_works(f);
	assert_false(balloon_start_driver(f, ALL_FEATURES & ~BASIC));
	assert_true(balloon_start_driver(f, ALL_FEATURES));
	balloon_assert_works(f);
}

#define TEST(name)	\
	cmocka_unit_test_setup_teardown(name, balloon_setup, balloon_teardown)
#define TEST_ON(balloon, name)	\
	cmocka_unit_test_setup_teardown(name, balloon_setup_##balloon, balloon_teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_identity),
		TEST(test_inflate),
		TEST(test_any_framing),
		TEST(test_deflate),
		TEST(test_report),
		TEST_ON(without_stats, test_report_without_stats),
		TEST(test_target),
		TEST(test_target_early),
		TEST(test_actual),
		TEST(test_stats),
		TEST(test_stats_early),
		TEST(test_stats_answered),
		TEST(test_foreign_pages),
		TEST(test_bad_arrays),
		TEST(test_private_arrays),
		TEST(test_private_pages),
		TEST(test_bad_reports),
		TEST(test_bad_stats),
		TEST(test_stats_private_ring),
		TEST(test_not_negotiated),
		TEST(test_platform),
		TEST_ON(not_protected, test_platform_optional),
	};

	return cmocka_run_group_tests_name("virtio balloon", tests, NULL, NULL);
}
