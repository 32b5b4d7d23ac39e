// SPDX-License-Identifier: GPL-2.0-only
/*
 * The builtin commands of the test root's init, as the root has no shell. Each runs in a process
 * of its own and returns an exit status: 0, 1 after an error that it has printed, 2 for wrong
 * arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

static int fail(const char *what)
{
	printf("init: %s: %s\n", what, strerror(errno));
	return 1;
}

static int parse_number(const char *text, unsigned long *value)
{
	char *end;

	errno = 0;
	*value = strtoul(text, &end, 10);
	if (errno || end == text || *end || text[0] == '-') {
		printf("init: \"%s\" is not a number\n", text);
		return -EINVAL;
	}
	return 0;
}

void sleep_ms(unsigned long ms)
{
	struct timespec left = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

int show_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	char buffer[4096];
	ssize_t n;

	if (fd < 0)
		return fail(path);
	while ((n = read(fd, buffer, sizeof(buffer))) > 0)
		fwrite(buffer, 1, n, stdout);
	if (n < 0)
		return fail(path);
	close(fd);
	return 0;
}

/* cat FILE...: print files on the console. */
static int do_cat(int argc, char *argv[])
{
	for (int i = 1; i < argc; i++) {
		if (show_file(argv[i]))
			return 1;
	}
	return 0;
}

/* insmod FILE [PARAMETERS]: load a kernel module. */
static int do_insmod(int argc, char *argv[])
{
	int fd;

	if (argc != 2 && argc != 3)
		return 2;
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, argc == 3 ? argv[2] : "", 0))
		return fail(argv[1]);
	return 0;
}

/* sleep MILLISECONDS: wait. */
static int do_sleep(int argc, char *argv[])
{
	unsigned long ms;

	if (argc != 2 || parse_number(argv[1], &ms))
		return 2;
	sleep_ms(ms);
	return 0;
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0644);
	ssize_t length = strlen(text);

	if (fd < 0 || write(fd, text, length) != length) {
		fail(path);
		return 1;
	}
	close(fd);
	return 0;
}

/* write FILE TEXT: write to a file of proc, sysfs or debugfs. */
static int do_write(int argc, char *argv[])
{
	return argc == 3 ? write_text(argv[1], argv[2]) : 2;
}

long sum_lines(const char *path, const char *format)
{
	FILE *file = fopen(path, "re");
	long sum = -1, value;
	char line[256];

	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, format, &value) == 1)
			sum = sum < 0 ? value : sum + value;
	}
	fclose(file);
	return sum;
}

/* Free memory, including the free pages of per-CPU lists, which MemFree does not count. */
static long free_kib(void)
{
	long kib = sum_lines("/proc/meminfo", "MemFree: %ld kB");
	long pages = sum_lines("/proc/zoneinfo", " count: %ld");

	return kib < 0 || pages < 0 ? -1 : kib + pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* The largest value in two seconds, so that memory which RCU or workers free later is counted. */
int show_memfree(void)
{
	long best = -1;

	for (int i = 0; i < 10; i++) {
		long now;

		if (write_text("/proc/sys/vm/drop_caches", "3"))
			return 1;
		now = free_kib();
		if (now < 0)
			return fail("cannot read free memory");
		if (now > best)
			best = now;
		sleep_ms(200);
	}
	printf("memfree %ld\n", best);
	return 0;
}

/* memfree: print the host's free memory after dropping caches, as "memfree <KiB>". */
static int do_memfree(int argc, char *argv[])
{
	if (argc != 1) {
		printf("init: %s takes no argument\n", argv[0]);
		return 2;
	}
	return show_memfree();
}

/*
 * memlock KIB COMMAND...: run a program with this RLIMIT_MEMLOCK, and without CAP_IPC_LOCK,
 * which would override the limit.
 */
static int do_memlock(int argc, char *argv[])
{
	struct rlimit limit;
	unsigned long kib;

	if (argc < 3 || parse_number(argv[1], &kib))
		return 2;
	limit.rlim_cur = kib * 1024;
	limit.rlim_max = kib * 1024;
	if (setrlimit(RLIMIT_MEMLOCK, &limit) || prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0))
		return fail("memlock");
	execv(argv[2], argv + 2);
	return fail(argv[2]);
}

/*
 * console COMMAND...: run a program with the console as its standard input. The terminal passes
 * on all characters, Ctrl-C included.
 */
static int do_console(int argc, char *argv[])
{
	struct termios terminal;

	if (argc < 2)
		return 2;
	if (dup2(STDOUT_FILENO, STDIN_FILENO) < 0 || tcgetattr(STDIN_FILENO, &terminal))
		return fail("console");
	terminal.c_lflag &= ~(ISIG | IEXTEN);
	terminal.c_iflag &= ~(IXON | ICRNL);
	if (tcsetattr(STDIN_FILENO, TCSANOW, &terminal))
		return fail("console");
	execv(argv[1], argv + 1);
	return fail(argv[1]);
}

