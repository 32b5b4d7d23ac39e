// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule (R2): an access to memory that the guest does not share, or that is not guest memory,
 * returns an error and has no other effect.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "stats.h"

#define END	(RAM_BASE + TEST_MEMORY_SIZE)

static int setup(void **state)
{
	struct guest_memory *memory = calloc(1, sizeof(*memory));

	assert_non_null(memory);
	assert_int_equal(guest_memory_init(memory, RAM_BASE, TEST_MEMORY_SIZE), 0);
	*state = memory;
	return 0;
}

static int teardown(void **state)
{
	guest_memory_destroy(*state);
	free(*state);
	return 0;
}

/* Guest and host addresses have the same alignment, so huge pages can back guest memory. */
static void test_is_zero_and_aligned(void **state)
{
	struct guest_memory *memory = *state;
	uint8_t byte = 0xff;

	assert_int_equal((uintptr_t)memory->host % 0x200000, 0);
	assert_int_equal(guest_memory_read(memory, END - 1, &byte, 1), 0);
	assert_int_equal(byte, 0);
}

/* What was written can be read, and no other byte changes. */
static void test_copies(void **state)
{
	struct guest_memory *memory = *state;
	char in[] = "granule", out[sizeof(in) + 2];

	assert_int_equal(guest_memory_write(memory, RAM_BASE + 0x1ffe, in, sizeof(in)), 0);
	assert_int_equal(guest_memory_read(memory, RAM_BASE + 0x1ffd, out, sizeof(out)), 0);
	assert_int_equal(out[0], 0);
	assert_string_equal(out + 1, in);
	assert_int_equal(out[sizeof(out) - 1], 0);
}

/* A range that wraps or exceeds the memory is not guest memory. */
static void test_range_check(void **state)
{
	static const struct {
		uint64_t address;
		uint64_t length;
		bool inside;
	} cases[] = {
		{ RAM_BASE, 0, true },
		{ RAM_BASE, TEST_MEMORY_SIZE, true },
		{ END - 1, 1, true },
		{ END, 0, true },
		{ END, 1, false },
		{ END - 1, 2, false },
		{ RAM_BASE, TEST_MEMORY_SIZE + 1, false },
		{ RAM_BASE - 1, 1, false },
		{ RAM_BASE - 1, 2, false },
		{ RAM_BASE + 1, UINT64_MAX, false },
		{ RAM_BASE, UINT64_MAX, false },
		{ 0, UINT64_MAX, false },
		{ UINT64_MAX, 1, false },
		{ UINT64_MAX, UINT64_MAX, false },
		{ 0, 1, false },
	};
	struct guest_memory *memory = *state;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(guest_memory_contains(memory, cases[i].address, cases[i].length),
				 cases[i].inside);
}

static void test_outside_is_erange(void **state)
{
	struct guest_memory *memory = *state;
	int fd = make_file(512);
	uint8_t bytes[2] = { };
	uint16_t word;

	assert_int_equal(guest_memory_read(memory, END - 1, bytes, 2), -ERANGE);
	assert_int_equal(guest_memory_write(memory, RAM_BASE - 1, bytes, 2), -ERANGE);
	assert_int_equal(guest_memory_load16(memory, END, &word), -ERANGE);
	assert_int_equal(guest_memory_store16(memory, RAM_BASE - 2, 0), -ERANGE);
	assert_int_equal(guest_memory_file_read(memory, fd, 0, END, 1), -ERANGE);
	assert_int_equal(guest_memory_file_write(memory, fd, 0, UINT64_MAX, 1), -ERANGE);
	close(fd);
}

/* A misaligned word cannot be read or written by one access. */
static void test_odd_word_is_erange(void **state)
{
	struct guest_memory *memory = *state;
	uint16_t word;

	assert_int_equal(guest_memory_load16(memory, RAM_BASE + 1, &word), -ERANGE);
	assert_int_equal(guest_memory_store16(memory, RAM_BASE + 1, 1), -ERANGE);
}

static void test_words(void **state)
{
	struct guest_memory *memory = *state;
	uint8_t bytes[2];
	uint16_t word;

	assert_int_equal(guest_memory_store16(memory, RAM_BASE + 2, 0x1234), 0);
	assert_int_equal(guest_memory_read(memory, RAM_BASE + 2, bytes, 2), 0);
	assert_int_equal(bytes[0], 0x34);
	assert_int_equal(bytes[1], 0x12);
	assert_int_equal(guest_memory_load16(memory, RAM_BASE + 2, &word), 0);
	assert_int_equal(word, 0x1234);
}

