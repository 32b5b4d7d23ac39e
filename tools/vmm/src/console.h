/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's console: standard input and output of the VMM. Rule: an error of either does not
 * end the guest.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * console_init() - If standard input is a terminal, make it pass on each key at once.
 *
 * Keys that raise signals, such as Ctrl-C, still do. console_restore() undoes it. Main thread.
 */
void console_init(void);

/**
 * console_restore() - Restore the terminal settings that console_init() found. Main thread.
 */
void console_restore(void);

/**
 * console_write() - Write one byte to standard output.
 * @byte: the byte
 * @give_up: called whenever a signal interrupts the wait for a slow reader; the byte is lost
 *	if it returns true
 *
 * A byte that cannot be written is counted; the first one is reported on standard error. Any
 * thread.
 */
void console_write(uint8_t byte, bool (*give_up)(void));

/**
 * console_read() - Read from standard input.
 * @bytes: filled in
 * @size: bytes of @bytes, not 0
 *
 * Main thread.
 *
 * Return: number of bytes read; 0 at the end of the input; or a negative errno, which is
 * reported on standard error unless it is -EAGAIN.
 */
ssize_t console_read(uint8_t *bytes, size_t size);

#endif /* VMM_CONSOLE_H */
