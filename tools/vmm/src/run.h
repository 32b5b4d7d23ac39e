/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A run of the machine: threads, console input, signals, time limit. Rule: whatever ends the
 * run first decides the exit status.
 */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include <stdbool.h>

#include "bus.h"
#include "uart.h"
#include "vcpu.h"

/* What run_machine() runs. */
struct run_config {
	struct vcpu *vcpus;
	unsigned int nr_vcpus;
	const struct bus *bus;
	struct uart *uart;
	/* Seconds, 0 for no limit. */
	unsigned int timeout;
};

/**
 * run_machine() - Run all vCPUs until something ends the run.
 * @config: what to run
 *
 * Handles SIGHUP, SIGINT and SIGTERM of the process, and ignores SIGPIPE. When it returns, all
 * vCPU threads have ended; if one does not end within some seconds, it reports that on standard
 * error and ends the process. Main thread, once.
 *
 * Return: an exit status of options.h.
 */
int run_machine(const struct run_config *config);

/**
 * run_stopping() - Check whether the run is ending.
 *
 * Any thread.
 *
 * Return: true once the exit status has been decided.
 */
bool run_stopping(void);

/**
 * run_wake_input() - Note that the UART has room for input again; for struct uart.
 * @unused: not used
 *
 * Any thread.
 */
void run_wake_input(void *unused);

#endif /* VMM_RUN_H */
