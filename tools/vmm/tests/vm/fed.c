// SPDX-License-Identifier: GPL-2.0-only
/*
 * fed MARK TEXT COMMAND...: run a program and copy its output. When it has written a line with
 * MARK, write TEXT and a newline to its standard input. The exit status is that of the program,
 * or 128 plus the signal that killed it.
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_LINE	512

static int run(char **argv, int input[2], int output[2])
{
	int fds[] = { input[0], input[1], output[0], output[1] };
	unsigned int i;

	if (dup2(input[0], STDIN_FILENO) < 0 || dup2(output[1], STDOUT_FILENO) < 0) {
		perror("dup2");
		return 127;
	}
	for (i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		close(fds[i]);
	execv(argv[0], argv);
	perror(argv[0]);
	return 127;
}

int main(int argc, char **argv)
{
	int input[2], output[2], status;
	char line[MAX_LINE];
	FILE *lines;
	pid_t pid;

	if (argc < 4)
		return 2;
	if (pipe(input) || pipe(output)) {
		perror("pipe");
		return 1;
	}
	pid = fork();
	if (pid < 0) {
		perror("fork");
		return 1;
	}
	if (!pid)
		_exit(run(argv + 3, input, output));
	close(input[0]);
	close(output[1]);

	lines = fdopen(output[0], "r");
	while (lines && fgets(line, sizeof(line), lines)) {
		fputs(line, stdout);
		fflush(stdout);
		if (strstr(line, argv[1]) && dprintf(input[1], "%s\n", argv[2]) < 0)
			perror("write");
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