/* Each access to a private page fails, and accesses to shared pages still work. */
static void test_private_is_efault(void **state)
{
	struct guest_memory *memory = *state;
	uint64_t page = RAM_BASE + 3 * TEST_PAGE;
	uint64_t faults = stat_get(STAT_GUEST_ACCESS_FAULTS);
	uint8_t bytes[64] = { };
	uint16_t word = 7;
	int i;

	make_private(memory, page);
	for (i = 0; i < 3; i++) {
		assert_int_equal(guest_memory_read(memory, page, bytes, sizeof(bytes)), -EFAULT);
		assert_int_equal(guest_memory_write(memory, page + 8, bytes, 1), -EFAULT);
		assert_int_equal(guest_memory_load16(memory, page, &word), -EFAULT);
		assert_int_equal(guest_memory_store16(memory, page, 1), -EFAULT);
		assert_int_equal(guest_memory_write(memory, page - 8, bytes, 8), 0);
	}
	assert_int_equal(word, 7);
	assert_int_equal(stat_get(STAT_GUEST_ACCESS_FAULTS) - faults, 12);
	make_shared(memory, page);
	assert_int_equal(guest_memory_read(memory, page, bytes, sizeof(bytes)), 0);
}

/* A copy that starts in a shared page and ends in a private one fails. */
static void test_private_half_way(void **state)
{
	struct guest_memory *memory = *state;
	uint64_t page = RAM_BASE + 3 * TEST_PAGE;
	uint8_t bytes[256] = { };

	make_private(memory, page);
	assert_int_equal(guest_memory_read(memory, page - 128, bytes, 256), -EFAULT);
	assert_int_equal(guest_memory_write(memory, page - 128, bytes, 256), -EFAULT);
}

static void test_file_transfer(void **state)
{
	struct guest_memory *memory = *state;
	uint8_t bytes[1024], expected[1024];
	int fd = make_file(2048);

	assert_int_equal(pread(fd, expected, 1024, 1024), 1024);
	assert_int_equal(guest_memory_file_read(memory, fd, 1024, RAM_BASE + 100, 1024), 0);
	assert_int_equal(guest_memory_read(memory, RAM_BASE + 100, bytes, 1024), 0);
	assert_memory_equal(bytes, expected, 1024);

	assert_int_equal(guest_memory_file_write(memory, fd, 0, RAM_BASE + 100, 1024), 0);
	assert_int_equal(pread(fd, bytes, 1024, 0), 1024);
	assert_memory_equal(bytes, expected, 1024);
	close(fd);
}

/* A system call on a private page fails, also if it starts in a shared page. */
static void test_file_transfer_private(void **state)
{
	struct guest_memory *memory = *state;
	uint64_t page = RAM_BASE + 3 * TEST_PAGE;
	int fd = make_file(3 * TEST_PAGE);

	make_private(memory, page);
	assert_int_equal(guest_memory_file_read(memory, fd, 0, page, 512), -EFAULT);
	assert_int_equal(guest_memory_file_write(memory, fd, 0, page, 512), -EFAULT);
	assert_int_equal(guest_memory_file_read(memory, fd, 0, page - TEST_PAGE, 2 * TEST_PAGE),
			 -EFAULT);
	assert_int_equal(guest_memory_file_write(memory, fd, 0, page - TEST_PAGE, 2 * TEST_PAGE),
			 -EFAULT);
	close(fd);
}

/* A read beyond the end of the file is an error. */
static void test_file_too_short(void **state)
{
	struct guest_memory *memory = *state;
	int fd = make_file(512);

	assert_int_equal(guest_memory_file_read(memory, fd, 0, RAM_BASE, 1024), -EIO);
	assert_int_equal(guest_memory_file_read(memory, fd, 4096, RAM_BASE, 1), -EIO);
	close(fd);
}

static void test_file_error(void **state)
{
	struct guest_memory *memory = *state;
	int fd = open("/dev/full", O_WRONLY);

	assert_true(fd >= 0);
	assert_int_equal(guest_memory_file_write(memory, fd, 0, RAM_BASE, 512), -ENOSPC);
	assert_int_equal(guest_memory_file_read(memory, fd, 0, RAM_BASE, 512), -EBADF);
	close(fd);
}

/* A fault outside of guest memory still kills the VMM. */
static void test_other_faults_kill(void **state)
{
	struct guest_memory *memory = *state;
	uint8_t *trap = mmap(NULL, TEST_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	assert_true(trap != MAP_FAILED);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		guest_memory_guard();
		guest_memory_write(memory, RAM_BASE, trap, 1);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSEGV);
	munmap(trap, TEST_PAGE);
}

struct racer {
	const struct guest_memory *memory;
	uint64_t address;
	int expected;
	atomic_int wrong;
};

static void *race(void *argument)
{
	struct racer *racer = argument;
	uint8_t byte;
	int i;

	for (i = 0; i < 2000; i++) {
		if (guest_memory_read(racer->memory, racer->address, &byte, 1) != racer->expected)
			racer->wrong++;
	}
	return NULL;
}

