// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: if the reader of standard output is gone, full or slow, the guest loses output and
 * nothing else happens; the counters count lost bytes; --stats writes all counters or fails.
 */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "console.h"
#include "stats.h"

static bool never(void)
{
	return false;
}

static bool at_once(void)
{
	return true;
}

/* Replace @stream by @fd; returns a copy of the old stream. */
static int replace(int stream, int fd)
{
	int saved = dup(stream);

	assert_true(saved >= 0);
	assert_int_equal(dup2(fd, stream), stream);
	return saved;
}

static void restore(int stream, int saved)
{
	assert_int_equal(dup2(saved, stream), stream);
	close(saved);
}

static void test_write(void **state)
{
	uint64_t out = stat_get(STAT_UART_BYTES_OUT);
	int fds[2], saved;
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	saved = replace(STDOUT_FILENO, fds[1]);
	console_write('k', never);
	restore(STDOUT_FILENO, saved);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'k');
	assert_int_equal(stat_get(STAT_UART_BYTES_OUT) - out, 1);
	close(fds[0]);
	close(fds[1]);
}

static void test_reader_gone(void **state)
{
	uint64_t lost = stat_get(STAT_UART_BYTES_LOST);
	int fds[2], saved;

	(void)state;
	assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	saved = replace(STDOUT_FILENO, fds[1]);
	console_write('k', never);
	console_write('k', never);
	restore(STDOUT_FILENO, saved);
	assert_int_equal(stat_get(STAT_UART_BYTES_LOST) - lost, 2);
	close(fds[1]);
}

static void interrupt(int signal)
{
	(void)signal;
}

/* A write to a full pipe that nobody reads can be interrupted. */
static void test_reader_slow(void **state)
{
	const struct sigaction action = { .sa_handler = interrupt };
	uint64_t lost = stat_get(STAT_UART_BYTES_LOST);
	int fds[2], saved;
	char byte = 0;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	while (write(fds[1], &byte, 1) == 1)
		;
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
	assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
	saved = replace(STDOUT_FILENO, fds[1]);
	ualarm(10000, 0);
	console_write('k', at_once);
	restore(STDOUT_FILENO, saved);
	assert_int_equal(stat_get(STAT_UART_BYTES_LOST) - lost, 1);
	close(fds[0]);
	close(fds[1]);
}

static void test_read(void **state)
{
	uint64_t in = stat_get(STAT_UART_BYTES_IN);
	uint8_t bytes[8];
	int fds[2], saved;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "abc", 3), 3);
	close(fds[1]);
	saved = replace(STDIN_FILENO, fds[0]);
	assert_int_equal(console_read(bytes, sizeof(bytes)), 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_int_equal(console_read(bytes, sizeof(bytes)), 0);
	restore(STDIN_FILENO, saved);
	assert_int_equal(stat_get(STAT_UART_BYTES_IN) - in, 3);
	close(fds[0]);
}

static void test_read_error(void **state)
{
	int fd = open("/tmp", O_RDONLY);
	uint8_t bytes[8];
	int saved;

	(void)state;
	assert_true(fd >= 0);
	saved = replace(STDIN_FILENO, fd);
	assert_int_equal(console_read(bytes, sizeof(bytes)), -EISDIR);
	restore(STDIN_FILENO, saved);
	close(fd);
}

static void test_stats_file(void **state)
{
	char line[64], *value, *end;
	unsigned int lines = 0;
	unsigned long number;
	FILE *file = tmpfile();

	(void)state;
	assert_non_null(file);
	stat_add(STAT_EXITS, 41);
	stat_add(STAT_EXITS, 1);
	assert_int_equal(stats_write(file), 0);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		value = strchr(line, ' ');
		assert_non_null(value);
		number = strtoul(value, &end, 10);
		assert_string_equal(end, "\n");
		if (!strncmp(line, "exits ", 6))
			assert_int_equal(number, 42);
		lines++;
	}
	assert_int_equal(lines, NR_STATS);
	fclose(file);
}

static void test_stats_file_full(void **state)
{
	FILE *file = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(stats_write(file), -ENOSPC);
	fclose(file);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_reader_gone),
		cmocka_unit_test(test_reader_slow),
		cmocka_unit_test(test_read),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_stats_file),
		cmocka_unit_test(test_stats_file_full),
	};

	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
