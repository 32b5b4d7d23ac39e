/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The control socket: a UNIX stream socket by which other programs of the host change the
 * machine while it runs.
 *
 * A request is a line: a command and its arguments, separated by blanks; a backslash takes the
 * meaning from the character behind it. The answer is any number of lines, followed by one that
 * is "ok", or begins with "error" and the name of an errno. Rule: each line is answered, in
 * order, and a line that is not a valid request changes nothing.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include <pthread.h>
#include <stddef.h>
#include <stdio.h>

/* Bytes of a line, without its end. */
#define CONTROL_MAX_LINE	4096
#define CONTROL_MAX_WORDS	16
#define CONTROL_MAX_CLIENTS	16
#define CONTROL_MAX_MESSAGE	256

/* The answer to a request that is being carried out. */
struct control_reply {
	FILE *lines;
	char message[CONTROL_MAX_MESSAGE];
};

struct control_command {
	const char *name;
	/* Its arguments, as help prints them. */
	const char *usage;
	unsigned int min_arguments;
	unsigned int max_arguments;
	/*
	 * Carry it out, in the thread of the control socket. Returns 0, or what control_fail()
	 * returned; then nothing has changed.
	 */
	int (*handle)(void *target, struct control_reply *reply, unsigned int argc, char **argv);
};

/* What is behind a control socket. */
struct control_config {
	const char *path;
	const struct control_command *commands;
	size_t nr_commands;
	/* For the handlers. */
	void *target;
};

struct control_client {
	/* -1: there is none. */
	int fd;
	/* The end of a line that was too long is still to come. */
	bool skipping;
	/* It sends nothing more. */
	bool ended;
	size_t length;
	char input[CONTROL_MAX_LINE + 1];
	char *output;
	size_t output_length;
	size_t output_sent;
};

struct control {
	struct control_config config;
	int listener;
	int stop_event;
	pthread_t thread;
	struct control_client clients[CONTROL_MAX_CLIENTS];
};

/**
 * control_say() - Add a line to the answer.
 * @reply: the answer
 * @fmt: printf() format without the final newline, a literal, followed by its arguments; the
 *	line begins neither with "ok" nor with "error"
 */
#define control_say(reply, fmt, ...)	fprintf((reply)->lines, fmt "\n", ##__VA_ARGS__)

/**
 * control_fail() - Set the message of an answer that is an error.
 * @reply: the answer
 * @err: a negative errno
 * @fmt: printf() format without a newline, a literal, followed by its arguments
 *
 * Return: @err.
 */
#define control_fail(reply, err, fmt, ...)	\
	(snprintf((reply)->message, CONTROL_MAX_MESSAGE, fmt, ##__VA_ARGS__), (err))

/**
 * control_answer() - Carry out one request.
 * @config: its commands
 * @line: the request, without its end; changed
 * @length: its bytes
 *
 * Return: the answer, to be freed; or NULL if there is no memory for it, reported on standard
 * error.
 */
char *control_answer(const struct control_config *config, char *line, size_t length);

/**
 * control_start() - Create the socket, and answer requests in a thread of its own.
 * @control: filled in
 * @config: copied; what it points to must outlive @control
 *
 * A socket of that name that nobody serves any more is replaced. Only the user of the VMM can
 * connect to the new one. Prints every error on standard error.
 *
 * Return: 0; -EADDRINUSE if the name is in use; or another negative errno.
 */
int control_start(struct control *control, const struct control_config *config);

/**
 * control_stop() - Finish the request that is being carried out, and remove the socket.
 * @control: after control_start()
 */
void control_stop(struct control *control);

#endif /* VMM_CONTROL_H */