/* Threads that fault at the same time each continue in their own access. */
static void test_threads(void **state)
{
	struct guest_memory *memory = *state;
	struct racer racers[4];
	pthread_t threads[4];
	int i;

	make_private(memory, RAM_BASE + TEST_PAGE);
	for (i = 0; i < 4; i++) {
		racers[i].memory = memory;
		racers[i].address = RAM_BASE + i % 2 * TEST_PAGE;
		racers[i].expected = i % 2 ? -EFAULT : 0;
		racers[i].wrong = 0;
		assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
	}
	for (i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(racers[i].wrong, 0);
	}
}

static void test_init_refuses_bad_arguments(void **state)
{
	struct guest_memory memory;

	(void)state;
	assert_int_equal(guest_memory_init(&memory, RAM_BASE, UINT64_MAX), -ENOMEM);
	assert_int_equal(guest_memory_init(&memory, RAM_BASE, 1UL << 60), -ENOMEM);
}

/* Only whole pages of the host go, and those read as zero. */
static void test_discard(void **state)
{
	static const struct {
		uint64_t start;
		uint64_t length;
		uint64_t first_page;
		uint64_t pages;
	} cases[] = {
		{ 0, TEST_PAGE, 0, 1 },
		{ TEST_PAGE, 3 * TEST_PAGE, 1, 3 },
		{ 1, 2 * TEST_PAGE, 1, 1 },
		{ 1, 2 * TEST_PAGE - 2, 0, 0 },
		{ 1, TEST_PAGE - 1, 0, 0 },
		{ 5, 7, 0, 0 },
		{ 3 * TEST_PAGE, 0, 0, 0 },
		{ TEST_PAGE - 1, 2 * TEST_PAGE + 1, 1, 2 },
	};
	struct guest_memory *memory = *state;
	uint64_t kept = 0;
	size_t i, byte;

	guest_memory_use_small_pages(memory);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t first = cases[i].first_page * TEST_PAGE;
		uint64_t length = cases[i].pages * TEST_PAGE;

		memset(memory->host, 0xa5, 5 * TEST_PAGE);
		assert_int_equal(guest_memory_discard(memory, RAM_BASE + cases[i].start,
						      cases[i].length, &kept), length);
		for (byte = 0; byte < 5 * TEST_PAGE; byte++)
			assert_int_equal(memory->host[byte],
					 byte >= first && byte < first + length ? 0 : 0xa5);
	}
	assert_int_equal(kept, 0);
}

/* Private pages, at either end of a range and inside it, keep their contents. */
static void test_discard_private(void **state)
{
	static const unsigned int private[] = { 0, 3, 4, 7 };
	struct guest_memory *memory = *state;
	uint64_t kept = 1;
	size_t i;

	memset(memory->host, 0xa5, 8 * TEST_PAGE);
	for (i = 0; i < 4; i++)
		make_private(memory, RAM_BASE + private[i] * TEST_PAGE);
	assert_int_equal(guest_memory_discard(memory, RAM_BASE, 8 * TEST_PAGE, &kept),
			 4 * TEST_PAGE);
	assert_int_equal(kept, 4 * TEST_PAGE + 1);
	/* All of a range that is private. */
	assert_int_equal(guest_memory_discard(memory, RAM_BASE + 3 * TEST_PAGE, 2 * TEST_PAGE,
					      &kept), 0);
	assert_int_equal(kept, 6 * TEST_PAGE + 1);
	for (i = 0; i < 4; i++)
		make_shared(memory, RAM_BASE + private[i] * TEST_PAGE);
	for (i = 0; i < 8; i++)
		assert_int_equal(memory->host[i * TEST_PAGE], 0x99 >> i & 1 ? 0xa5 : 0);
}

static void test_discard_outside(void **state)
{
	struct guest_memory *memory = *state;
	uint64_t kept = 0;

	memset(memory->host, 0xa5, TEST_PAGE);
	assert_int_equal(guest_memory_discard(memory, END, TEST_PAGE, &kept), -ERANGE);
	assert_int_equal(guest_memory_discard(memory, RAM_BASE, UINT64_MAX, &kept), -ERANGE);
	assert_int_equal(guest_memory_discard(memory, RAM_BASE - TEST_PAGE, 2 * TEST_PAGE, &kept),
			 -ERANGE);
	assert_int_equal(memory->host[0], 0xa5);
	assert_int_equal(kept, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_is_zero_and_aligned),
		TEST(test_copies),
		TEST(test_range_check),
		TEST(test_outside_is_erange),
		TEST(test_odd_word_is_erange),
		TEST(test_words),
		TEST(test_private_is_efault),
		TEST(test_private_half_way),
		TEST(test_file_transfer),
		TEST(test_file_transfer_private),
		TEST(test_file_too_short),
		TEST(test_file_error),
		TEST(test_other_faults_kill),
		TEST(test_threads),
		TEST(test_discard),
		TEST(test_discard_private),
		TEST(test_discard_outside),
		cmocka_unit_test(test_init_refuses_bad_arguments),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
