// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: a command does what its answer says; one that is wrong changes nothing, and its answer
 * says what is wrong.
 */
#include "test.h"

#include <stdio.h>

#include "commands.h"
#include "windows.h"

static void ask(struct fixture *f, const char *line, const char *wanted)
{
	struct command_target target = {
		.protected_vm = true, .nr_vcpus = 2, .memory_size = 4096, .windows = &f->windows,
	};
	char *answer = commands_answer(&target, line);

	assert_string_equal(answer, wanted);
	free(answer);
}

static void test_commands(void **state)
{
	struct fixture *f = *state;
	char line[128], answer[256];

	ask(f, "status", "protected 1\nvcpus 2\nmemory_bytes 4096\nwindow_slots 8\nok\n");
	ask(f, "list", "ok\n");
	snprintf(line, sizeof(line), "add %s size=64K", f->path);
	ask(f, line, "slot 1\nok\n");
	enable(f, 1, AREA_OF(1));
	snprintf(line, sizeof(line), "add %s slot=7 size=4K", f->path);
	ask(f, line, "slot 7\nok\n");
	snprintf(answer, sizeof(answer),
		 "slot 1 size 65536 address 0x100200000 file %s\n"
		 "slot 7 size 4096 address none file %s\nok\n", f->path, f->path);
	ask(f, "list", answer);
	snprintf(answer, sizeof(answer), "error EEXIST %s: the slot is in use\n", f->path);
	ask(f, line, answer);
	ask(f, "remove 1", "ok\n");
	ask(f, "remove 1", "error ENOENT there is no window in slot 1\n");
}

static void test_bad_commands(void **state)
{
	struct fixture *f = *state;

	ask(f, "add /x", "error EINVAL the command is: add FILE size=SIZE [slot=NUMBER]\n");
	ask(f, "add /x slot=1", "error EINVAL no size is given\n");
	ask(f, "add /x size=3", "error EINVAL size=3 is not a power of two from 4K to 1G\n");
	ask(f, "add /x size=", "error EINVAL size= is not a power of two from 4K to 1G\n");
	ask(f, "add /x size=4K size=4K", "error EINVAL unexpected argument 'size=4K'\n");
	ask(f, "add /x size=4K slot=0", "error EINVAL slot '0' is not from 1 to 8\n");
	ask(f, "add /x size=4K slot=9", "error EINVAL slot '9' is not from 1 to 8\n");
	ask(f, "add /x size=4K slot=01", "error EINVAL slot '01' is not from 1 to 8\n");
	ask(f, "add /x size=4K name=1", "error EINVAL unexpected argument 'name=1'\n");
	ask(f, "add /none size=4K", "error ENOENT /none: No such file or directory\n");
	ask(f, "remove", "error EINVAL the command is: remove NUMBER\n");
	ask(f, "remove -1", "error EINVAL slot '-1' is not from 1 to 8\n");
	ask(f, "remove 8", "error ENOENT there is no window in slot 8\n");
	ask(f, "list all", "error EINVAL the command is: list\n");
	ask(f, "list", "ok\n");
}

static void test_no_windows(void **state)
{
	struct command_target target = { .nr_vcpus = 1 };
	static const char *const lines[] = { "add /x size=4K", "remove 1" };
	unsigned int i;
	char *answer;

	(void)state;
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		answer = commands_answer(&target, lines[i]);
		assert_string_equal(answer, "error ENODEV this VM cannot have windows\n");
		free(answer);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, windows_setup, windows_teardown)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_commands),
		TEST(test_bad_commands),
		cmocka_unit_test(test_no_windows),
	};

	return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
