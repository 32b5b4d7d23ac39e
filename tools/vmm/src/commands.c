// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the control socket (commands.h).
 */
#include "commands.h"

static int do_status(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;

	(void)argc;
	(void)argv;
	control_say(reply, "protected %d", target->protected_vm);
	control_say(reply, "vcpus %u", target->nr_vcpus);
	control_say(reply, "memory_bytes %lu", target->memory_size);
	return 0;
}

/* In the order in which help prints them. */
static const struct control_command commands[] = {
	{ "status", "", 0, 0, do_status },
};

int commands_serve(struct control *control, const char *path, struct command_target *target)
{
	const struct control_config config = {
		.path = path,
		.commands = commands,
		.nr_commands = sizeof(commands) / sizeof(*commands),
		.target = target,
	};

	return control_start(control, &config);
}
