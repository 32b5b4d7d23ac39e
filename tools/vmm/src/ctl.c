// SPDX-License-Identifier: GPL-2.0-only
/*
 * The client of the control socket (ctl.h; the protocol is in control.h).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"
#include "options.h"

#define OK	"ok\n"
#define ERROR	"error "

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Write the words as a line, so that each arrives as it is. */
static int send_line(FILE *socket, int argc, char **argv)
{
	const char *at;
	int i;

	for (i = 0; i < argc; i++) {
		if (i)
			fputc(' ', socket);
		for (at = argv[i]; *at; at++) {
			if (*at == ' ' || *at == '\\')
				fputc('\\', socket);
			fputc(*at, socket);
		}
	}
	fputc('\n', socket);
	return fflush(socket) ? -errno : 0;
}

/* Print an answer; its last line decides. */
static int print_answer(FILE *socket)
{
	char *line = NULL;
	size_t size = 0;
	int status = -1;

	while (status < 0 && getline(&line, &size, socket) > 0) {
		if (!strcmp(line, OK)) {
			status = EXIT_GUEST_OFF;
		} else if (!strncmp(line, ERROR, strlen(ERROR))) {
			line[strcspn(line, "\n")] = '\0';
			log_err("%s", line + strlen(ERROR));
			status = EXIT_VMM_ERROR;
		} else {
			fputs(line, stdout);
		}
	}
	free(line);
	if (status < 0) {
		log_err("the VMM ended before it answered");
		return EXIT_VMM_ERROR;
	}
	if (fflush(stdout)) {
		log_err("standard output: %s", strerror(errno));
		return EXIT_VMM_ERROR;
	}
	return status;
}

int ctl_main(int argc, char **argv)
{
	int fd, i, status, err;
	FILE *socket;

	if (argc < 2) {
		log_err("give a socket and a command: vmm ctl PATH COMMAND [ARGUMENT]...");
		return EXIT_USAGE;
	}
	/* A newline would make a second request of what follows. */
	for (i = 1; i < argc; i++) {
		if (strchr(argv[i], '\n') || !*argv[i]) {
			log_err("a word of the command is empty, or has a newline");
			return EXIT_USAGE;
		}
	}
	signal(SIGPIPE, SIG_IGN);
	fd = connect_to(argv[0]);
	if (fd < 0) {
		log_err("%s: %s", argv[0], strerror(-fd));
		return EXIT_VMM_ERROR;
	}
	socket = fdopen(fd, "r+");
	if (!socket) {
		log_err("%s: %s", argv[0], strerror(errno));
		close(fd);
		return EXIT_VMM_ERROR;
	}
	/* A VMM that takes no more clients says so and does not read. */
	err = send_line(socket, argc - 1, argv + 1);
	if (err && err != -EPIPE) {
		log_err("%s: %s", argv[0], strerror(-err));
		status = EXIT_VMM_ERROR;
	} else {
		status = print_answer(socket);
	}
	fclose(socket);
	return status;
}
