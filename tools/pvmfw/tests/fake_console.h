/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of the unit tests: it remembers the last line.
 */
#ifndef PVMFW_FAKE_CONSOLE_H
#define PVMFW_FAKE_CONSOLE_H

/** The last line, empty after fake_console_reset(). */
extern char fake_console_line[256];

/**
 * fake_console_reset() - Forget the last line.
 */
void fake_console_reset(void);

#endif
