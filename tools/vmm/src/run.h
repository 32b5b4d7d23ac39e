/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run of the machine: threads, console input, signals, time limit.
 */
#ifndef VMM_RUN_H
#define VMM_RUN_H

#include <stdbool.h>

#include "bus.h"
#include "uart.h"
#include "vcpu.h"

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
 * Takes over SIGHUP, SIGINT, SIGTERM and SIGPIPE of the process. When it
 * returns no vCPU thread is left; should one not end within some seconds, it
 * says so and ends the process instead.
 *
 * Return: an exit status of options.h.
 */
int run_machine(const struct run_config *config);

/**
 * run_stopping() - Is the run over?
 *
 * Any thread.
 *
 * Return: true once something has decided the exit status.
 */
bool run_stopping(void);

/**
 * run_wake_input() - The UART has room for input again; for struct uart.
 * @unused: nothing
 *
 * Any thread.
 */
void run_wake_input(void *unused);

#endif /* VMM_RUN_H */
