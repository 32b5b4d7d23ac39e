// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control socket (control.h). One thread serves all clients, so requests never run in
 * parallel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "control.h"
#include "log.h"

#define BACKLOG		8

enum {
	POLL_STOP,
	POLL_LISTENER,
	POLL_CLIENTS,
	NR_POLLS = POLL_CLIENTS + CONTROL_MAX_CLIENTS,
};

/* Split a line in place; the number of words, or -E2BIG if there are too many. */
static int split(char *line, char **words)
{
	char *from = line, *to = line;
	int count = 0;

	for (;;) {
		while (*from == ' ')
			from++;
		if (!*from)
			return count;
		if (count == CONTROL_MAX_WORDS)
			return -E2BIG;
		words[count++] = to;
		while (*from && *from != ' ') {
			if (*from == '\\' && from[1])
				from++;
			*to++ = *from++;
		}
		/* The word is no longer than what was read, so its end does not hit the rest. */
		if (*from)
			from++;
		*to++ = '\0';
	}
}

static bool is_text(const char *line, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++) {
		if ((unsigned char)line[i] < ' ' || line[i] == '\x7f')
			return false;
	}
	return true;
}

static int help(const struct control_config *config, struct control_reply *reply)
{
	size_t i;

	control_say(reply, "help");
	for (i = 0; i < config->nr_commands; i++) {
		const struct control_command *command = &config->commands[i];

		control_say(reply, "%s%s%s", command->name, *command->usage ? " " : "",
			    command->usage);
	}
	return 0;
}

static int run_words(const struct control_config *config, struct control_reply *reply,
		     unsigned int argc, char **argv)
{
	size_t i;

	if (!strcmp(argv[0], "help") && argc == 1)
		return help(config, reply);
	for (i = 0; i < config->nr_commands; i++) {
		const struct control_command *command = &config->commands[i];

		if (strcmp(argv[0], command->name))
			continue;
		if (argc - 1 < command->min_arguments || argc - 1 > command->max_arguments)
			return control_fail(reply, -EINVAL, "the command is: %s%s%s",
					    command->name, *command->usage ? " " : "",
					    command->usage);
		return command->handle(config->target, reply, argc - 1, argv + 1);
	}
	return control_fail(reply, -ENOENT, "unknown command '%.80s' (try help)", argv[0]);
}

static int run_line(const struct control_config *config, struct control_reply *reply, char *line,
		    size_t length)
{
	char *words[CONTROL_MAX_WORDS];
	int count;

	if (!is_text(line, length))
		return control_fail(reply, -EINVAL, "the line has a character that is no text");
	count = split(line, words);
	if (count < 0)
		return control_fail(reply, count, "more than %d words", CONTROL_MAX_WORDS);
	if (!count)
		return control_fail(reply, -EINVAL, "the line is empty");
	return run_words(config, reply, count, words);
}

