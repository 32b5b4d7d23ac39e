// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands of the control socket (commands.h).
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"

#define MIB			(1024 * 1024UL)
/* How long status waits for statistics of a guest that may have hung. */
#define STATISTICS_MS		500
#define SIZE_PREFIX	"size="
#define SLOT_PREFIX	"slot="

static int no_windows(struct control_reply *reply)
{
	return control_fail(reply, -ENODEV, "this VM cannot have windows");
}

static int parse_slot(struct control_reply *reply, const char *text, unsigned int *slot)
{
	if (!isdigit((unsigned char)text[0]) || text[1] || text[0] == '0' ||
	    text[0] - '0' > WINDOW_SLOTS)
		return control_fail(reply, -EINVAL, "slot '%.80s' is not from 1 to %d", text,
				    WINDOW_SLOTS);
	*slot = text[0] - '0';
	return 0;
}

static bool has_prefix(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

static int do_add(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;
	unsigned int slot = WINDOW_ANY_SLOT, i;
	uint64_t size = 0;
	const char *why;
	int found;

	for (i = 1; i < argc; i++) {
		if (has_prefix(argv[i], SIZE_PREFIX) && !size) {
			if (window_parse_size(argv[i] + strlen(SIZE_PREFIX), &size))
				return control_fail(reply, -EINVAL,
						    "%.80s is not a power of two from 4K to 1G",
						    argv[i]);
		} else if (has_prefix(argv[i], SLOT_PREFIX) && slot == WINDOW_ANY_SLOT) {
			found = parse_slot(reply, argv[i] + strlen(SLOT_PREFIX), &slot);
			if (found)
				return found;
		} else {
			return control_fail(reply, -EINVAL, "unexpected argument '%.80s'",
					    argv[i]);
		}
	}
	if (!size)
		return control_fail(reply, -EINVAL, "no size is given");
	if (!target->windows)
		return no_windows(reply);
	found = windows_add(target->windows, argv[0], size, slot, &why);
	if (found < 0)
		return control_fail(reply, found, "%.160s: %s", argv[0],
				    why ? why : strerror(-found));
	control_say(reply, "slot %d", found);
	return 0;
}

static int do_remove(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;
	unsigned int slot;
	int err;

	(void)argc;
	err = parse_slot(reply, argv[0], &slot);
	if (err)
		return err;
	if (!target->windows)
		return no_windows(reply);
	err = windows_remove(target->windows, slot);
	if (err == -ENOENT)
		return control_fail(reply, err, "there is no window in slot %u", slot);
	if (err)
		return control_fail(reply, err, "slot %u: %s", slot, strerror(-err));
	return 0;
}

static int do_list(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;
	struct window_info info;
	unsigned int slot;
	int err;

	(void)argc;
	(void)argv;
	for (slot = 1; target->windows && slot <= WINDOW_SLOTS; slot++) {
		err = windows_get(target->windows, slot, &info);
		if (err == -ENOENT)
			continue;
		if (err)
			return control_fail(reply, err, "slot %u: %s", slot, strerror(-err));
		if (info.mapped)
			control_say(reply, "slot %u size %lu address %#lx file %s", slot,
				    info.size, info.address, info.path);
		else
			control_say(reply, "slot %u size %lu address none file %s", slot,
				    info.size, info.path);
		free(info.path);
	}
	return 0;
}

static void say_balloon(struct virtio_balloon *balloon, struct control_reply *reply)
{
	struct balloon_state state;
	unsigned int tag;

	virtio_balloon_get_state(balloon, STATISTICS_MS, &state);
	control_say(reply, "balloon_target_bytes %lu", state.target);
	control_say(reply, "balloon_bytes %lu", state.actual);
	for (tag = 0; tag < BALLOON_STATS; tag++) {
		if (state.known[tag])
			control_say(reply, "guest_%s %lu", virtio_balloon_stat_name(tag),
				    state.value[tag]);
	}
	if (state.known[VIRTIO_BALLOON_S_MEMFREE])
		control_say(reply, "guest_age_ms %lu", state.age_ms);
}

static int do_status(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;

	(void)argc;
	(void)argv;
	control_say(reply, "protected %d", target->protected_vm);
	control_say(reply, "vcpus %u", target->nr_vcpus);
	control_say(reply, "memory_bytes %lu", target->memory_size);
	control_say(reply, "window_slots %d", target->windows ? WINDOW_SLOTS : 0);
	if (target->balloon)
		say_balloon(target->balloon, reply);
	return 0;
}

static int do_balloon(void *opaque, struct control_reply *reply, unsigned int argc, char **argv)
{
	const struct command_target *target = opaque;
	unsigned long mib;
	char *end;

	(void)argc;
	if (!target->balloon)
		return control_fail(reply, -ENODEV, "the VM has no balloon (--balloon)");
	/* On overflow strtoul() returns ULONG_MAX, which exceeds all memory. */
	mib = strtoul(argv[0], &end, 10);
	if (!isdigit((unsigned char)argv[0][0]) || *end)
		return control_fail(reply, -EINVAL, "'%.80s' is not a number", argv[0]);
	if (mib > target->memory_size / MIB)
		return control_fail(reply, -EINVAL, "the VM has only %lu MiB",
				    target->memory_size / MIB);
	return virtio_balloon_set_target(target->balloon, mib * MIB);
}

/* In the order in which help prints them. */
static const struct control_command commands[] = {
	{ "balloon", "MIB", 1, 1, do_balloon },
	{ "status", "", 0, 0, do_status },
	{ "add", "FILE size=SIZE [slot=NUMBER]", 2, 3, do_add },
	{ "remove", "NUMBER", 1, 1, do_remove },
	{ "list", "", 0, 0, do_list },
};

static struct control_config config_of(struct command_target *target)
{
	return (struct control_config) {
		.commands = commands,
		.nr_commands = sizeof(commands) / sizeof(*commands),
		.target = target,
	};
}

char *commands_answer(struct command_target *target, const char *line)
{
	const struct control_config config = config_of(target);
	char *copy = strdup(line), *answer = NULL;

	if (copy)
		answer = control_answer(&config, copy, strlen(copy));
	free(copy);
	return answer;
}

int commands_serve(struct control *control, const char *path, struct command_target *target)
{
	struct control_config config = config_of(target);

	config.path = path;
	return control_start(control, &config);
}
