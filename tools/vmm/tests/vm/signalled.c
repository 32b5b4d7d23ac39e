// SPDX-License-Identifier: GPL-2.0-only
/*
 * signalled MILLISECONDS SIGNAL COMMAND...: run a program and send it a signal after a time. The
 * exit status is that of the program, or 128 plus the signal that killed it, or 125 if it did not
 * end within ten seconds after the signal and had to be killed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOT_ENDED	125
#define PATIENCE_MS	10000

static void sleep_ms(long ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

int main(int argc, char **argv)
{
	int status, waited;
	pid_t pid;

	if (argc < 4)
		return 2;
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (!pid) {
		execv(argv[3], argv + 3);
		perror(argv[3]);
		_exit(127);
	}
	sleep_ms(atol(argv[1]));
	kill(pid, atoi(argv[2]));
	for (waited = 0; waited < PATIENCE_MS; waited += 10) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
						     WEXITSTATUS(status);
		sleep_ms(10);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return NOT_ENDED;
}
