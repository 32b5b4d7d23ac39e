/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the VMM: one line each, on standard error, never on the guest's console. They are
 * macros so that the compiler checks format and arguments.
 */
#ifndef VMM_LOG_H
#define VMM_LOG_H

#include <stdio.h>

/**
 * log_err() - Report an error that ends the run.
 * @fmt: printf() format without the final newline, a literal, followed by its arguments
 *
 * Any thread; lines do not mix. May change errno.
 */
#define log_err(fmt, ...)	fprintf(stderr, "vmm: error: " fmt "\n", ##__VA_ARGS__)

/**
 * log_warn() - Report an error that does not end the run.
 * @fmt: printf() format without the final newline, a literal, followed by its arguments
 *
 * As log_err().
 */
#define log_warn(fmt, ...)	fprintf(stderr, "vmm: warning: " fmt "\n", ##__VA_ARGS__)

#endif /* VMM_LOG_H */