static unsigned long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * Run a program with its output in QUIET_LOG, and kill it after @ms milliseconds; with NEVER, wait
 * for its end.
 */
#define NEVER		(~0UL)
#define QUIET_LOG	"/tmp/quiet"

static int run_quietly(unsigned long ms, char *argv[])
{
	pid_t pid = fork();
	int status, log;

	if (pid < 0)
		return -errno;
	if (!pid) {
		log = open(QUIET_LOG, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (log < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
			_exit(126);
		execv(argv[0], argv);
		_exit(127);
	}
	if (ms != NEVER) {
		sleep_ms(ms);
		kill(pid, SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/*
 * killed COUNT COMMAND...: run a program once to its end, then COUNT times with a SIGKILL. The
 * kill comes later each time, in equal steps from the start up to 1.25 times the duration of the
 * first run, so that it hits the start, the work and the end of the program. A run that ends
 * successfully before the kill is fine; any other end is a failure.
 */
static int do_killed(int argc, char *argv[])
{
	unsigned long count, start, whole, ended = 0;
	int status;

	if (argc < 3 || parse_number(argv[1], &count) || !count)
		return 2;
	start = now_ms();
	status = run_quietly(NEVER, argv + 2);
	if (status) {
		printf("init: %s, without a kill, ended with status %d:\n", argv[2], status);
		show_file(QUIET_LOG);
		return 1;
	}
	whole = now_ms() - start;

	for (unsigned long i = 0; i < count; i++) {
		status = run_quietly((whole + whole / 4) * i / count, argv + 2);
		if (status != 0 && status != 128 + SIGKILL) {
			printf("init: run %lu of %s ended with status %d, not by the kill:\n",
			       i, argv[2], status);
			show_file(QUIET_LOG);
			return 1;
		}
		ended += status == 0;
	}
	printf("killed %lu of %lu within %lu ms, the others had ended before\n",
	       count - ended, count, whole + whole / 4);
	return 0;
}

/*
 * during NAME NUMBER FILE COMMAND...: run a program. When counter NAME of protected VMs has grown
 * by NUMBER, stop the program, print FILE, and continue the program. While the program is
 * stopped, its VM does not change what FILE shows. The exit status is that of the program.
 */
static int do_during(int argc, char *argv[])
{
	unsigned long number;
	char format[64];
	long start, now;
	int status;
	pid_t pid;

	if (argc < 5 || parse_number(argv[2], &number))
		return 2;
	snprintf(format, sizeof(format), "%s %%ld", argv[1]);
	start = sum_lines(PKVM_COUNTERS, format);
	if (start < 0) {
		printf("init: %s has no %s\n", PKVM_COUNTERS, argv[1]);
		return 1;
	}
	pid = fork();
	if (pid < 0)
		return fail("during");
	if (!pid) {
		execv(argv[4], argv + 4);
		_exit(127);
	}
	do {
		sleep_ms(1);
		now = sum_lines(PKVM_COUNTERS, format);
		if (waitpid(pid, &status, WNOHANG) == pid) {
			printf("init: %s ended before %s grew by %lu\n", argv[4], argv[1], number);
			return 1;
		}
	} while (now < start + (long)number);

	kill(pid, SIGSTOP);
	sleep_ms(20);
	status = show_file(argv[3]);
	kill(pid, SIGCONT);
	if (status)
		return status;
	if (waitpid(pid, &status, 0) != pid)
		return fail("during");
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* zeroes FILE BYTES: write a file of zeroes, so that there is memory behind all of it in tmpfs. */
static int do_zeroes(int argc, char *argv[])
{
	static const char zeroes[4096];
	unsigned long bytes;
	size_t part;
	int fd;

	if (argc != 3 || parse_number(argv[2], &bytes))
		return 2;
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fail(argv[1]);
	for (; bytes; bytes -= part) {
		part = bytes < sizeof(zeroes) ? bytes : sizeof(zeroes);
		if (write(fd, zeroes, part) != (ssize_t)part)
			return fail(argv[1]);
	}
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	builtin_fn run;
} builtins[] = {
	{ "balloon", do_balloon },
	{ "cat", do_cat },
	{ "console", do_console },
	{ "during", do_during },
	{ "insmod", do_insmod },
	{ "killed", do_killed },
	{ "memfree", do_memfree },
	{ "memlock", do_memlock },
	{ "sleep", do_sleep },
	{ "write", do_write },
	{ "zeroes", do_zeroes },
};

builtin_fn builtin_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++) {
		if (!strcmp(name, builtins[i].name))
			return builtins[i].run;
	}
	return NULL;
}
