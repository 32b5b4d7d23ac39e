/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's console: standard input and output of the VMM.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * console_init() - If standard input is a terminal, make it pass each key on.
 *
 * Signals of the keyboard stay as they are. console_restore() undoes it.
 */
void console_init(void);

/**
 * console_restore() - Leave the terminal as console_init() found it.
 */
void console_restore(void);

/**
 * console_write() - Write one byte to standard output.
 * @byte: the byte
 * @give_up: asked whenever a signal interrupts the wait for a slow reader
 *
 * Output that cannot be written is counted and reported once, and the guest
 * goes on. Any thread.
 */
void console_write(uint8_t byte, bool (*give_up)(void));

/**
 * console_read() - Read what standard input has.
 * @bytes: where to
 * @size: at most so many, not 0
 *
 * Return: how many; 0 at the end of the input; or a negative errno, which is
 * reported on standard error unless it is -EAGAIN.
 */
ssize_t console_read(uint8_t *bytes, size_t size);

#endif /* VMM_CONSOLE_H */
