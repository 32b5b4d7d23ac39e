/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The console of the unit tests: it remembers what was said.
 */
#ifndef PVMFW_FAKE_CONSOLE_H
#define PVMFW_FAKE_CONSOLE_H

/** The last line, empty after fake_console_reset(). */
extern char fake_console_line[256];

/** All lines since fake_console_reset(), cut to the length of one line each. */
extern char fake_console_text[0x4000];

/**
 * fake_console_reset() - Forget all lines.
 */
void fake_console_reset(void);

#endif
