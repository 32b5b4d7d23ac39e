/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages on the console: one per line, each with the prefix "pvmfw: ".
 */
#ifndef PVMFW_CONSOLE_H
#define PVMFW_CONSOLE_H

#include "status.h"
#include "types.h"

/**
 * pr_info() - Print a line.
 * @fmt: as for printf(), without the newline
 *
 * May be called from the exception handler.
 */
void __printf(1, 2) pr_info(const char *fmt, ...);

/**
 * pr_error() - Print an error as "pvmfw: error: <context>: <message of the
 *	status>".
 * @status: the error
 * @fmt: the context as for printf(), or NULL if the message needs none
 *
 * May be called from the exception handler.
 *
 * Return: @status, so that one statement can report an error and return it.
 */
enum fw_status __printf(2, 3)
pr_error(enum fw_status status, const char *fmt, ...);

#endif
