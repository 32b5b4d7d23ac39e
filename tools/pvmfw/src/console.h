/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages on the console, one per line, each with the name of the firmware in
 * front.
 */
#ifndef PVMFW_CONSOLE_H
#define PVMFW_CONSOLE_H

#include "status.h"
#include "types.h"

/**
 * pr_info() - Print a line.
 * @fmt: as for printf(), without the newline
 */
void __printf(1, 2) pr_info(const char *fmt, ...);

/**
 * pr_error() - Print an error as "pvmfw: error: <context>: <message of the
 *	status>".
 * @status: the error
 * @fmt: the context as for printf(), or NULL if the message says it all
 *
 * Return: @status, so that one line can report and return.
 */
enum fw_status __printf(2, 3)
pr_error(enum fw_status status, const char *fmt, ...);

#endif
