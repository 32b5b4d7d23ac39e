// SPDX-License-Identifier: GPL-2.0-only
/*
 * The console: picolibc's printf on top of the UART.
 */
#include <stdarg.h>
#include <stdio.h>

#include "console.h"
#include "uart.h"

static int put(char c, FILE *file)
{
	(void)file;
	uart_putc(c);
	return (unsigned char)c;
}

static FILE console = FDEV_SETUP_STREAM(put, NULL, NULL, _FDEV_SETUP_WRITE);

static void puts_raw(const char *s)
{
	while (*s)
		uart_putc(*s++);
}

void pr_info(const char *fmt, ...)
{
	va_list args;

	puts_raw("pvmfw: ");
	va_start(args, fmt);
	vfprintf(&console, fmt, args);
	va_end(args);
	uart_putc('\n');
}

enum fw_status pr_error(enum fw_status status, const char *fmt, ...)
{
	va_list args;

	puts_raw("pvmfw: error: ");
	if (fmt) {
		va_start(args, fmt);
		vfprintf(&console, fmt, args);
		va_end(args);
		puts_raw(": ");
	}
	puts_raw(fw_strstatus(status));
	uart_putc('\n');
	return status;
}
