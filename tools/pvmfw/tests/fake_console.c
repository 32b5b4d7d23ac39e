// SPDX-License-Identifier: GPL-2.0-only
/*
 * pr_info() and pr_error() for the unit tests.
 */
#include <stdarg.h>
#include <stdio.h>

#include "console.h"
#include "fake_console.h"

char fake_console_line[256];

void fake_console_reset(void)
{
	fake_console_line[0] = '\0';
}

void pr_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake_console_line, sizeof(fake_console_line), fmt, args);
	va_end(args);
}

enum fw_status pr_error(enum fw_status status, const char *fmt, ...)
{
	int n = snprintf(fake_console_line, sizeof(fake_console_line), "error: ");
	va_list args;

	if (fmt) {
		va_start(args, fmt);
		n += vsnprintf(fake_console_line + n, sizeof(fake_console_line) - (size_t)n, fmt,
			       args);
		va_end(args);
		n += snprintf(fake_console_line + n, sizeof(fake_console_line) - (size_t)n, ": ");
	}
	snprintf(fake_console_line + n, sizeof(fake_console_line) - (size_t)n, "%s",
		 fw_strstatus(status));
	return status;
}
