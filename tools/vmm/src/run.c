// SPDX-License-Identifier: GPL-2.0-only
/*
 * A run of the machine (run.h): a thread for each vCPU, and the main thread, which waits for
 * console input, signals, the time limit and the end of the run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "layout.h"
#include "log.h"
#include "options.h"
#include "run.h"

#define NOT_STOPPED	(-1)
#define KICK_PERIOD_NS	10000000L
#define MAX_KICKS	500

enum {
	POLL_STOP,
	POLL_INPUT_ROOM,
	POLL_SIGNAL,
	POLL_TIMER,
	POLL_INPUT,
	NR_POLLS,
};

struct vcpu_thread {
	pthread_t thread;
	struct vcpu *vcpu;
	const struct bus *bus;
};

static atomic_int run_status = NOT_STOPPED;
static int stop_event = -1;
static int input_room_event = -1;

static void signal_event(int event)
{
	const uint64_t one = 1;

	/* EAGAIN means that the counter is full: the event is pending anyway. */
	if (write(event, &one, sizeof(one)) != sizeof(one) && errno != EAGAIN)
		log_warn("eventfd: %s", strerror(errno));
}

static void stop(int status)
{
	int expected = NOT_STOPPED;

	if (atomic_compare_exchange_strong(&run_status, &expected, status))
		signal_event(stop_event);
}

bool run_stopping(void)
{
	return atomic_load(&run_status) != NOT_STOPPED;
}

void run_wake_input(void *unused)
{
	(void)unused;
	signal_event(input_room_event);
}

static void *vcpu_thread_main(void *argument)
{
	struct vcpu_thread *thread = argument;
	int status = vcpu_run(thread->vcpu, thread->bus, run_stopping);

	if (status != VCPU_STOPPED)
		stop(status);
	return NULL;
}

/* Get a signalfd for the signals that end the run, or a negative errno. */
static int take_over_signals(void)
{
	sigset_t signals;
	int fd, err;

	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	sigemptyset(&signals);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	err = pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (err)
		return -err;
	err = vcpu_install_kick();
	if (err)
		return err;
	fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

static int make_timer(unsigned int seconds)
{
	const struct itimerspec limit = { .it_value.tv_sec = seconds };
	int fd, err;

	fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (timerfd_settime(fd, 0, &limit, NULL)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

static void open_polls(struct pollfd *polls, unsigned int timeout)
{
	unsigned int i;

	stop_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	input_room_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	polls[POLL_STOP].fd = stop_event < 0 ? -errno : stop_event;
	polls[POLL_INPUT_ROOM].fd = input_room_event < 0 ? -errno : input_room_event;
	polls[POLL_SIGNAL].fd = take_over_signals();
	polls[POLL_TIMER].fd = make_timer(timeout);
	polls[POLL_INPUT].fd = STDIN_FILENO;
	for (i = 0; i < NR_POLLS; i++)
		polls[i].events = POLLIN;
}

static int check_polls(const struct pollfd *polls)
{
	unsigned int i;

	for (i = 0; i < NR_POLLS; i++) {
		if (polls[i].fd < 0) {
			log_err("cannot wait for events: %s", strerror(-polls[i].fd));
			return polls[i].fd;
		}
	}
	return 0;
}

static void close_polls(const struct pollfd *polls)
{
	unsigned int i;

	for (i = 0; i < POLL_INPUT; i++) {
		if (polls[i].fd >= 0)
			close(polls[i].fd);
	}
}

static void take_signal(int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) == sizeof(info))
		stop(EXIT_SIGNAL_BASE + info.ssi_signo);
}

/* Pass input to the guest; false at the end of the input. */
static bool take_input(struct uart *uart)
{
	uint8_t bytes[UART_FIFO_SIZE];
	size_t room = uart_room(uart);
	ssize_t length;

	if (!room)
		return true;
	length = console_read(bytes, room);
	if (length == -EAGAIN)
		return true;
	if (length <= 0)
		return false;
	uart_receive(uart, bytes, length);
	return true;
}

static void wait_for_end(const struct run_config *config, struct pollfd *polls)
{
	bool input = true;
	uint64_t count;

	while (!run_stopping()) {
		/* Do not poll for input that the guest cannot take: poll() skips a negative fd. */
		polls[POLL_INPUT].fd = input && uart_room(config->uart) ? STDIN_FILENO : -1;
		polls[POLL_INPUT].revents = 0;
		if (poll(polls, NR_POLLS, -1) < 0) {
			if (errno == EINTR)
				continue;
			log_err("poll: %s", strerror(errno));
			stop(EXIT_VMM_ERROR);
			return;
		}
		if (polls[POLL_SIGNAL].revents)
			take_signal(polls[POLL_SIGNAL].fd);
		if (polls[POLL_TIMER].revents) {
			log_err("the guest is still running after %u seconds", config->timeout);
			stop(EXIT_TIMED_OUT);
		}
		if (polls[POLL_INPUT_ROOM].revents &&
		    read(polls[POLL_INPUT_ROOM].fd, &count, sizeof(count)) < 0 &&
		    errno != EAGAIN)
			log_warn("eventfd: %s", strerror(errno));
		if (polls[POLL_INPUT].revents)
			input = take_input(config->uart);
	}
}

/*
 * Kick a thread until it ends: a kick has no effect on a thread that has checked the status but
 * is not in a system call yet.
 */
static void end_thread(struct vcpu_thread *thread)
{
	unsigned int kicks;

	for (kicks = 0; kicks < MAX_KICKS; kicks++) {
		struct timespec deadline;

		pthread_kill(thread->thread, vcpu_kick_signal());
		clock_gettime(CLOCK_MONOTONIC, &deadline);
		deadline.tv_nsec += KICK_PERIOD_NS;
		if (deadline.tv_nsec >= 1000000000L) {
			deadline.tv_nsec -= 1000000000L;
			deadline.tv_sec++;
		}
		if (!pthread_clockjoin_np(thread->thread, NULL, CLOCK_MONOTONIC, &deadline))
			return;
	}
	log_err("vCPU %u does not stop; ending the process", thread->vcpu->index);
	console_restore();
	_exit(atomic_load(&run_status));
}

int run_machine(const struct run_config *config)
{
	struct vcpu_thread threads[MAX_VCPUS];
	struct pollfd polls[NR_POLLS] = { };
	unsigned int started = 0;
	int err;

	open_polls(polls, config->timeout);
	if (check_polls(polls)) {
		close_polls(polls);
		return EXIT_VMM_ERROR;
	}
	console_init();

	for (started = 0; started < config->nr_vcpus; started++) {
		struct vcpu_thread *thread = &threads[started];

		thread->vcpu = &config->vcpus[started];
		thread->bus = config->bus;
		err = pthread_create(&thread->thread, NULL, vcpu_thread_main, thread);
		if (err) {
			log_err("vCPU %u: cannot create a thread: %s", started, strerror(err));
			stop(EXIT_VMM_ERROR);
			break;
		}
	}
	wait_for_end(config, polls);
	while (started--)
		end_thread(&threads[started]);

	console_restore();
	close_polls(polls);
	return atomic_load(&run_status);
}
