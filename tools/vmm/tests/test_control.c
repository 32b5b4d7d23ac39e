// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rules: each line is answered, in order, whatever it is; a line that is no valid request changes
 * nothing; no client can keep the others from being served.
 */
#include "test.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "control.h"
#include "ctl.h"
#include "options.h"

#define MANY_LINES	100000
/* Bytes of an answer. */
#define ANSWER		4096

struct fixture {
	struct control control;
	char folder[32];
	char path[64];
	/* How many requests were carried out. */
	unsigned int done;
};

static int do_words(void *target, struct control_reply *reply, unsigned int argc, char **argv)
{
	struct fixture *f = target;
	unsigned int i;

	f->done++;
	for (i = 0; i < argc; i++)
		control_say(reply, "word '%s'", argv[i]);
	return 0;
}

static int do_refuse(void *target, struct control_reply *reply, unsigned int argc, char **argv)
{
	(void)target;
	(void)argc;
	control_say(reply, "before");
	return control_fail(reply, -EEXIST, "%s is there", argv[0]);
}

static int do_many(void *target, struct control_reply *reply, unsigned int argc, char **argv)
{
	unsigned int i;

	(void)target;
	(void)argc;
	(void)argv;
	for (i = 0; i < MANY_LINES; i++)
		control_say(reply, "line %u", i);
	return 0;
}

static const struct control_command commands[] = {
	{ "words", "[WORD]...", 0, CONTROL_MAX_WORDS, do_words },
	{ "refuse", "NAME", 1, 1, do_refuse },
	{ "many", "", 0, 0, do_many },
};

static struct control_config config_of(struct fixture *f)
{
	return (struct control_config) {
		.path = f->path,
		.commands = commands,
		.nr_commands = sizeof(commands) / sizeof(*commands),
		.target = f,
	};
}

static int setup_stopped(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->folder, sizeof(f->folder), "/tmp/vmm-control-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/socket", f->folder);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	struct control_config config;
	struct fixture *f;

	setup_stopped(state);
	f = *state;
	config = config_of(f);
	assert_int_equal(control_start(&f->control, &config), 0);
	return 0;
}

static int teardown_stopped(void **state)
{
	struct fixture *f = *state;

	/* The socket is gone, as the folder is empty. */
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	control_stop(&f->control);
	return teardown_stopped(state);
}

static int dial(const struct fixture *f)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, f->path, strlen(f->path));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void tell(int fd, const void *bytes, size_t length)
{
	const char *at = bytes;

	while (length) {
		ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);

		assert_true(sent > 0);
		at += sent;
		length -= sent;
	}
}

/* Read until as many bytes have come as @wanted has, which must be equal to it. */
static void expect(int fd, const char *wanted)
{
	char answer[ANSWER] = "";
	size_t length = 0;

	while (length < strlen(wanted)) {
		ssize_t got = recv(fd, answer + length, strlen(wanted) - length, 0);

		assert_true(got >= 0);
		if (!got)
			break;
		length += got;
	}
	assert_string_equal(answer, wanted);
}

static void expect_end(int fd)
{
	char byte;

	assert_int_equal(recv(fd, &byte, 1, 0), 0);
	close(fd);
}

/* Send @line, which is all that the client sends, and expect this answer and no more. */
static void ask(const struct fixture *f, const char *line, const char *answer)
{
	int fd = dial(f);

	tell(fd, line, strlen(line));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect(fd, answer);
	expect_end(fd);
}

static void test_words(void **state)
{
	struct fixture *f = *state;

	ask(f, "words\n", "ok\n");
	ask(f, "  words  a  bc\n", "word 'a'\nword 'bc'\nok\n");
	ask(f, "words a\\ b \\\\ c\\d \\\n", "word 'a b'\nword '\\'\nword 'cd'\nword '\\'\nok\n");
	ask(f, "words \xc3\xa4\n", "word '\xc3\xa4'\nok\n");
	assert_int_equal(f->done, 4);
}

static void test_help(void **state)
{
	ask(*state, "help\n", "help\nwords [WORD]...\nrefuse NAME\nmany\nok\n");
}