static void client_close(struct control_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	free(client->output);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

/* Get the answer to a line; or, if @err is set, the one that says so with @message. */
static char *answer_of(const struct control_config *config, char *line, size_t length, int err,
		       const char *message)
{
	struct control_reply reply = { };
	char *text = NULL;
	size_t size = 0;

	reply.lines = open_memstream(&text, &size);
	if (!reply.lines) {
		log_warn("control socket: %s", strerror(errno));
		return NULL;
	}
	if (err)
		err = control_fail(&reply, err, "%s", message);
	else
		err = run_line(config, &reply, line, length);
	if (err)
		fprintf(reply.lines, "error %s %s\n", strerrorname_np(-err), reply.message);
	else
		fputs("ok\n", reply.lines);
	if (!fclose(reply.lines))
		return text;
	log_warn("control socket: %s", strerror(errno));
	free(text);
	return NULL;
}

char *control_answer(const struct control_config *config, char *line, size_t length)
{
	return answer_of(config, line, length, 0, NULL);
}

/* Answer what the client has sent and has no answer yet: a line, or the end of its input. */
static bool client_take_line(const struct control_config *config, struct control_client *client)
{
	char *end = memchr(client->input, '\n', client->length);
	bool skipped = client->skipping;
	size_t length, used;

	if (!end && client->length > CONTROL_MAX_LINE) {
		client->skipping = true;
		client->length = 0;
	}
	if (!end && !client->ended)
		return false;
	if (!end && !client->length && !client->skipping)
		return false;

	length = end ? (size_t)(end - client->input) : client->length;
	used = end ? length + 1 : length;
	if (end)
		*end = '\0';
	client->skipping = false;
	if (!end)
		client->output = answer_of(config, NULL, 0, -EPROTO, "the last line has no end");
	else if (skipped)
		client->output = answer_of(config, NULL, 0, -E2BIG, "the line is too long");
	else
		client->output = control_answer(config, client->input, length);
	if (!client->output) {
		client_close(client);
		return false;
	}
	client->output_length = strlen(client->output);
	client->length -= used;
	memmove(client->input, client->input + used, client->length);
	return true;
}

/* Send what the client has not got yet; false if there is more to send, or no client. */
static bool client_flush(struct control_client *client)
{
	while (client->output_sent < client->output_length) {
		ssize_t sent = send(client->fd, client->output + client->output_sent,
				    client->output_length - client->output_sent, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno == EAGAIN)
			return false;
		if (sent < 0) {
			client_close(client);
			return false;
		}
		client->output_sent += sent;
	}
	free(client->output);
	client->output = NULL;
	client->output_length = 0;
	client->output_sent = 0;
	return true;
}

static void client_receive(struct control_client *client)
{
	ssize_t length = recv(client->fd, client->input + client->length,
			      sizeof(client->input) - client->length, 0);

	if (length < 0 && errno != EINTR && errno != EAGAIN)
		client_close(client);
	else if (!length)
		client->ended = true;
	else if (length > 0)
		client->length += length;
}

/* A client gets no further answer, and nothing more is read from it, before it takes the last. */
static void client_serve(const struct control *control, struct control_client *client)
{
	if (!client->output && !client->ended)
		client_receive(client);
	while (client->fd >= 0 && client_flush(client)) {
		if (client_take_line(&control->config, client))
			continue;
		if (client->ended)
			client_close(client);
		return;
	}
}

static void accept_client(struct control *control)
{
	static const char busy[] = "error EBUSY too many clients\n";
	int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	unsigned int i;

	if (fd < 0) {
		if (errno != EINTR && errno != EAGAIN && errno != ECONNABORTED)
			log_warn("control socket: %s", strerror(errno));
		return;
	}
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		if (control->clients[i].fd < 0) {
			control->clients[i].fd = fd;
			return;
		}
	}
	send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
	close(fd);
}

static void *control_main(void *argument)
{
	struct control *control = argument;
	struct pollfd polls[NR_POLLS] = {
		[POLL_STOP] = { .fd = control->stop_event, .events = POLLIN },
		[POLL_LISTENER] = { .fd = control->listener, .events = POLLIN },
	};
	unsigned int i;

	for (;;) {
		for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
			struct control_client *client = &control->clients[i];

			polls[POLL_CLIENTS + i].fd = client->fd;
			polls[POLL_CLIENTS + i].events = client->output ? POLLOUT : POLLIN;
			polls[POLL_CLIENTS + i].revents = 0;
		}
		if (poll(polls, NR_POLLS, -1) < 0 && errno != EINTR) {
			log_warn("control socket: poll: %s", strerror(errno));
			return NULL;
		}
		if (polls[POLL_STOP].revents)
			return NULL;
		for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
			if (polls[POLL_CLIENTS + i].revents)
				client_serve(control, &control->clients[i]);
		}
		if (polls[POLL_LISTENER].revents)
			accept_client(control);
	}
}

/* Remove a socket that a VMM left that was killed: nobody listens there. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat info;
	int fd;

	if (lstat(address->sun_path, &info) || !S_ISSOCK(info.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	remove_stale(&address);
	/* bind() gives the name the mode of the socket. */
	if (fchmod(fd, 0600) || bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		goto fail;
	if (!listen(fd, BACKLOG))
		return fd;
	err = -errno;
	unlink(path);
	close(fd);
	return err;

fail:
	err = -errno;
	close(fd);
	return err;
}

/* The thread takes no signal: those that end the run are for the main thread. */
static int start_thread(struct control *control)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&control->thread, NULL, control_main, control);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int control_start(struct control *control, const struct control_config *config)
{
	unsigned int i;
	int err;

	control->config = *config;
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		memset(&control->clients[i], 0, sizeof(control->clients[i]));
		control->clients[i].fd = -1;
	}
	control->stop_event = eventfd(0, EFD_CLOEXEC);
	if (control->stop_event < 0) {
		err = -errno;
		goto fail;
	}
	control->listener = listen_at(config->path);
	if (control->listener < 0) {
		err = control->listener;
		goto close_event;
	}
	err = start_thread(control);
	if (!err)
		return 0;

	unlink(config->path);
	close(control->listener);
close_event:
	close(control->stop_event);
fail:
	log_err("--control %s: %s", config->path, strerror(-err));
	return err;
}

void control_stop(struct control *control)
{
	unsigned int i;

	eventfd_write(control->stop_event, 1);
	pthread_join(control->thread, NULL);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		client_close(&control->clients[i]);
	unlink(control->config.path);
	close(control->listener);
	close(control->stop_event);
}
