// SPDX-License-Identifier: GPL-2.0-only
/*
 * pr_info() and pr_error() for the unit tests (fake_console.h).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "fake_console.h"
#include "fake_trace.h"

char fake_console_line[256];
char fake_console_text[0x4000];

void fake_console_reset(void)
{
	fake_console_line[0] = '\0';
	fake_console_text[0] = '\0';
}

/* Add the line to fake_console_text as far as it fits. */
static void end_line(void)
{
	size_t used = strlen(fake_console_text);

	snprintf(fake_console_text + used, sizeof(fake_console_text) - used, "%s\n",
		 fake_console_line);
	fake_trace(EVENT_PRINT, 0);
}

void pr_info(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(fake_console_line, sizeof(fake_console_line), fmt, args);
	va_end(args);
	end_line();
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
	end_line();
	return status;
}
