// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's console (console.h).
 */
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"
#include "log.h"
#include "stats.h"

static struct termios saved_terminal;
static bool terminal_changed;
static atomic_flag output_lost = ATOMIC_FLAG_INIT;

void console_init(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved_terminal))
		return;
	raw = saved_terminal;
	raw.c_lflag &= ~(ICANON | ECHO);
	raw.c_iflag &= ~ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw)) {
		log_warn("standard input: %s", strerror(errno));
		return;
	}
	terminal_changed = true;
}

void console_restore(void)
{
	if (terminal_changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved_terminal);
	terminal_changed = false;
}

void console_write(uint8_t byte, bool (*give_up)(void))
{
	while (write(STDOUT_FILENO, &byte, sizeof(byte)) != sizeof(byte)) {
		struct pollfd output = { .fd = STDOUT_FILENO, .events = POLLOUT };

		if (errno != EINTR && errno != EAGAIN) {
			if (!atomic_flag_test_and_set(&output_lost))
				log_warn("standard output: %s; the guest's output is lost",
					 strerror(errno));
			stat_add(STAT_UART_BYTES_LOST, 1);
			return;
		}
		if (errno == EAGAIN)
			poll(&output, 1, -1);
		if (give_up()) {
			stat_add(STAT_UART_BYTES_LOST, 1);
			return;
		}
	}
	stat_add(STAT_UART_BYTES_OUT, 1);
}

ssize_t console_read(uint8_t *bytes, size_t size)
{
	ssize_t length = read(STDIN_FILENO, bytes, size);

	if (length < 0) {
		int err = -errno;

		if (err == -EAGAIN || err == -EINTR)
			return -EAGAIN;
		log_warn("standard input: %s; the guest gets no more input", strerror(-err));
		return err;
	}
	stat_add(STAT_UART_BYTES_IN, length);
	return length;
}
