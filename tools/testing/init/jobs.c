// SPDX-License-Identifier: GPL-2.0-only
/*
 * The jobs of the test root's init: parses a job line, and runs a job within its limit. Rule: a
 * job leaves no process of its process group behind.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

static char *skip_blanks(char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* Terminate the word at *@at, with its quotes removed, and advance *@at behind it. */
static int next_word(char **at, char **word)
{
	char *from = *at, *to = *at;
	bool quoted = false;

	*word = to;
	while (*from && (quoted || (*from != ' ' && *from != '\t'))) {
		if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
		from++;
	}
	if (quoted)
		return -EINVAL;
	*at = *from ? from + 1 : from;
	*to = '\0';
	return 0;
}

static int parse_limit(const char *text, unsigned int *limit)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || !value || value > 24 * 3600)
		return -EINVAL;
	*limit = value;
	return 0;
}

int job_parse(char *line, struct job *job)
{
	char *at = skip_blanks(line), *word;

	job->argc = 0;
	job->limit = JOB_DEFAULT_LIMIT;
	if (!strncmp(at, "limit=", 6)) {
		if (next_word(&at, &word) || parse_limit(word + 6, &job->limit))
			return -EINVAL;
		at = skip_blanks(at);
	}
	for (; *at; at = skip_blanks(at)) {
		if (job->argc == JOB_MAX_WORDS || next_word(&at, &job->argv[job->argc]))
			return -EINVAL;
		job->argc++;
	}
	job->argv[job->argc] = NULL;
	return job->argc ? 0 : -EINVAL;
}

/* Runs in the child: returns an exit status if it is a builtin or the program cannot start. */
static int job_child(const struct job *job)
{
	builtin_fn builtin = builtin_find(job->argv[0]);
	sigset_t none;
	int fd, error;

	setpgid(0, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	fd = open("/dev/null", O_RDWR);
	if (fd < 0 || dup2(fd, STDIN_FILENO) < 0)
		perror("init: /dev/null");
	if (fd > STDIN_FILENO)
		close(fd);

	if (builtin)
		return builtin(job->argc, (char **)job->argv);

	execv(job->argv[0], job->argv);
	error = errno;
	printf("init: %s: %s\n", job->argv[0], strerror(error));
	return error == ENOENT ? 127 : 126;
}

/* Reap all children that have ended, orphans included, as init must; true if @pid is among them. */
static bool reap(pid_t pid, int *status)
{
	bool found = false;
	pid_t dead;
	int s;

	while ((dead = waitpid(-1, &s, WNOHANG)) > 0) {
		if (dead == pid) {
			*status = s;
			found = true;
		}
	}
	return found;
}

static bool wait_until(pid_t pid, const struct timespec *end, int *status)
{
	struct timespec now, left;
	sigset_t child;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	while (!reap(pid, status)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		left.tv_sec = end->tv_sec - now.tv_sec;
		left.tv_nsec = end->tv_nsec - now.tv_nsec;
		if (left.tv_nsec < 0) {
			left.tv_sec--;
			left.tv_nsec += 1000000000;
		}
		if (left.tv_sec < 0)
			return false;
		/* Another child may have ended, or a signal may interrupt this: check again. */
		sigtimedwait(&child, NULL, &left);
	}
	return true;
}

int job_run(const struct job *job, bool *timed_out)
{
	struct timespec end;
	sigset_t child;
	int status;
	pid_t pid;

	/* Block SIGCHLD before the fork, so that the end of a child is not missed. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);

	*timed_out = false;
	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		perror("init: fork");
		return 126;
	}
	if (!pid) {
		status = job_child(job);
		fflush(stdout);
		/* exit() would change the offset of /etc/jobs, which parent and child share. */
		_exit(status);
	}
	setpgid(pid, pid);

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += job->limit;
	if (!wait_until(pid, &end, &status)) {
		*timed_out = true;
		kill(-pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	kill(-pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0)
		;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
