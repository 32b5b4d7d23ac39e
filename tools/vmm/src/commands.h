/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands of the control socket.
 */
#ifndef VMM_COMMANDS_H
#define VMM_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "control.h"
#include "virtio_balloon.h"
#include "window.h"

/* What the commands show and change. */
struct command_target {
	bool protected_vm;
	unsigned int nr_vcpus;
	/* Bytes. */
	uint64_t memory_size;
	/* NULL if this VM cannot have windows. */
	struct windows *windows;
	/* NULL if there is none. */
	struct virtio_balloon *balloon;
};

/**
 * commands_answer() - Carry out one command, as the control socket does.
 * @target: what it is about
 * @line: the command and its arguments
 *
 * Return: as control_answer().
 */
char *commands_answer(struct command_target *target, const char *line);

/**
 * commands_serve() - Start a control socket that has all commands.
 * @control: filled in
 * @path: its name
 * @target: what the commands are about; must outlive @control
 *
 * Return: as control_start().
 */
int commands_serve(struct control *control, const char *path, struct command_target *target);

#endif /* VMM_COMMANDS_H */
