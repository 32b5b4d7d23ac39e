// SPDX-License-Identifier: GPL-2.0-only
/*
 * The builtin "balloon", which changes the balloon of a VM while it runs, and prints the host's
 * counters and free memory at each step.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init.h"

#define MIB		(1024 * 1024L)
/* When counters change by less than this number of pages in this time, the guest is at rest. */
#define REST_PAGES	64
#define REST_MS		4000
#define POLL_MS		200

struct session {
	pid_t vmm;
	bool ended;
	int status;
	const char *socket;
	/* The values of got() and gone() before the VM was started. */
	long got;
	long gone;
};

/* Wait; false if the VMM has ended. */
static bool running(struct session *session, unsigned int ms)
{
	sleep_ms(ms);
	if (!session->ended && waitpid(session->vmm, &session->status, WNOHANG) == session->vmm)
		session->ended = true;
	return !session->ended;
}

/* Send a line to the control socket, and read the answer; false if it is not "ok". */
static bool request(const struct session *session, const char *line, char *answer, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = 0;
	ssize_t n;
	int fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", session->socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)) &&
	    write(fd, line, strlen(line)) == (ssize_t)strlen(line) && !shutdown(fd, SHUT_WR)) {
		while ((n = read(fd, answer + length, size - 1 - length)) > 0)
			length += n;
	}
	close(fd);
	answer[length] = '\0';
	return length >= 3 && !strcmp(answer + length - 3, "ok\n");
}

static long counter(const char *name)
{
	char format[64];

	snprintf(format, sizeof(format), "%s %%ld", name);
	return sum_lines(PKVM_COUNTERS, format);
}

/* How many pages the host has donated to VMs, or shared with them, so far. */
static long got(void)
{
	return counter("pages_donated") + counter("np_pages_shared");
}

/* How many of these pages VMs have relinquished, or the host has unshared. */
static long gone(void)
{
	return counter("pages_relinquished") + counter("np_pages_unshared");
}

/* Wait until the guest has got at least @pages, and its number of pages hardly changes any more. */
static bool rest(struct session *session, long pages)
{
	long touched = 0, given = 0, before;

	do {
		before = touched + given;
		if (!running(session, REST_MS))
			return false;
		touched = got() - session->got;
		given = gone() - session->gone;
	} while (touched < pages || touched + given - before >= REST_PAGES);
	return true;
}

static bool inflate(struct session *session, long mib)
{
	char line[64], answer[4096];
	const char *found;

	snprintf(line, sizeof(line), "balloon %ld\n", mib);
	if (!request(session, line, answer, sizeof(answer))) {
		printf("init: balloon %ld: %s\n", mib, answer);
		return false;
	}
	do {
		if (!running(session, POLL_MS) ||
		    !request(session, "status\n", answer, sizeof(answer)))
			return false;
		found = strstr(answer, "balloon_bytes ");
	} while (!found || strtol(found + strlen("balloon_bytes "), NULL, 10) != mib * MIB);
	return true;
}

/* Print the VMM's status, the host's counters, and its free memory. */
static bool show(const struct session *session, unsigned int step)
{
	char answer[4096];

	if (!request(session, "status\n", answer, sizeof(answer)))
		return false;
	printf("=== %u\n%s", step, answer);
	return !show_file(PKVM_COUNTERS) && !show_memfree();
}

static bool do_steps(struct session *session, char *steps)
{
	unsigned int nr = 0;
	char *step, *mib;

	for (step = strtok(steps, ","); step; step = strtok(NULL, ",")) {
		mib = strchr(step, ':');
		if (!rest(session, atol(step)) || !show(session, nr++))
			return false;
		if (mib && !inflate(session, atol(mib + 1)))
			return false;
	}
	return true;
}

/*
 * balloon SOCKET STEPS COMMAND...: run a VMM that has its control socket at SOCKET. STEPS have
 * commas between them. Each is PAGES[:MIB]: wait until the VM has got PAGES since its start and is
 * at rest; print "=== " and the number of the step, from 0 on, the VMM's status, the counters, and
 * the host's free memory; then set the balloon to MIB and wait until it has this size. In the end
 * wait for the VMM. The exit status is that of the VMM, or 1 if a step failed.
 */
int do_balloon(int argc, char *argv[])
{
	struct session session = {
		.got = got(),
		.gone = gone(),
	};
	bool done;

	if (argc < 4)
		return 2;
	session.socket = argv[1];
	session.vmm = fork();
	if (session.vmm < 0) {
		printf("init: balloon: %s\n", strerror(errno));
		return 1;
	}
	if (!session.vmm) {
		builtin_fn builtin = builtin_find(argv[3]);

		if (builtin)
			_exit(builtin(argc - 3, argv + 3));
		execv(argv[3], argv + 3);
		_exit(127);
	}
	done = do_steps(&session, argv[2]);
	if (!session.ended && waitpid(session.vmm, &session.status, 0) != session.vmm)
		return 1;
	if (!done) {
		printf("init: balloon: a step failed\n");
		return 1;
	}
	return WIFSIGNALED(session.status) ? 128 + WTERMSIG(session.status) :
					     WEXITSTATUS(session.status);
}
