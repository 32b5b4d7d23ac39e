/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of the unit tests, which records what is printed.
 */
#ifndef PVMFW_FAKE_CONSOLE_H
#define PVMFW_FAKE_CONSOLE_H

/** The last line, empty after fake_console_reset(). */
extern char fake_console_line[256];

/** All lines since fake_console_reset(), each cut to the size of fake_console_line. */
extern char fake_console_text[0x4000];

/**
 * fake_console_reset() - Remove all lines.
 */
void fake_console_reset(void);

#endif
