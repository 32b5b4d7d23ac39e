// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rule: a command does what the manual says, and one with wrong arguments changes nothing.
 */
#include "balloon.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "commands.h"

#define MIB		(1024 * 1024UL)
#define ANSWER		4096

struct fixture {
	struct balloon *balloon;
	struct control control;
	struct command_target target;
	char path[32];
	char answer[ANSWER];
};

static int setup_target(void **state, bool with_balloon)
{
	struct fixture *f = calloc(1, sizeof(*f));
	void *balloon;

	assert_non_null(f);
	assert_int_equal(balloon_setup(&balloon), 0);
	f->balloon = balloon;
	f->target.nr_vcpus = 3;
	f->target.memory_size = TEST_MEMORY_SIZE;
	if (with_balloon)
		f->target.balloon = &f->balloon->balloon;
	snprintf(f->path, sizeof(f->path), "/tmp/vmm-test-%d", getpid());
	assert_int_equal(commands_serve(&f->control, f->path, &f->target), 0);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return setup_target(state, true);
}

static int setup_without_balloon(void **state)
{
	return setup_target(state, false);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *balloon = f->balloon;

	control_stop(&f->control);
	balloon_teardown(&balloon);
	free(f);
	return 0;
}

/* Send a line and return all of the answer. */
static const char *ask(struct fixture *f, const char *line)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	size_t length = 0;
	ssize_t n;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(write(fd, line, strlen(line)), strlen(line));
	assert_int_equal(write(fd, "\n", 1), 1);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	while ((n = read(fd, f->answer + length, ANSWER - 1 - length)) > 0)
		length += n;
	f->answer[length] = '\0';
	close(fd);
	return f->answer;
}

static uint32_t target_pages(struct fixture *f)
{
	return balloon_config(f->balloon, NUM_PAGES);
}

/* Without a balloon there is nothing to say about one. */
static void test_status(void **state)
{
	struct fixture *f = *state;

	assert_null(strstr(ask(f, "status"), "balloon"));
	assert_null(strstr(f->answer, "guest"));
}

/* The statistics of a guest that does not answer are the last ones. */
static void test_status_balloon(void **state)
{
	static const char sizes[] = "\nballoon_target_bytes 2097152\nballoon_bytes 8192\n";
	struct virtio_balloon_stat stat;
	struct fixture *f = *state;

	put_le16(&stat.tag, VIRTIO_BALLOON_S_MEMFREE);
	put_le64(&stat.val, 12345);
	memcpy(f->balloon->memory.host + (ARRAY - RAM_BASE), &stat, sizeof(stat));
	balloon_set_desc(f->balloon, STATS, 0, ARRAY, sizeof(stat), 0);
	balloon_submit(f->balloon, STATS);
	balloon_put(f->balloon, CONFIG + ACTUAL, 4, 2);

	assert_non_null(strstr(ask(f, "status"), sizes));
	assert_non_null(strstr(f->answer, "\nguest_free_bytes 12345\nguest_age_ms "));
	assert_null(strstr(f->answer, "guest_total_bytes"));
	assert_int_equal(balloon_used(f->balloon, STATS), 1);
}

static void test_balloon(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(ask(f, "balloon 3"), "ok\n");
	assert_int_equal(target_pages(f), 3 * MIB / TEST_PAGE);
	assert_string_equal(ask(f, "balloon 4"), "ok\n");
	assert_string_equal(ask(f, "balloon 0"), "ok\n");
	assert_int_equal(target_pages(f), 0);
}

static void test_balloon_refused(void **state)
{
	static const char *const lines[] = {
		"balloon", "balloon 1 2", "balloon -1", "balloon +1", "balloon 1M", "balloon 0x1",
		"balloon x", "balloon 5", "balloon 99999999999999999999", "balloon 17592186044417",
	};
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		ask(f, lines[i]);
		assert_memory_equal(f->answer, "error EINVAL ", strlen("error EINVAL "));
	}
	assert_int_equal(target_pages(f), TARGET / TEST_PAGE);
}

static void test_no_balloon(void **state)
{
	struct fixture *f = *state;

	ask(f, "balloon 1");
	assert_memory_equal(f->answer, "error ENODEV ", strlen("error ENODEV "));
	assert_int_equal(target_pages(f), TARGET / TEST_PAGE);
}

int main(void)
{
	const struct cmocka_test tests[] = {
		cmocka_unit_test_setup_teardown(test_status, setup_without_balloon, teardown),
		cmocka_unit_test_setup_teardown(test_status_balloon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_balloon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_balloon_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_balloon, setup_without_balloon, teardown),
	};

	return cmocka_run_group_tests_name("balloon commands", tests, NULL, NULL);
}