static void test_errors(void **state)
{
	struct fixture *f = *state;
	const char blanks[] = { ' ', ' ', '\n', '\0' };
	char many[64] = "words";
	unsigned int i;

	ask(f, "refuse x\n", "before\nerror EEXIST x is there\n");
	ask(f, "refuse\n", "error EINVAL the command is: refuse NAME\n");
	ask(f, "refuse x y\n", "error EINVAL the command is: refuse NAME\n");
	ask(f, "many x\n", "error EINVAL the command is: many\n");
	ask(f, "help me\n", "error ENOENT unknown command 'help' (try help)\n");
	ask(f, "word\n", "error ENOENT unknown command 'word' (try help)\n");
	ask(f, "Words\n", "error ENOENT unknown command 'Words' (try help)\n");
	ask(f, "\n", "error EINVAL the line is empty\n");
	ask(f, blanks, "error EINVAL the line is empty\n");
	for (i = 0; i < CONTROL_MAX_WORDS; i++)
		strcat(many, " w");
	strcat(many, "\n");
	ask(f, many, "error E2BIG more than 16 words\n");
	assert_int_equal(f->done, 0);
}

/* A line with a control character is refused as a whole, also with a byte of 0. */
static void test_no_text(void **state)
{
	static const char characters[] = { '\0', '\t', '\r', '\x1b', '\x7f', '\x01' };
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < sizeof(characters); i++) {
		char line[] = "words ?\nwords\n";
		int fd = dial(f);

		line[6] = characters[i];
		tell(fd, line, sizeof(line) - 1);
		expect(fd, "error EINVAL the line has a character that is no text\nok\n");
		close(fd);
	}
	assert_int_equal(f->done, sizeof(characters));
}

/* The longest line is carried out, a longer one is not, and what follows is. */
static void test_long_lines(void **state)
{
	static char line[3 * CONTROL_MAX_LINE];
	static const char next[] = "\nwords end\n";
	struct fixture *f = *state;
	size_t length;
	int fd;

	memset(line, ' ', sizeof(line));
	memcpy(line, "words", 5);
	for (length = CONTROL_MAX_LINE - 1; length < CONTROL_MAX_LINE + 3; length++) {
		fd = dial(f);
		tell(fd, line, length);
		tell(fd, next, sizeof(next) - 1);
		if (length <= CONTROL_MAX_LINE)
			expect(fd, "ok\nword 'end'\nok\n");
		else
			expect(fd, "error E2BIG the line is too long\nword 'end'\nok\n");
		close(fd);
	}
	fd = dial(f);
	tell(fd, line, sizeof(line));
	tell(fd, next, sizeof(next) - 1);
	expect(fd, "error E2BIG the line is too long\nword 'end'\nok\n");
	close(fd);
}

/* Half a command is none: "remove 12" must not remove 1. */
static void test_unfinished(void **state)
{
	static char line[2 * CONTROL_MAX_LINE];
	struct fixture *f = *state;

	ask(f, "words 1", "error EPROTO the last line has no end\n");
	ask(f, "words\nwords 1", "ok\nerror EPROTO the last line has no end\n");
	memset(line, 'x', sizeof(line) - 1);
	ask(f, line, "error EPROTO the last line has no end\n");
	ask(f, "", "");
	assert_int_equal(f->done, 1);
}

static void test_pieces(void **state)
{
	static const char line[] = "words a\nrefuse b\n";
	struct fixture *f = *state;
	unsigned int i;
	int fd = dial(f);

	for (i = 0; i < sizeof(line) - 1; i++) {
		tell(fd, &line[i], 1);
		usleep(1000);
	}
	expect(fd, "word 'a'\nok\nbefore\nerror EEXIST b is there\n");
	close(fd);
}

/* Many requests in one go are answered in order, also when the client reads late. */
static void test_nothing_lost(void **state)
{
	struct fixture *f = *state;
	char line[64];
	unsigned int i, count = 500;
	int fd = dial(f);

	for (i = 0; i < count; i++)
		tell(fd, line, sprintf(line, "words %u\n", i));
	for (i = 0; i < count; i++) {
		sprintf(line, "word '%u'\nok\n", i);
		expect(fd, line);
	}
	close(fd);
	assert_int_equal(f->done, count);
}

/* A client that does not read its answer gets it later, and the others do not wait for it. */
static void test_slow_reader(void **state)
{
	struct fixture *f = *state;
	char line[64];
	unsigned int i;
	int slow = dial(f);

	tell(slow, "many\nwords a\n", 13);
	ask(f, "words b\n", "word 'b'\nok\n");
	assert_int_equal(f->done, 1);
	for (i = 0; i < MANY_LINES; i++) {
		sprintf(line, "line %u\n", i);
		expect(slow, line);
	}
	expect(slow, "ok\nword 'a'\nok\n");
	close(slow);
}

static void test_vanishing_clients(void **state)
{
	struct fixture *f = *state;
	unsigned int i;

	for (i = 0; i < 50; i++) {
		int fd = dial(f);

		tell(fd, "many\nmany\n", i % 11);
		close(fd);
	}
	ask(f, "words\n", "ok\n");
}

static void test_many_clients(void **state)
{
	struct fixture *f = *state;
	int fd[CONTROL_MAX_CLIENTS], other;
	unsigned int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		fd[i] = dial(f);
		tell(fd[i], "words\n", 6);
		expect(fd[i], "ok\n");
	}
	other = dial(f);
	expect(other, "error EBUSY too many clients\n");
	expect_end(other);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		tell(fd[i], "words\n", 6);
		expect(fd[i], "ok\n");
	}
	close(fd[3]);
	/* The place of the one that is gone is free once the VMM has seen its end. */
	for (i = 0; i < 1000; i++) {
		char byte;

		other = dial(f);
		send(other, "words\n", 6, MSG_NOSIGNAL);
		if (recv(other, &byte, 1, 0) == 1 && byte == 'o')
			break;
		close(other);
		usleep(1000);
	}
	assert_true(i < 1000);
	expect(other, "k\n");
	close(other);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (i != 3)
			close(fd[i]);
	}
}

static void test_name_in_use(void **state)
{
	struct fixture *f = *state;
	struct control_config config = config_of(f);
	struct control other;

	assert_int_equal(control_start(&other, &config), -EADDRINUSE);
	ask(f, "words\n", "ok\n");
}

static void test_mode(void **state)
{
	struct fixture *f = *state;
	struct stat info;

	assert_int_equal(stat(f->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

/* What is no socket is never removed; a socket without a server is replaced. */
static void test_old_names(void **state)
{
	struct fixture *f = *state;
	struct control_config config = config_of(f);
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	FILE *file = fopen(f->path, "w");
	struct stat info;
	int fd;

	assert_non_null(file);
	fclose(file);
	assert_int_equal(control_start(&f->control, &config), -EADDRINUSE);
	assert_int_equal(stat(f->path, &info), 0);
	assert_true(S_ISREG(info.st_mode));
	assert_int_equal(unlink(f->path), 0);

	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memcpy(address.sun_path, f->path, strlen(f->path));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(control_start(&f->control, &config), 0);
	ask(f, "words\n", "ok\n");
	control_stop(&f->control);

	config.path = "/none/socket";
	assert_int_equal(control_start(&f->control, &config), -ENOENT);
}

/* Run vmm ctl with these words, and compare what it prints on standard output. */
static int run_ctl(struct fixture *f, const char *output, char *word, char *other)
{
	int argc = word ? other ? 3 : 2 : 1;
	char *argv[3];
	int out = dup(STDOUT_FILENO), file = make_file(0), status;
	char printed[ANSWER] = "";

	argv[0] = f->path;
	argv[1] = word;
	argv[2] = other;
	fflush(stdout);
	assert_true(out >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	status = ctl_main(argc, argv);
	fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	assert_true(pread(file, printed, sizeof(printed) - 1, 0) >= 0);
	close(file);
	close(out);
	assert_string_equal(printed, output);
	return status;
}

static void test_client(void **state)
{
	char words[] = "words";
	char refuse[] = "refuse";
	char odd[] = "a b\\";
	char bad[] = "a\nwords";
	struct fixture *f = *state;

	assert_int_equal(run_ctl(f, "", words, NULL), EXIT_GUEST_OFF);
	assert_int_equal(run_ctl(f, "word 'a b\\'\n", words, odd), EXIT_GUEST_OFF);
	assert_int_equal(run_ctl(f, "before\n", refuse, words), EXIT_VMM_ERROR);
	assert_int_equal(f->done, 2);
	assert_int_equal(run_ctl(f, "", NULL, NULL), EXIT_USAGE);
	assert_int_equal(run_ctl(f, "", words, bad), EXIT_USAGE);
	assert_int_equal(run_ctl(f, "", odd + 4, NULL), EXIT_USAGE);
	assert_int_equal(f->done, 2);
}

static void test_client_without_vmm(void **state)
{
	struct fixture *f = *state;
	char words[] = "words";

	assert_int_equal(run_ctl(f, "", words, NULL), EXIT_VMM_ERROR);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
#define TEST_STOPPED(name)	\
	cmocka_unit_test_setup_teardown(name, setup_stopped, teardown_stopped)

int main(void)
{
	const struct cmocka_test tests[] = {
		TEST(test_words),
		TEST(test_help),
		TEST(test_errors),
		TEST(test_no_text),
		TEST(test_long_lines),
		TEST(test_unfinished),
		TEST(test_pieces),
		TEST(test_nothing_lost),
		TEST(test_slow_reader),
		TEST(test_vanishing_clients),
		TEST(test_many_clients),
		TEST(test_name_in_use),
		TEST(test_mode),
		TEST_STOPPED(test_old_names),
		TEST(test_client),
		TEST_STOPPED(test_client_without_vmm),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
